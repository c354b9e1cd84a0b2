// The index fails at its n-th call, for every n, with nothing kept in memory so that every
// operation needs it. What was refused has changed nothing; what the log took is there after a
// rebuild.
#include "store/projection.h"

#include <gtest/gtest.h>

#include <functional>

#include "base/text.h"
#include "store/disk_memory.h"
#include "store/file_tree.h"

namespace lb::store {
namespace {

struct Fault {
    uint64_t calls_left = UINT64_MAX;

    Status call() {
        if (calls_left-- > 0) return ok();
        calls_left = UINT64_MAX;  // once
        return Error{.code = ErrorCode::kIo, .message = "injected"};
    }
};

class FaultyCursor final : public IndexCursor {
public:
    FaultyCursor(Fault& fault, std::unique_ptr<IndexCursor> cursor)
        : fault_(fault), cursor_(std::move(cursor)) {}
    Result<bool> seek(std::string_view key) override {
        LB_TRY(fault_.call());
        return cursor_->seek(key);
    }
    Result<bool> next() override {
        LB_TRY(fault_.call());
        return cursor_->next();
    }
    std::string_view key() const override { return cursor_->key(); }
    std::string_view value() const override { return cursor_->value(); }

private:
    Fault& fault_;
    std::unique_ptr<IndexCursor> cursor_;
};

class FaultyIndex final : public Index {
public:
    FaultyIndex(Fault& fault, Index& index) : fault_(fault), index_(index) {}
    Status write(const IndexBatch& batch) override {
        LB_TRY(fault_.call());
        return index_.write(batch);
    }
    std::unique_ptr<IndexCursor> cursor() override {
        return std::make_unique<FaultyCursor>(fault_, index_.cursor());
    }
    Result<std::optional<std::string>> get(std::string_view key) override {
        LB_TRY(fault_.call());
        return index_.get(key);
    }
    Status verify() override { return ok(); }
    Status flush() override {
        LB_TRY(fault_.call());
        return index_.flush();
    }
    Status start_flush() override { return fault_.call(); }
    Status clear() override {
        LB_TRY(fault_.call());
        return index_.clear();
    }
    Status close() override { return ok(); }

private:
    Fault& fault_;
    Index& index_;
};

constexpr LineId kMain{1};
constexpr LineId kChild{2};

// A file tree with nothing between it and its index.
struct Life {
    Life(Disk& disk, Index& kept_index)
        : log(LB_MUST(SegmentLog::open({.disk = &disk,
                                        .directory = "/store",
                                        .spare_segments = 0,
                                        .segment_bytes = uint64_t{1} << 20}))),
          index(fault, kept_index),
          projection(*log, index, ProjectionLimits{}),
          tree(projection, *log, disk.clock()) {}

    const Line& line(LineId id) { return *projection.lines().find(id); }

    Status make_line(LineId id, const LineRecord& record) {
        FrameRecords frame;
        frame.line_create(id, record);
        if (record.parent == LineId{}) {
            frame.raw_inode(id, kRootInode, FileTree::root_inode(WallTime{}));
        }
        LB_TRY(projection.append(frame.records()));
        return ok();
    }

    Fault fault;
    std::unique_ptr<SegmentLog> log;
    FaultyIndex index;
    Projection projection;
    FileTree tree;
};

using StepFunction = std::function<Status(Life&)>;

std::vector<StepFunction> steps() {
    auto named = [](Life& life, LineId line) -> Result<InodeId> {
        return LB_TRY(life.tree.lookup(life.line(line), kRootInode, "table")).inode;
    };
    auto write = [=](LineId line, uint64_t offset, size_t count, char fill) {
        return [=](Life& life) -> Status {
            InodeId inode = LB_TRY(named(life, line));
            std::string text(count, fill);
            LB_TRY(life.tree.write(life.line(line), inode, offset, as_bytes(text)));
            return ok();
        };
    };
    return {
        [](Life& life) { return life.make_line(kMain, {}); },
        [](Life& life) -> Status {
            LB_TRY(life.tree.create(life.line(kMain), kRootInode, "table", {}));
            return ok();
        },
        write(kMain, 100, 100'000, 'a'),
        [](Life& life) {
            return life.make_line(kChild, {kMain, Position{2}});
        },
        write(kMain, 10, 10, 'b'),
        write(kChild, 0, 20'000, 'c'),
        [=](Life& life) -> Status {
            InodeId inode = LB_TRY(named(life, kMain));
            LB_TRY(life.tree.set_attributes(life.line(kMain), inode, {.size_bytes = 50'000}));
            return ok();
        },
        [](Life& life) {
            return life.tree.rename(life.line(kChild), kRootInode, "table", kRootInode, "other",
                                    RenameMode::kReplace);
        },
        [](Life& life) {
            return life.tree.remove(life.line(kMain), kRootInode, "table", FileType::kFile);
        },
    };
}

// Names, sizes and first bytes of what a line shows.
std::string describe(Life& life, LineId id) {
    if (life.projection.lines().find(id) == nullptr) return "none";
    const Line& line = life.line(id);
    std::string text = cat(line.info.logical_bytes, "/", line.info.own_bytes);
    for (const DirectoryEntry& entry : LB_MUST(life.tree.list(line, kRootInode, "", 100))) {
        Bytes bytes(60'000);
        ReadPlan plan = LB_MUST(life.tree.plan_read(line, entry.inode, 0, bytes.size()));
        LB_MUST(FileTree::fetch(*life.log, plan, bytes));
        uint64_t size_bytes = LB_MUST(life.tree.attributes(line, entry.inode)).size_bytes;
        text += cat(" ", entry.name, ":", size_bytes, ":");
        for (size_t at : {0U, 15U, 9000U, 49'999U, 50'001U}) {
            text += std::to_string(static_cast<int>(bytes[at])) + ",";
        }
    }
    return text;
}

TEST(ProjectionFault, AFailingIndexRefusesOrStopsButNeverLies) {
    std::map<uint64_t, std::string> expected;
    {
        MemoryDisk disk;
        LB_MUST(disk.create_directory("/store"));
        std::unique_ptr<Index> index = make_memory_index();
        Life life(disk, *index);
        LB_MUST(life.projection.recover());
        expected[0] = describe(life, kMain) + describe(life, kChild);
        for (const StepFunction& step : steps()) {
            LB_MUST(step(life));
            expected[life.log->last_sequence()] = describe(life, kMain) + describe(life, kChild);
        }
    }
    bool was_reached = true;
    for (uint64_t n = 0; was_reached; n++) {
        ASSERT_LT(n, 2000U);
        MemoryDisk disk;
        LB_MUST(disk.create_directory("/store"));
        {
            std::unique_ptr<Index> index = make_memory_index();
            Life life(disk, *index);
            LB_MUST(life.projection.recover());
            life.fault.calls_left = n;
            for (const StepFunction& step : steps()) {
                uint64_t before = life.log->last_sequence();
                Status done = life.projection.trim();
                if (done.is_ok()) done = step(life);
                if (done.is_ok()) continue;
                if (life.log->last_sequence() != before) {
                    // The log took it, memory did not follow: nothing more is taken.
                    EXPECT_EQ(life.make_line(LineId{9}, {}).error().code,
                              ErrorCode::kStoreReadOnly);
                    break;
                }
                LB_MUST(life.projection.trim());
                LB_MUST(step(life));  // the fault is over
            }
            was_reached = life.fault.calls_left > uint64_t{1} << 32;
        }
        std::unique_ptr<Index> rebuilt = make_memory_index();
        Life again(disk, *rebuilt);
        LB_MUST(again.projection.recover());
        uint64_t position = again.log->last_sequence();
        ASSERT_TRUE(expected.contains(position)) << n;
        EXPECT_EQ(describe(again, kMain) + describe(again, kChild), expected[position]) << n;
    }
}

// A replay that stops half-way leaves entries in the index that are newer than the place it stands
// for. The next replay must come to the same result.
TEST(ProjectionFault, AnInterruptedReplayCanBeRepeated) {
    for (size_t indexed_steps : {3U, 5U, 7U}) {
        bool was_reached = true;
        for (uint64_t n = 0; was_reached; n++) {
            ASSERT_LT(n, 2000U);
            MemoryDisk disk;
            LB_MUST(disk.create_directory("/store"));
            std::unique_ptr<Index> index = make_memory_index();
            std::unique_ptr<Index> other = make_memory_index();
            std::string expected;
            {
                Life life(disk, *index);
                LB_MUST(life.projection.recover());
                for (size_t i = 0; i < indexed_steps; i++) LB_MUST(steps()[i](life));
                LB_MUST(life.projection.write_index());
            }
            {
                Life life(disk, *other);
                LB_MUST(life.projection.recover());
                for (size_t i = indexed_steps; i < steps().size(); i++) LB_MUST(steps()[i](life));
                expected = describe(life, kMain) + describe(life, kChild);
            }
            {
                Life life(disk, *index);
                life.fault.calls_left = n;
                was_reached = !life.projection.recover().is_ok();
            }
            Life life(disk, *index);
            LB_MUST(life.projection.recover());
            EXPECT_EQ(describe(life, kMain) + describe(life, kChild), expected) << n;
        }
    }
}

}  // namespace
}  // namespace lb::store
