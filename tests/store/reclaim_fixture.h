// A store on a memory disk with small segments, whose history is given up at once or by the clock.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>

#include "base/text.h"
#include "store/disk_memory.h"
#include "tests/store/store_model.h"

namespace lb::store {

inline Result<std::unique_ptr<Store>> open_reclaim_store(Disk& disk) {
    return Store::open({.directory = "/store",
                        .disk = &disk,
                        .spare_segments = 0,
                        .segment_bytes = uint64_t{384} << 10,
                        .disk_reserve_bytes = uint64_t{1} << 20,
                        .is_index_in_memory = true,
                        .has_reclaim_thread = false});
}

class ReclaimFixture : public ::testing::Test {
protected:
    ReclaimFixture() {
        LB_MUST(disk_.create_directory("/store"));
        LB_MUST(disk_.sync_directory("/"));
        open();
    }

    void open() { store_ = LB_MUST(open_reclaim_store(disk_)); }
    void reopen() {
        LB_MUST(store_->close());
        store_.reset();
        open();
    }
    LineId new_line(LineId parent = {}, Position at = kHead) {
        LineId line = store_->reserve_line();
        LB_MUST(store_->commit({.create = {{.line = line, .parent = parent, .at = at}}}));
        return line;
    }
    InodeId new_file(LineId line, const std::string& name) {
        return LB_MUST(store_->create(line, kRootInode, name, {})).inode;
    }
    // Whole blocks of one letter each; they compress well.
    Position fill(LineId line, InodeId file, char letter, size_t blocks = 30) {
        std::string text(blocks * kBlockBytes, letter);
        LB_MUST(store_->write(line, file, 0, as_bytes(text)));
        return store_->position();
    }
    // 30 blocks that do not get smaller in cold segments.
    std::string noise() {
        std::string text(30 * kBlockBytes, '\0');
        for (char& byte : text) byte = static_cast<char>(random_());
        return text;
    }
    char letter_at(LineId line, InodeId file, uint64_t block) {
        std::byte byte{};
        LB_MUST(store_->read(line, file, block * kBlockBytes + 77, {&byte, 1}));
        return static_cast<char>(byte);
    }
    void keep_nothing() { store_->set_restore_windows({.standard = std::chrono::seconds{0}}); }
    void reclaim_all() {
        while (LB_MUST(store_->reclaim_step())) {
        }
    }
    uint64_t stored_bytes() const {
        StoreStatistics statistics = store_->statistics();
        return statistics.log_bytes + statistics.cold_bytes;
    }

    MemoryDisk disk_;
    std::mt19937_64 random_{1};
    std::unique_ptr<Store> store_;
};

}  // namespace lb::store
