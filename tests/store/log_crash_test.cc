// Power cuts, killed processes and failing calls at every point of a random workload. After each,
// the log must hold everything that was synced (or, if only the process died, acknowledged), and a
// prefix of the rest.
#include <gtest/gtest.h>

#include "tests/store/log_support.h"

namespace lb::store {
namespace {

constexpr uint64_t kCallsMax = 100'000;
const Error kBroken{.code = ErrorCode::kIo, .message = "the disk is gone"};
const Error kFull{.code = ErrorCode::kStoreFull, .message = "the disk is full"};

// Appends and syncs until `steps` are done or something fails. True: nothing failed.
bool work(SegmentLog& log, LogOracle& oracle, std::mt19937_64& random, int steps) {
    for (int step = 0; step < steps; ++step) {
        TestFrame frame = random_frame(random);
        oracle.attempt(frame);
        Result<Appended> appended = append(log, frame);
        if (!appended) {
            EXPECT_NE(appended.error().code, ErrorCode::kStoreInvalid);
            return false;
        }
        oracle.acknowledge(appended->sequence);
        if (random() % 4 == 0) {
            if (!log.sync(appended->sequence)) return false;
            oracle.synced(appended->sequence);
        }
    }
    return true;
}

// Opens, works, and stops at the `calls`-th call. True: the workload was finished before that.
bool work_until_call(MemoryDisk& disk, LogOracle& oracle, std::mt19937_64& random, uint64_t calls,
                     const Error& error, FaultMode mode) {
    disk.fail_after(calls, error, mode);
    auto log = open_log(disk);
    bool is_finished = log && work(**log, oracle, random, 40);
    disk.stop_failing();
    return is_finished;
}

// One disk, several power cuts, each at the n-th call of what follows the one before.
void cut_power_everywhere(uint64_t seed) {
    for (uint64_t calls = 0; calls < kCallsMax; ++calls) {
        SCOPED_TRACE(testing::Message() << "seed " << seed << ", call " << calls);
        MemoryDisk disk(seed);
        LogOracle oracle;
        std::mt19937_64 random(seed);
        bool is_finished = false;
        for (uint64_t cycle = 0; cycle < 3; ++cycle) {
            is_finished =
                work_until_call(disk, oracle, random, calls, kBroken, FaultMode::kFromThenOn);
            disk.crash(seed * 1'000'003 + calls * 17 + cycle);
            auto log = open_log(disk);
            ASSERT_TRUE(log) << to_text(log.error());
            oracle.check_and_adopt(**log, LogOracle::Loss::kNothingSynced);
            if (testing::Test::HasFatalFailure()) return;
        }
        if (is_finished) return;
    }
    FAIL() << "the workload never ended";
}

TEST(LogCrash, PowerCutAtEveryCallKeepsWhatWasSynced) {
    for (uint64_t seed = 1; seed <= 12; ++seed) {
        cut_power_everywhere(seed);
        if (HasFatalFailure()) return;
    }
}

// The power fails at once after opening, while recovery itself is at work: again and again.
TEST(LogCrash, PowerCutAtEveryCallOfRecovery) {
    for (uint64_t seed = 1; seed <= 60; ++seed) {
        MemoryDisk disk(seed);
        LogOracle oracle;
        std::mt19937_64 random(seed);
        {
            auto log = LB_MUST(open_log(disk));
            ASSERT_TRUE(work(*log, oracle, random, 40));
        }
        disk.crash(seed);
        for (uint64_t calls = 0; calls < kCallsMax; ++calls) {
            SCOPED_TRACE(testing::Message() << "seed " << seed << ", call " << calls);
            disk.fail_after(calls, kBroken, FaultMode::kFromThenOn);
            auto log = open_log(disk);
            if (log) break;
            disk.crash(seed * 7919 + calls);
        }
        disk.stop_failing();
        auto log = open_log(disk);
        ASSERT_TRUE(log) << to_text(log.error());
        oracle.check_and_adopt(**log, LogOracle::Loss::kNothingSynced);
        if (HasFatalFailure()) return;
    }
}

TEST(LogCrash, KilledProcessLosesNothingAcknowledged) {
    for (uint64_t seed = 1; seed <= 20; ++seed) {
        for (uint64_t calls = 0; calls < kCallsMax; ++calls) {
            SCOPED_TRACE(testing::Message() << "seed " << seed << ", call " << calls);
            MemoryDisk disk(seed);
            LogOracle oracle;
            std::mt19937_64 random(seed);
            bool is_finished =
                work_until_call(disk, oracle, random, calls, kBroken, FaultMode::kFromThenOn);
            auto log = open_log(disk);
            ASSERT_TRUE(log) << to_text(log.error());
            oracle.check_and_adopt(**log, LogOracle::Loss::kNothingAcknowledged);
            if (HasFatalFailure()) return;
            if (is_finished) break;
        }
    }
}

// One call fails, the process is started again, and then the power fails. What the failed sync had
// lost must not count as durable after the restart just because a second sync went well.
TEST(LogCrash, OneFailedCallThenRestartThenPowerCut) {
    for (uint64_t seed = 1; seed <= 20; ++seed) {
        for (uint64_t calls = 0; calls < kCallsMax; ++calls) {
            SCOPED_TRACE(testing::Message() << "seed " << seed << ", call " << calls);
            MemoryDisk disk(seed);
            LogOracle oracle;
            std::mt19937_64 random(seed);
            bool is_finished =
                work_until_call(disk, oracle, random, calls, kBroken, FaultMode::kOnce);
            {
                auto log = open_log(disk);
                ASSERT_TRUE(log) << to_text(log.error());
                oracle.check_and_adopt(**log, LogOracle::Loss::kNothingAcknowledged);
                if (HasFatalFailure()) return;
                if (calls % 2 == 0) {
                    ASSERT_TRUE(work(**log, oracle, random, 5));
                }
            }
            disk.crash(seed + calls);
            auto log = open_log(disk);
            ASSERT_TRUE(log) << to_text(log.error());
            oracle.check_and_adopt(**log, LogOracle::Loss::kNothingSynced);
            if (HasFatalFailure()) return;
            if (is_finished) break;
        }
    }
}

// A full disk at every call: the append that hits it changes nothing, and the next ones work.
TEST(LogCrash, FullDiskAtEveryCall) {
    for (uint64_t seed = 1; seed <= 10; ++seed) {
        for (uint64_t calls = 0; calls < kCallsMax; ++calls) {
            SCOPED_TRACE(testing::Message() << "seed " << seed << ", call " << calls);
            MemoryDisk disk(seed);
            LogOracle oracle;
            std::mt19937_64 random(seed);
            auto log = LB_MUST(open_log(disk));
            // Only appends here: a sync that fails stops the log whatever the reason.
            disk.fail_after(calls, kFull, FaultMode::kOnce);
            bool has_failed = false;
            for (int step = 0; step < 40; ++step) {
                TestFrame frame = random_frame(random);
                oracle.attempt(frame);
                Result<Appended> appended = append(*log, frame);
                if (!appended) {
                    ASSERT_EQ(appended.error().code, ErrorCode::kStoreFull);
                    ASSERT_FALSE(has_failed);
                    has_failed = true;
                    continue;
                }
                oracle.acknowledge(appended->sequence);
            }
            disk.stop_failing();
            LB_MUST(log->sync(log->last_sequence()));
            oracle.synced(log->last_sequence());
            bool is_finished = disk.call_count() < calls;
            log.reset();
            if (calls % 2 == 0) disk.crash(calls);
            log = LB_MUST(open_log(disk));
            oracle.check_and_adopt(*log, LogOracle::Loss::kNothingAcknowledged);
            expect_footers_name_every_record(disk, *log);
            if (HasFatalFailure()) return;
            if (is_finished) break;
        }
    }
}

// A segment is begun, its first frame finds the disk full, and the sync of its header fails. The
// header is readable at the restart, but may be lost on the disk; frames behind it need it.
TEST(LogCrash, HeaderThatAFailedSyncLost) {
    int empty_segments = 0;
    for (uint64_t seed = 1; seed <= 40; ++seed) {
        MemoryDisk disk(seed);
        LogOracle oracle;
        std::mt19937_64 random(seed);
        auto log = LB_MUST(open_log(disk));
        bool is_full = false;
        while (!is_full) {
            disk.fail_after(5, kFull, FaultMode::kOnce);
            TestFrame frame = random_frame(random);
            oracle.attempt(frame);
            Result<Appended> appended = append(*log, frame);
            is_full = !appended;
            if (appended) oracle.acknowledge(appended->sequence);
        }
        if (log->end().offset == kSegmentHeaderBytes) ++empty_segments;
        disk.fail_after(1, kBroken, FaultMode::kOnce);
        ASSERT_FALSE(log->sync(log->last_sequence()));
        log = LB_MUST(open_log(disk));
        oracle.check_and_adopt(*log, LogOracle::Loss::kNothingAcknowledged);
        ASSERT_TRUE(work(*log, oracle, random, 3));
        LB_MUST(log->sync(log->last_sequence()));
        oracle.synced(log->last_sequence());
        disk.crash(seed);
        log = LB_MUST(open_log(disk));
        oracle.check_and_adopt(*log, LogOracle::Loss::kNothingSynced);
        if (HasFatalFailure()) return;
    }
    EXPECT_EQ(empty_segments, 40);
}

// Works until something other than a full disk fails, with faults that come again and again.
void work_with_faults(MemoryDisk& disk, SegmentLog& log, LogOracle& oracle,
                      std::mt19937_64& random) {
    for (int step = 0; step < 60; ++step) {
        if (random() % 10 == 0) {
            disk.fail_after(random() % 20, random() % 4 == 0 ? kBroken : kFull, FaultMode::kOnce);
        }
        TestFrame frame = random_frame(random);
        oracle.attempt(frame);
        Result<Appended> appended = append(log, frame);
        if (appended) {
            oracle.acknowledge(appended->sequence);
        } else if (appended.error().code != ErrorCode::kStoreFull) {
            return;
        }
        if (random() % 8 == 0) {
            uint64_t last_sequence = log.last_sequence();
            if (!log.sync(last_sequence)) return;
            oracle.synced(last_sequence);
        }
    }
}

// Long lives of one store: faults of both kinds, restarts and power cuts, in any order.
TEST(LogCrash, RandomLives) {
    for (uint64_t seed = 1; seed <= 100; ++seed) {
        SCOPED_TRACE(testing::Message() << "seed " << seed);
        MemoryDisk disk(seed);
        LogOracle oracle;
        std::mt19937_64 random(seed);
        for (int life = 0; life < 12; ++life) {
            bool is_power_cut = random() % 2 == 0;
            if (is_power_cut) disk.crash(random());
            disk.stop_failing();
            auto log = open_log(disk);
            ASSERT_TRUE(log) << to_text(log.error());
            oracle.check_and_adopt(**log, is_power_cut ? LogOracle::Loss::kNothingSynced
                                                       : LogOracle::Loss::kNothingAcknowledged);
            expect_footers_name_every_record(disk, **log);
            if (HasFatalFailure()) return;
            work_with_faults(disk, **log, oracle, random);
        }
    }
}

}  // namespace
}  // namespace lb::store
