#include "store/segment_survey.h"

#include <algorithm>
#include <array>

#include "base/hash.h"
#include "base/text.h"
#include "store/format_text.h"
#include "store/segment_files.h"
#include "store/segment_scan.h"

namespace lb::store {

namespace {

FooterEntry footer_entry(const ReplayRecord& record) {
    return {.type = record.header.type,
            .line = record.header.line,
            .object = record.header.object,
            .block = record.header.block,
            .sequence = record.header.sequence,
            .offset = record.location.offset,
            .stored_bytes = record.location.stored_bytes};
}

class Survey {
public:
    Survey(const Super& super, const SurveyedSegment& segment, File& file, SurveyChain& chain,
           const SurveySink& sink)
        : super_(super), segment_(segment), file_(file), chain_(chain), sink_(sink) {}

    Status run();

private:
    Status read_header();
    Status read_footer();
    Status read_frames();
    Status pass_damage(const Error& reason, uint64_t& offset);
    Status salvage(const FrameHeader& expected, uint64_t offset, uint64_t end);
    bool salvage_record(ByteView rest, uint64_t offset, const FrameHeader& expected,
                        ReplayRecord& record);
    Status hand_over(const ReplayFrame& frame);
    void check_footer();
    Status check_unused_space();

    void report(ProblemCode code, uint64_t offset, std::string message,
                std::optional<RecordHeader> record = {}) {
        is_damaged_ |= is_damage(code);
        problem_count_++;
        sink_.problem({.code = code,
                       .segment = segment_.segment,
                       .offset = offset,
                       .record = record,
                       .message = std::move(message)});
    }

    const Super& super_;
    SurveyedSegment segment_;
    File& file_;
    SurveyChain& chain_;
    const SurveySink& sink_;
    uint64_t frames_limit_ = 0;  // no frame reaches behind this
    uint64_t frames_end_ = 0;    // behind the last one that was found
    std::optional<Footer> footer_;
    std::vector<FooterEntry> entries_;
    bool is_damaged_ = false;
    uint64_t problem_count_ = 0;
};

Status Survey::run() {
    uint64_t size_bytes = std::min(LB_TRY(file_.size_bytes()), super_.segment_bytes);
    frames_limit_ =
        segment_.end_offset != 0 ? std::min(segment_.end_offset, size_bytes) : size_bytes;
    if (size_bytes < kSegmentHeaderBytes || frames_limit_ < segment_.end_offset) {
        report(ProblemCode::kSegmentHeader, 0, cat("the file has ", size_bytes, " bytes only"));
        if (size_bytes < kSegmentHeaderBytes) return ok();
    }
    LB_TRY(read_header());
    if (segment_.is_sealed) LB_TRY(read_footer());
    LB_TRY(read_frames());
    if (footer_) check_footer();
    if (segment_.is_sealed) LB_TRY(check_unused_space());
    return ok();
}

Status Survey::read_header() {
    std::array<std::byte, kSegmentHeaderBytes> bytes;
    LB_TRY(file_.read_at(0, bytes));
    Result<SegmentHeader> header = decode_segment_header(bytes);
    if (!header) {
        report(ProblemCode::kSegmentHeader, 0, reason_text(header.error()));
        return ok();
    }
    if (header->store_id != super_.store_id || header->segment != segment_.segment) {
        report(ProblemCode::kSegmentHeader, 0, "it is of another store, or under a wrong name");
        return ok();
    }
    bool is_next = header->first_sequence == chain_.sequence + 1;
    bool is_chained = !chain_.frame_hash || header->previous_frame_hash == *chain_.frame_hash;
    if (chain_.is_known && !(is_next && is_chained)) {
        report(ProblemCode::kSegmentHeader, 0,
               cat("it begins at sequence ", header->first_sequence,
                   " and does not follow sequence ", chain_.sequence));
    }
    bool is_time_known = chain_.is_known && chain_.frame_hash && chain_.written_at != WallTime{};
    if (is_time_known && is_next && header->previous_written_at != chain_.written_at) {
        report(ProblemCode::kSegmentHeader, 0,
               cat("it says that frame ", chain_.sequence, " was written at another time"));
    }
    chain_ = {.sequence = header->first_sequence - 1,
              .frame_hash = header->previous_frame_hash,
              .written_at = header->previous_written_at};
    return ok();
}

Status Survey::read_footer() {
    uint64_t size_bytes = LB_TRY(file_.size_bytes());
    if (size_bytes < super_.segment_bytes) {
        report(ProblemCode::kFooter, size_bytes, "the file is cut off, and with it the footer");
        return ok();
    }
    std::array<std::byte, kFooterTailBytes> tail_bytes;
    LB_TRY(file_.read_at(size_bytes - tail_bytes.size(), tail_bytes));
    Result<Footer> tail = decode_footer_tail(tail_bytes);
    if (!tail) {
        report(ProblemCode::kFooter, size_bytes - tail_bytes.size(), reason_text(tail.error()));
        return ok();
    }
    uint64_t begin = std::clamp(tail->frames_end_offset, kSegmentHeaderBytes, size_bytes);
    Bytes bytes(size_bytes - begin);
    LB_TRY(file_.read_at(begin, bytes));
    Result<Footer> footer = decode_footer(bytes);
    if (!footer) {
        report(ProblemCode::kFooter, begin, reason_text(footer.error()));
        return ok();
    }
    footer_ = *std::move(footer);
    frames_limit_ = std::min(frames_limit_, footer_->frames_end_offset);
    return ok();
}

Status Survey::hand_over(const ReplayFrame& frame) {
    for (const ReplayRecord& record : frame.records) entries_.push_back(footer_entry(record));
    return sink_.frame(frame);
}

Status Survey::read_frames() {
    uint64_t offset = kSegmentHeaderBytes;
    for (;;) {
        FrameReader reader({.file = &file_,
                            .segment = segment_.segment,
                            .seed = frame_seed(super_.store_id),
                            .offset = offset,
                            .end_offset = frames_limit_,
                            .next_sequence = chain_.sequence + 1,
                            .previous_frame_hash = chain_.frame_hash});
        while (const ReplayFrame* frame = LB_TRY(reader.next())) {
            chain_ = {.sequence = frame->header.sequence,
                      .frame_hash = frame->header.frame_hash,
                      .written_at = frame->header.written_at};
            LB_TRY(hand_over(*frame));
        }
        offset = frames_end_ = reader.offset();
        if (offset >= frames_limit_) return ok();
        LB_TRY(pass_damage(reader.stop_reason(), offset));
        if (offset >= frames_limit_) return ok();
    }
}

// At `offset` there should be a frame, and is none that passes every check. Moves `offset` to where
// the next one may be.
Status Survey::pass_damage(const Error& reason, uint64_t& offset) {
    FrameReaderOptions search{.file = &file_,
                              .segment = segment_.segment,
                              .seed = frame_seed(super_.store_id),
                              .offset = offset,
                              .end_offset = frames_limit_};
    std::optional<FoundFrame> next = LB_TRY(find_frame_header(search));
    if (next && next->offset == offset) {
        const FrameHeader& header = next->header;
        uint64_t end = offset + kFrameHeaderBytes + header.body_bytes;
        bool is_ours = header.sequence == chain_.sequence + 1 && end <= frames_limit_;
        bool is_chained = !chain_.frame_hash || header.previous_frame_hash == *chain_.frame_hash;
        if (!is_ours || !is_chained) {
            report(ProblemCode::kFrame, offset,
                   cat("frame ", header.sequence, " after ", chain_.sequence, ": ",
                       reason_text(reason)));
        }
        if (is_ours && is_chained) {
            uint64_t reported = problem_count_;
            LB_TRY(salvage(header, offset + kFrameHeaderBytes, end));
            if (problem_count_ == reported) {
                report(ProblemCode::kFrame, offset, reason_text(reason));
            }
            offset = end;
            chain_ = {.sequence = header.sequence,
                      .frame_hash = header.frame_hash,
                      .written_at = header.written_at};
        } else if (end <= frames_limit_) {
            // Its header is valid: it is read on its own terms.
            chain_.sequence = header.sequence - 1;
            chain_.frame_hash = header.previous_frame_hash;
        } else {
            offset += 8;
        }
        return ok();
    }
    uint64_t end = next ? next->offset : frames_limit_;
    if (!next && segment_.end_offset == 0 && !footer_) {
        bool is_rest_zero = true;
        if (segment_.is_sealed) {  // what is left is the damaged footer, which was reported
            offset = end;
            return ok();
        }
        LB_TRY(visit_nonzero(file_, offset, end, [&](uint64_t, ByteView) {
            is_rest_zero = false;
            return ok();
        }));
        if (is_rest_zero) {
            offset = end;
            return ok();
        }
    }
    report(ProblemCode::kFrame, offset,
           cat("no frame where frame ", chain_.sequence + 1, " should be: ", reason_text(reason)));
    FrameHeader unknown{.segment = segment_.segment,
                        .sequence = chain_.sequence + 1,
                        .written_at = chain_.written_at + std::chrono::nanoseconds{1}};
    // Without its header a frame has at least its records, and there may be several such frames.
    uint64_t sequence_end = next ? next->header.sequence : chain_.sequence + 2;
    for (; unknown.sequence < sequence_end; unknown.sequence++) {
        LB_TRY(salvage(unknown, offset, end));
        if (sequence_end - chain_.sequence > 1000) break;  // a hole, not a few damaged headers
    }
    if (next) {
        chain_.sequence = next->header.sequence - 1;
        chain_.frame_hash = next->header.previous_frame_hash;
    } else {
        chain_.frame_hash.reset();
    }
    offset = end;
    return ok();
}

// Hands over what is readable of one frame's records between two offsets.
Status Survey::salvage(const FrameHeader& expected, uint64_t offset, uint64_t end) {
    ReplayFrame frame{.header = expected, .records = {}};
    uint64_t bytes_max = uint64_t{kFrameBodyMaxBytes} + kFrameHeaderBytes;
    Bytes bytes(std::min(end - offset, bytes_max));
    LB_TRY(file_.read_at(offset, bytes));
    bool is_between_records = true;
    for (uint64_t at = 0; at + kRecordHeaderBytes <= bytes.size();) {
        ReplayRecord record;
        if (salvage_record(ByteView(bytes).subspan(at), offset + at, expected, record)) {
            is_between_records = true;
            at += align_record(kRecordHeaderBytes + uint64_t{record.header.stored_bytes});
            if (record.location.offset != 0) frame.records.push_back(record);
            continue;
        }
        bool has_frame_header = expected.body_bytes != 0;
        if (std::exchange(is_between_records, false) && has_frame_header) {
            report(ProblemCode::kRecord, offset + at,
                   cat("no readable record header in frame ", expected.sequence));
        }
        at += 8;
    }
    return frame.records.empty() ? ok() : hand_over(frame);
}

// True if a record of the frame begins here. One whose payload is damaged is reported, and is
// usable only if nobody needs the payload to know what there is: then it has a location.
bool Survey::salvage_record(ByteView rest, uint64_t offset, const FrameHeader& expected,
                            ReplayRecord& record) {
    Result<RecordHeader> header = decode_record_header(rest);
    if (!header || header->sequence != expected.sequence) return false;
    uint64_t record_bytes = align_record(kRecordHeaderBytes + uint64_t{header->stored_bytes});
    if (record_bytes > rest.size()) return false;
    record.header = *header;
    record.payload = rest.subspan(kRecordHeaderBytes, header->stored_bytes);
    size_t payload_end = kRecordHeaderBytes + record.payload.size();
    bool is_payload_right = hash64(record.payload) == header->payload_hash;
    if (!is_payload_right) {
        report(ProblemCode::kRecord, offset, "payload checksum mismatch", *header);
    } else if (!is_zero(rest.subspan(payload_end, record_bytes - payload_end))) {
        report(ProblemCode::kRecord, offset, "the padding behind it is not zero", *header);
    }
    if (is_payload_right || header->type == RecordType::kBlock) {
        record.location = {segment_.segment, static_cast<uint32_t>(offset), header->stored_bytes};
    }
    return true;
}

void Survey::check_footer() {
    uint64_t offset = super_.segment_bytes - footer_bytes(footer_->entries.size());
    if (footer_->segment != segment_.segment) {
        report(ProblemCode::kFooter, offset, cat("it is of segment ", footer_->segment.value()));
        return;
    }
    if (is_damaged_) return;  // what is missing was reported already
    Bytes expected = encode_footer(entries_, segment_.segment, chain_.sequence,
                                   chain_.frame_hash.value_or(0), frames_end_);
    Bytes found = encode_footer(footer_->entries, footer_->segment, footer_->last_sequence,
                                footer_->last_frame_hash, footer_->frames_end_offset);
    if (expected != found) report(ProblemCode::kFooter, offset, "it does not name the records");
}

Status Survey::check_unused_space() {
    uint64_t end = LB_TRY(file_.size_bytes());
    if (footer_) end = super_.segment_bytes - footer_bytes(footer_->entries.size());
    if (!footer_ || end <= frames_end_) return ok();
    bool is_first = true;
    return visit_nonzero(file_, frames_end_, end, [&](uint64_t offset, ByteView piece) {
        auto byte = std::ranges::find_if(piece, [](std::byte b) { return b != std::byte{0}; });
        if (std::exchange(is_first, false)) {
            report(ProblemCode::kUnusedSpace, offset + static_cast<uint64_t>(byte - piece.begin()),
                   "not zero, though nothing was written there");
        }
        return ok();
    });
}

}  // namespace

Result<Super> super_or_guess(Disk& disk, const std::string& directory,
                             const std::function<void(const Problem&)>& problem) {
    Result<std::optional<Super>> super = read_super(disk, directory);
    if (super && *super) return **super;
    if (!super && super.error().code != ErrorCode::kStoreDamaged) return std::move(super).error();
    problem({.code = ProblemCode::kSuper,
             .message = super ? "SUPER is missing" : reason_text(super.error())});
    for (const std::string& name : LB_TRY(disk.list(segment_directory(directory)))) {
        std::optional<SegmentId> segment = segment_from_name(name);
        if (!segment) continue;
        std::unique_ptr<File> file =
            LB_TRY(disk.open(segment_path(directory, *segment), OpenMode::kRead));
        uint64_t size_bytes = LB_TRY(file->size_bytes());
        Bytes bytes(std::min(size_bytes, kSegmentHeaderBytes));
        LB_TRY(file->read_at(0, bytes));
        Result<SegmentHeader> header = decode_segment_header(bytes);
        if (header) return Super{.store_id = header->store_id, .segment_bytes = size_bytes};
    }
    return Error{
        .code = ErrorCode::kStoreDamaged,
        .message = cat("neither SUPER nor any segment of ", quoted(directory), " can be read"),
        .help = "restore the directory from a backup"};
}

Result<std::vector<SurveyedSegment>> list_segments(Disk& disk, const std::string& directory,
                                                   SegmentId first, std::optional<LogPlace> end) {
    std::vector<SurveyedSegment> result;
    auto next = [&] { return SegmentId{first.value() + result.size()}; };
    for (const std::string& name : LB_TRY(disk.list(segment_directory(directory)))) {
        std::optional<SegmentId> id = segment_from_name(name);
        if (!id || (end && *id > end->segment)) continue;
        while (next() < *id) result.push_back({.segment = next()});  // ids have no gaps
        if (*id < next()) continue;                                  // before the first
        bool is_last = end && *id == end->segment;
        result.push_back({.segment = *id, .end_offset = is_last ? end->offset : 0});
    }
    for (size_t i = 0; i + 1 < result.size(); i++) result[i].is_sealed = true;
    return result;
}

Status survey_segment(Disk& disk, const std::string& directory, const Super& super,
                      const SurveyedSegment& segment, SurveyChain& chain, const SurveySink& sink) {
    Result<std::unique_ptr<File>> file =
        disk.open(segment_path(directory, segment.segment), OpenMode::kRead);
    if (!file && file.error().code == ErrorCode::kStoreNotFound) {
        sink.problem({.code = ProblemCode::kSegmentMissing,
                      .segment = segment.segment,
                      .message = "the file is missing"});
        chain.frame_hash.reset();
        return ok();
    }
    if (!file) return std::move(file).error();
    return Survey(super, segment, **file, chain, sink).run();
}

}  // namespace lb::store
