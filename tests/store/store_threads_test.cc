// Many threads on one store: what is read is always a whole block of one write, branches show one
// moment, and (under ThreadSanitizer) nothing races.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "base/text.h"
#include "store/disk_memory.h"
#include "store/store.h"

namespace lb::store {
namespace {

constexpr uint32_t kBlockCount = 200;
constexpr int kRoundCount = 300;

class StoreThreads : public ::testing::Test {
protected:
    StoreThreads() {
        LB_MUST(disk_.create_directory("/store"));
        store_ = LB_MUST(Store::open({.directory = "/store",
                                      .disk = &disk_,
                                      .index_cache_bytes = uint64_t{1} << 20,
                                      .spare_segments = 1,
                                      .segment_bytes = uint64_t{4} << 20,
                                      .is_index_in_memory = true}));
        main_ = store_->reserve_line();
        LB_MUST(store_->commit({.create = {{.line = main_}}}));
        file_ = LB_MUST(store_->create(main_, kRootInode, "table", {})).inode;
    }
    ~StoreThreads() override { LB_MUST(store_->close()); }

    void write_block(uint32_t block, char fill) {
        std::string text(kBlockBytes, fill);
        LB_MUST(store_->write(main_, file_, uint64_t{block} * kBlockBytes, as_bytes(text)));
    }
    // The block's one byte; a block of several is a torn one.
    char read_block(LineId line, uint32_t block) {
        std::string text(kBlockBytes, '?');
        size_t count = LB_MUST(store_->read(line, file_, uint64_t{block} * kBlockBytes,
                                            std::as_writable_bytes(std::span(text))));
        EXPECT_EQ(count, kBlockBytes);
        EXPECT_EQ(text.find_first_not_of(text[0]), std::string::npos);
        return text[0];
    }

    MemoryDisk disk_;
    std::unique_ptr<Store> store_;
    LineId main_;
    InodeId file_;
};

TEST_F(StoreThreads, BlocksAreWholeAndBranchesShowOneMoment) {
    for (uint32_t block = 0; block < kBlockCount; block++) write_block(block, 'a');
    std::atomic<bool> is_done = false;
    std::vector<std::thread> threads;
    // Writes the first and then the last block: no branch may show the last one ahead.
    threads.emplace_back([&] {
        for (int round = 0; round < kRoundCount; round++) {
            char fill = static_cast<char>('a' + round % 26);
            for (uint32_t block : {0U, kBlockCount / 2, kBlockCount - 1}) write_block(block, fill);
        }
        is_done = true;
    });
    threads.emplace_back([&] {
        while (!is_done) {
            for (uint32_t block = 0; block < kBlockCount; block += 33) read_block(main_, block);
        }
    });
    threads.emplace_back([&] {
        for (int number = 0; !is_done; number++) {
            std::string name = cat("file", number % 20);
            auto created = store_->create(main_, kRootInode, name, {});
            EXPECT_TRUE(store_->lookup(main_, kRootInode, name).is_ok());
            if (number % 3 == 0) LB_MUST(store_->remove(main_, kRootInode, name, FileType::kFile));
            LB_MUST(store_->sync(store_->position().value()));
        }
    });
    threads.emplace_back([&] {
        while (!is_done) {
            LineId line = store_->reserve_line();
            LB_MUST(store_->commit({.create = {{.line = line, .parent = main_}}}));
            int first = read_block(line, 0) - 'a';
            int last = read_block(line, kBlockCount - 1) - 'a';
            EXPECT_TRUE(first == last || first == (last + 1) % 26) << first << " " << last;
            EXPECT_EQ(LB_MUST(store_->line(line)).parent, main_);
            LB_MUST(store_->commit({.remove = {line}, .notes = {{"last", to_string(line)}}}));
            EXPECT_FALSE(store_->attributes(line, file_).is_ok());
        }
    });
    threads.emplace_back([&] {
        while (!is_done) {
            static_cast<void>(store_->lines());
            static_cast<void>(store_->statistics());
            store_->retain(main_, file_);
            EXPECT_EQ(LB_MUST(store_->attributes(main_, file_)).size_bytes,
                      uint64_t{kBlockCount} * kBlockBytes);
            static_cast<void>(store_->list(main_, kRootInode, "", 100));
            store_->release(main_, file_);
        }
    });
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(read_block(main_, 0), 'a' + (kRoundCount - 1) % 26);
}

TEST_F(StoreThreads, EverythingFailsAfterClose) {
    Bytes block(kBlockBytes);
    LB_MUST(store_->close());
    EXPECT_FALSE(store_->write(main_, file_, 0, block).is_ok());
    EXPECT_FALSE(store_->note("x").is_ok());
    EXPECT_FALSE(store_->notes("x").is_ok());
    EXPECT_FALSE(store_->commit({.notes = {{"x", "y"}}}).is_ok());
    EXPECT_FALSE(store_->list(main_, kRootInode, "", 10).is_ok());
    EXPECT_FALSE(store_->close().is_ok());
    store_ = LB_MUST(Store::open({.directory = "/store",
                                  .disk = &disk_,
                                  .spare_segments = 0,
                                  .segment_bytes = uint64_t{4} << 20,
                                  .is_index_in_memory = true}));
}

}  // namespace
}  // namespace lb::store
