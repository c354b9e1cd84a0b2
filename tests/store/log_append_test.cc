// Appending, replaying, reading and rolling over, without failures.
#include <gtest/gtest.h>

#include <algorithm>

#include "store/disk_forwarding.h"
#include "store/log_frame.h"
#include "store/log_recovery.h"
#include "tests/store/log_support.h"

namespace lb::store {
namespace {

RecordHeader identity_of(const TestRecord& record, uint64_t sequence) {
    return {.type = record.type,
            .line = record.line,
            .object = record.object,
            .block = record.block,
            .sequence = sequence};
}

TEST(LogAppend, AnEmptyLogIsEmptyAgainAfterReopening) {
    MemoryDisk disk;
    StoreId id = LB_MUST(open_log(disk))->store_id();
    auto log = LB_MUST(open_log(disk));
    EXPECT_EQ(log->store_id(), id);
    EXPECT_NE(id, StoreId{});
    EXPECT_EQ(log->last_sequence(), 0u);
    EXPECT_EQ(log->durable_sequence(), 0u);
    EXPECT_TRUE(LB_MUST(replayed(*log)).empty());
    EXPECT_EQ(log->end(), (LogPlace{.segment = SegmentId{1}, .offset = kSegmentHeaderBytes}));
    LB_MUST(log->sync(0));
    LB_MUST(log->close());
}

TEST(LogAppend, TwoStoresHaveDifferentIds) {
    MemoryDisk one;
    MemoryDisk two;
    EXPECT_NE(LB_MUST(open_log(one))->store_id(), LB_MUST(open_log(two))->store_id());
}

TEST(LogAppend, WhatIsAppendedIsReplayedInOrderAndAfterReopening) {
    MemoryDisk disk;
    LogOracle oracle;
    std::mt19937_64 random(1);
    auto log = LB_MUST(open_log(disk));
    for (int round = 0; round < 5; ++round) {
        for (int i = 0; i < 60; ++i) {
            TestFrame frame = random_frame(random);
            oracle.attempt(frame);
            Appended appended = LB_MUST(append(*log, frame));
            oracle.acknowledge(appended.sequence);
            ASSERT_EQ(appended.locations.size(), frame.size());
        }
        log = LB_MUST(open_log(disk));
        oracle.check_and_adopt(*log, LogOracle::Loss::kNothingAcknowledged);
    }
    EXPECT_GT(log->statistics().segment_count, 5u);
}

TEST(LogAppend, BlocksAreReadBackWhole) {
    MemoryDisk disk;
    auto log = LB_MUST(open_log(disk, uint64_t{256} << 10));
    std::vector<std::pair<TestRecord, Appended>> written;
    for (size_t stored : {0u, 1u, 7u, 8u, 9u, 63u, 64u, 65u, 4096u, 8183u, 8191u, 8192u}) {
        TestRecord record = filled_block(static_cast<uint32_t>(stored), stored, stored);
        Appended appended = LB_MUST(append(*log, {record}));
        EXPECT_EQ(appended.locations[0].stored_bytes, stored);
        EXPECT_EQ(appended.stored_bytes, 64 + align_record(48 + stored));
        written.emplace_back(record, appended);
    }
    for (int pass = 0; pass < 2; ++pass) {
        for (const auto& [record, appended] : written) {
            std::array<std::byte, kBlockBytes> out;
            out.fill(std::byte{0xaa});
            LB_MUST(log->read_block(appended.locations[0], identity_of(record, appended.sequence),
                                    out));
            ASSERT_TRUE(std::ranges::equal(out, record.payload));
        }
        log = LB_MUST(open_log(disk));
    }
}

TEST(LogAppend, ManyRecordsOfAFrameAreOneUnit) {
    MemoryDisk disk;
    auto log = LB_MUST(open_log(disk, uint64_t{4} << 20));
    TestFrame frame;
    for (uint32_t i = 0; i < 300; ++i) frame.push_back(filled_block(i, i, i * 27 % 8193));
    Appended appended = LB_MUST(append(*log, frame));
    EXPECT_EQ(appended.sequence, 1u);
    for (uint32_t i = 0; i < 300; ++i) {
        std::array<std::byte, kBlockBytes> out;
        LB_MUST(log->read_block(appended.locations[i], identity_of(frame[i], 1), out));
        ASSERT_TRUE(std::ranges::equal(out, frame[i].payload));
    }
    EXPECT_EQ(LB_MUST(replayed(*log)), std::vector<TestFrame>{frame});
}

TEST(LogAppend, PayloadsOfOtherTypesKeepTheirZeros) {
    MemoryDisk disk;
    auto log = LB_MUST(open_log(disk));
    TestRecord note{.type = RecordType::kNote, .payload = Bytes(100)};
    EXPECT_EQ(LB_MUST(append(*log, {note})).locations[0].stored_bytes, 100u);
    EXPECT_EQ(LB_MUST(replayed(*log)), std::vector<TestFrame>{{note}});
}

TEST(LogAppend, ReplayGoesOnFromEveryPlace) {
    MemoryDisk disk;
    std::mt19937_64 random(3);
    auto log = LB_MUST(open_log(disk));
    std::vector<TestFrame> frames;
    std::vector<LogPlace> places{{}, log->end()};
    for (int i = 0; i < 150; ++i) {
        frames.push_back(random_frame(random));
        LB_MUST(append(*log, frames.back()));
        places.push_back(log->end());
    }
    ASSERT_GT(log->statistics().segment_count, 3u);
    for (int pass = 0; pass < 2; ++pass) {
        for (const LogPlace& place : places) {
            std::vector<TestFrame> rest = LB_MUST(replayed(*log, place));
            ASSERT_EQ(rest.size(), frames.size() - place.sequence);
            ASSERT_TRUE(std::equal(rest.begin(), rest.end(),
                                   frames.begin() + static_cast<ptrdiff_t>(place.sequence)));
        }
        log = LB_MUST(open_log(disk));
    }
}

TEST(LogAppend, PlacesThatAreNotInTheLogAreNotFound) {
    MemoryDisk disk;
    std::mt19937_64 random(3);
    auto log = LB_MUST(open_log(disk));
    std::vector<LogPlace> places;
    for (int i = 0; i < 100; ++i) {
        LB_MUST(append(*log, random_frame(random)));
        places.push_back(log->end());
    }
    auto expect_absent = [&](LogPlace place) {
        Result<std::vector<TestFrame>> frames = replayed(*log, place);
        ASSERT_FALSE(frames) << place.segment.value() << " " << place.offset << " "
                             << place.sequence;
        EXPECT_EQ(frames.error().code, ErrorCode::kStoreNotFound);
    };
    for (LogPlace place : places) {
        for (int64_t delta : {-1, 1}) {
            LogPlace other = place;
            other.sequence += static_cast<uint64_t>(delta);
            expect_absent(other);
            other = place;
            other.offset += static_cast<uint64_t>(delta * 8);
            expect_absent(other);
            other = place;
            other.segment = SegmentId{place.segment.value() + static_cast<uint64_t>(delta) * 100};
            expect_absent(other);
        }
    }
    expect_absent({.segment = SegmentId{1}, .offset = 1 << 30, .sequence = 5});
    expect_absent({.segment = SegmentId{0}, .offset = 0, .sequence = 1});
}

TEST(LogAppend, AnErrorOfTheVisitorEndsTheReplay) {
    MemoryDisk disk;
    auto log = LB_MUST(open_log(disk));
    for (uint32_t i = 0; i < 3; ++i) LB_MUST(append(*log, {filled_block(i, i, 10)}));
    int visits = 0;
    Status status = log->replay({}, [&](const ReplayFrame&) -> Status {
        if (++visits == 2) return Error{.code = ErrorCode::kInternal, .message = "enough"};
        return ok();
    });
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, ErrorCode::kInternal);
    EXPECT_EQ(visits, 2);
}

class SteppingBackClock final : public Clock {
public:
    WallTime now() override { return WallTime{std::chrono::seconds{1'000'000 - ++looks_}}; }

private:
    int looks_ = 0;
};

// A disk whose clock goes backwards.
class BackwardsDisk final : public ForwardingDisk {
public:
    using ForwardingDisk::ForwardingDisk;
    Clock& clock() override { return clock_; }

private:
    SteppingBackClock clock_;
};

TEST(LogAppend, TimesIncreaseWhateverTheClockDoes) {
    MemoryDisk memory;
    BackwardsDisk disk(memory);
    WallTime last{};
    std::mt19937_64 random(5);
    for (int round = 0; round < 4; ++round) {
        auto log = LB_MUST(open_log(disk));
        for (int i = 0; i < 40; ++i) {
            Appended appended = LB_MUST(append(*log, random_frame(random)));
            ASSERT_GT(appended.written_at, last);
            last = appended.written_at;
        }
    }
}

// The last segment may have lost its only frame; then the time before it is in its header.
TEST(LogAppend, TimesIncreaseBehindAnEmptySegment) {
    MemoryDisk memory;
    BackwardsDisk disk(memory);
    std::mt19937_64 random(5);
    WallTime last{};
    {
        auto log = LB_MUST(open_log(disk));
        for (;;) {
            Appended appended = LB_MUST(append(*log, random_frame(random)));
            if (appended.locations[0].segment == SegmentId{2}) break;
            last = appended.written_at;
        }
    }
    overwrite(disk, segment_file(2), kSegmentHeaderBytes, Bytes(kFrameHeaderBytes));
    auto log = LB_MUST(open_log(disk));
    EXPECT_EQ(log->end().segment, SegmentId{2});
    EXPECT_EQ(log->end().offset, kSegmentHeaderBytes);
    EXPECT_GT(LB_MUST(append(*log, random_frame(random))).written_at, last);
}

TEST(LogAppend, AFrameThatFitsNoSegmentIsRefused) {
    MemoryDisk disk;
    auto log = LB_MUST(open_log(disk));
    TestFrame large;
    for (uint32_t i = 0; i < 3; ++i) large.push_back(filled_block(i, i, kBlockBytes));
    Result<Appended> appended = append(*log, large);
    ASSERT_FALSE(appended);
    EXPECT_EQ(appended.error().code, ErrorCode::kStoreInvalid);
    EXPECT_EQ(LB_MUST(append(*log, {filled_block(1, 1, 100)})).sequence, 1u);
}

TEST(LogAppend, ImpossibleSegmentSizesAreRefused) {
    MemoryDisk disk;
    for (uint64_t bytes : {uint64_t{0}, uint64_t{8192}, uint64_t{100'000}, uint64_t{1} << 32}) {
        auto log = open_log(disk, bytes);
        ASSERT_FALSE(log);
        EXPECT_EQ(log.error().code, ErrorCode::kStoreInvalid);
    }
}

TEST(LogAppend, SuperDecidesTheSegmentSize) {
    MemoryDisk disk;
    std::mt19937_64 random(5);
    auto log = LB_MUST(open_log(disk));
    for (int i = 0; i < 50; ++i) LB_MUST(append(*log, random_frame(random)));
    log = LB_MUST(open_log(disk, uint64_t{1} << 20));
    for (int i = 0; i < 50; ++i) LB_MUST(append(*log, random_frame(random)));
    EXPECT_EQ(read_file(disk, segment_file(log->statistics().segment_count)).size(),
              kTestSegmentBytes);
    EXPECT_EQ(LB_MUST(replayed(*LB_MUST(open_log(disk)))).size(), 100u);
}

TEST(LogAppend, SealedSegmentsHaveAFooterWithEveryRecord) {
    MemoryDisk disk;
    std::mt19937_64 random(7);
    auto log = LB_MUST(open_log(disk));
    for (int i = 0; i < 200; ++i) LB_MUST(append(*log, random_frame(random)));
    uint64_t segment_count = log->statistics().segment_count;
    ASSERT_GT(segment_count, 3u);
    expect_footers_name_every_record(disk, *log);
    EXPECT_FALSE(decode_footer(read_file(disk, segment_file(segment_count))));
    // Footers of segments that go on after a restart name what was there before it, too.
    for (int round = 0; round < 10; ++round) {
        log = LB_MUST(open_log(disk));
        for (int i = 0; i < 7; ++i) LB_MUST(append(*log, random_frame(random)));
    }
    expect_footers_name_every_record(disk, *log);
}

TEST(LogAppend, Statistics) {
    MemoryDisk disk;
    auto log = LB_MUST(open_log(disk));
    EXPECT_EQ(log->statistics().log_bytes, kSegmentHeaderBytes);
    uint64_t stored = 0;
    for (uint32_t i = 0; i < 100; ++i) {
        stored += LB_MUST(append(*log, {filled_block(i, i, 1000)})).stored_bytes;
    }
    LogStatistics statistics = log->statistics();
    EXPECT_EQ(statistics.frame_count, 100u);
    EXPECT_EQ(statistics.syncs.count(), 0u);
    EXPECT_EQ(statistics.log_bytes, stored + statistics.segment_count * kSegmentHeaderBytes);
    LB_MUST(log->sync(50));
    LB_MUST(log->sync(100));
    EXPECT_EQ(log->statistics().syncs.count(), 1u);
    EXPECT_EQ(log->durable_sequence(), 100u);
    log = LB_MUST(open_log(disk));
    EXPECT_EQ(log->statistics().log_bytes, statistics.log_bytes);
    EXPECT_EQ(log->statistics().frame_count, 0u);
}

TEST(LogAppend, TrailingZerosAreFound) {
    for (size_t size = 0; size < 300; ++size) {
        for (size_t used = 0; used <= size; ++used) {
            Bytes bytes(size);
            if (used > 0) bytes[used - 1] = std::byte{1};
            ASSERT_EQ(without_trailing_zeros(bytes).size(), used);
        }
    }
}

}  // namespace
}  // namespace lb::store
