// read_record(): one record, for who knows where it is and what it must be.
#include <array>

#include "base/hash.h"
#include "base/text.h"
#include "store/compression.h"
#include "store/format_text.h"
#include "store/segment_scan.h"

namespace lb::store {

namespace {

bool is_same_identity(const RecordHeader& a, const RecordHeader& b) {
    return a.type == b.type && a.line == b.line && a.object == b.object && a.block == b.block &&
           a.sequence == b.sequence;
}

Error damaged(const RecordLocation& location, const RecordHeader& expected, std::string_view what) {
    return Error{.code = ErrorCode::kStoreDamaged,
                 .message = cat("segment ", location.segment.value(), " is damaged at offset ",
                                location.offset, ": ", what)}
        .with(cat("expected: ", identity_text(expected)));
}

}  // namespace

Status read_record(File& file, uint64_t segment_bytes, const RecordLocation& location,
                   const RecordHeader& expected, std::span<std::byte, kBlockBytes> out) {
    if (location.stored_bytes > kBlockBytes ||
        uint64_t{location.offset} + kRecordHeaderBytes + location.stored_bytes > segment_bytes) {
        return damaged(location, expected, "the location is impossible");
    }
    std::array<std::byte, kRecordHeaderBytes + kBlockBytes> buffer;
    std::span<std::byte> bytes =
        std::span(buffer).first(kRecordHeaderBytes + location.stored_bytes);
    if (Status read = file.read_at(location.offset, bytes); !read) {
        Result<uint64_t> size_bytes = file.size_bytes();
        bool is_cut_off = size_bytes && *size_bytes < location.offset + bytes.size();
        return is_cut_off ? damaged(location, expected, "the file is cut off before that")
                          : std::move(read).error();
    }
    Result<RecordHeader> found = decode_record_header(bytes);
    if (!found) return damaged(location, expected, found.error().message);
    if (!is_same_identity(*found, expected) || found->stored_bytes != location.stored_bytes) {
        return damaged(location, expected, "another record is there")
            .with(cat("found: ", identity_text(*found), ", ", found->stored_bytes, " bytes"));
    }
    ByteView payload = bytes.subspan(kRecordHeaderBytes);
    if (hash64(payload) != found->payload_hash) {
        return damaged(location, expected, "payload checksum mismatch");
    }
    size_t plain_bytes = payload.size();
    if (found->codec == Codec::kZstd) {
        std::optional<size_t> decompressed = decompress(payload, out);
        if (!decompressed) return damaged(location, expected, "the payload cannot be decompressed");
        plain_bytes = *decompressed;
    } else {
        std::memcpy(out.data(), payload.data(), payload.size());
    }
    std::memset(out.data() + plain_bytes, 0, out.size() - plain_bytes);
    return ok();
}

}  // namespace lb::store
