// Reclaim as a user of the store sees it: what comes back, what stays, what is refused.
#include <atomic>
#include <filesystem>
#include <random>
#include <thread>

#include "store/write_throttle.h"
#include "tests/store/reclaim_fixture.h"

namespace lb::store {
namespace {

using Reclaim = ReclaimFixture;
using namespace std::chrono_literals;

TEST_F(Reclaim, NothingIsGivenUpBeforeWindowsAreSet) {
    LineId main = new_line();
    InodeId file = new_file(main, "table");
    Position first = fill(main, file, 'a');
    for (int i = 0; i < 20; i++) fill(main, file, 'b');
    disk_.advance_clock(std::chrono::hours{24 * 365});
    EXPECT_FALSE(LB_MUST(store_->reclaim_step()));
    EXPECT_EQ(letter_at(new_line(main, first), file, 3), 'a');
}

TEST_F(Reclaim, AStoreUnderOverwritesKeepsItsSize) {
    LineId main = new_line();
    InodeId file = new_file(main, "table");
    keep_nothing();
    uint64_t most_bytes = 0;
    for (int round = 0; round < 200; round++) {
        fill(main, file, static_cast<char>('a' + round % 26));
        InodeId gone = new_file(main, cat("temporary", round));
        LB_MUST(store_->remove(main, kRootInode, cat("temporary", round), FileType::kFile));
        static_cast<void>(gone);
        reclaim_all();
        most_bytes = std::max(most_bytes, stored_bytes());
    }
    EXPECT_LT(most_bytes, uint64_t{1} << 20);  // 48 MiB were written
    EXPECT_LT(disk_.used_bytes(), uint64_t{3} << 20);
    EXPECT_EQ(letter_at(main, file, 29), static_cast<char>('a' + 199 % 26));
    reopen();
    EXPECT_EQ(letter_at(main, file, 29), static_cast<char>('a' + 199 % 26));
    EXPECT_EQ(LB_MUST(store_->list(main, kRootInode, "", 100)).size(), 1U);
}

TEST_F(Reclaim, ADroppedBranchGivesItsSpaceBack) {
    LineId main = new_line();
    InodeId file = new_file(main, "table");
    fill(main, file, 'm');
    LineId child = new_line(main);
    const std::string text = noise();
    for (uint64_t i = 0; i < 10; i++) {
        LB_MUST(store_->write(child, file, i * text.size(), as_bytes(text)));
    }
    for (int i = 0; i < 4; i++) fill(main, file, 'n');
    keep_nothing();
    reclaim_all();
    uint64_t before_bytes = stored_bytes();
    EXPECT_GT(before_bytes, 10 * text.size());
    LB_MUST(store_->commit({.remove = {child}}));
    for (int i = 0; i < 4; i++) fill(main, file, 'o');
    reclaim_all();
    EXPECT_LT(stored_bytes(), before_bytes / 4);
    EXPECT_EQ(letter_at(main, file, 7), 'o');
}

TEST_F(Reclaim, AForkKeepsWhatItReads) {
    LineId main = new_line();
    InodeId file = new_file(main, "table");
    Position a = fill(main, file, 'a');
    fill(main, file, 'b');
    LineId child = new_line(main, a);
    LineId grandchild = new_line(child);
    LB_MUST(store_->commit({.remove = {child}}));
    keep_nothing();
    for (int i = 0; i < 10; i++) {
        fill(main, file, 'c');
        reclaim_all();
    }
    EXPECT_EQ(letter_at(grandchild, file, 12), 'a');
    // Pinned by the child, so that others can be made there, too.
    reopen();
    EXPECT_EQ(letter_at(grandchild, file, 12), 'a');
    EXPECT_EQ(letter_at(new_line(main, a), file, 12), 'a');
}

TEST_F(Reclaim, ThePastIsThinnedOutToSecondsAndMinutes) {
    LineId main = new_line();
    InodeId file = new_file(main, "table");
    std::vector<Position> positions;
    for (int i = 0; i < 240; i++) {
        positions.push_back(fill(main, file, static_cast<char>('a' + i % 26), 2));
        disk_.advance_clock(i % 2 == 0 ? 100ms : 900ms);
    }
    auto restorable_count = [&] {
        int count = 0;
        for (size_t i = 0; i < positions.size(); i++) {
            if (!store_->check_restorable(main, positions[i]).is_ok()) continue;
            count++;
            EXPECT_EQ(letter_at(new_line(main, positions[i]), file, 1),
                      static_cast<char>('a' + i % 26));
        }
        return count;
    };
    store_->set_restore_windows({});
    reclaim_all();
    for (Position position : positions) LB_MUST(store_->check_restorable(main, position));
    disk_.advance_clock(2h);
    fill(main, file, 'z', 40);
    reclaim_all();
    int by_second = restorable_count();
    EXPECT_GE(by_second, 119);
    EXPECT_LE(by_second, 125);

    Status refused = store_->check_restorable(main, positions[100]);
    if (refused.is_ok()) refused = store_->check_restorable(main, positions[101]);
    ASSERT_FALSE(refused.is_ok());
    EXPECT_EQ(refused.error().code, ErrorCode::kStoreInvalid);
    EXPECT_NE(refused.error().help.find("use position"), std::string::npos);
}

TEST_F(Reclaim, AWindowEndsAndDoesNotComeBack) {
    LineId main = new_line();
    InodeId file = new_file(main, "table");
    Position old = fill(main, file, 'a');
    disk_.advance_clock(std::chrono::hours{24});
    Position young = fill(main, file, 'b');
    disk_.advance_clock(std::chrono::hours{2});
    fill(main, file, 'c');
    store_->set_restore_windows({.standard = std::chrono::hours{4}});
    reclaim_all();
    EXPECT_FALSE(store_->check_restorable(main, Position{old.value() - 1}).is_ok());
    LB_MUST(store_->check_restorable(main, young));
    store_->set_restore_windows({.standard = std::chrono::hours{24 * 30}});
    reclaim_all();
    EXPECT_FALSE(store_->check_restorable(main, Position{old.value() - 1}).is_ok());
    reopen();
    EXPECT_FALSE(store_->check_restorable(main, Position{old.value() - 1}).is_ok());
    RestorableHistory history = LB_MUST(store_->restorable(main));
    LB_MUST(store_->check_restorable(main, history.first));
    EXPECT_EQ(letter_at(new_line(main, young), file, 0), 'b');
}

// What an open file without a name holds is not dead.
TEST_F(Reclaim, AnOpenFileStaysReadable) {
    LineId main = new_line();
    InodeId file = new_file(main, "table");
    InodeId other = new_file(main, "other");
    fill(main, file, 'a');
    store_->retain(main, file);
    LB_MUST(store_->remove(main, kRootInode, "table", FileType::kFile));
    keep_nothing();
    for (int i = 0; i < 8; i++) fill(main, other, 'x');
    reclaim_all();
    EXPECT_EQ(letter_at(main, file, 9), 'a');
    fill(main, file, 'b', 1);
    EXPECT_EQ(letter_at(main, file, 0), 'b');
    store_->release(main, file);
    for (int i = 0; i < 8; i++) fill(main, other, 'y');
    reclaim_all();
    reopen();
    EXPECT_EQ(letter_at(main, other, 29), 'y');
}

// A read that was planned before its record moved finds it where it is now.
TEST_F(Reclaim, ReadersSeeNothingOfIt) {
    LineId main = new_line();
    InodeId still = new_file(main, "still");
    InodeId busy = new_file(main, "busy");
    fill(main, still, 's');
    keep_nothing();
    std::atomic<bool> is_over = false;
    std::vector<std::thread> readers;
    for (int r = 0; r < 2; r++) {
        readers.emplace_back([&] {
            for (uint64_t i = 0; !is_over; i++) EXPECT_EQ(letter_at(main, still, i % 30), 's');
        });
    }
    for (int i = 0; i < 150; i++) {
        fill(main, busy, 'b');
        reclaim_all();
    }
    is_over = true;
    for (std::thread& reader : readers) reader.join();
    EXPECT_GT(store_->statistics().reclaimed_bytes, uint64_t{20} << 20);
}

// The real clock, the real disk, the thread.
TEST(ReclaimThread, KeepsAStoreSmall) {
    std::string directory = (std::filesystem::temp_directory_path() / "lb-reclaim-XXXXXX").string();
    ASSERT_NE(::mkdtemp(directory.data()), nullptr);
    auto store = LB_MUST(
        Store::open({.directory = directory, .spare_segments = 0, .segment_bytes = 1 << 20}));
    LineId main = store->reserve_line();
    LB_MUST(store->commit({.create = {{.line = main}}}));
    InodeId file = LB_MUST(store->create(main, kRootInode, "table", {})).inode;
    store->set_restore_windows({.standard = std::chrono::seconds{0}});
    std::string text(64 * kBlockBytes, 'x');
    for (int i = 0; i < 200; i++) LB_MUST(store->write(main, file, 0, as_bytes(text)));
    store->set_restore_windows({.standard = std::chrono::seconds{0}});  // wakes it
    for (int i = 0; i < 600 && store->statistics().log_bytes > (4 << 20); i++) {
        std::this_thread::sleep_for(50ms);
    }
    EXPECT_LT(store->statistics().log_bytes, 4 << 20);
    LB_MUST(store->close());
    store = LB_MUST(
        Store::open({.directory = directory, .spare_segments = 0, .segment_bytes = 1 << 20}));
    Bytes back(text.size());
    EXPECT_EQ(LB_MUST(store->read(main, file, 0, back)), text.size());
    EXPECT_EQ(as_text(back), text);
    LB_MUST(store->close());
    std::filesystem::remove_all(directory);
}

// Files cannot have all of the disk, so that a branch can still be deleted and its space reclaimed.
TEST_F(Reclaim, AFullDiskLetsABranchGoAndHasRoomAgain) {
    LineId main = new_line();
    InodeId file = new_file(main, "table");
    fill(main, file, 'm');
    LineId child = new_line(main);
    const std::string text = noise();
    disk_.set_capacity_bytes(disk_.used_bytes() + (uint64_t{6} << 20));
    auto write = [&](LineId line, uint64_t at) {
        return store_->write(line, file, at * text.size(), as_bytes(text));
    };
    Result<FileAttributes> written = write(child, 1);
    for (uint64_t i = 2; written.is_ok(); i++) {
        ASSERT_LT(i, 100U);
        written = write(child, i);
    }
    EXPECT_EQ(written.error().code, ErrorCode::kStoreFull);
    EXPECT_EQ(written.error().help.starts_with("delete branches"), true) << written.error().help;
    EXPECT_EQ(letter_at(child, file, 7), 'm');

    LB_MUST(store_->commit({.remove = {child}}));
    keep_nothing();
    reclaim_all();
    for (uint64_t i = 1; i < 15; i++) LB_MUST(write(main, i));
    EXPECT_EQ(letter_at(main, file, 7), 'm');
    reopen();
    EXPECT_EQ(letter_at(main, file, 7), 'm');
}

TEST(WriteThrottle, SlowsDownByHowMuchIsWritten) {
    WriteThrottle throttle;
    EXPECT_EQ(throttle.due_for(uint64_t{1} << 30).count(), 0);
    throttle.set_pressure(1);
    EXPECT_EQ(throttle.due_for(WriteThrottle::kSlowestBytesPerSecond), std::chrono::seconds{1});
    throttle.set_pressure(0.5);
    EXPECT_EQ(throttle.due_for(WriteThrottle::kSlowestBytesPerSecond),
              std::chrono::milliseconds{500});
}

}  // namespace
}  // namespace lb::store
