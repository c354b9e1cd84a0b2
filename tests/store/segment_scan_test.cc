// Reading frames: what one frame must fulfil, and the search for headers behind a break.
#include "store/segment_scan.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "store/log_frame.h"
#include "tests/store/log_support.h"

namespace lb::store {
namespace {

constexpr uint64_t kSeed = 42;

// The pieces of one frame, to be put together wrongly.
struct FrameParts {
    FrameHeader header;
    Bytes body;
};

FrameParts make_frame(const TestFrame& frame, FrameHeader header) {
    std::vector<NewRecord> records;
    for (const TestRecord& record : frame) records.push_back(record.view());
    PreparedFrame prepared(records);
    FrameBuilder builder;
    Appended appended;
    std::vector<FooterEntry> entries;
    Bytes bytes;
    for (ByteView piece :
         builder.build(prepared, kSegmentHeaderBytes, kSeed, header, appended, entries)) {
        bytes.insert(bytes.end(), piece.begin(), piece.end());
    }
    bytes.erase(bytes.begin(), bytes.begin() + kFrameHeaderBytes);
    return {header, bytes};
}

Status parse(const FrameParts& parts) {
    std::vector<ReplayRecord> records;
    return parse_frame_body(parts.header, kSegmentHeaderBytes, parts.body, records);
}

const TestFrame kTwoRecords{filled_block(1, 1, 13), filled_block(2, 2, 21)};
const FrameHeader kHeader{.segment = SegmentId{1}, .sequence = 5};

TEST(FrameBody, AWholeOne) { EXPECT_TRUE(parse(make_frame(kTwoRecords, kHeader))); }

TEST(FrameBody, EveryFlippedBitIsNoticed) {
    FrameParts parts = make_frame(kTwoRecords, kHeader);
    for (size_t bit = 0; bit < parts.body.size() * 8; ++bit) {
        parts.body[bit / 8] ^= std::byte{1} << (bit % 8);
        ASSERT_FALSE(parse(parts)) << "bit " << bit;
        parts.body[bit / 8] ^= std::byte{1} << (bit % 8);
    }
}

TEST(FrameBody, RecordsOfAnotherSequence) {
    FrameParts parts = make_frame(kTwoRecords, kHeader);
    parts.header.sequence = 6;
    EXPECT_FALSE(parse(parts));
}

TEST(FrameBody, BytesBehindTheLastRecord) {
    FrameParts parts = make_frame(kTwoRecords, kHeader);
    parts.body.resize(parts.body.size() + 8);
    parts.header.body_bytes += 8;
    EXPECT_FALSE(parse(parts));
}

TEST(FrameBody, OneRecordMoreOrLess) {
    FrameParts parts = make_frame(kTwoRecords, kHeader);
    ++parts.header.record_count;
    EXPECT_FALSE(parse(parts));
    parts.header.record_count -= 2;
    EXPECT_FALSE(parse(parts));
}

TEST(FrameBody, ARecordThatIsLongerThanTheFrame) {
    FrameParts parts = make_frame(kTwoRecords, kHeader);
    parts.body.resize(parts.body.size() - 8);
    parts.header.body_bytes -= 8;
    EXPECT_FALSE(parse(parts));
}

class ClaimSearch : public testing::Test {
protected:
    void SetUp() override {
        file_ = LB_MUST(disk_.open("file", OpenMode::kCreate));
        LB_MUST(file_->allocate(kSize));
    }
    void put_header(uint64_t offset, uint64_t segment, uint64_t durable_sequence,
                    uint64_t seed = kSeed) {
        FrameHeader header{.segment = SegmentId{segment},
                           .sequence = 1000,
                           .record_count = 1,
                           .body_bytes = 48,
                           .durable_sequence = durable_sequence};
        std::array<std::byte, kFrameHeaderBytes> bytes;
        encode_frame_header(header, seed, bytes);
        overwrite(disk_, "file", offset, bytes);
    }
    uint64_t claim(uint64_t offset = 0) {
        return LB_MUST(find_durable_claim(*file_, SegmentId{1}, kSeed, offset, kSize));
    }

    static constexpr uint64_t kSize = uint64_t{5} << 19;  // two pieces and a half
    MemoryDisk disk_;
    std::unique_ptr<File> file_;
};

TEST_F(ClaimSearch, FindsTheLargestWhereverItIs) {
    EXPECT_EQ(claim(), 0u);
    uint64_t durable = 0;
    constexpr uint64_t kPiece = uint64_t{1} << 20;
    for (uint64_t offset : {uint64_t{0}, uint64_t{8}, kPiece - 64, kPiece - 56, kPiece - 8, kPiece,
                            kPiece + 96, kSize - 64}) {
        overwrite(disk_, "file", 0, Bytes(kSize));
        put_header(offset, 1, ++durable);
        EXPECT_EQ(claim(), durable) << offset;
        EXPECT_EQ(claim(offset), durable) << offset;
        EXPECT_EQ(claim(offset + 8), 0u) << offset;
    }
    overwrite(disk_, "file", 0, Bytes(kSize));
    put_header(8, 1, 900);
    put_header(kPiece + 8, 1, 700);
    EXPECT_EQ(claim(), 900u);
}

TEST_F(ClaimSearch, IgnoresOtherSegmentsAndOtherStores) {
    put_header(64, 2, 900);
    put_header(640, 1, 900, kSeed + 1);
    EXPECT_EQ(claim(), 0u);
}

TEST_F(ClaimSearch, ReadsTheWholeOfBusyFiles) {
    std::mt19937_64 random(1);
    Bytes noise(kSize);
    for (std::byte& byte : noise) byte = static_cast<std::byte>(random() & 0xff);
    overwrite(disk_, "file", 0, noise);
    put_header((uint64_t{1} << 20) - 24, 1, 77);
    EXPECT_EQ(claim(), 77u);
}

// Frames that are longer than the reader's window, and windows that end inside of a frame.
TEST(FrameReader, LongFrames) {
    MemoryDisk disk;
    auto log = LB_MUST(open_log(disk, uint64_t{32} << 20));
    std::vector<TestFrame> frames;
    for (size_t records : {1u, 700u, 3u, 600u, 60u, 60u, 1u}) {
        TestFrame& frame = frames.emplace_back();
        for (uint32_t i = 0; i < records; ++i) frame.push_back(filled_block(i, i, kBlockBytes));
        LB_MUST(append(*log, frame));
    }
    EXPECT_EQ(LB_MUST(replayed(*LB_MUST(open_log(disk)))), frames);
}

}  // namespace
}  // namespace lb::store
