#include "store/log_frame.h"

#include "base/hash.h"

namespace lb::store {

ByteView without_trailing_zeros(ByteView payload) {
    size_t size = payload.size();
    while (size >= 64) {
        uint64_t words[8];
        std::memcpy(words, payload.data() + size - 64, sizeof words);
        uint64_t any =
            words[0] | words[1] | words[2] | words[3] | words[4] | words[5] | words[6] | words[7];
        if (any != 0) break;
        size -= 64;
    }
    while (size > 0 && payload[size - 1] == std::byte{0}) --size;
    return payload.first(size);
}

PreparedFrame::PreparedFrame(std::span<const NewRecord> records) {
    LB_ASSERT(!records.empty() && records.size() <= kFrameRecordsMax);
    if (records.size() <= few_.size()) {
        parts_ = std::span(few_).first(records.size());
    } else {
        many_.resize(records.size());
        parts_ = many_;
    }
    uint64_t body_bytes = 0;
    for (size_t i = 0; i < records.size(); ++i) {
        const NewRecord& record = records[i];
        bool is_block = record.type == RecordType::kBlock;
        LB_ASSERT(!is_block || record.payload.size() <= kBlockBytes);
        LB_ASSERT(record.line.value() <= UINT32_MAX);
        ByteView stored = is_block ? without_trailing_zeros(record.payload) : record.payload;
        parts_[i] = {.record = &record, .stored = stored, .payload_hash = hash64(stored)};
        body_bytes += align_record(kRecordHeaderBytes + stored.size());
    }
    LB_ASSERT(body_bytes <= kFrameBodyMaxBytes);
    body_bytes_ = static_cast<uint32_t>(body_bytes);
}

std::span<const ByteView> FrameBuilder::build(const PreparedFrame& frame, uint64_t offset,
                                              uint64_t seed, FrameHeader& header,
                                              Appended& appended,
                                              std::vector<FooterEntry>& entries) {
    std::span<const PreparedFrame::Part> parts = frame.parts();
    constexpr size_t kPaddingMaxBytes = 7;
    // Sized up front: the pieces point into it. Padding stays zero because nothing else is written
    // there: it is cleared with the whole buffer.
    headers_.assign(kFrameHeaderBytes + parts.size() * (kRecordHeaderBytes + kPaddingMaxBytes),
                    std::byte{0});
    pieces_.clear();
    appended.locations.reserve(parts.size());
    header.record_count = static_cast<uint32_t>(parts.size());
    header.body_bytes = frame.body_bytes();
    header.records_hash = 0;

    std::byte* piece_start = headers_.data();
    std::byte* at = piece_start + kFrameHeaderBytes;
    uint64_t record_offset = offset + kFrameHeaderBytes;
    for (const PreparedFrame::Part& part : parts) {
        const NewRecord& record = *part.record;
        auto stored_bytes = static_cast<uint32_t>(part.stored.size());
        std::span<std::byte, kRecordHeaderBytes> out(at, kRecordHeaderBytes);
        encode_record_header({.type = record.type,
                              .line = static_cast<uint32_t>(record.line.value()),
                              .object = record.object,
                              .block = record.block,
                              .stored_bytes = stored_bytes,
                              .sequence = header.sequence,
                              .payload_hash = part.payload_hash},
                             out);
        header.records_hash = chain_record_hash(header.records_hash, out);
        auto location_offset = static_cast<uint32_t>(record_offset);
        appended.locations.push_back({header.segment, location_offset, stored_bytes});
        entries.push_back({.type = record.type,
                           .line = static_cast<uint32_t>(record.line.value()),
                           .object = record.object,
                           .block = record.block,
                           .sequence = header.sequence,
                           .offset = location_offset,
                           .stored_bytes = stored_bytes});
        at += kRecordHeaderBytes;
        uint64_t record_bytes = align_record(kRecordHeaderBytes + part.stored.size());
        if (!part.stored.empty()) {
            pieces_.emplace_back(piece_start, at);
            pieces_.push_back(part.stored);
            piece_start = at;
            at += record_bytes - kRecordHeaderBytes - part.stored.size();
        }
        record_offset += record_bytes;
    }
    if (at != piece_start) pieces_.emplace_back(piece_start, at);
    encode_frame_header(header, seed, std::span(headers_).first<kFrameHeaderBytes>());
    return pieces_;
}

}  // namespace lb::store
