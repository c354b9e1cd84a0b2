// The joiner alone, on a real store without a mount: what it holds, what makes it let go, and that
// no position of the log shows a block that is half new.
#include "store/fuse_write_joiner.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <string>

#include "tests/store/fuse_fixture.h"

namespace lb::store {
namespace {

constexpr uint64_t kFileBlocks = 4;
constexpr uint64_t kFileBytes = kFileBlocks * kBlockBytes;

class Writes {
public:
    explicit Writes(FuseCache cache = FuseCache::kKernel)
        : store_(LB_MUST(Store::open({.directory = directory_.path() + "/store",
                                      .spare_segments = 0,
                                      .segment_bytes = 4 << 20,
                                      .is_index_in_memory = true}))),
          joiner_(*store_, cache) {
        line_ = store_->reserve_line();
        LB_MUST(store_->commit({.create = {{.line = line_}}}));
        for (std::string name : {"a", "b"}) {
            FileAttributes file = LB_MUST(store_->create(line_, kRootInode, name, {}));
            files_.push_back({line_, file.inode});
            LB_MUST(store_->write(line_, file.inode, 0, as_bytes(std::string(kFileBytes, 'o'))));
        }
    }
    ~Writes() { LB_MUST(store_->close()); }

    Status write(uint32_t thread, uint64_t offset, const std::string& text, size_t file = 0) {
        WriteOutcome outcome = joiner_.write(
            {.node = files_[file], .thread = thread, .offset = offset, .data = as_bytes(text)});
        lost_bytes_ = outcome.lost_bytes;
        return outcome.status;
    }
    std::string stored(LineId line, uint64_t offset, size_t size, size_t file = 0) {
        std::string text(size, '?');
        LB_MUST(store_->read(line, files_[file].inode, offset,
                             std::as_writable_bytes(std::span(text))));
        return text;
    }
    std::string stored(uint64_t offset, size_t size) { return stored(line_, offset, size); }
    std::string overlaid(uint64_t offset, size_t size) {
        std::string text = stored(offset, size);
        joiner_.overlay(files_[0], offset, std::as_writable_bytes(std::span(text)));
        return text;
    }

    TemporaryDirectory directory_;
    std::unique_ptr<Store> store_;
    FuseWriteJoiner joiner_;
    LineId line_;
    std::vector<Node> files_;
    uint64_t lost_bytes_ = 0;
};

std::string filled(size_t size, char fill) { return std::string(size, fill); }

TEST(FuseWriteJoiner, WholeBlocksGoThrough) {
    Writes writes;
    LB_MUST(writes.write(1, kBlockBytes, filled(2 * kBlockBytes, 'n')));
    EXPECT_FALSE(writes.joiner_.is_holding());
    EXPECT_EQ(writes.stored(kBlockBytes, 2 * kBlockBytes), filled(2 * kBlockBytes, 'n'));
    EXPECT_EQ(writes.joiner_.split_write_count(), 0u);
}

TEST(FuseWriteJoiner, ACutBlockIsOneFrame) {
    Writes writes;
    Position before = writes.store_->position();
    LB_MUST(writes.write(1, 0, filled(kBlockBytes + 4096, 'n')));
    EXPECT_EQ(writes.stored(0, 2 * kBlockBytes),
              filled(kBlockBytes, 'n') + filled(kBlockBytes, 'o'));
    LB_MUST(writes.write(1, kBlockBytes + 4096, filled(4096 + kBlockBytes, 'n')));
    EXPECT_EQ(writes.stored(0, 3 * kBlockBytes), filled(3 * kBlockBytes, 'n'));
    EXPECT_EQ(writes.store_->position().value(), before.value() + 2);
    EXPECT_FALSE(writes.joiner_.is_holding());
    EXPECT_EQ(writes.joiner_.joined_write_count(), 1u);
    EXPECT_EQ(writes.joiner_.split_write_count(), 0u);
}

TEST(FuseWriteJoiner, ABlockCutManyTimes) {
    Writes writes;
    Position before = writes.store_->position();
    for (uint64_t offset = 0; offset < kBlockBytes; offset += 1024) {
        EXPECT_EQ(writes.store_->position(), before);
        LB_MUST(writes.write(1, offset, filled(1024, 'n')));
    }
    EXPECT_EQ(writes.stored(0, kBlockBytes), filled(kBlockBytes, 'n'));
    EXPECT_EQ(writes.store_->position().value(), before.value() + 1);
}

TEST(FuseWriteJoiner, TheEndOfTheFileIsTheProgramsOwn) {
    Writes writes;
    LB_MUST(writes.write(1, kFileBytes, filled(100, 'n')));
    EXPECT_FALSE(writes.joiner_.is_holding());
    LB_MUST(writes.write(1, kFileBytes - 100, filled(200, 'n')));
    EXPECT_FALSE(writes.joiner_.is_holding());
    EXPECT_EQ(writes.stored(kFileBytes - 100, 200), filled(200, 'n'));
}

TEST(FuseWriteJoiner, APartThatStartsInsideABlockIsNoCut) {
    Writes writes;
    LB_MUST(writes.write(1, 100, filled(50, 'n')));
    EXPECT_FALSE(writes.joiner_.is_holding());
    EXPECT_EQ(writes.stored(100, 50), filled(50, 'n'));
    EXPECT_EQ(writes.joiner_.split_write_count(), 1u);
}

TEST(FuseWriteJoiner, NothingIsHeldWithoutTheKernelsCache) {
    Writes writes(FuseCache::kNone);
    LB_MUST(writes.write(1, 0, filled(4096, 'n')));
    EXPECT_FALSE(writes.joiner_.is_holding());
    EXPECT_EQ(writes.joiner_.split_write_count(), 1u);
}

TEST(FuseWriteJoiner, WhatIsHeldIsReadBack) {
    Writes writes;
    LB_MUST(writes.write(1, kBlockBytes, filled(4096, 'n')));
    EXPECT_EQ(writes.stored(kBlockBytes, 8192), filled(8192, 'o'));
    EXPECT_EQ(writes.overlaid(kBlockBytes, 8192), filled(4096, 'n') + filled(4096, 'o'));
    EXPECT_EQ(writes.overlaid(kBlockBytes - 10, 20), filled(10, 'o') + filled(10, 'n'));
    EXPECT_EQ(writes.overlaid(kBlockBytes + 4090, 20), filled(6, 'n') + filled(14, 'o'));
    EXPECT_EQ(writes.overlaid(0, 100), filled(100, 'o'));
}

TEST(FuseWriteJoiner, WhatLetsGo) {
    using Action = std::function<void(Writes&)>;
    const std::pair<const char*, Action> kActions[] = {
        {"a request of the thread", [](Writes& w) { w.joiner_.request_of_thread(1); }},
        {"a change of the file", [](Writes& w) { w.joiner_.change_of_node(w.files_[0]); }},
        {"a write elsewhere by the thread",
         [](Writes& w) { LB_MUST(w.write(1, 0, filled(kBlockBytes, 'x'), 1)); }},
        {"a write elsewhere in the file",
         [](Writes& w) { LB_MUST(w.write(2, 2 * kBlockBytes, filled(kBlockBytes, 'x'))); }},
        {"another thread's write at the place",
         [](Writes& w) { LB_MUST(w.write(2, 4096, filled(4096, 'o'))); }},
        {"time",
         [](Writes& w) {
             w.joiner_.time_passed(std::chrono::steady_clock::now() + FuseWriteJoiner::kHoldTime);
         }},
        {"the end", [](Writes& w) { w.joiner_.let_go_of_all(); }},
    };
    for (const auto& [name, action] : kActions) {
        Writes writes;
        LB_MUST(writes.write(1, 0, filled(4096, 'n')));
        ASSERT_EQ(writes.stored(0, 4096), filled(4096, 'o')) << name;
        action(writes);
        EXPECT_EQ(writes.stored(0, 8192), filled(4096, 'n') + filled(4096, 'o')) << name;
        EXPECT_FALSE(writes.joiner_.is_holding()) << name;
        EXPECT_GE(writes.joiner_.split_write_count(), 1u) << name;
    }
}

TEST(FuseWriteJoiner, WhatDoesNotLetGo) {
    Writes writes;
    LB_MUST(writes.write(1, 0, filled(4096, 'n')));
    writes.joiner_.request_of_thread(2);
    writes.joiner_.request_of_thread(0);  // unknown
    writes.joiner_.change_of_node(writes.files_[1]);
    writes.joiner_.time_passed(std::chrono::steady_clock::now());
    LB_MUST(writes.write(2, 0, filled(kBlockBytes, 'x'), 1));
    LB_MUST(writes.write(3, 0, filled(4096, 'y'), 1));
    EXPECT_EQ(writes.stored(0, 4096), filled(4096, 'o'));
    LB_MUST(writes.write(1, 4096, filled(4096, 'n')));
    EXPECT_EQ(writes.stored(0, 8192), filled(8192, 'n'));
}

TEST(FuseWriteJoiner, FailuresAreReported) {
    Writes writes;
    LB_MUST(writes.write(1, 0, filled(4096, 'n')));
    LB_MUST(writes.write(2, 0, filled(4096, 'n'), 1));
    LB_MUST(writes.store_->commit({.remove = {writes.line_}}));
    // The rest of a cut: the program learns of it, and the kernel must forget what it cached.
    EXPECT_FALSE(writes.write(1, 4096, filled(4096, 'n')).is_ok());
    EXPECT_EQ(writes.lost_bytes_, 4096u);
    // A part: the next fsync learns of it, once.
    writes.joiner_.let_go_of_all();
    LB_MUST(writes.joiner_.take_failure(writes.files_[0]));
    EXPECT_FALSE(writes.joiner_.take_failure(writes.files_[1]).is_ok());
    LB_MUST(writes.joiner_.take_failure(writes.files_[1]));
}

// Three threads write whole blocks of two files; each write is cut at random into requests, and the
// requests of different threads mix as the kernel lets them (one write at a time per file). At
// every position, each block is of one colour.
RC_GTEST_PROP(FuseWriteJoinerLaw, NoPositionShowsAHalfBlock, ()) {
    struct Running {
        uint64_t offset = 0;
        std::string text;
        size_t done = 0;
    };
    Writes writes;
    std::map<size_t, std::pair<uint32_t, Running>> running;  // by file
    std::string expected[2] = {filled(kFileBytes, 'o'), filled(kFileBytes, 'o')};
    std::vector<LineId> forks;
    int steps = *rc::gen::inRange(1, 60);
    for (int i = 0; i < steps; ++i) {
        auto file = *rc::gen::inRange<size_t>(0, 2);
        auto found = running.find(file);
        if (found == running.end()) {
            auto thread = *rc::gen::inRange<uint32_t>(1, 4);
            bool is_busy = false;
            for (const auto& [other, write] : running) is_busy |= write.first == thread;
            if (is_busy) continue;
            auto first = *rc::gen::inRange<uint64_t>(0, kFileBlocks);
            auto count = *rc::gen::inRange<uint64_t>(1, kFileBlocks - first + 1);
            char colour = static_cast<char>('A' + i % 26);
            running[file] = {thread, {first * kBlockBytes, filled(count * kBlockBytes, colour)}};
            continue;
        }
        auto& [thread, write] = found->second;
        size_t size = *rc::gen::inRange<size_t>(1, write.text.size() - write.done + 1);
        LB_MUST(writes.write(thread, write.offset + write.done, write.text.substr(write.done, size),
                             file));
        write.done += size;
        if (write.done == write.text.size()) {
            expected[file].replace(write.offset, write.text.size(), write.text);
            RC_ASSERT(writes.stored(writes.line_, write.offset, write.text.size(), file) ==
                      write.text);
            running.erase(found);
        }
        LineId fork = writes.store_->reserve_line();
        LB_MUST(writes.store_->commit({.create = {{.line = fork, .parent = writes.line_}}}));
        forks.push_back(fork);
    }
    RC_ASSERT(writes.joiner_.split_write_count() == 0u);
    for (LineId fork : forks) {
        for (size_t file = 0; file < 2; ++file) {
            std::string text = writes.stored(fork, 0, kFileBytes, file);
            for (uint64_t block = 0; block < kFileBytes; block += kBlockBytes) {
                RC_ASSERT(text.substr(block, kBlockBytes) == filled(kBlockBytes, text[block]));
            }
        }
    }
    for (size_t file = 0; file < 2; ++file) {
        if (running.count(file) != 0) continue;
        RC_ASSERT(writes.stored(writes.line_, 0, kFileBytes, file) == expected[file]);
    }
}

}  // namespace
}  // namespace lb::store
