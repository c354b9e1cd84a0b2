// A short life of a store in which the n-th call to the disk fails, for every n. After a restart
// the store must show exactly what a life without faults showed at the same position, and that
// position must not be before what was acknowledged.
#include <gtest/gtest.h>

#include <functional>

#include "base/text.h"
#include "store/disk_memory.h"
#include "tests/store/store_model.h"

namespace lb::store {
namespace {

struct Picture {
    std::map<LineId, ModelTree> lines;
    std::map<std::string, std::string> notes;
};

Picture picture_of(Store& store) {
    Picture picture;
    for (const LineInfo& line : store.lines()) {
        picture.lines[line.line] = read_tree(store, line.line);
    }
    for (const Note& note : LB_MUST(store.notes(""))) picture.notes[note.key] = *note.value;
    return picture;
}

Result<std::unique_ptr<Store>> open_store(Disk& disk) {
    return Store::open({.directory = "/store",
                        .disk = &disk,
                        .spare_segments = 0,
                        .segment_bytes = uint64_t{384} << 10,
                        .is_index_in_memory = true});
}

constexpr LineId kMain{1};
constexpr LineId kChild{2};

// Each step is one frame, and is durable after the steps that say so.
using StepFunction = std::function<Status(Store&)>;

template <class Value>
Status status_of(Result<Value> result) {
    if (result.is_ok()) return ok();
    return std::move(result).error();
}

StepFunction write_step(LineId line, std::string name, uint64_t offset, size_t count, char fill) {
    return [=](Store& store) -> Status {
        InodeId inode = LB_TRY(store.lookup(line, kRootInode, name)).inode;
        return status_of(store.write(line, inode, offset, as_bytes(std::string(count, fill))));
    };
}

StepFunction create_step(LineId line, std::string name, FileType type = FileType::kFile) {
    return [=](Store& store) -> Status {
        return status_of(store.create(line, kRootInode, name, {.type = type}));
    };
}

StepFunction commit_step(Commit commit) {
    return [commit = std::move(commit)](Store& store) -> Status {
        for (size_t i = 0; i < commit.create.size(); i++) static_cast<void>(store.reserve_line());
        return status_of(store.commit(commit));
    };
}

// Enough to fill several of the small segments.
std::vector<StepFunction> life() {
    return {
        commit_step({.create = {{.line = kMain}}, .notes = {{"generation", "1"}}}),
        create_step(kMain, "table"),
        write_step(kMain, "table", 0, 250'000, 'a'),
        create_step(kMain, "pg_wal", FileType::kDirectory),
        write_step(kMain, "table", 8192, 8192, 'b'),
        commit_step(
            {.create = {{.line = kChild, .parent = kMain}}, .notes = {{"generation", "2"}}}),
        write_step(kChild, "table", 100, 50'000, 'c'),
        write_step(kMain, "table", 200'000, 200'000, 'd'),
        [](Store& store) -> Status {
            return store.rename(kMain, kRootInode, "table", kRootInode, "renamed",
                                RenameMode::kReplace);
        },
        [](Store& store) -> Status {
            InodeId inode = LB_TRY(store.lookup(kChild, kRootInode, "table")).inode;
            return status_of(store.set_attributes(kChild, inode, {.size_bytes = 9000}));
        },
        [](Store& store) -> Status {
            return store.remove(kMain, kRootInode, "renamed", FileType::kFile);
        },
        commit_step({.remove = {kMain}, .notes = {{"generation", std::nullopt}}}),
        write_step(kChild, "table", 0, 10'000, 'e'),
    };
}

struct Outcome {
    bool is_finished = false;
    uint64_t acknowledged = 0;  // in the log
    uint64_t durable = 0;
};

// Lives until the first failure.
Outcome live(Disk& disk, const std::function<void(Store&)>& after_step) {
    Outcome outcome;
    Result<std::unique_ptr<Store>> store = open_store(disk);
    if (!store.is_ok()) return outcome;
    uint32_t number = 0;
    for (const StepFunction& step : life()) {
        if (!step(**store).is_ok()) return outcome;
        outcome.acknowledged = (*store)->position().value();
        after_step(**store);
        bool wants_sync = number++ % 3 == 2;
        if (wants_sync && !(*store)->sync(outcome.acknowledged).is_ok()) return outcome;
        if ((*store)->is_durable(outcome.acknowledged)) outcome.durable = outcome.acknowledged;
    }
    outcome.is_finished = (*store)->close().is_ok();
    return outcome;
}

class StoreFault : public ::testing::TestWithParam<FaultMode> {
protected:
    StoreFault() {
        MemoryDisk disk;
        pictures_[0] = {};
        prepare(disk);
        Outcome outcome = live(
            disk, [&](Store& store) { pictures_[store.position().value()] = picture_of(store); });
        EXPECT_TRUE(outcome.is_finished);
        last_ = outcome.acknowledged;
    }

    static void prepare(MemoryDisk& disk) {
        LB_MUST(disk.create_directory("/store"));
        LB_MUST(disk.sync_directory("/"));
    }

    void expect_picture(MemoryDisk& disk, uint64_t at_least, const std::string& what) {
        Result<std::unique_ptr<Store>> store = open_store(disk);
        ASSERT_TRUE(store.is_ok()) << what << ": " << to_text(store.error());
        uint64_t position = (*store)->position().value();
        ASSERT_GE(position, at_least) << what;
        ASSERT_TRUE(pictures_.contains(position)) << what << " at " << position;
        Picture expected = pictures_[position];
        Picture actual = picture_of(**store);
        EXPECT_EQ(expected.notes, actual.notes) << what;
        ASSERT_EQ(expected.lines.size(), actual.lines.size()) << what;
        for (const auto& [line, tree] : expected.lines) {
            EXPECT_EQ(difference(tree, actual.lines[line]), "") << what;
        }
    }

    std::map<uint64_t, Picture> pictures_;
    uint64_t last_ = 0;
};

constexpr uint64_t kCallsMax = 5000;

TEST_P(StoreFault, ARestartShowsWhatWasAcknowledged) {
    for (uint64_t n = 0;; n++) {
        ASSERT_LT(n, kCallsMax);
        MemoryDisk disk(n);
        prepare(disk);
        disk.fail_after(n, Error{.code = ErrorCode::kIo, .message = "injected"}, GetParam());
        Outcome outcome = live(disk, [](Store&) {});
        disk.stop_failing();
        expect_picture(disk, outcome.acknowledged, cat("call ", n));
        if (outcome.is_finished || HasFatalFailure()) return;
    }
}

TEST_P(StoreFault, APowerCutAfterAFaultKeepsWhatWasDurable) {
    for (uint64_t n = 0;; n++) {
        ASSERT_LT(n, kCallsMax);
        MemoryDisk disk(n);
        prepare(disk);
        disk.fail_after(n, Error{.code = ErrorCode::kIo, .message = "injected"}, GetParam());
        Outcome outcome = live(disk, [](Store&) {});
        disk.crash(n);
        expect_picture(disk, outcome.durable, cat("call ", n));
        if (outcome.is_finished || HasFatalFailure()) return;
    }
}

INSTANTIATE_TEST_SUITE_P(Modes, StoreFault,
                         ::testing::Values(FaultMode::kOnce, FaultMode::kFromThenOn));

// A full disk refuses the operation, changes nothing, and lets the next one try again.
TEST(StoreFull, AnOperationIsRefusedAndWorksWhenThereIsRoom) {
    MemoryDisk disk;
    LB_MUST(disk.create_directory("/store"));
    std::unique_ptr<Store> store = LB_MUST(open_store(disk));
    LineId main = store->reserve_line();
    LB_MUST(store->commit({.create = {{.line = main}}}));
    InodeId file = LB_MUST(store->create(main, kRootInode, "table", {})).inode;
    disk.set_capacity_bytes(disk.used_bytes());
    Bytes block(kBlockBytes, std::byte{1});
    uint64_t offset = 0;
    Result<FileAttributes> written = store->write(main, file, offset, block);
    for (; written.is_ok(); written = store->write(main, file, offset, block)) {
        offset += kBlockBytes;
        ASSERT_LT(offset, uint64_t{100} << 20);
    }
    EXPECT_EQ(written.error().code, ErrorCode::kStoreFull);
    Position position = store->position();
    EXPECT_EQ(store->write(main, file, offset, block).error().code, ErrorCode::kStoreFull);
    EXPECT_EQ(store->position(), position);
    EXPECT_EQ(LB_MUST(store->attributes(main, file)).size_bytes, offset);
    LB_MUST(store->sync(position.value()));
    Bytes back(kBlockBytes);
    EXPECT_EQ(LB_MUST(store->read(main, file, offset - kBlockBytes, back)), kBlockBytes);
    disk.set_capacity_bytes(UINT64_MAX);
    LB_MUST(store->write(main, file, offset, block));
    LB_MUST(store->close());
}

// A killed process leaves writes in the page cache only. What a restart shows must not be lost
// after it, because nobody will sync it any more.
TEST(StoreRestart, WhatARestartShowsIsDurable) {
    MemoryDisk disk;
    LB_MUST(disk.create_directory("/store"));
    LB_MUST(disk.sync_directory("/"));
    std::unique_ptr<Store> store = LB_MUST(open_store(disk));
    LineId main = store->reserve_line();
    LB_MUST(store->commit({.create = {{.line = main}}}));
    for (int i = 0; i < 50; i++) LB_MUST(store->create(main, kRootInode, cat("file", i), {}));
    Position position = store->position();
    EXPECT_FALSE(store->is_durable(position.value()));
    store.reset();  // killed
    store = LB_MUST(open_store(disk));
    EXPECT_EQ(store->position(), position);
    EXPECT_TRUE(store->is_durable(position.value()));
    disk.crash(1);
    store.reset();
    store = LB_MUST(open_store(disk));
    EXPECT_EQ(store->position(), position);
    EXPECT_EQ(LB_MUST(store->list(main, kRootInode, "", 100)).size(), 50U);
    LB_MUST(store->close());
}

// sync() of a file waits for its newest frame, so that must be known even when nothing is kept in
// memory. Writes in place have no attributes in their frame.
TEST(StoreRestart, TheNewestFrameOfAFileIsKnownWithoutCaches) {
    MemoryDisk disk;
    LB_MUST(disk.create_directory("/store"));
    std::unique_ptr<Store> store = LB_MUST(Store::open({.directory = "/store",
                                                        .disk = &disk,
                                                        .index_cache_bytes = 0,
                                                        .spare_segments = 0,
                                                        .segment_bytes = uint64_t{384} << 10,
                                                        .is_index_in_memory = true}));
    LineId main = store->reserve_line();
    LB_MUST(store->commit({.create = {{.line = main}}}));
    InodeId file = LB_MUST(store->create(main, kRootInode, "table", {})).inode;
    InodeId other = LB_MUST(store->create(main, kRootInode, "other", {})).inode;
    Bytes block(kBlockBytes, std::byte{1});
    LB_MUST(store->write(main, file, 0, block));
    uint64_t written = LB_MUST(store->write(main, file, 0, block)).last_sequence;
    EXPECT_EQ(written, store->position().value());
    LB_MUST(store->write(main, other, 0, block));
    EXPECT_EQ(LB_MUST(store->attributes(main, file)).last_sequence, written);
    LB_MUST(store->close());
}

}  // namespace
}  // namespace lb::store
