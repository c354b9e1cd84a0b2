#include "store/cold_survey.h"

#include <algorithm>
#include <array>
#include <tuple>

#include "base/hash.h"
#include "base/text.h"
#include "store/compression.h"
#include "store/format_text.h"
#include "store/segment_files.h"
#include "store/segment_scan.h"

namespace lb::store {

namespace {

constexpr uint64_t kWindowBytes = uint64_t{1} << 20;

bool is_same(const RecordHeader& header, const FooterEntry& entry) {
    return header.type == entry.type && header.line == entry.line &&
           header.object == entry.object && header.block == entry.block &&
           header.sequence == entry.sequence && header.stored_bytes == entry.stored_bytes;
}

RecordHeader header_of(const FooterEntry& entry) {
    return {.type = entry.type,
            .line = entry.line,
            .object = entry.object,
            .block = entry.block,
            .stored_bytes = entry.stored_bytes,
            .sequence = entry.sequence};
}

auto order_of(const RecordHeader& header) {
    return std::tuple(header.type, header.line, header.object, header.block, header.sequence);
}

class ColdSurvey {
public:
    ColdSurvey(const StoreId& store_id, const ColdFile& cold, File& file,
               const ColdSurveySink& sink)
        : store_id_(store_id), cold_(cold), file_(file), sink_(sink) {}

    Status run();

private:
    Result<bool> read_header();
    Status read_footer();
    Status read_named();
    Status read_unnamed();
    Status take_record(uint64_t offset, const RecordHeader& header);
    bool check_payload(uint64_t offset, const RecordHeader& header, ByteView payload);
    void check_counts();
    Result<ByteView> load(uint64_t offset, uint64_t length);

    void report(ProblemCode code, uint64_t offset, std::string message,
                std::optional<RecordHeader> record = {}) {
        is_damaged_ |= is_damage(code);
        sink_.problem({.code = code,
                       .segment = cold_.segment,
                       .offset = offset,
                       .record = record,
                       .message = std::move(message)});
    }

    const StoreId& store_id_;
    const ColdFile& cold_;
    File& file_;
    const ColdSurveySink& sink_;
    uint64_t size_bytes_ = 0;
    uint64_t records_end_ = 0;
    std::optional<Footer> footer_;
    Bytes window_;
    uint64_t window_offset_ = 0;
    uint64_t record_count_ = 0;
    uint64_t plain_bytes_ = 0;
    bool is_damaged_ = false;
};

Status ColdSurvey::run() {
    size_bytes_ = LB_TRY(file_.size_bytes());
    if (size_bytes_ != cold_.size_bytes) {
        report(ProblemCode::kSegmentHeader, std::min(size_bytes_, cold_.size_bytes),
               cat("the file has ", size_bytes_, " bytes instead of ", cold_.size_bytes));
    }
    if (size_bytes_ < kSegmentHeaderBytes || !LB_TRY(read_header())) return ok();
    LB_TRY(read_footer());
    LB_TRY(footer_ ? read_named() : read_unnamed());
    check_counts();
    return ok();
}

// False: nothing in the file is ours.
Result<bool> ColdSurvey::read_header() {
    Result<SegmentHeader> header = decode_segment_header(LB_TRY(load(0, kSegmentHeaderBytes)));
    if (!header) {
        report(ProblemCode::kSegmentHeader, 0, reason_text(header.error()));
        return true;
    }
    if (header->store_id == store_id_ && header->segment == cold_.segment &&
        header->segment_class == SegmentClass::kCold) {
        return true;
    }
    report(ProblemCode::kSegmentHeader, 0,
           header->store_id == store_id_ ? "it is another segment under a wrong name"
                                         : "it is of another store");
    return false;
}

Status ColdSurvey::read_footer() {
    uint64_t bytes = footer_bytes(cold_.record_count);
    uint64_t begin =
        std::max(kSegmentHeaderBytes, cold_.size_bytes - std::min(cold_.size_bytes, bytes));
    records_end_ = std::min(begin, size_bytes_);
    if (begin + bytes != cold_.size_bytes || cold_.size_bytes > size_bytes_) {
        report(ProblemCode::kFooter, records_end_, "the file is cut off, and with it the footer");
        return ok();
    }
    Result<Footer> footer = decode_footer(LB_TRY(load(begin, bytes)));
    if (!footer) {
        report(ProblemCode::kFooter, begin, reason_text(footer.error()));
    } else if (footer->segment != cold_.segment || footer->frames_end_offset != begin ||
               footer->entries.size() != cold_.record_count) {
        report(ProblemCode::kFooter, begin, "it does not fit what the manifest says");
    } else {
        footer_ = *std::move(footer);
    }
    return ok();
}

Status ColdSurvey::read_named() {
    uint64_t next = kSegmentHeaderBytes;
    for (const FooterEntry& entry : footer_->entries) {
        uint64_t end = align_record(uint64_t{entry.offset} + kRecordHeaderBytes +
                                    uint64_t{entry.stored_bytes});
        if (entry.offset != next || end > records_end_) {
            report(ProblemCode::kFooter, records_end_, "it does not name the records as they lie");
            return ok();
        }
        next = end;
        Result<RecordHeader> header =
            decode_record_header(LB_TRY(load(entry.offset, kRecordHeaderBytes)));
        if (header && is_same(*header, entry)) {
            LB_TRY(take_record(entry.offset, *header));
            continue;
        }
        RecordHeader expected = header_of(entry);
        report(ProblemCode::kRecord, entry.offset,
               header ? "another record is there" : reason_text(header.error()), expected);
        record_count_++;
        if (entry.type != RecordType::kBlock) continue;
        // Its place is known, and reading it is an error.
        LB_TRY(sink_.record({.header = expected,
                             .location = {cold_.segment, entry.offset, entry.stored_bytes},
                             .payload = {}}));
    }
    if (next != records_end_) {
        report(ProblemCode::kFooter, next, "it does not name all records");
    }
    return ok();
}

// Without the footer: from record to record, and behind damage from the next that can be read.
Status ColdSurvey::read_unnamed() {
    std::optional<RecordHeader> last;
    bool is_in_gap = false;
    for (uint64_t at = kSegmentHeaderBytes; at + kRecordHeaderBytes <= records_end_;) {
        Result<RecordHeader> header = decode_record_header(LB_TRY(load(at, kRecordHeaderBytes)));
        uint64_t end = header ? align_record(at + kRecordHeaderBytes + header->stored_bytes) : 0;
        bool is_next =
            header && end <= records_end_ && (!last || order_of(*last) <= order_of(*header));
        if (is_next) {
            LB_TRY(take_record(at, *header));
            last = *header;
            at = end;
        } else {
            if (!is_in_gap) report(ProblemCode::kRecord, at, "no readable record header");
            at += 8;
        }
        is_in_gap = !is_next;
    }
    return ok();
}

Status ColdSurvey::take_record(uint64_t offset, const RecordHeader& header) {
    record_count_++;
    uint64_t end = align_record(offset + kRecordHeaderBytes + header.stored_bytes);
    ByteView bytes = LB_TRY(load(offset, end - offset)).subspan(kRecordHeaderBytes);
    ByteView payload = bytes.first(header.stored_bytes);
    bool is_right = check_payload(offset, header, payload);
    if (!is_zero(bytes.subspan(payload.size()))) {
        report(ProblemCode::kUnusedSpace, offset + kRecordHeaderBytes + payload.size(),
               "the padding behind a record is not zero", header);
    }
    if (!is_right && header.type != RecordType::kBlock) return ok();
    return sink_.record(
        {.header = header,
         .location = {cold_.segment, static_cast<uint32_t>(offset), header.stored_bytes},
         .payload = payload});
}

bool ColdSurvey::check_payload(uint64_t offset, const RecordHeader& header, ByteView payload) {
    size_t plain_bytes = payload.size();
    const char* wrong = nullptr;
    bool is_block = header.type == RecordType::kBlock;
    if (hash64(payload) != header.payload_hash) {
        wrong = "payload checksum mismatch";
    } else if (header.codec == Codec::kZstd && is_block) {
        std::array<std::byte, kBlockBytes> plain;
        std::optional<size_t> decompressed = decompress(payload, plain);
        if (!decompressed) wrong = "the payload cannot be decompressed";
        plain_bytes = decompressed.value_or(0);
    } else if (header.codec != Codec::kPlain || (is_block && payload.size() > kBlockBytes)) {
        wrong = "a codec or a size that it cannot have";
    }
    plain_bytes_ += align_record(kRecordHeaderBytes + plain_bytes);
    if (wrong != nullptr) report(ProblemCode::kRecord, offset, wrong, header);
    return wrong == nullptr;
}

void ColdSurvey::check_counts() {
    if (is_damaged_) return;  // what is missing was reported already
    if (record_count_ == cold_.record_count && plain_bytes_ == cold_.plain_bytes) return;
    report(ProblemCode::kManifest, 0,
           cat("the manifest says ", cold_.record_count, " records that took ", cold_.plain_bytes,
               " bytes; they are ", record_count_, " and took ", plain_bytes_));
}

Result<ByteView> ColdSurvey::load(uint64_t offset, uint64_t length) {
    bool is_loaded = offset >= window_offset_ && offset + length <= window_offset_ + window_.size();
    if (!is_loaded) {
        window_.resize(std::min(std::max(length, kWindowBytes), size_bytes_ - offset));
        window_offset_ = offset;
        LB_TRY(file_.read_at(offset, window_));
    }
    return ByteView(window_).subspan(offset - window_offset_, length);
}

}  // namespace

Status survey_cold_segment(Disk& disk, const std::string& directory, const StoreId& store_id,
                           const ColdFile& cold, const ColdSurveySink& sink) {
    Result<std::unique_ptr<File>> file =
        disk.open(segment_path(directory, cold.segment), OpenMode::kRead);
    if (!file && file.error().code == ErrorCode::kStoreNotFound) {
        sink.problem({.code = ProblemCode::kSegmentMissing,
                      .segment = cold.segment,
                      .message = "the file is missing, and all that it has"});
        return ok();
    }
    if (!file) return std::move(file).error();
    return ColdSurvey(store_id, cold, **file, sink).run();
}

}  // namespace lb::store
