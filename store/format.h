// The segment format: what the log writes and reads. Byte tables: docs/store-format.md.
//
// A segment is a file of kSegmentBytes: a 4 KiB header, frames, and a footer when it is sealed. A
// frame is one mutation request, all or nothing: a header and its records, each a header followed
// by its payload. All records of a frame share its sequence number, which is also the position.
//
// A frame's hash covers its header, and the header a hash of its record headers, which hold the
// hashes of their payloads: so the chain of frame hashes covers every byte of the log.
//
// Every record is one put into the index: (key, sequence) -> value. So the index can be rebuilt
// from segments alone, and a replay is a loop.
//
// Integers are little-endian. Decoders accept any bytes and return kStoreDamaged with the offset
// and what is wrong; no bytes make them crash, and no flipped bit goes unnoticed.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/codec.h"
#include "base/ids.h"
#include "base/result.h"

namespace lb::store {

inline constexpr uint32_t kFormatVersion = 2;
inline constexpr uint32_t kBlockBytes = 8192;  // PostgreSQL's BLCKSZ
inline constexpr uint64_t kSegmentBytes = uint64_t{64} << 20;
inline constexpr uint64_t kSegmentHeaderBytes = 4096;
inline constexpr uint32_t kFrameHeaderBytes = 64;
inline constexpr uint32_t kRecordHeaderBytes = 48;
inline constexpr uint32_t kFooterEntryBytes = 40;
inline constexpr uint32_t kFooterTailBytes = 64;
inline constexpr uint32_t kFrameBodyMaxBytes = uint32_t{16} << 20;
inline constexpr uint32_t kFrameRecordsMax = 65535;

using SegmentId = StrongId<struct SegmentIdTag>;
using DataId = StrongId<struct DataIdTag>;    // a file's contents; never reused
using InodeId = StrongId<struct InodeIdTag>;  // a file or directory; never reused; below 2^40
using StoreId = std::array<std::byte, 16>;    // random, one per store

enum class RecordType : uint8_t {
    kBlock = 1,       // object = data id; block; payload = contents without trailing zeros
    kTruncate = 2,    // object = data id; block = first block that is gone
    kInode = 3,       // object = inode; payload = attributes (store/inode_codec.h)
    kDirent = 4,      // object = parent inode; payload = child inode (0: removed), name
    kLineCreate = 5,  // line = the new line; payload = parent, fork position, root inode
    kLineDelete = 6,  // line
    kNote = 7,        // payload = key, present flag, value: the engine's catalog
    kLineSize = 8,    // only in cold segments: line; payload = its logical bytes from here on
};

enum class SegmentClass : uint8_t { kHot = 0, kCold = 1 };

// Cold segments have ids of their own, so that a location tells which kind it names.
inline constexpr uint64_t kFirstColdSegment = uint64_t{1} << 31;
constexpr bool is_cold(SegmentId segment) { return segment.value() >= kFirstColdSegment; }

// How a record's payload is stored. Only cold segments have others than kPlain.
enum class Codec : uint8_t { kPlain = 0, kZstd = 1 };

struct SegmentHeader {
    StoreId store_id{};
    SegmentId segment;
    SegmentClass segment_class = SegmentClass::kHot;
    uint64_t first_sequence = 0;       // of the first frame that will be in it
    uint64_t previous_frame_hash = 0;  // chain across segments: last frame hash before this one
    // What was known to be durable when this was written: these frames can never be missing.
    uint64_t durable_sequence = 0;
    WallTime previous_written_at{};  // of the last frame before this segment
};

struct FrameHeader {
    SegmentId segment;
    uint64_t sequence = 0;
    WallTime written_at{};
    uint32_t record_count = 0;
    uint32_t body_bytes = 0;  // record headers and payloads
    // Known to be durable when this was written; 0 if that was 2^32 - 1 or more frames before.
    uint64_t durable_sequence = 0;
    uint64_t records_hash = 0;         // over the record headers: see chain_record_hash()
    uint64_t previous_frame_hash = 0;  // chain: rejects stale frames of a recycled file
    uint64_t frame_hash = 0;           // over the header's other bytes; identifies the frame
};

struct RecordHeader {
    RecordType type = RecordType::kBlock;
    uint8_t flags = 0;
    Codec codec = Codec::kPlain;
    uint32_t line = 0;
    uint64_t object = 0;
    uint32_t block = 0;
    uint32_t stored_bytes = 0;  // of the payload that follows
    uint64_t sequence = 0;
    uint64_t payload_hash = 0;
};

// Where a record is: its header's first byte.
struct RecordLocation {
    SegmentId segment;
    uint32_t offset = 0;
    uint32_t stored_bytes = 0;

    bool operator==(const RecordLocation&) const = default;
};

struct FooterEntry {
    RecordType type = RecordType::kBlock;
    uint32_t line = 0;
    uint64_t object = 0;
    uint32_t block = 0;
    uint64_t sequence = 0;
    uint32_t offset = 0;
    uint32_t stored_bytes = 0;
};

void encode_segment_header(const SegmentHeader& header,
                           std::span<std::byte, kSegmentHeaderBytes> out);
Result<SegmentHeader> decode_segment_header(ByteView bytes);

// Seed of the frame hashes of a store: frames of another store, or bytes that somebody wrote into a
// table, never look like frames of this one.
uint64_t frame_seed(const StoreId& store_id);

// Sets header.frame_hash.
void encode_frame_header(FrameHeader& header, uint64_t seed,
                         std::span<std::byte, kFrameHeaderBytes> out);
Result<FrameHeader> decode_frame_header(ByteView bytes, uint64_t seed);
// A quick "certainly not", for a search through arbitrary bytes.
bool may_be_frame_header(ByteView bytes);

// FrameHeader::records_hash is the fold of this over the frame's encoded record headers, from 0.
uint64_t chain_record_hash(uint64_t hash, std::span<const std::byte, kRecordHeaderBytes> header);

// Frames and payloads start at multiples of 8; the bytes between are zero.
constexpr uint64_t align_record(uint64_t bytes) { return (bytes + 7) & ~uint64_t{7}; }

void encode_record_header(const RecordHeader& header, std::span<std::byte, kRecordHeaderBytes> out);
// Checks the header's own checksum; the payload's is the caller's (hash64 of the payload).
Result<RecordHeader> decode_record_header(ByteView bytes);

// Entries sorted by (type, line, object, block, sequence); ends with the 64-byte tail, so that a
// reader finds it from the end of the file.
Bytes encode_footer(const std::vector<FooterEntry>& entries, SegmentId segment,
                    uint64_t last_sequence, uint64_t last_frame_hash, uint64_t frames_end_offset);
struct Footer {
    SegmentId segment;
    uint64_t last_sequence = 0;
    uint64_t last_frame_hash = 0;
    uint64_t frames_end_offset = 0;
    std::vector<FooterEntry> entries;
};
// `bytes`: the end of the segment file, at least the whole footer.
Result<Footer> decode_footer(ByteView bytes);
// The same from the tail alone, without entries. `bytes`: at least the last 64 of the file.
Result<Footer> decode_footer_tail(ByteView bytes);
constexpr uint64_t footer_bytes(uint64_t entry_count) {
    return entry_count * kFooterEntryBytes + kFooterTailBytes;
}

}  // namespace lb::store
