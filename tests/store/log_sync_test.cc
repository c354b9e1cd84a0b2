// Durability from many threads, the pool of spare segments, and what stops the log.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <thread>

#include "store/log_group_commit.h"
#include "store/segment_pool.h"
#include "store/segment_scan.h"
#include "tests/store/log_support.h"

namespace lb::store {
namespace {

const Error kBroken{.code = ErrorCode::kIo, .message = "broken"};

TEST(GroupCommit, CallersThatComeDuringAFlushShareTheNext) {
    std::promise<void> first_began;
    std::promise<void> first_may_end;
    std::atomic<uint64_t> written = 1;
    std::atomic<int> flushes = 0;
    GroupCommit commits(
        [&]() -> Result<uint64_t> {
            uint64_t target = written;
            if (flushes++ == 0) {
                first_began.set_value();
                first_may_end.get_future().wait();
            }
            return target;
        },
        0);
    std::vector<std::thread> threads;
    threads.emplace_back([&] { EXPECT_TRUE(commits.wait(1)); });
    first_began.get_future().wait();
    written = 20;
    for (uint64_t sequence = 2; sequence <= 20; ++sequence) {
        threads.emplace_back([&, sequence] { EXPECT_TRUE(commits.wait(sequence)); });
    }
    EXPECT_EQ(commits.durable_sequence(), 0u);
    first_may_end.set_value();
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(flushes, 2);
    EXPECT_EQ(commits.flush_count(), 2u);
    EXPECT_EQ(commits.durable_sequence(), 20u);
}

TEST(GroupCommit, AfterAFailureNothingIsFlushedAgain) {
    int flushes = 0;
    GroupCommit commits([&]() -> Result<uint64_t> { return ++flushes, kBroken; }, 5);
    EXPECT_TRUE(commits.wait(5));
    Status first = commits.wait(6);
    ASSERT_FALSE(first);
    EXPECT_EQ(first.error().code, ErrorCode::kIo);
    Status second = commits.wait(6);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::kStoreReadOnly);
    EXPECT_EQ(flushes, 1);
}

TEST(LogSync, SyncOfWhatIsDurableCostsNothing) {
    MemoryDisk disk;
    auto log = LB_MUST(open_log(disk));
    for (uint32_t i = 0; i < 5; ++i) LB_MUST(append(*log, {filled_block(i, i, 100)}));
    LB_MUST(log->sync(5));
    uint64_t syncs = disk.sync_count();
    for (uint64_t sequence = 0; sequence <= 5; ++sequence) LB_MUST(log->sync(sequence));
    EXPECT_EQ(disk.sync_count(), syncs);
    EXPECT_EQ(log->statistics().syncs.count(), 1u);
}

TEST(LogSync, AFailedSyncStopsTheLogForGood) {
    MemoryDisk disk;
    auto log = LB_MUST(open_log(disk));
    LB_MUST(append(*log, {filled_block(1, 1, 100)}));
    LB_MUST(log->sync(1));
    LB_MUST(append(*log, {filled_block(2, 2, 100)}));
    disk.fail_after(0, kBroken, FaultMode::kOnce);
    Status failed = log->sync(2);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, ErrorCode::kIo);
    uint64_t calls = disk.call_count();
    for (Status status : {log->sync(2), log->sync(1), log->close()}) {
        ASSERT_FALSE(status);
        EXPECT_EQ(status.error().code, ErrorCode::kStoreReadOnly);
        EXPECT_FALSE(status.error().help.empty());
    }
    Result<Appended> refused = append(*log, {filled_block(3, 3, 100)});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kStoreReadOnly);
    EXPECT_EQ(disk.call_count(), calls);
    EXPECT_EQ(log->durable_sequence(), 1u);
    EXPECT_EQ(LB_MUST(replayed(*log)).size(), 2u);
}

TEST(LogSync, AFailedWriteStopsTheLogForGood) {
    MemoryDisk disk;
    auto log = LB_MUST(open_log(disk));
    LB_MUST(append(*log, {filled_block(1, 1, 100)}));
    disk.fail_after(0, kBroken, FaultMode::kOnce);
    Result<Appended> failed = append(*log, {filled_block(2, 2, 100)});
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, ErrorCode::kIo);
    EXPECT_EQ(append(*log, {filled_block(2, 2, 100)}).error().code, ErrorCode::kStoreReadOnly);
    EXPECT_EQ(log->sync(1).error().code, ErrorCode::kStoreReadOnly);
    EXPECT_EQ(log->last_sequence(), 1u);
    EXPECT_EQ(LB_MUST(replayed(*log)).size(), 1u);
}

TEST(LogSync, FullSegmentsAreSyncedInTheBackground) {
    MemoryDisk disk;
    auto log = LB_MUST(SegmentLog::open({.disk = &disk,
                                         .directory = kTestDirectory,
                                         .spare_segments = 1,
                                         .segment_bytes = kTestSegmentBytes}));
    for (uint64_t segment = 2; segment < 6; ++segment) {
        uint64_t last_sealed = 0;
        while (log->end().segment < SegmentId{segment}) {
            last_sealed = log->last_sequence();
            LB_MUST(append(*log, {filled_block(1, segment, 1000)}));
        }
        for (int i = 0; i < 10'000 && log->durable_sequence() < last_sealed; ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds{1});
        }
        ASSERT_GE(log->durable_sequence(), last_sealed);
    }
}

// The segment in use and the one after it have their space; then appends say that the disk is full,
// change nothing, and work again when there is room. Syncs of what was acknowledged always work.
TEST(LogSync, AFullDiskIsAnErrorThatPasses) {
    MemoryDisk disk;
    auto log = LB_MUST(open_log(disk));
    disk.set_capacity_bytes(disk.used_bytes());
    std::mt19937_64 random(1);
    std::vector<TestFrame> frames;
    for (int round = 0; round < 3; ++round) {
        Result<Appended> appended = Appended{};
        uint64_t segments = log->statistics().segment_count;
        for (;;) {
            TestFrame frame = random_frame(random, 1);
            appended = append(*log, frame);
            if (!appended) break;
            frames.push_back(frame);
        }
        EXPECT_EQ(appended.error().code, ErrorCode::kStoreFull);
        EXPECT_EQ(log->statistics().segment_count, segments + 1);
        EXPECT_EQ(log->last_sequence(), frames.size());
        LB_MUST(log->sync(log->last_sequence()));
        ASSERT_EQ(LB_MUST(replayed(*log)), frames);
        disk.set_capacity_bytes(disk.used_bytes() + kTestSegmentBytes);
    }
    LB_MUST(log->close());
    disk.crash(1);
    EXPECT_EQ(LB_MUST(replayed(*LB_MUST(open_log(disk)))), frames);
}

void append_and_sync_from_threads(Disk& disk, const std::string& directory, uint32_t spares) {
    constexpr uint32_t kThreads = 8;
    constexpr uint32_t kFrames = 150;
    uint64_t segment_bytes = uint64_t{128} << 10;
    auto log = LB_MUST(SegmentLog::open({.disk = &disk,
                                         .directory = directory,
                                         .spare_segments = spares,
                                         .segment_bytes = segment_bytes}));
    std::vector<std::thread> threads;
    for (uint32_t thread = 0; thread < kThreads; ++thread) {
        threads.emplace_back([&, thread] {
            for (uint32_t i = 0; i < kFrames; ++i) {
                TestRecord record = filled_block(i, thread * kFrames + i, 700);
                record.line = thread + 1;
                Appended appended = LB_MUST(append(*log, {record}));
                if (i % 3 == 0) {
                    LB_MUST(log->sync(appended.sequence));
                    EXPECT_GE(log->durable_sequence(), appended.sequence);
                }
                std::array<std::byte, kBlockBytes> out;
                RecordHeader expected{.type = RecordType::kBlock,
                                      .line = record.line,
                                      .object = record.object,
                                      .block = i,
                                      .sequence = appended.sequence};
                LB_MUST(log->read_block(appended.locations[0], expected, out));
                EXPECT_TRUE(std::equal(out.begin(), out.end(), record.payload.begin()));
                if (i % 50 == 0) LB_MUST(replayed(*log));
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(log->last_sequence(), kThreads * kFrames);
    LB_MUST(log->close());
    log = LB_MUST(SegmentLog::open({.disk = &disk, .directory = directory, .spare_segments = 0}));
    std::map<uint32_t, uint32_t> next_block;
    for (const TestFrame& frame : LB_MUST(replayed(*log))) {
        ASSERT_EQ(frame[0].block, next_block[frame[0].line]++);
    }
    for (uint32_t thread = 0; thread < kThreads; ++thread) {
        EXPECT_EQ(next_block[thread + 1], kFrames);
    }
}

TEST(LogSync, ManyThreadsInMemory) {
    for (uint32_t spares : {0u, 2u}) {
        MemoryDisk disk;
        append_and_sync_from_threads(disk, "store", spares);
    }
}

TEST(LogSync, ManyThreadsOnTheRealDisk) {
    std::string root = testing::TempDir() + "lb-log-XXXXXX";
    ASSERT_NE(::mkdtemp(root.data()), nullptr);
    append_and_sync_from_threads(posix_disk(), root + "/store", 1);
    std::filesystem::remove_all(root);
}

class PoolTest : public testing::Test {
protected:
    void SetUp() override { LB_MUST(disk_.create_directory("seg")); }
    std::unique_ptr<SegmentPool> open(uint32_t spares) {
        return LB_MUST(SegmentPool::open({.disk = &disk_,
                                          .directory = "seg",
                                          .segment_bytes = kTestSegmentBytes,
                                          .zeroed_spares = spares}));
    }
    size_t file_count() { return LB_MUST(disk_.list("seg")).size(); }
    void wait_for_files(size_t count) {
        for (int i = 0; i < 10'000 && file_count() != count; ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds{1});
        }
        ASSERT_EQ(file_count(), count);
    }

    MemoryDisk disk_;
};

TEST_F(PoolTest, SparesAreWholeAndZero) {
    for (uint32_t spares : {0u, 3u}) {
        auto pool = open(spares);
        for (int i = 0; i < 8; ++i) {
            Spare spare = LB_MUST(pool->take());
            EXPECT_EQ(LB_MUST(spare.file->size_bytes()), kTestSegmentBytes);
            EXPECT_TRUE(is_zero(read_file(disk_, spare.path)));
            LB_MUST(disk_.remove(spare.path));
        }
    }
}

TEST_F(PoolTest, SparesOfAnEarlierRunAreTakenOverIfTheyAreZero) {
    {
        auto pool = open(3);
        wait_for_files(3);
    }
    std::vector<std::string> names = LB_MUST(disk_.list("seg"));
    overwrite(disk_, "seg/" + names[0], 5000, as_bytes("frames of a segment"));
    LB_MUST(disk_.open("seg/unrelated", OpenMode::kCreate));
    {
        auto pool = open(3);
        // The one that has something in it is removed, and another one takes its place.
        for (int i = 0; i < 10'000 && LB_MUST(disk_.exists("seg/" + names[0])); ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds{1});
        }
        EXPECT_FALSE(LB_MUST(disk_.exists("seg/" + names[0])));
        wait_for_files(4);
        EXPECT_TRUE(LB_MUST(disk_.exists("seg/" + names[1])));
        EXPECT_TRUE(LB_MUST(disk_.exists("seg/" + names[2])));
    }
    { auto pool = open(0); }
    EXPECT_EQ(file_count(), 2u);
    EXPECT_TRUE(LB_MUST(disk_.exists("seg/unrelated")));
}

TEST_F(PoolTest, AFullDiskIsReportedAndLeavesNothingBehind) {
    for (uint32_t spares : {0u, 2u}) {
        disk_.set_capacity_bytes(0);
        auto pool = open(spares);
        Result<Spare> none = pool->take();
        ASSERT_FALSE(none);
        EXPECT_EQ(none.error().code, ErrorCode::kStoreFull);
        pool->stop();
        EXPECT_EQ(file_count(), 0u);
        disk_.set_capacity_bytes(UINT64_MAX);
        LB_MUST(disk_.remove(LB_MUST(open(spares)->take()).path));
        for (const std::string& name : LB_MUST(disk_.list("seg"))) {
            LB_MUST(disk_.remove("seg/" + name));
        }
    }
}

}  // namespace
}  // namespace lb::store
