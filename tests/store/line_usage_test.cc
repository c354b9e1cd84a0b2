// What a line's blocks are used for, and that reclaim frees what was foretold.
#include "store/segment_log.h"
#include "tests/store/reclaim_fixture.h"

namespace lb::store {
namespace {

using namespace std::chrono_literals;

class LineUsageTest : public ReclaimFixture {
protected:
    static constexpr uint64_t kLettersBytes = kBlockBytes + kRecordHeaderBytes;  // a block of them

    void fill_with_noise(LineId line, InodeId file) {
        LB_MUST(store_->write(line, file, 0, as_bytes(noise())));
    }
    LineUsage usage(LineId line) {
        reopen();  // nothing measured before counts
        return LB_MUST(store_->usage(line));
    }
};

TEST_F(LineUsageTest, BlocksAreShownKeptOrInherited) {
    LineId main = new_line();
    InodeId file = new_file(main, "table");
    fill(main, file, 'a', 10);
    fill(main, file, 'b', 4);
    LineUsage of_main = usage(main);
    EXPECT_EQ(of_main.own_bytes, 10 * kLettersBytes);
    EXPECT_EQ(of_main.history_bytes, 4 * kLettersBytes);
    EXPECT_EQ(of_main.shared_bytes, 0U);
    EXPECT_EQ(of_main.freed_by_delete_bytes, 14 * kLettersBytes);

    LineId child = new_line(main);
    fill(child, file, 'c', 3);
    fill(main, file, 'd', 10);
    LineUsage of_child = usage(child);
    EXPECT_EQ(of_child.own_bytes, 3 * kLettersBytes);
    EXPECT_EQ(of_child.history_bytes, 0U);
    EXPECT_EQ(of_child.shared_bytes, 7U * kBlockBytes);
    EXPECT_EQ(of_child.freed_by_delete_bytes, 3 * kLettersBytes);
    of_main = usage(main);
    EXPECT_EQ(of_main.own_bytes, 10 * kLettersBytes);
    EXPECT_EQ(of_main.history_bytes, 14 * kLettersBytes);
    // The child still reads what it inherited, also the blocks that it has replaced.
    EXPECT_EQ(of_main.freed_by_delete_bytes, 14 * kLettersBytes);
    EXPECT_EQ(store_->usage(LineId{99}).error().code, ErrorCode::kStoreNotFound);
}

TEST_F(LineUsageTest, ShortenedAndRemovedFilesAreHistory) {
    LineId main = new_line();
    InodeId file = new_file(main, "table");
    fill(main, file, 'a', 10);
    LB_MUST(store_->set_attributes(main, file, {.size_bytes = 4 * kBlockBytes}));
    EXPECT_EQ(usage(main).own_bytes, 4 * kLettersBytes);
    EXPECT_EQ(usage(main).history_bytes, 6 * kLettersBytes);
    LB_MUST(store_->set_attributes(main, file, {.size_bytes = 0}));
    fill(main, file, 'b', 2);
    EXPECT_EQ(usage(main).own_bytes, 2 * kLettersBytes);
    LB_MUST(store_->remove(main, kRootInode, "table", FileType::kFile));
    EXPECT_EQ(usage(main).own_bytes, 0U);
    EXPECT_EQ(usage(main).history_bytes, 12 * kLettersBytes);
}

TEST_F(LineUsageTest, AShorterWindowFreesWhatWasForetold) {
    LineId main = new_line();
    InodeId file = new_file(main, "table");
    store_->set_restore_windows({.standard = 24h * 7});
    for (int day = 0; day < 6; day++) {
        fill_with_noise(main, file);
        if (day == 1) new_line(main);
        disk_.advance_clock(24h);
    }
    // So that the rest is in full segments.
    for (int i = 0; i < 4; i++) fill_with_noise(main, new_file(main, cat("other", i)));
    disk_.advance_clock(1h);
    reclaim_all();
    uint64_t before_bytes = LB_MUST(store_->usage(main)).history_bytes;
    uint64_t freed_bytes = LB_MUST(store_->freed_by_window(main, 24h * 3));
    EXPECT_GT(freed_bytes, 0U);
    EXPECT_EQ(LB_MUST(store_->freed_by_window(main, 24h * 7)), 0U);
    EXPECT_GT(LB_MUST(store_->freed_by_window(main, 0h)), freed_bytes);

    store_->set_restore_windows({.standard = 24h * 3});
    disk_.advance_clock(5min);  // cold segments are looked at again
    reclaim_all();
    reopen();
    EXPECT_EQ(LB_MUST(store_->usage(main)).history_bytes, before_bytes - freed_bytes);
}

}  // namespace
}  // namespace lb::store
