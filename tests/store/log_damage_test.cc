// Damage is noticed, named and never repaired away: what was durable is there or the store says
// that it is damaged.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/hash.h"
#include "store/log_frame.h"
#include "store/segment_scan.h"
#include "tests/store/log_support.h"

namespace lb::store {
namespace {

// Some segments of frames, all durable, and a last frame whose header says so.
struct DurableLog {
    MemoryDisk disk;
    std::vector<TestFrame> frames;
    std::vector<LogPlace> ends;
    StoreId store_id;

    explicit DurableLog(size_t frame_count, uint64_t seed = 1) {
        std::mt19937_64 random(seed);
        auto log = LB_MUST(open_log(disk));
        store_id = log->store_id();
        for (size_t i = 0; i < frame_count; ++i) {
            if (i + 1 == frame_count) LB_MUST(log->sync(log->last_sequence()));
            frames.push_back(random_frame(random));
            LB_MUST(append(*log, frames.back()));
            ends.push_back(log->end());
        }
    }
    uint64_t last_segment() const { return ends.back().segment.value(); }
    uint64_t start_of(size_t frame) const {
        bool is_first = frame == 0 || ends[frame - 1].segment != ends[frame].segment;
        return is_first ? kSegmentHeaderBytes : ends[frame - 1].offset;
    }
};

// All files of the store, to see that nothing was touched.
std::map<std::string, Bytes> snapshot(Disk& disk) {
    std::map<std::string, Bytes> files;
    for (const std::string& name : LB_MUST(disk.list("store/seg"))) {
        if (name.ends_with(".seg")) files[name] = read_file(disk, "store/seg/" + name);
    }
    return files;
}

void expect_damaged(Disk& disk, std::string_view message_part) {
    auto before = snapshot(disk);
    auto log = open_log(disk);
    ASSERT_FALSE(log);
    EXPECT_EQ(log.error().code, ErrorCode::kStoreDamaged);
    EXPECT_NE(to_text(log.error()).find(message_part), std::string::npos) << to_text(log.error());
    EXPECT_EQ(snapshot(disk), before);
}

TEST(LogDamage, ADurableFrameOfTheActiveSegment) {
    DurableLog store(10);
    ASSERT_EQ(store.last_segment(), 1u);
    for (size_t frame = 0; frame < 9; ++frame) {
        for (uint64_t offset : {store.start_of(frame), store.start_of(frame) + 70}) {
            flip_bit(store.disk, segment_file(1), offset);
            expect_damaged(store.disk, "segment 1 is damaged at offset " +
                                           std::to_string(store.start_of(frame)));
            flip_bit(store.disk, segment_file(1), offset);
        }
    }
    EXPECT_EQ(LB_MUST(replayed(*LB_MUST(open_log(store.disk)))), store.frames);
}

TEST(LogDamage, AFrameThatWasNotDurableIsLeftOut) {
    DurableLog store(10);
    flip_bit(store.disk, segment_file(1), store.start_of(9) + 100);
    auto log = LB_MUST(open_log(store.disk));
    EXPECT_EQ(log->last_sequence(), 9u);
    store.frames.pop_back();
    EXPECT_EQ(LB_MUST(replayed(*log)), store.frames);
}

TEST(LogDamage, HeadersOfSealedSegments) {
    DurableLog store(155);
    ASSERT_GE(store.last_segment(), 4u);
    ASSERT_EQ(store.ends[153].segment, store.ends[154].segment);
    for (uint64_t segment = 1; segment <= store.last_segment(); ++segment) {
        for (uint64_t offset : {0u, 9u, 20u, 33u, 41u, 50u, 60u, 2000u, 4090u}) {
            flip_bit(store.disk, segment_file(segment), offset);
            expect_damaged(store.disk, "segment " + std::to_string(segment));
            flip_bit(store.disk, segment_file(segment), offset);
        }
    }
}

TEST(LogDamage, AMissingSegment) {
    for (uint64_t segment = 1; segment < 4; ++segment) {
        DurableLog store(150);
        LB_MUST(store.disk.remove(segment_file(segment)));
        expect_damaged(store.disk, "segment " + std::to_string(segment) + " is missing");
    }
}

TEST(LogDamage, ASealedSegmentIsCheckedWhenItIsRead) {
    DurableLog store(150);
    flip_bit(store.disk, segment_file(1), store.start_of(3) + 100);
    auto log = LB_MUST(open_log(store.disk));
    Result<std::vector<TestFrame>> frames = replayed(*log);
    ASSERT_FALSE(frames);
    EXPECT_EQ(frames.error().code, ErrorCode::kStoreDamaged);
    EXPECT_NE(
        to_text(frames.error()).find("in segment 1 at offset " + std::to_string(store.start_of(3))),
        std::string::npos)
        << to_text(frames.error());
}

TEST(LogDamage, ASegmentThatDoesNotFollowTheOneBefore) {
    DurableLog store(150);
    Bytes bytes = read_file(store.disk, segment_file(3));
    SegmentHeader header = LB_MUST(decode_segment_header(bytes));
    ++header.previous_frame_hash;
    std::array<std::byte, kSegmentHeaderBytes> encoded;
    encode_segment_header(header, encoded);
    overwrite(store.disk, segment_file(3), 0, encoded);
    expect_damaged(store.disk, "segment 3");
    // Even if it names nothing as durable.
    header.durable_sequence = 0;
    for (uint64_t later = store.last_segment(); later > 3; --later) {
        LB_MUST(store.disk.remove(segment_file(later)));
    }
    encode_segment_header(header, encoded);
    overwrite(store.disk, segment_file(3), 0, encoded);
    overwrite(store.disk, segment_file(3), kSegmentHeaderBytes,
              Bytes(kTestSegmentBytes - kSegmentHeaderBytes));
    expect_damaged(store.disk, "segment 3 does not follow the one before it");
}

TEST(LogDamage, ASegmentOfAnotherStore) {
    DurableLog store(150);
    DurableLog other(150, 2);
    overwrite(store.disk, segment_file(2), 0, read_file(other.disk, segment_file(2)));
    expect_damaged(store.disk, "another store");
}

// Any flipped bit of any segment file: an error at open or at replay, or everything is there all
// the same. Only the last frame, which nothing calls durable, may be left out.
TEST(LogDamage, NoFlippedBitIsServed) {
    std::mt19937_64 random(11);
    for (int i = 0; i < 600; ++i) {
        DurableLog store(60);
        uint64_t segment = 1 + random() % store.last_segment();
        uint64_t end = std::min<uint64_t>(store.ends.back().offset + 400, kTestSegmentBytes);
        uint64_t offset = random() % (segment == store.last_segment() ? end : kTestSegmentBytes);
        flip_bit(store.disk, segment_file(segment), offset, random() % 8);
        auto log = open_log(store.disk);
        if (!log) {
            ASSERT_EQ(log.error().code, ErrorCode::kStoreDamaged);
            continue;
        }
        Result<std::vector<TestFrame>> frames = replayed(**log);
        if (!frames) {
            ASSERT_EQ(frames.error().code, ErrorCode::kStoreDamaged);
            continue;
        }
        ASSERT_GE(frames->size(), 59u) << "segment " << segment << " offset " << offset;
        ASSERT_TRUE(std::equal(frames->begin(), frames->end(), store.frames.begin()));
    }
}

TEST(LogDamage, Super) {
    DurableLog store(5);
    for (uint64_t offset : {0u, 8u, 17u, 33u, 1000u, 4095u}) {
        flip_bit(store.disk, "store/SUPER", offset);
        expect_damaged(store.disk, "SUPER");
        flip_bit(store.disk, "store/SUPER", offset);
    }
    LB_MUST(store.disk.remove("store/SUPER"));
    expect_damaged(store.disk, "has segments but no SUPER");
}

TEST(LogDamage, ANewerFormatIsNotTouched) {
    DurableLog store(5);
    Bytes super = read_file(store.disk, "store/SUPER");
    store_little_endian<uint32_t>(&super[8], 9);
    store_little_endian(&super[4088], hash64(ByteView(super).first(4088), 6));
    overwrite(store.disk, "store/SUPER", 0, super);
    auto before = snapshot(store.disk);
    auto log = open_log(store.disk);
    ASSERT_FALSE(log);
    EXPECT_EQ(log.error().code, ErrorCode::kStoreFormatNewer);
    EXPECT_NE(log.error().message.find("version 9"), std::string::npos);
    EXPECT_EQ(snapshot(store.disk), before);
}

TEST(LogDamage, BehindTheEndEverythingIsWiped) {
    DurableLog store(10);
    Bytes junk(300, std::byte{0x5a});
    overwrite(store.disk, segment_file(1), store.ends.back().offset + 40, junk);
    overwrite(store.disk, segment_file(1), kTestSegmentBytes - 300, junk);
    LB_MUST(open_log(store.disk));
    Bytes bytes = read_file(store.disk, segment_file(1));
    EXPECT_TRUE(is_zero(ByteView(bytes).subspan(store.ends.back().offset)));
}

// A frame as an earlier life of the file, or another history of the store, could have left it.
Bytes frame_at(const DurableLog& store, FrameHeader header, const TestRecord& record) {
    NewRecord view = record.view();
    PreparedFrame prepared({&view, 1});
    FrameBuilder builder;
    Appended appended;
    std::vector<FooterEntry> entries;
    Bytes bytes;
    for (ByteView piece : builder.build(prepared, store.ends.back().offset,
                                        frame_seed(store.store_id), header, appended, entries)) {
        bytes.insert(bytes.end(), piece.begin(), piece.end());
    }
    return bytes;
}

TEST(LogDamage, StaleFramesBehindTheEndAreNotTaken) {
    DurableLog model(10);
    TestRecord record = filled_block(1, 1, 50);
    Bytes last = read_file(model.disk, segment_file(1));
    FrameHeader previous = LB_MUST(
        decode_frame_header(ByteView(last).subspan(model.start_of(9)), frame_seed(model.store_id)));
    FrameHeader next{.segment = SegmentId{1},
                     .sequence = 11,
                     .written_at = previous.written_at,
                     .previous_frame_hash = previous.frame_hash};
    struct Case {
        const char* name;
        std::function<void(FrameHeader&)> change;
        uint64_t last_sequence;
    };
    const Case cases[] = {
        {"the right one", [](FrameHeader&) {}, 11},
        {"another segment", [](FrameHeader& h) { h.segment = SegmentId{2}; }, 10},
        {"an old sequence", [](FrameHeader& h) { h.sequence = 10; }, 10},
        {"a later sequence", [](FrameHeader& h) { h.sequence = 12; }, 10},
        {"another history", [](FrameHeader& h) { ++h.previous_frame_hash; }, 10},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        FrameHeader header = next;
        c.change(header);
        overwrite(model.disk, segment_file(1), model.ends.back().offset,
                  frame_at(model, header, record));
        EXPECT_EQ(LB_MUST(open_log(model.disk))->last_sequence(), c.last_sequence);
        overwrite(model.disk, segment_file(1), model.ends.back().offset, Bytes(1000));
    }
}

// The records of one frame under the header of another that has the same size and sequence.
TEST(LogDamage, RecordsUnderAnotherFramesHeader) {
    DurableLog store(10);
    uint64_t offset = store.ends.back().offset;
    Bytes last = read_file(store.disk, segment_file(1));
    FrameHeader previous = LB_MUST(
        decode_frame_header(ByteView(last).subspan(store.start_of(9)), frame_seed(store.store_id)));
    FrameHeader header{.segment = SegmentId{1},
                       .sequence = 11,
                       .written_at = previous.written_at,
                       .previous_frame_hash = previous.frame_hash};
    Bytes one = frame_at(store, header, filled_block(1, 1, 50));
    Bytes two = frame_at(store, header, filled_block(2, 2, 50));
    ASSERT_EQ(one.size(), two.size());
    overwrite(store.disk, segment_file(1), offset, one);
    overwrite(store.disk, segment_file(1), offset + 64, ByteView(two).subspan(64));
    EXPECT_EQ(LB_MUST(open_log(store.disk))->last_sequence(), 10u);
}

TEST(LogDamage, ALostFooterIsWrittenAgain) {
    DurableLog store(150);
    std::string path = segment_file(store.last_segment() - 1);
    Footer before = LB_MUST(decode_footer(read_file(store.disk, path)));
    overwrite(store.disk, path, kTestSegmentBytes - kFooterTailBytes, Bytes(kFooterTailBytes));
    auto log = LB_MUST(open_log(store.disk));
    Footer after = LB_MUST(decode_footer(read_file(store.disk, path)));
    EXPECT_EQ(after.last_frame_hash, before.last_frame_hash);
    EXPECT_EQ(after.entries.size(), before.entries.size());
    EXPECT_EQ(LB_MUST(replayed(*log)), store.frames);
}

// All frames of the full segment were durable before it was full, so its footer may be torn.
TEST(LogDamage, AFooterYoungerThanTheLastSyncIsNotBelieved) {
    MemoryDisk disk;
    std::mt19937_64 random(1);
    {
        auto log = LB_MUST(open_log(disk));
        while (log->end().segment == SegmentId{1}) {
            LB_MUST(log->sync(log->last_sequence()));
            LB_MUST(append(*log, random_frame(random)));
        }
    }
    flip_bit(disk, segment_file(1), kTestSegmentBytes - kFooterTailBytes - 10);
    EXPECT_FALSE(decode_footer(read_file(disk, segment_file(1))));
    LB_MUST(open_log(disk));
    EXPECT_TRUE(decode_footer(read_file(disk, segment_file(1))));
}

TEST(LogDamage, ReadingNamesPlaceAndBothIdentities) {
    MemoryDisk disk;
    auto log = LB_MUST(open_log(disk));
    TestRecord record = filled_block(9, 1, 500);
    Appended appended = LB_MUST(append(*log, {record}));
    RecordHeader expected{.type = RecordType::kBlock,
                          .line = 1,
                          .object = 1,
                          .block = 9,
                          .sequence = appended.sequence};
    std::array<std::byte, kBlockBytes> out;
    auto expect_error = [&](RecordLocation location, const RecordHeader& wanted,
                            std::string_view part) {
        Status status = log->read_block(location, wanted, out);
        ASSERT_FALSE(status);
        EXPECT_EQ(status.error().code, ErrorCode::kStoreDamaged);
        std::string text = to_text(status.error());
        EXPECT_NE(text.find(part), std::string::npos) << text;
        EXPECT_NE(text.find("segment " + std::to_string(location.segment.value())),
                  std::string::npos)
            << text;
    };
    RecordLocation location = appended.locations[0];
    for (auto change : std::initializer_list<void (*)(RecordHeader&)>{
             [](RecordHeader& h) { h.type = RecordType::kNote; }, [](RecordHeader& h) { ++h.line; },
             [](RecordHeader& h) { ++h.object; }, [](RecordHeader& h) { ++h.block; },
             [](RecordHeader& h) { ++h.sequence; }}) {
        RecordHeader wanted = expected;
        change(wanted);
        expect_error(location, wanted, "found: type 1, line 1, object 1, block 9, sequence 1");
    }
    RecordLocation wrong = location;
    wrong.offset += 8;
    expect_error(wrong, expected, "offset " + std::to_string(wrong.offset));
    wrong = location;
    --wrong.stored_bytes;
    expect_error(wrong, expected, "another record");
    wrong = location;
    wrong.stored_bytes = kBlockBytes + 1;
    expect_error(wrong, expected, "impossible");
    wrong = location;
    wrong.offset = UINT32_MAX;
    expect_error(wrong, expected, "impossible");
    wrong = location;
    wrong.segment = SegmentId{5};
    expect_error(wrong, expected, "is missing");
    flip_bit(disk, segment_file(1), location.offset + 60);
    expect_error(location, expected, "payload checksum mismatch");
}

}  // namespace
}  // namespace lb::store
