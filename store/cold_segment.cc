#include "store/cold_segment.h"

#include <algorithm>
#include <array>

#include "base/hash.h"
#include "base/text.h"
#include "store/compression.h"
#include "store/segment_files.h"

namespace lb::store {

namespace {

constexpr size_t kBufferBytes = size_t{1} << 20;

Error damaged(SegmentId segment, std::string_view what) {
    return {.code = ErrorCode::kStoreDamaged,
            .message = cat("cold segment ", segment.value(), " is damaged: ", what)};
}

// A record that is no block, whole.
Result<Bytes> read_small(File& file, SegmentId segment, const FooterEntry& entry) {
    Bytes bytes(kRecordHeaderBytes + entry.stored_bytes);
    LB_TRY(file.read_at(entry.offset, bytes));
    Result<RecordHeader> header = decode_record_header(bytes);
    if (!header) return damaged(segment, header.error().message);
    bool is_same = header->type == entry.type && header->line == entry.line &&
                   header->object == entry.object && header->block == entry.block &&
                   header->sequence == entry.sequence &&
                   header->stored_bytes == entry.stored_bytes && header->codec == Codec::kPlain;
    if (!is_same) return damaged(segment, cat("another record is at offset ", entry.offset));
    if (hash64(ByteView(bytes).subspan(kRecordHeaderBytes)) != header->payload_hash) {
        return damaged(segment, cat("payload checksum mismatch at offset ", entry.offset));
    }
    return bytes;
}

}  // namespace

ColdWriter::~ColdWriter() {
    if (file_ == nullptr || is_finished_) return;
    file_.reset();
    // Nothing names it: the next open removes it if this does not.
    static_cast<void>(disk_.remove(segment_path(store_directory_, segment_)).is_ok());
}

Status ColdWriter::begin() {
    LB_TRY(disk_.create_directory(cold_directory(store_directory_)));
    std::string path = segment_path(store_directory_, segment_);
    // Left by a step that was cut short before anything named it.
    if (LB_TRY(disk_.exists(path))) LB_TRY(disk_.remove(path));
    file_ = LB_TRY(disk_.open(path, OpenMode::kCreate));
    std::array<std::byte, kSegmentHeaderBytes> bytes;
    encode_segment_header(
        {.store_id = store_id_, .segment = segment_, .segment_class = SegmentClass::kCold}, bytes);
    buffer_.assign(bytes.begin(), bytes.end());
    return ok();
}

Status ColdWriter::add(const RecordHeader& identity, ByteView plain) {
    bool is_block = identity.type == RecordType::kBlock;
    std::optional<Bytes> compressed = is_block && !plain.empty() ? compress(plain) : std::nullopt;
    ByteView stored = compressed ? ByteView(*compressed) : plain;
    uint64_t offset = written_bytes_ + buffer_.size();
    if (offset + kRecordHeaderBytes + stored.size() > UINT32_MAX) {
        return Error{.code = ErrorCode::kStoreInvalid, .message = "a cold segment is too large"};
    }
    RecordHeader header = identity;
    header.codec = compressed ? Codec::kZstd : Codec::kPlain;
    header.stored_bytes = static_cast<uint32_t>(stored.size());
    header.payload_hash = hash64(stored);
    std::array<std::byte, kRecordHeaderBytes> bytes;
    encode_record_header(header, bytes);
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
    buffer_.insert(buffer_.end(), stored.begin(), stored.end());
    buffer_.resize(align_record(buffer_.size()));
    entries_.push_back({.type = header.type,
                        .line = header.line,
                        .object = header.object,
                        .block = header.block,
                        .sequence = header.sequence,
                        .offset = static_cast<uint32_t>(offset),
                        .stored_bytes = header.stored_bytes});
    last_sequence_ = std::max(last_sequence_, header.sequence);
    plain_bytes_ += align_record(kRecordHeaderBytes + plain.size());
    return buffer_.size() >= kBufferBytes ? write_out() : ok();
}

Status ColdWriter::write_out() {
    ByteView piece = buffer_;
    LB_TRY(file_->write_at(written_bytes_, {&piece, 1}));
    written_bytes_ += buffer_.size();
    buffer_.clear();
    return ok();
}

Result<ColdFile> ColdWriter::finish() {
    uint64_t records_end = written_bytes_ + buffer_.size();
    Bytes footer = encode_footer(entries_, segment_, last_sequence_, 0, records_end);
    buffer_.insert(buffer_.end(), footer.begin(), footer.end());
    LB_TRY(write_out());
    LB_TRY(file_->sync());
    LB_TRY(disk_.sync_directory(cold_directory(store_directory_)));
    LB_TRY(disk_.sync_directory(store_directory_));
    is_finished_ = true;
    return ColdFile{.segment = segment_,
                    .size_bytes = written_bytes_,
                    .record_count = entries_.size(),
                    .plain_bytes = plain_bytes_};
}

Result<Footer> read_cold_footer(File& file, const StoreId& store_id, const ColdFile& cold) {
    uint64_t size_bytes = LB_TRY(file.size_bytes());
    uint64_t needed_bytes = kSegmentHeaderBytes + footer_bytes(cold.record_count);
    if (size_bytes != cold.size_bytes || size_bytes < needed_bytes) {
        return damaged(cold.segment,
                       cat("it has ", size_bytes, " bytes instead of ", cold.size_bytes));
    }
    std::array<std::byte, kSegmentHeaderBytes> header_bytes;
    LB_TRY(file.read_at(0, header_bytes));
    Result<SegmentHeader> header = decode_segment_header(header_bytes);
    if (!header) {
        if (header.error().code == ErrorCode::kStoreFormatNewer) return std::move(header).error();
        return damaged(cold.segment, header.error().message);
    }
    if (header->store_id != store_id || header->segment != cold.segment ||
        header->segment_class != SegmentClass::kCold) {
        return damaged(cold.segment, "it is another segment");
    }
    Bytes bytes(footer_bytes(cold.record_count));
    LB_TRY(file.read_at(size_bytes - bytes.size(), bytes));
    Result<Footer> footer = decode_footer(bytes);
    if (!footer) return damaged(cold.segment, footer.error().message);
    uint64_t records_end = size_bytes - bytes.size();
    if (footer->segment != cold.segment || footer->entries.size() != cold.record_count ||
        footer->frames_end_offset != records_end) {
        return damaged(cold.segment, "its footer is that of another segment");
    }
    for (const FooterEntry& entry : footer->entries) {
        if (entry.offset < kSegmentHeaderBytes ||
            uint64_t{entry.offset} + kRecordHeaderBytes + entry.stored_bytes > records_end) {
            return damaged(cold.segment, "its footer names impossible places");
        }
    }
    return footer;
}

Status visit_cold(File& file, const StoreId& store_id, const ColdFile& cold,
                  const std::function<Status(const ReplayRecord&)>& visit) {
    Footer footer = LB_TRY(read_cold_footer(file, store_id, cold));
    for (const FooterEntry& entry : footer.entries) {
        Bytes small;
        ReplayRecord record{.header = {.type = entry.type,
                                       .line = entry.line,
                                       .object = entry.object,
                                       .block = entry.block,
                                       .stored_bytes = entry.stored_bytes,
                                       .sequence = entry.sequence},
                            .location = {cold.segment, entry.offset, entry.stored_bytes}};
        if (entry.type != RecordType::kBlock) {
            small = LB_TRY(read_small(file, cold.segment, entry));
            record.payload = ByteView(small).subspan(kRecordHeaderBytes);
        }
        LB_TRY(visit(record));
    }
    return ok();
}

}  // namespace lb::store
