// LSNs in a history that is thinned out and cut off: whatever a look-up finds is exactly the state
// of that LSN, and it refuses only what cannot be had.
#include "engine/wal_history.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "base/text.h"
#include "engine/wal_page.h"
#include "store/disk_memory.h"

namespace lb::engine {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using store::InodeId;
using store::kBlockBytes;

constexpr uint64_t kSegmentBytes = uint64_t{1} << 20;
constexpr uint64_t kStart = kSegmentBytes;  // LSN of the first page

class WalHistory : public ::testing::Test {
protected:
    WalHistory() {
        LB_MUST(disk_.create_directory("/store"));
        LB_MUST(disk_.sync_directory("/"));
        store_ = LB_MUST(store::Store::open({.directory = "/store",
                                             .disk = &disk_,
                                             .spare_segments = 0,
                                             .segment_bytes = uint64_t{384} << 10,
                                             .is_index_in_memory = true,
                                             .has_reclaim_thread = false}));
        line_ = store_->reserve_line();
        LB_MUST(store_->commit({.create = {{.line = line_}}}));
        InodeId directory =
            LB_MUST(store_->create(line_, store::kRootInode, "pg_wal",
                                   {.type = store::FileType::kDirectory, .mode = 0700}))
                .inode;
        wal_ = LB_MUST(store_->create(line_, directory, "000000010000000000000001", {})).inode;
        table_ = LB_MUST(store_->create(line_, store::kRootInode, "table", {})).inode;
        text_.assign(kSegmentBytes, '\0');
        begin_page(0);
    }
    ~WalHistory() override { LB_MUST(store_->close()); }

    template <class Integer>
    void put(uint64_t offset, Integer value) {
        store_little_endian(reinterpret_cast<std::byte*>(text_.data() + offset), value);
    }
    void begin_page(uint64_t page) {
        uint64_t offset = page * kWalPageBytes;
        put(offset, uint16_t{0xD110});
        put(offset + 2, page == 0 ? uint16_t{2} : uint16_t{0});
        put(offset + 4, uint32_t{1});
        put(offset + 8, kStart + offset);
        if (page == 0) put(offset + 32, static_cast<uint32_t>(kSegmentBytes));
        end_ = offset + (page == 0 ? 40 : 24);
    }
    // Some records in one write, each of them an LSN that can be asked for.
    void commit() {
        uint64_t first_page = end_ / kWalPageBytes;
        std::vector<uint64_t> ends;
        for (uint64_t count = 1 + random_() % 3; count > 0; --count) {
            uint64_t length = (24 + random_() % 900) / 8 * 8;
            bool is_full = end_ % kWalPageBytes == 0;
            if (is_full || end_ % kWalPageBytes + length > kWalPageBytes) {
                begin_page(end_ / kWalPageBytes + (is_full ? 0 : 1));
            }
            for (uint64_t i = 0; i < length; ++i) text_[end_ + i] = static_cast<char>(random_());
            put(end_, static_cast<uint32_t>(length));
            end_ += length;
            ends.push_back(kStart + end_);
        }
        uint64_t offset = first_page * kWalPageBytes;
        uint64_t end = (end_ - 1) / kWalPageBytes * kWalPageBytes + kWalPageBytes;
        LB_MUST(store_->write(line_, wal_, offset,
                              as_bytes(std::string_view(text_).substr(offset, end - offset))));
        for (uint64_t lsn : ends) reached_[lsn] = store_->position();
        wal_ends_[store_->position()] = ends.back();
    }
    void write_data() {
        std::string page(kBlockBytes, '\0');
        for (char& c : page) c = static_cast<char>(random_());
        LB_MUST(store_->write(line_, table_, random_() % 30 * kBlockBytes, as_bytes(page)));
    }
    void live(int commits) {
        for (int i = 0; i < commits; ++i) {
            for (uint64_t n = random_() % 4; n > 0; --n) write_data();
            commit();
            if (random_() % 3 == 0) write_data();
            disk_.advance_clock(milliseconds(random_() % 700));
        }
    }
    void reclaim() {
        while (LB_MUST(store_->reclaim_step())) {
        }
    }

    uint64_t wal_end_at(Position position) const {
        auto after = wal_ends_.upper_bound(position);
        return after == wal_ends_.begin() ? 0 : std::prev(after)->second;
    }

    struct Counts {
        int exact = 0;
        int refused = 0;
        int outside = 0;
    };
    Counts check() {
        Counts counts;
        Position created = LB_MUST(store_->line(line_)).created_position;
        Position first = std::max(created, LB_MUST(store_->restorable(line_)).first);
        Position begin = LB_MUST(store_->nearest_restorable(line_, first)).after;
        WalRange range = LB_MUST(wal_range(*store_, line_, begin));
        for (const auto& [lsn, reached] : reached_) {
            if (Lsn{lsn} < range.first) {
                EXPECT_LE(reached, begin);
                ++counts.outside;
                continue;
            }
            Result<Position> found = position_of_lsn(*store_, line_, range, Lsn{lsn});
            if (found.is_ok()) {
                EXPECT_TRUE(store_->check_restorable(line_, *found).is_ok());
                EXPECT_TRUE(*found == reached || wal_end_at(*found) == lsn)
                    << lsn << " at " << found->value() << " instead of " << reached.value();
                ++counts.exact;
            } else {
                EXPECT_EQ(found.error().code, ErrorCode::kNotInHistory);
                // Nothing that the store still has says whether an earlier write had it already.
                bool is_there = store_->check_restorable(line_, reached).is_ok();
                Position before{reached.value() - 1};
                EXPECT_FALSE(is_there && wal_end_at(reached) == lsn) << lsn;
                EXPECT_FALSE(is_there && store_->check_restorable(line_, before).is_ok()) << lsn;
                EXPECT_NE(found.error().help.find("has the WAL up to"), std::string::npos);
                ++counts.refused;
            }
        }
        return counts;
    }

    store::MemoryDisk disk_{1};
    std::unique_ptr<store::Store> store_;
    LineId line_;
    InodeId wal_;
    InodeId table_;
    std::string text_;
    uint64_t end_ = 0;                       // offset in the file
    std::map<uint64_t, Position> reached_;   // LSN -> the first position with all WAL before it
    std::map<Position, uint64_t> wal_ends_;  // LSN behind the newest record
    std::mt19937_64 random_{7};
};

TEST_F(WalHistory, EveryLsnIsExactWhileEveryPositionIsThere) {
    live(300);
    Counts counts = check();
    EXPECT_EQ(counts.refused + counts.outside, 0);
    store_->set_restore_windows({});
    reclaim();
    EXPECT_EQ(check().refused, 0);
}

TEST_F(WalHistory, ThinnedOutHistoryIsExactOrRefused) {
    live(300);
    disk_.advance_clock(hours{2});
    live(100);
    store_->set_restore_windows({});
    reclaim();
    Counts counts = check();
    EXPECT_GT(counts.refused, 50);
    EXPECT_GT(counts.exact, 200);

    disk_.advance_clock(hours{30});
    live(30);
    reclaim();
    Counts sparse = check();
    EXPECT_GT(sparse.refused + sparse.outside, counts.refused + counts.outside);
    EXPECT_GT(sparse.exact, 30);
}

TEST_F(WalHistory, WhatIsBeforeTheWindowIsOutside) {
    live(150);
    disk_.advance_clock(hours{2});
    live(150);
    store_->set_restore_windows({.standard = hours{1}});
    reclaim();
    Counts counts = check();
    EXPECT_GT(counts.outside, 100);
    EXPECT_GT(counts.exact, 100);
    EXPECT_EQ(counts.refused, 0);

    store_->set_restore_windows({.standard = hours{0}});
    reclaim();
    write_data();
    commit();
    EXPECT_GT(check().exact, 0);
}

}  // namespace
}  // namespace lb::engine
