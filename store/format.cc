#include "store/format.h"

#include <algorithm>
#include <tuple>

#include "base/hash.h"
#include "base/text.h"

namespace lb::store {

namespace {

constexpr uint64_t kSegmentMagic = 0x544e'4d47'4553'424c;  // "LBSEGMNT"
constexpr uint32_t kFrameMagic = 0x4d52'464c;              // "LFRM"
constexpr uint32_t kFooterMagic = 0x544f'4f46;             // "FOOT"

// Different seeds keep one structure from being taken for another.
constexpr uint64_t kSegmentHeaderSeed = 1;
constexpr uint64_t kFrameHeaderSeed = 2;
constexpr uint64_t kRecordHeaderSeed = 3;
constexpr uint64_t kFooterEntriesSeed = 4;
constexpr uint64_t kFooterTailSeed = 5;

constexpr size_t kHashBytes = 8;
constexpr uint32_t kLagUnknown = UINT32_MAX;

// Puts fields one after the other; encoders check at their end that they filled what they meant to.
class FieldWriter {
public:
    explicit FieldWriter(std::byte* at) : start_(at), at_(at) {}

    template <class Integer>
    void put(Integer value) {
        store_little_endian(at_, value);
        at_ += sizeof value;
    }
    void put_bytes(ByteView bytes) {
        std::memcpy(at_, bytes.data(), bytes.size());
        at_ += bytes.size();
    }
    void put_zeros(size_t count) {
        std::memset(at_, 0, count);
        at_ += count;
    }
    size_t written() const { return static_cast<size_t>(at_ - start_); }

private:
    std::byte* start_;
    std::byte* at_;
};

Error damaged(std::string message) {
    return {.code = ErrorCode::kStoreDamaged, .message = std::move(message)};
}

// Every structure ends with a hash of what stands before it.
void put_hash(std::span<std::byte> out, uint64_t seed) {
    size_t at = out.size() - kHashBytes;
    store_little_endian(out.data() + at, hash64(out.first(at), seed));
}

Status check_hash(ByteView bytes, uint64_t seed, std::string_view name) {
    size_t at = bytes.size() - kHashBytes;
    if (load_little_endian<uint64_t>(bytes.data() + at) == hash64(bytes.first(at), seed)) {
        return ok();
    }
    return damaged(cat(name, " checksum mismatch at byte ", at));
}

Error too_short(std::string_view name, size_t found, size_t needed) {
    return damaged(cat(name, " cut off at byte ", found, " of ", needed));
}

bool is_record_type(uint8_t type) {
    return type >= static_cast<uint8_t>(RecordType::kBlock) &&
           type <= static_cast<uint8_t>(RecordType::kLineSize);
}

int64_t to_nanoseconds(WallTime time) { return time.time_since_epoch().count(); }
WallTime to_time(int64_t nanoseconds) { return WallTime{std::chrono::nanoseconds{nanoseconds}}; }

auto footer_order(const FooterEntry& entry) {
    return std::tuple(entry.type, entry.line, entry.object, entry.block, entry.sequence,
                      entry.offset);
}

void encode_footer_entry(const FooterEntry& entry, std::byte* out) {
    FieldWriter writer(out);
    writer.put(static_cast<uint8_t>(entry.type));
    writer.put_zeros(3);
    writer.put(entry.line);
    writer.put(entry.object);
    writer.put(entry.sequence);
    writer.put(entry.block);
    writer.put(entry.offset);
    writer.put(entry.stored_bytes);
    writer.put_zeros(4);
    LB_DASSERT(writer.written() == kFooterEntryBytes);
}

FooterEntry decode_footer_entry(ByteView bytes) {
    Decoder decoder(bytes);
    FooterEntry entry;
    entry.type = static_cast<RecordType>(decoder.u8());
    decoder.bytes(3);
    entry.line = decoder.u32();
    entry.object = decoder.u64();
    entry.sequence = decoder.u64();
    entry.block = decoder.u32();
    entry.offset = decoder.u32();
    entry.stored_bytes = decoder.u32();
    return entry;
}

struct FooterTail {
    Footer footer;
    uint64_t entry_count = 0;
    uint64_t entries_hash = 0;
};

Result<FooterTail> decode_tail(ByteView bytes) {
    if (bytes.size() < kFooterTailBytes) {
        return too_short("segment footer", bytes.size(), kFooterTailBytes);
    }
    ByteView tail = bytes.last(kFooterTailBytes);
    LB_TRY(check_hash(tail, kFooterTailSeed, "segment footer"));
    Decoder decoder(tail);
    if (decoder.u32() != kFooterMagic) return damaged("segment footer without its magic number");
    FooterTail result;
    result.entry_count = decoder.u32();
    result.footer.segment = SegmentId{decoder.u64()};
    result.footer.last_sequence = decoder.u64();
    result.footer.last_frame_hash = decoder.u64();
    result.footer.frames_end_offset = decoder.u64();
    result.entries_hash = decoder.u64();
    return result;
}

}  // namespace

void encode_segment_header(const SegmentHeader& header,
                           std::span<std::byte, kSegmentHeaderBytes> out) {
    FieldWriter writer(out.data());
    writer.put(kSegmentMagic);
    writer.put(kFormatVersion);
    writer.put(static_cast<uint8_t>(header.segment_class));
    writer.put_zeros(3);
    writer.put_bytes(header.store_id);
    writer.put(header.segment.value());
    writer.put(header.first_sequence);
    writer.put(header.previous_frame_hash);
    writer.put(header.durable_sequence);
    writer.put(to_nanoseconds(header.previous_written_at));
    writer.put_zeros(out.size() - writer.written());
    put_hash(out, kSegmentHeaderSeed);
}

Result<SegmentHeader> decode_segment_header(ByteView bytes) {
    if (bytes.size() < kSegmentHeaderBytes) {
        return too_short("segment header", bytes.size(), kSegmentHeaderBytes);
    }
    bytes = bytes.first(kSegmentHeaderBytes);
    Decoder decoder(bytes);
    if (decoder.u64() != kSegmentMagic) return damaged("segment header without its magic number");
    LB_TRY(check_hash(bytes, kSegmentHeaderSeed, "segment header"));
    uint32_t version = decoder.u32();
    if (version > kFormatVersion) {
        return Error{.code = ErrorCode::kStoreFormatNewer,
                     .message = cat("segment has format version ", version,
                                    ", this lb reads up to version ", kFormatVersion),
                     .help = "install the lb that wrote it, or a newer one"};
    }
    uint8_t segment_class = decoder.u8();
    if (version == 0 || segment_class > static_cast<uint8_t>(SegmentClass::kCold)) {
        return damaged("segment header with an unknown version or class at byte 8");
    }
    decoder.bytes(3);
    SegmentHeader header;
    header.segment_class = static_cast<SegmentClass>(segment_class);
    std::ranges::copy(decoder.bytes(header.store_id.size()), header.store_id.begin());
    header.segment = SegmentId{decoder.u64()};
    header.first_sequence = decoder.u64();
    header.previous_frame_hash = decoder.u64();
    header.durable_sequence = decoder.u64();
    header.previous_written_at = to_time(decoder.i64());
    return header;
}

uint64_t frame_seed(const StoreId& store_id) { return hash64(store_id, kFrameHeaderSeed); }

void encode_frame_header(FrameHeader& header, uint64_t seed,
                         std::span<std::byte, kFrameHeaderBytes> out) {
    LB_ASSERT(header.durable_sequence <= header.sequence);
    uint64_t lag = std::min<uint64_t>(header.sequence - header.durable_sequence, kLagUnknown);
    FieldWriter writer(out.data());
    writer.put(kFrameMagic);
    writer.put(static_cast<uint32_t>(lag));
    writer.put(header.segment.value());
    writer.put(header.sequence);
    writer.put(to_nanoseconds(header.written_at));
    writer.put(header.record_count);
    writer.put(header.body_bytes);
    writer.put(header.records_hash);
    writer.put(header.previous_frame_hash);
    LB_DASSERT(writer.written() == kFrameHeaderBytes - kHashBytes);
    put_hash(out, seed);
    header.frame_hash = load_little_endian<uint64_t>(out.data() + kFrameHeaderBytes - kHashBytes);
}

Result<FrameHeader> decode_frame_header(ByteView bytes, uint64_t seed) {
    if (bytes.size() < kFrameHeaderBytes) {
        return too_short("frame header", bytes.size(), kFrameHeaderBytes);
    }
    bytes = bytes.first(kFrameHeaderBytes);
    Decoder decoder(bytes);
    if (decoder.u32() != kFrameMagic) return damaged("frame header without its magic number");
    LB_TRY(check_hash(bytes, seed, "frame header"));
    uint32_t lag = decoder.u32();
    FrameHeader header;
    header.segment = SegmentId{decoder.u64()};
    header.sequence = decoder.u64();
    header.written_at = to_time(decoder.i64());
    header.record_count = decoder.u32();
    header.body_bytes = decoder.u32();
    header.records_hash = decoder.u64();
    header.previous_frame_hash = decoder.u64();
    header.frame_hash = decoder.u64();
    if (lag > header.sequence && lag != kLagUnknown) {
        return damaged("frame header with a durable sequence out of range at byte 4");
    }
    header.durable_sequence = lag == kLagUnknown ? 0 : header.sequence - lag;
    if (header.record_count == 0 || header.record_count > kFrameRecordsMax) {
        return damaged(cat("frame header with ", header.record_count, " records at byte 32"));
    }
    if (header.body_bytes > kFrameBodyMaxBytes || header.body_bytes % 8 != 0 ||
        header.body_bytes / kRecordHeaderBytes < header.record_count) {
        return damaged(cat("frame header with a body of ", header.body_bytes, " bytes at byte 36"));
    }
    return header;
}

bool may_be_frame_header(ByteView bytes) {
    return bytes.size() >= kFrameHeaderBytes &&
           load_little_endian<uint32_t>(bytes.data()) == kFrameMagic;
}

uint64_t chain_record_hash(uint64_t hash, std::span<const std::byte, kRecordHeaderBytes> header) {
    return hash64(header, hash);
}

void encode_record_header(const RecordHeader& header,
                          std::span<std::byte, kRecordHeaderBytes> out) {
    FieldWriter writer(out.data());
    writer.put(static_cast<uint8_t>(header.type));
    writer.put(header.flags);
    writer.put(static_cast<uint8_t>(header.codec));
    writer.put_zeros(1);
    writer.put(header.line);
    writer.put(header.object);
    writer.put(header.block);
    writer.put(header.stored_bytes);
    writer.put(header.sequence);
    writer.put(header.payload_hash);
    LB_DASSERT(writer.written() == kRecordHeaderBytes - kHashBytes);
    put_hash(out, kRecordHeaderSeed);
}

Result<RecordHeader> decode_record_header(ByteView bytes) {
    if (bytes.size() < kRecordHeaderBytes) {
        return too_short("record header", bytes.size(), kRecordHeaderBytes);
    }
    bytes = bytes.first(kRecordHeaderBytes);
    LB_TRY(check_hash(bytes, kRecordHeaderSeed, "record header"));
    Decoder decoder(bytes);
    uint8_t type = decoder.u8();
    RecordHeader header;
    header.flags = decoder.u8();
    uint8_t codec = decoder.u8();
    uint8_t reserved = decoder.u8();
    if (!is_record_type(type) || header.flags != 0 || codec > static_cast<uint8_t>(Codec::kZstd) ||
        reserved != 0) {
        return damaged("record header with an unknown type, flag or codec at byte 0");
    }
    header.codec = static_cast<Codec>(codec);
    header.type = static_cast<RecordType>(type);
    header.line = decoder.u32();
    header.object = decoder.u64();
    header.block = decoder.u32();
    header.stored_bytes = decoder.u32();
    header.sequence = decoder.u64();
    header.payload_hash = decoder.u64();
    uint32_t stored_bytes_max =
        header.type == RecordType::kBlock ? kBlockBytes : kFrameBodyMaxBytes;
    if (header.stored_bytes > stored_bytes_max) {
        return damaged(cat("record header with ", header.stored_bytes, " bytes at byte 20"));
    }
    return header;
}

Bytes encode_footer(const std::vector<FooterEntry>& entries, SegmentId segment,
                    uint64_t last_sequence, uint64_t last_frame_hash, uint64_t frames_end_offset) {
    LB_ASSERT(entries.size() <= UINT32_MAX);
    std::vector<FooterEntry> sorted = entries;
    std::ranges::sort(sorted, {}, footer_order);
    Bytes out(footer_bytes(sorted.size()));
    std::byte* at = out.data();
    for (const FooterEntry& entry : sorted) {
        encode_footer_entry(entry, at);
        at += kFooterEntryBytes;
    }
    std::span<std::byte> tail = std::span(out).last(kFooterTailBytes);
    FieldWriter writer(tail.data());
    writer.put(kFooterMagic);
    writer.put(static_cast<uint32_t>(sorted.size()));
    writer.put(segment.value());
    writer.put(last_sequence);
    writer.put(last_frame_hash);
    writer.put(frames_end_offset);
    writer.put(hash64(ByteView(out).first(out.size() - kFooterTailBytes), kFooterEntriesSeed));
    writer.put_zeros(kFooterTailBytes - writer.written());
    put_hash(tail, kFooterTailSeed);
    return out;
}

Result<Footer> decode_footer(ByteView bytes) {
    FooterTail tail = LB_TRY(decode_tail(bytes));
    uint64_t needed_bytes = footer_bytes(tail.entry_count);
    if (bytes.size() < needed_bytes) return too_short("segment footer", bytes.size(), needed_bytes);
    ByteView entries = bytes.last(needed_bytes).first(tail.entry_count * kFooterEntryBytes);
    if (hash64(entries, kFooterEntriesSeed) != tail.entries_hash) {
        return damaged("segment footer's entries do not match their checksum");
    }
    Footer footer = std::move(tail.footer);
    footer.entries.reserve(tail.entry_count);
    for (size_t at = 0; at < entries.size(); at += kFooterEntryBytes) {
        if (!is_record_type(std::to_integer<uint8_t>(entries[at]))) {
            return damaged(cat("segment footer with an unknown record type at byte ", at));
        }
        footer.entries.push_back(decode_footer_entry(entries.subspan(at, kFooterEntryBytes)));
    }
    if (!std::ranges::is_sorted(footer.entries, {}, footer_order)) {
        return damaged("segment footer with unsorted entries");
    }
    return footer;
}

Result<Footer> decode_footer_tail(ByteView bytes) {
    return std::move(LB_TRY(decode_tail(bytes)).footer);
}

}  // namespace lb::store
