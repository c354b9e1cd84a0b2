// Tools for the tests of the log: random frames, an oracle that remembers what was appended, and a
// comparison of the two.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <vector>

#include "store/disk_memory.h"
#include "store/segment_log.h"

namespace lb::store {

// A record with its own payload.
struct TestRecord {
    RecordType type = RecordType::kBlock;
    uint32_t line = 1;
    uint64_t object = 1;
    uint32_t block = 0;
    Bytes payload = {};

    bool operator==(const TestRecord&) const = default;
    NewRecord view() const {
        return {.type = type,
                .line = LineId{line},
                .object = object,
                .block = block,
                .payload = payload};
    }
};
using TestFrame = std::vector<TestRecord>;

// Some records of all types; blocks end in zeros more often than not, so that segments of a few KiB
// take many frames.
TestFrame random_frame(std::mt19937_64& random, size_t records_max = 4);
TestRecord block_record(uint32_t block, ByteView contents);
// A block with `stored_bytes` bytes that are not zero.
TestRecord filled_block(uint32_t block, uint64_t seed, size_t stored_bytes);

Result<Appended> append(SegmentLog& log, const TestFrame& frame);

inline constexpr uint64_t kTestSegmentBytes = uint64_t{24} << 10;
inline constexpr const char* kTestDirectory = "store";

Result<std::unique_ptr<SegmentLog>> open_log(Disk& disk,
                                             uint64_t segment_bytes = kTestSegmentBytes);

// The frames of a log, from `from` on.
Result<std::vector<TestFrame>> replayed(SegmentLog& log, LogPlace from = {});

// What a log must hold: frame i has sequence i + 1.
class LogOracle {
public:
    // Before an append, which may fail and still be found later.
    void attempt(const TestFrame& frame) {
        frames_.resize(acknowledged_);
        frames_.push_back(frame);
    }
    void acknowledge(uint64_t sequence) {
        ASSERT_EQ(sequence, acknowledged_ + 1);
        acknowledged_ = sequence;
    }
    void synced(uint64_t sequence) { synced_ = std::max(synced_, sequence); }
    uint64_t acknowledged() const { return acknowledged_; }
    uint64_t synced() const { return synced_; }

    // The log was opened again: it must hold at least what was synced, at most what was attempted,
    // and a prefix of it. From then on that is what it must hold.
    enum class Loss { kNothingAcknowledged, kNothingSynced };
    void check_and_adopt(SegmentLog& log, Loss loss);

private:
    std::vector<TestFrame> frames_;
    uint64_t acknowledged_ = 0;
    uint64_t synced_ = 0;
};

// The footers of all segments but the last name exactly the records that are in them.
void expect_footers_name_every_record(Disk& disk, SegmentLog& log);

// Changes bytes of a file and makes that durable.
void overwrite(Disk& disk, const std::string& path, uint64_t offset, ByteView bytes);
void flip_bit(Disk& disk, const std::string& path, uint64_t offset, unsigned bit = 0);
Bytes read_file(Disk& disk, const std::string& path);
std::string segment_file(uint64_t segment);

}  // namespace lb::store
