#include "tests/store/log_support.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "store/segment_files.h"

namespace lb::store {

namespace {

void fill_random(std::span<std::byte> out, std::mt19937_64& random) {
    for (std::byte& byte : out) byte = static_cast<std::byte>(random() & 0xff);
    if (!out.empty()) out.back() |= std::byte{1};
}

}  // namespace

TestRecord filled_block(uint32_t block, uint64_t seed, size_t stored_bytes) {
    TestRecord record{.block = block, .payload = Bytes(kBlockBytes)};
    std::mt19937_64 random(seed);
    fill_random(std::span(record.payload).first(stored_bytes), random);
    return record;
}

TestRecord block_record(uint32_t block, ByteView contents) {
    TestRecord record{.block = block, .payload = Bytes(kBlockBytes)};
    std::ranges::copy(contents, record.payload.begin());
    return record;
}

TestFrame random_frame(std::mt19937_64& random, size_t records_max) {
    TestFrame frame(1 + random() % records_max);
    for (TestRecord& record : frame) {
        record.type = static_cast<RecordType>(1 + random() % 7);
        record.line = static_cast<uint32_t>(1 + random() % 3);
        record.object = random() % 1000;
        record.block = static_cast<uint32_t>(random() % 100);
        bool is_block = record.type == RecordType::kBlock;
        size_t stored_bytes = random() % 8 == 0 ? random() % 4000 : random() % 300;
        record.payload.resize(is_block ? kBlockBytes : stored_bytes);
        fill_random(std::span(record.payload).first(stored_bytes), random);
    }
    return frame;
}

Result<Appended> append(SegmentLog& log, const TestFrame& frame) {
    std::vector<NewRecord> records;
    for (const TestRecord& record : frame) records.push_back(record.view());
    return log.append(records);
}

Result<std::unique_ptr<SegmentLog>> open_log(Disk& disk, uint64_t segment_bytes) {
    return SegmentLog::open({.disk = &disk,
                             .directory = kTestDirectory,
                             .spare_segments = 0,
                             .segment_bytes = segment_bytes});
}

Result<std::vector<TestFrame>> replayed(SegmentLog& log, LogPlace from) {
    std::vector<TestFrame> frames;
    uint64_t next_sequence = from.sequence + 1;
    LB_TRY(log.replay(from, [&](const ReplayFrame& frame) {
        EXPECT_EQ(frame.header.sequence, next_sequence++);
        EXPECT_EQ(frame.header.record_count, frame.records.size());
        TestFrame& copy = frames.emplace_back();
        for (const ReplayRecord& record : frame.records) {
            EXPECT_EQ(record.header.sequence, frame.header.sequence);
            EXPECT_EQ(record.header.stored_bytes, record.payload.size());
            copy.push_back({.type = record.header.type,
                            .line = record.header.line,
                            .object = record.header.object,
                            .block = record.header.block,
                            .payload = Bytes(record.payload.begin(), record.payload.end())});
            if (record.header.type == RecordType::kBlock) copy.back().payload.resize(kBlockBytes);
        }
        return ok();
    }));
    return frames;
}

void LogOracle::check_and_adopt(SegmentLog& log, Loss loss) {
    std::vector<TestFrame> found = LB_MUST(replayed(log));
    ASSERT_EQ(found.size(), log.last_sequence());
    ASSERT_EQ(log.durable_sequence(), log.last_sequence());
    ASSERT_GE(found.size(), loss == Loss::kNothingAcknowledged ? acknowledged_ : synced_);
    ASSERT_LE(found.size(), frames_.size());
    for (size_t i = 0; i < found.size(); ++i) {
        ASSERT_TRUE(found[i] == frames_[i]) << "frame " << i + 1;
    }
    frames_.resize(found.size());
    acknowledged_ = found.size();
    synced_ = found.size();
}

void expect_footers_name_every_record(Disk& disk, SegmentLog& log) {
    using Name = std::tuple<RecordType, uint32_t, uint64_t, uint32_t, uint64_t, uint32_t, uint32_t>;
    std::map<uint64_t, std::multiset<Name>> records;
    LB_MUST(log.replay({}, [&](const ReplayFrame& frame) {
        for (const ReplayRecord& record : frame.records) {
            const RecordHeader& h = record.header;
            records[record.location.segment.value()].insert({h.type, h.line, h.object, h.block,
                                                             h.sequence, record.location.offset,
                                                             record.location.stored_bytes});
        }
        return ok();
    }));
    for (uint64_t segment = 1; segment < log.statistics().segment_count; ++segment) {
        Footer footer = LB_MUST(decode_footer(read_file(disk, segment_file(segment))));
        EXPECT_EQ(footer.segment, SegmentId{segment});
        std::multiset<Name> named;
        for (const FooterEntry& e : footer.entries) {
            named.insert({e.type, e.line, e.object, e.block, e.sequence, e.offset, e.stored_bytes});
        }
        EXPECT_EQ(named, records[segment]) << "segment " << segment;
    }
}

void overwrite(Disk& disk, const std::string& path, uint64_t offset, ByteView bytes) {
    auto file = LB_MUST(disk.open(path, OpenMode::kReadWrite));
    LB_MUST(file->write_at(offset, {&bytes, 1}));
    LB_MUST(file->sync());
}

void flip_bit(Disk& disk, const std::string& path, uint64_t offset, unsigned bit) {
    std::byte byte{};
    LB_MUST(LB_MUST(disk.open(path, OpenMode::kRead))->read_at(offset, {&byte, 1}));
    byte ^= std::byte{1} << bit;
    overwrite(disk, path, offset, {&byte, 1});
}

Bytes read_file(Disk& disk, const std::string& path) {
    auto file = LB_MUST(disk.open(path, OpenMode::kRead));
    Bytes bytes(LB_MUST(file->size_bytes()));
    LB_MUST(file->read_at(0, bytes));
    return bytes;
}

std::string segment_file(uint64_t segment) {
    return segment_path(kTestDirectory, SegmentId{segment});
}

}  // namespace lb::store
