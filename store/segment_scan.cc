#include "store/segment_scan.h"

#include <algorithm>

#include "base/hash.h"
#include "base/text.h"

namespace lb::store {

namespace {

constexpr uint64_t kWindowBytes = uint64_t{4} << 20;
constexpr uint64_t kPieceBytes = uint64_t{1} << 20;

Error damaged(std::string message) {
    return {.code = ErrorCode::kStoreDamaged, .message = std::move(message)};
}

}  // namespace

bool is_zero(ByteView bytes) {
    size_t at = 0;
    for (; at + 64 <= bytes.size(); at += 64) {
        uint64_t words[8];
        std::memcpy(words, bytes.data() + at, sizeof words);
        uint64_t any =
            words[0] | words[1] | words[2] | words[3] | words[4] | words[5] | words[6] | words[7];
        if (any != 0) return false;
    }
    return std::ranges::all_of(bytes.subspan(at),
                               [](std::byte byte) { return byte == std::byte{0}; });
}

Status parse_frame_body(const FrameHeader& header, uint64_t frame_offset, ByteView body,
                        std::vector<ReplayRecord>& records) {
    LB_ASSERT(body.size() == header.body_bytes);
    records.clear();
    uint64_t at = 0;
    uint64_t records_hash = 0;
    for (uint32_t i = 0; i < header.record_count; ++i) {
        uint64_t record_offset = frame_offset + kFrameHeaderBytes + at;
        ByteView rest = body.subspan(at);
        Result<RecordHeader> record = decode_record_header(rest);
        if (!record) {
            return std::move(record).error().with(cat("record ", i, " at offset ", record_offset));
        }
        uint64_t record_bytes = align_record(kRecordHeaderBytes + uint64_t{record->stored_bytes});
        bool is_hot = record->codec == Codec::kPlain && record->type != RecordType::kLineSize;
        if (record->sequence != header.sequence || record_bytes > rest.size() || !is_hot) {
            return damaged(
                cat("record at offset ", record_offset, " does not belong to its frame"));
        }
        records_hash = chain_record_hash(records_hash, rest.first<kRecordHeaderBytes>());
        ByteView payload = rest.subspan(kRecordHeaderBytes, record->stored_bytes);
        if (hash64(payload) != record->payload_hash) {
            return damaged(
                cat("payload checksum mismatch in the record at offset ", record_offset));
        }
        size_t end = kRecordHeaderBytes + payload.size();
        if (!is_zero(rest.subspan(end, record_bytes - end))) {
            return damaged(cat("padding of the record at offset ", record_offset, " is not zero"));
        }
        records.push_back({.header = *record,
                           .location = {header.segment, static_cast<uint32_t>(record_offset),
                                        record->stored_bytes},
                           .payload = payload});
        at += record_bytes;
    }
    if (at != body.size()) return damaged(cat("frame body has ", body.size() - at, " bytes more"));
    if (records_hash != header.records_hash) return damaged("records are not those of the frame");
    return ok();
}

Result<ByteView> FrameReader::load(uint64_t offset, uint64_t length) {
    LB_ASSERT(offset + length <= options_.end_offset);
    if (offset < window_offset_ || offset + length > window_offset_ + window_.size()) {
        uint64_t bytes = std::max(length, std::min(kWindowBytes, options_.end_offset - offset));
        window_.resize(bytes);
        window_offset_ = offset;
        Status read = options_.file->read_at(offset, window_);
        if (!read) {
            window_.clear();
            return std::move(read).error();
        }
    }
    return ByteView(window_).subspan(offset - window_offset_, length);
}

Status FrameReader::check_chain(const FrameHeader& header) const {
    if (header.segment != options_.segment) {
        return damaged(cat("frame of segment ", header.segment.value(), " in segment ",
                           options_.segment.value()));
    }
    if (header.sequence != options_.next_sequence) {
        return damaged(
            cat("frame has sequence ", header.sequence, " instead of ", options_.next_sequence));
    }
    if (options_.previous_frame_hash &&
        header.previous_frame_hash != *options_.previous_frame_hash) {
        return damaged("frame does not follow the one before it");
    }
    return ok();
}

// Fills frame_. kStoreDamaged: no valid frame here; other errors: the file cannot be read.
Status FrameReader::check_frame() {
    uint64_t left = options_.end_offset - std::min(options_.offset, options_.end_offset);
    if (left < kFrameHeaderBytes) return damaged("no room for another frame");
    ByteView header_bytes = LB_TRY(load(options_.offset, kFrameHeaderBytes));
    frame_.header = LB_TRY(decode_frame_header(header_bytes, options_.seed));
    LB_TRY(check_chain(frame_.header));
    uint64_t frame_bytes = kFrameHeaderBytes + frame_.header.body_bytes;
    if (frame_bytes > left) return damaged("frame is longer than the segment");
    ByteView frame = LB_TRY(load(options_.offset, frame_bytes));
    return parse_frame_body(frame_.header, options_.offset, frame.subspan(kFrameHeaderBytes),
                            frame_.records);
}

Result<const ReplayFrame*> FrameReader::next() {
    Status checked = check_frame();
    if (!checked) {
        if (checked.error().code != ErrorCode::kStoreDamaged) return std::move(checked).error();
        stop_reason_ = std::move(checked).error().with(
            cat("in segment ", options_.segment.value(), " at offset ", options_.offset));
        return nullptr;
    }
    options_.offset += kFrameHeaderBytes + frame_.header.body_bytes;
    options_.next_sequence = frame_.header.sequence + 1;
    options_.previous_frame_hash = frame_.header.frame_hash;
    return &frame_;
}

Result<std::optional<FoundFrame>> find_frame_header(const FrameReaderOptions& options) {
    Bytes window(65536);
    uint64_t offset = options.offset;
    while (offset + kFrameHeaderBytes <= options.end_offset) {
        auto bytes =
            std::span(window).first(std::min<uint64_t>(window.size(), options.end_offset - offset));
        LB_TRY(options.file->read_at(offset, bytes));
        for (size_t at = 0; at + kFrameHeaderBytes <= bytes.size(); at += 8) {
            if (!may_be_frame_header(bytes.subspan(at))) continue;
            Result<FrameHeader> header = decode_frame_header(bytes.subspan(at), options.seed);
            if (!header || header->segment != options.segment) continue;
            return std::optional(FoundFrame{.offset = offset + at, .header = *header});
        }
        // Multiples of 8, the last 56 bytes again.
        offset += (bytes.size() - kFrameHeaderBytes + 8) & ~uint64_t{7};
    }
    return std::optional<FoundFrame>();
}

Status visit_nonzero(File& file, uint64_t offset, uint64_t end_offset,
                     const std::function<Status(uint64_t, ByteView)>& visit) {
    Bytes piece(std::min(kPieceBytes, end_offset - std::min(offset, end_offset)));
    while (offset < end_offset) {
        piece.resize(std::min(kPieceBytes, end_offset - offset));
        LB_TRY(file.read_at(offset, piece));
        if (!is_zero(piece)) LB_TRY(visit(offset, piece));
        offset += piece.size();
    }
    return ok();
}

Result<uint64_t> find_durable_claim(File& file, SegmentId segment, uint64_t seed, uint64_t offset,
                                    uint64_t end_offset) {
    uint64_t claim = 0;
    // Headers may lie across two pieces, so the end of the one before is kept in front.
    Bytes window;
    uint64_t window_end = offset;
    LB_TRY(visit_nonzero(file, offset, end_offset, [&](uint64_t piece_offset, ByteView piece) {
        size_t kept = piece_offset == window_end ? std::min<size_t>(window.size(), 56) : 0;
        window.erase(window.begin(), window.end() - static_cast<ptrdiff_t>(kept));
        window.insert(window.end(), piece.begin(), piece.end());
        window_end = piece_offset + piece.size();
        for (size_t at = 0; at + kFrameHeaderBytes <= window.size(); at += 8) {
            ByteView candidate = ByteView(window).subspan(at);
            if (!may_be_frame_header(candidate)) continue;
            Result<FrameHeader> header = decode_frame_header(candidate, seed);
            if (header && header->segment == segment) {
                claim = std::max(claim, header->durable_sequence);
            }
        }
        return ok();
    }));
    return claim;
}

}  // namespace lb::store
