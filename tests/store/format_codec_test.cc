// Laws of the format: what is encoded is decoded to the same value, and no flipped bit, no missing
// byte and no arbitrary bytes go unnoticed.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <tuple>

#include "base/hash.h"
#include "store/format.h"
#include "store/log_super.h"

namespace lb::store {
namespace {

const StoreId kStore = [] {
    StoreId id;
    for (size_t i = 0; i < id.size(); ++i) id[i] = static_cast<std::byte>(i * 37 + 1);
    return id;
}();

WallTime any_time() { return WallTime{std::chrono::nanoseconds{*rc::gen::arbitrary<int64_t>()}}; }
uint64_t any_u64() { return *rc::gen::arbitrary<uint64_t>(); }
uint32_t any_u32() { return *rc::gen::arbitrary<uint32_t>(); }
RecordType any_type() { return static_cast<RecordType>(*rc::gen::inRange(1, 8)); }

SegmentHeader any_segment_header() {
    return {.store_id = kStore,
            .segment = SegmentId{any_u64()},
            .segment_class = static_cast<SegmentClass>(*rc::gen::inRange(0, 2)),
            .first_sequence = any_u64(),
            .previous_frame_hash = any_u64(),
            .durable_sequence = any_u64(),
            .previous_written_at = any_time()};
}

FrameHeader any_frame_header() {
    FrameHeader header{.segment = SegmentId{any_u64()}, .sequence = any_u64()};
    header.written_at = any_time();
    header.record_count = *rc::gen::inRange<uint32_t>(1, kFrameRecordsMax + 1);
    uint32_t body_min = header.record_count * kRecordHeaderBytes;
    header.body_bytes = *rc::gen::inRange<uint32_t>(body_min / 8, kFrameBodyMaxBytes / 8 + 1) * 8;
    header.durable_sequence =
        header.sequence - std::min<uint64_t>(header.sequence, *rc::gen::inRange<uint64_t>(0, 1000));
    header.records_hash = any_u64();
    header.previous_frame_hash = any_u64();
    return header;
}

RecordHeader any_record_header() {
    RecordHeader header{.type = any_type()};
    header.line = any_u32();
    header.object = any_u64();
    header.block = any_u32();
    header.stored_bytes = *rc::gen::inRange<uint32_t>(
        0, (header.type == RecordType::kBlock ? kBlockBytes : kFrameBodyMaxBytes) + 1);
    header.sequence = any_u64();
    header.payload_hash = any_u64();
    return header;
}

FooterEntry any_footer_entry() {
    return {.type = any_type(),
            .line = any_u32() % 3,
            .object = any_u64() % 3,
            .block = any_u32() % 3,
            .sequence = any_u64() % 3,
            .offset = any_u32(),
            .stored_bytes = any_u32()};
}

auto fields(const SegmentHeader& h) {
    return std::tuple(h.store_id, h.segment, h.segment_class, h.first_sequence,
                      h.previous_frame_hash, h.durable_sequence, h.previous_written_at);
}
auto fields(const FrameHeader& h) {
    return std::tuple(h.segment, h.sequence, h.written_at, h.record_count, h.body_bytes,
                      h.durable_sequence, h.records_hash, h.previous_frame_hash, h.frame_hash);
}
auto fields(const RecordHeader& h) {
    return std::tuple(h.type, h.flags, h.codec, h.line, h.object, h.block, h.stored_bytes,
                      h.sequence, h.payload_hash);
}
auto fields(const FooterEntry& e) {
    return std::tuple(e.type, e.line, e.object, e.block, e.sequence, e.offset, e.stored_bytes);
}

// Every flipped bit and every missing end must be an error.
template <class Decode>
void expect_every_flip_is_noticed(Bytes bytes, Decode decode) {
    ASSERT_TRUE(decode(ByteView(bytes)));
    for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
        bytes[bit / 8] ^= std::byte{1} << (bit % 8);
        ASSERT_FALSE(decode(ByteView(bytes))) << "bit " << bit;
        bytes[bit / 8] ^= std::byte{1} << (bit % 8);
    }
}

template <class Decode>
void expect_every_cut_is_noticed(const Bytes& bytes, Decode decode) {
    for (size_t size = 0; size < bytes.size(); ++size) {
        auto decoded = decode(ByteView(bytes).first(size));
        ASSERT_FALSE(decoded);
        ASSERT_EQ(decoded.error().code, ErrorCode::kStoreDamaged);
    }
}

RC_GTEST_PROP(FormatCodec, SegmentHeaderRoundTrip, ()) {
    SegmentHeader header = any_segment_header();
    std::array<std::byte, kSegmentHeaderBytes> bytes;
    encode_segment_header(header, bytes);
    RC_ASSERT(fields(decode_segment_header(bytes).value()) == fields(header));
}

RC_GTEST_PROP(FormatCodec, FrameHeaderRoundTrip, ()) {
    FrameHeader header = any_frame_header();
    std::array<std::byte, kFrameHeaderBytes> bytes;
    encode_frame_header(header, frame_seed(kStore), bytes);
    RC_ASSERT(fields(decode_frame_header(bytes, frame_seed(kStore)).value()) == fields(header));
    RC_ASSERT(!decode_frame_header(bytes, frame_seed(StoreId{})));
}

RC_GTEST_PROP(FormatCodec, RecordHeaderRoundTrip, ()) {
    RecordHeader header = any_record_header();
    std::array<std::byte, kRecordHeaderBytes> bytes;
    encode_record_header(header, bytes);
    RC_ASSERT(fields(decode_record_header(bytes).value()) == fields(header));
}

RC_GTEST_PROP(FormatCodec, FooterRoundTripSortsItsEntries, ()) {
    std::vector<FooterEntry> entries(*rc::gen::inRange<size_t>(0, 40));
    for (FooterEntry& entry : entries) entry = any_footer_entry();
    uint64_t last_sequence = any_u64();
    Bytes bytes = encode_footer(entries, SegmentId{7}, last_sequence, 11, 13);
    RC_ASSERT(bytes.size() == footer_bytes(entries.size()));
    // Whatever stands before the footer in the file does not matter.
    bytes.insert(bytes.begin(), 5, std::byte{0xee});
    Footer footer = decode_footer(bytes).value();
    RC_ASSERT(footer.segment == SegmentId{7});
    RC_ASSERT(footer.last_sequence == last_sequence);
    RC_ASSERT(footer.last_frame_hash == 11u);
    RC_ASSERT(footer.frames_end_offset == 13u);
    auto order = [](const FooterEntry& a, const FooterEntry& b) { return fields(a) < fields(b); };
    RC_ASSERT(footer.entries.size() == entries.size());
    RC_ASSERT(std::ranges::is_sorted(footer.entries, {}, [](const FooterEntry& e) {
        return std::tuple(e.type, e.line, e.object, e.block, e.sequence);
    }));
    std::ranges::sort(entries, order);
    std::ranges::sort(footer.entries, order);
    for (size_t i = 0; i < entries.size(); ++i) {
        RC_ASSERT(fields(entries[i]) == fields(footer.entries[i]));
    }
    Footer tail = decode_footer_tail(ByteView(bytes).last(kFooterTailBytes)).value();
    RC_ASSERT(tail.last_sequence == last_sequence);
    RC_ASSERT(tail.entries.empty());
}

RC_GTEST_PROP(FormatCodec, SuperRoundTrip, ()) {
    Super super{.store_id = kStore, .segment_bytes = *rc::gen::inRange<uint64_t>(4, 16384) * 4096};
    std::array<std::byte, kSuperBytes> bytes;
    encode_super(super, bytes);
    Super decoded = decode_super(bytes).value();
    RC_ASSERT(decoded.store_id == super.store_id);
    RC_ASSERT(decoded.segment_bytes == super.segment_bytes);
}

RC_GTEST_PROP(FormatCodec, ArbitraryBytesAreRefused, ()) {
    auto raw = *rc::gen::container<std::vector<uint8_t>>(*rc::gen::inRange<size_t>(0, 200),
                                                         rc::gen::arbitrary<uint8_t>());
    ByteView bytes = std::as_bytes(std::span(raw));
    RC_ASSERT(!decode_segment_header(bytes));
    RC_ASSERT(!decode_frame_header(bytes, frame_seed(kStore)));
    RC_ASSERT(!decode_record_header(bytes));
    RC_ASSERT(!decode_footer(bytes));
    RC_ASSERT(!decode_super(bytes));
}

RC_GTEST_PROP(FormatCodec, EveryFlippedBitOfAFrameHeaderIsNoticed, ()) {
    FrameHeader header = any_frame_header();
    Bytes bytes(kFrameHeaderBytes);
    encode_frame_header(header, frame_seed(kStore), std::span<std::byte, kFrameHeaderBytes>(bytes));
    auto decode = [](ByteView in) { return decode_frame_header(in, frame_seed(kStore)); };
    expect_every_flip_is_noticed(bytes, decode);
    expect_every_cut_is_noticed(bytes, decode);
}

RC_GTEST_PROP(FormatCodec, EveryFlippedBitOfARecordHeaderIsNoticed, ()) {
    Bytes bytes(kRecordHeaderBytes);
    encode_record_header(any_record_header(), std::span<std::byte, kRecordHeaderBytes>(bytes));
    expect_every_flip_is_noticed(bytes, decode_record_header);
    expect_every_cut_is_noticed(bytes, decode_record_header);
}

TEST(FormatCodec, EveryFlippedBitOfASegmentHeaderIsNoticed) {
    Bytes bytes(kSegmentHeaderBytes);
    encode_segment_header({.store_id = kStore, .segment = SegmentId{3}, .first_sequence = 9},
                          std::span<std::byte, kSegmentHeaderBytes>(bytes));
    expect_every_flip_is_noticed(bytes, decode_segment_header);
    expect_every_cut_is_noticed(bytes, decode_segment_header);
}

TEST(FormatCodec, EveryFlippedBitOfAFooterIsNoticed) {
    std::vector<FooterEntry> entries(3);
    for (uint32_t i = 0; i < 3; ++i) entries[i].block = 3 - i;
    Bytes bytes = encode_footer(entries, SegmentId{3}, 17, 19, 4096);
    expect_every_flip_is_noticed(bytes, decode_footer);
    expect_every_cut_is_noticed(bytes, decode_footer);
    Bytes tail(bytes.end() - kFooterTailBytes, bytes.end());
    expect_every_flip_is_noticed(tail, decode_footer_tail);
}

TEST(FormatCodec, EveryFlippedBitOfSuperIsNoticed) {
    Bytes bytes(kSuperBytes);
    encode_super({.store_id = kStore}, std::span<std::byte, kSuperBytes>(bytes));
    expect_every_flip_is_noticed(bytes, decode_super);
    expect_every_cut_is_noticed(bytes, decode_super);
    bytes.push_back(std::byte{0});
    EXPECT_FALSE(decode_super(bytes));
}

// The lag to the durable sequence has 32 bits. What does not fit must never claim too much.
TEST(FormatCodec, AFarAwayDurableSequenceBecomesUnknown) {
    for (uint64_t lag : {uint64_t{UINT32_MAX} - 1, uint64_t{UINT32_MAX}, uint64_t{1} << 40}) {
        FrameHeader header{.sequence = uint64_t{1} << 50,
                           .record_count = 1,
                           .body_bytes = 48,
                           .durable_sequence = (uint64_t{1} << 50) - lag};
        std::array<std::byte, kFrameHeaderBytes> bytes;
        encode_frame_header(header, 1, bytes);
        uint64_t decoded = LB_MUST(decode_frame_header(bytes, 1)).durable_sequence;
        EXPECT_EQ(decoded, lag < UINT32_MAX ? header.durable_sequence : 0);
    }
}

// Byte tables in docs/store-format.md: what a stranger's reader relies on. A change here is a
// change of the format and needs a new kFormatVersion.

uint64_t u64(const Bytes& in, size_t at) { return load_little_endian<uint64_t>(&in[at]); }
uint32_t u32(const Bytes& in, size_t at) { return load_little_endian<uint32_t>(&in[at]); }

TEST(FormatBytes, SegmentHeader) {
    Bytes segment(kSegmentHeaderBytes);
    encode_segment_header({.store_id = kStore,
                           .segment = SegmentId{0x0102030405060708},
                           .segment_class = SegmentClass::kCold,
                           .first_sequence = 21,
                           .previous_frame_hash = 22,
                           .durable_sequence = 23,
                           .previous_written_at = WallTime{std::chrono::nanoseconds{24}}},
                          std::span<std::byte, kSegmentHeaderBytes>(segment));
    EXPECT_EQ(as_text(ByteView(segment).first(8)), "LBSEGMNT");
    EXPECT_EQ(u32(segment, 8), 2u);
    EXPECT_EQ(segment[12], std::byte{1});
    EXPECT_TRUE(std::ranges::equal(ByteView(segment).subspan(16, 16), kStore));
    EXPECT_EQ(u64(segment, 32), 0x0102030405060708u);
    EXPECT_EQ(u64(segment, 40), 21u);
    EXPECT_EQ(u64(segment, 48), 22u);
    EXPECT_EQ(u64(segment, 56), 23u);
    EXPECT_EQ(u64(segment, 64), 24u);
    EXPECT_EQ(u64(segment, 4088), hash64(ByteView(segment).first(4088), 1));
}

TEST(FormatBytes, FrameHeader) {
    Bytes frame(kFrameHeaderBytes);
    FrameHeader header{.segment = SegmentId{31},
                       .sequence = 32,
                       .written_at = WallTime{std::chrono::nanoseconds{33}},
                       .record_count = 34,
                       .body_bytes = 8000,
                       .durable_sequence = 30,
                       .records_hash = 36,
                       .previous_frame_hash = 37};
    uint64_t seed = hash64(kStore, 2);
    EXPECT_EQ(frame_seed(kStore), seed);
    encode_frame_header(header, seed, std::span<std::byte, kFrameHeaderBytes>(frame));
    EXPECT_EQ(as_text(ByteView(frame).first(4)), "LFRM");
    EXPECT_EQ(u32(frame, 4), 2u);
    EXPECT_EQ(u64(frame, 8), 31u);
    EXPECT_EQ(u64(frame, 16), 32u);
    EXPECT_EQ(u64(frame, 24), 33u);
    EXPECT_EQ(u32(frame, 32), 34u);
    EXPECT_EQ(u32(frame, 36), 8000u);
    EXPECT_EQ(u64(frame, 40), 36u);
    EXPECT_EQ(u64(frame, 48), 37u);
    EXPECT_EQ(u64(frame, 56), hash64(ByteView(frame).first(56), seed));
    EXPECT_EQ(u64(frame, 56), header.frame_hash);
}

TEST(FormatBytes, RecordHeader) {
    Bytes record(kRecordHeaderBytes);
    encode_record_header({.type = RecordType::kDirent,
                          .line = 41,
                          .object = 42,
                          .block = 43,
                          .stored_bytes = 44,
                          .sequence = 45,
                          .payload_hash = 46},
                         std::span<std::byte, kRecordHeaderBytes>(record));
    EXPECT_EQ(u32(record, 0), 4u);
    EXPECT_EQ(u32(record, 4), 41u);
    EXPECT_EQ(u64(record, 8), 42u);
    EXPECT_EQ(u32(record, 16), 43u);
    EXPECT_EQ(u32(record, 20), 44u);
    EXPECT_EQ(u64(record, 24), 45u);
    EXPECT_EQ(u64(record, 32), 46u);
    EXPECT_EQ(u64(record, 40), hash64(ByteView(record).first(40), 3));
}

TEST(FormatBytes, Footer) {
    Bytes footer = encode_footer({{.type = RecordType::kNote,
                                   .line = 51,
                                   .object = 52,
                                   .block = 53,
                                   .sequence = 54,
                                   .offset = 55,
                                   .stored_bytes = 56}},
                                 SegmentId{61}, 62, 63, 64);
    ASSERT_EQ(footer.size(), 104u);
    EXPECT_EQ(u32(footer, 0), 7u);
    EXPECT_EQ(u32(footer, 4), 51u);
    EXPECT_EQ(u64(footer, 8), 52u);
    EXPECT_EQ(u64(footer, 16), 54u);
    EXPECT_EQ(u32(footer, 24), 53u);
    EXPECT_EQ(u32(footer, 28), 55u);
    EXPECT_EQ(u32(footer, 32), 56u);
    EXPECT_EQ(u32(footer, 36), 0u);
    EXPECT_EQ(as_text(ByteView(footer).subspan(40, 4)), "FOOT");
    EXPECT_EQ(u32(footer, 44), 1u);
    EXPECT_EQ(u64(footer, 48), 61u);
    EXPECT_EQ(u64(footer, 56), 62u);
    EXPECT_EQ(u64(footer, 64), 63u);
    EXPECT_EQ(u64(footer, 72), 64u);
    EXPECT_EQ(u64(footer, 80), hash64(ByteView(footer).first(40), 4));
    EXPECT_EQ(u64(footer, 96), hash64(ByteView(footer).subspan(40, 56), 5));
}

TEST(FormatBytes, Super) {
    Bytes super(kSuperBytes);
    encode_super({.store_id = kStore, .segment_bytes = 65536},
                 std::span<std::byte, kSuperBytes>(super));
    EXPECT_EQ(as_text(ByteView(super).first(8)), "LBSUPER1");
    EXPECT_EQ(u32(super, 8), 2u);
    EXPECT_TRUE(std::ranges::equal(ByteView(super).subspan(16, 16), kStore));
    EXPECT_EQ(u64(super, 32), 65536u);
    EXPECT_EQ(u64(super, 4088), hash64(ByteView(super).first(4088), 6));
}

TEST(FormatCodec, ANewerVersionIsNamedAsSuch) {
    Bytes super(kSuperBytes);
    encode_super({.store_id = kStore}, std::span<std::byte, kSuperBytes>(super));
    store_little_endian<uint32_t>(&super[8], 3);
    store_little_endian(&super[4088], hash64(ByteView(super).first(4088), 6));
    Result<Super> decoded = decode_super(super);
    ASSERT_FALSE(decoded);
    EXPECT_EQ(decoded.error().code, ErrorCode::kStoreFormatNewer);
    EXPECT_NE(decoded.error().message.find("version 3"), std::string::npos);
    EXPECT_NE(decoded.error().message.find("version 2"), std::string::npos);
    EXPECT_FALSE(decoded.error().help.empty());

    Bytes segment(kSegmentHeaderBytes);
    encode_segment_header({.store_id = kStore}, std::span<std::byte, kSegmentHeaderBytes>(segment));
    store_little_endian<uint32_t>(&segment[8], 3);
    store_little_endian(&segment[4088], hash64(ByteView(segment).first(4088), 1));
    Result<SegmentHeader> header = decode_segment_header(segment);
    ASSERT_FALSE(header);
    EXPECT_EQ(header.error().code, ErrorCode::kStoreFormatNewer);
}

}  // namespace
}  // namespace lb::store
