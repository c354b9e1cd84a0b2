#include "store/log_recovery.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/text.h"
#include "store/segment_files.h"
#include "store/segment_scan.h"

namespace lb::store {

namespace {

// A segment file as it was found.
struct Found {
    SegmentId segment;
    uint64_t size_bytes = 0;
    std::optional<SegmentHeader> header;
    std::optional<Footer> footer;  // its tail; without entries
    Error problem;                 // why there is no header
};

// A segment that is part of the log.
struct Accepted {
    const Found* found = nullptr;
    SegmentSummary summary = {};
    bool is_scanned = false;
    std::vector<FooterEntry> entries = {};  // if it was scanned; in log order
    uint64_t last_frame_hash = 0;
    Error end_reason = {};  // why there is no further frame

    // All frames that the footer speaks of are there.
    bool is_whole() const {
        return found->footer && found->footer->last_frame_hash == last_frame_hash &&
               found->footer->frames_end_offset == summary.end_offset;
    }
};

// Where the chain of frames has come to.
struct Chain {
    uint64_t sequence = 0;
    uint64_t frame_hash = 0;
    WallTime written_at{};
};

Error damaged(SegmentId segment, std::string_view what) {
    return {.code = ErrorCode::kStoreDamaged,
            .message = cat("segment ", segment.value(), " ", what)};
}

class Recovery {
public:
    Recovery(Disk& disk, const std::string& store_directory, const Super& super,
             const LogBase& base, uint64_t known_durable_sequence)
        : disk_(disk),
          directory_(store_directory),
          super_(super),
          base_(base),
          known_durable_sequence_(known_durable_sequence) {}

    // Reads only.
    Status find_end();
    // Requires: find_end() was ok.
    Status make_consistent();
    RecoveredLog take_result();

private:
    Status find_segments();
    Status inspect(Found& found);
    Status walk();
    Status check_continues(const Found& found);
    void trust(const Found& found);
    Status scan(const Found& found);
    Status look_for_durable_claims();
    Status check_nothing_durable_is_lost();
    Status remove_segments_behind_end();
    Status remove_segments_before_base();
    Status repair(Accepted& accepted, bool is_active);
    Status rewrite(File& file, const Accepted& accepted);
    Chain chain_at_base() const {
        return {.sequence = base_.previous_sequence,
                .frame_hash = base_.previous_frame_hash,
                .written_at = base_.previous_written_at};
    }
    Result<std::unique_ptr<File>> open(SegmentId segment, OpenMode mode) {
        return disk_.open(segment_path(directory_, segment), mode);
    }

    Disk& disk_;
    const std::string& directory_;
    const Super& super_;
    const LogBase& base_;
    const uint64_t known_durable_sequence_;
    std::vector<SegmentId> before_base_;
    std::vector<Found> found_;
    std::vector<Accepted> accepted_;
    Chain chain_;
    uint64_t durable_sequence_ = 0;    // the largest one that anything names
    uint64_t durable_by_headers_ = 0;  // the largest one that a segment's header names
    Error next_problem_;               // why no further segment continues the log
};

Status Recovery::find_end() {
    LB_TRY(find_segments());
    LB_TRY(walk());
    LB_TRY(look_for_durable_claims());
    durable_sequence_ = std::max(durable_sequence_, known_durable_sequence_);
    return check_nothing_durable_is_lost();
}

Status Recovery::make_consistent() {
    LB_TRY(remove_segments_behind_end());
    LB_TRY(remove_segments_before_base());
    for (Accepted& accepted : accepted_) {
        LB_TRY(repair(accepted, &accepted == &accepted_.back()));
    }
    LB_TRY(disk_.sync_directory(segment_directory(directory_)));
    // SUPER may have got its name just before its process died.
    return disk_.sync_directory(directory_);
}

RecoveredLog Recovery::take_result() {
    RecoveredLog log;
    for (const Accepted& accepted : accepted_) {
        log.segments.push_back(accepted.summary);
        if (accepted.summary.last_sequence >= durable_by_headers_) {
            log.unsettled.push_back(accepted.summary);
        }
    }
    log.active_entries = std::move(accepted_.back().entries);
    log.last_sequence = chain_.sequence;
    log.last_frame_hash = chain_.frame_hash;
    log.last_written_at = chain_.written_at;
    return log;
}

Status Recovery::find_segments() {
    for (const std::string& name : LB_TRY(disk_.list(segment_directory(directory_)))) {
        std::optional<SegmentId> segment = segment_from_name(name);
        if (!segment) continue;
        if (*segment < base_.first_segment) {
            before_base_.push_back(*segment);
            continue;
        }
        Found found;
        found.segment = *segment;
        LB_TRY(inspect(found));
        if (found.header) {
            durable_sequence_ = std::max(durable_sequence_, found.header->durable_sequence);
        }
        found_.push_back(std::move(found));
    }
    return ok();
}

// Reads header and footer. What is unreadable is left out; only I/O errors are errors here.
Status Recovery::inspect(Found& found) {
    std::unique_ptr<File> file = LB_TRY(open(found.segment, OpenMode::kRead));
    found.size_bytes = std::min(LB_TRY(file->size_bytes()), super_.segment_bytes);
    Bytes bytes(std::min(found.size_bytes, kSegmentHeaderBytes));
    LB_TRY(file->read_at(0, bytes));
    Result<SegmentHeader> header = decode_segment_header(bytes);
    if (!header) {
        if (header.error().code == ErrorCode::kStoreFormatNewer) return std::move(header).error();
        found.problem = std::move(header).error();
        return ok();
    }
    if (header->store_id != super_.store_id || header->segment != found.segment) {
        found.problem = {.code = ErrorCode::kStoreDamaged,
                         .message = "it is a segment of another store or under a wrong name"};
        return ok();
    }
    found.header = *header;
    if (found.size_bytes < super_.segment_bytes) return ok();
    std::array<std::byte, kFooterTailBytes> tail;
    LB_TRY(file->read_at(super_.segment_bytes - tail.size(), tail));
    Result<Footer> footer = decode_footer_tail(tail);
    if (footer && footer->segment == found.segment &&
        footer->frames_end_offset >= kSegmentHeaderBytes &&
        footer->frames_end_offset < super_.segment_bytes) {
        found.footer = *std::move(footer);
    }
    return ok();
}

// Follows the chain through the segments as far as it goes. A footer is believed without reading
// the frames where all of them were durable before a later segment was begun.
Status Recovery::walk() {
    chain_ = chain_at_base();
    next_problem_ = damaged(SegmentId{base_.first_segment.value() + found_.size()}, "is missing");
    durable_by_headers_ = durable_sequence_;
    for (const Found& found : found_) {
        Status continues = check_continues(found);
        if (!continues) {
            next_problem_ = std::move(continues).error();
            break;
        }
        if (found.footer && found.footer->last_sequence < durable_by_headers_) {
            trust(found);
        } else {
            LB_TRY(scan(found));
        }
    }
    if (accepted_.empty()) return next_problem_;
    Accepted& last = accepted_.back();
    if (last.is_scanned) return ok();
    // Appends go on here, which needs the entries for its footer and the state of the chain.
    const Found& found = *last.found;
    accepted_.pop_back();
    chain_ = accepted_.empty() ? chain_at_base()
                               : Chain{.sequence = found.header->first_sequence - 1,
                                       .frame_hash = found.header->previous_frame_hash};
    return scan(found);
}

Status Recovery::check_continues(const Found& found) {
    SegmentId expected = accepted_.empty()
                             ? base_.first_segment
                             : SegmentId{accepted_.back().summary.segment.value() + 1};
    if (found.segment != expected) return damaged(expected, "is missing");
    if (!found.header) return damaged(expected, cat("is damaged: ", found.problem.message));
    if (found.header->first_sequence != chain_.sequence + 1 ||
        found.header->previous_frame_hash != chain_.frame_hash) {
        return damaged(expected,
                       cat("does not follow the one before it, which ends at sequence ",
                           chain_.sequence, "; it was begun at ", found.header->first_sequence));
    }
    return ok();
}

void Recovery::trust(const Found& found) {
    const Footer& footer = *found.footer;
    accepted_.push_back({.found = &found,
                         .summary = {.segment = found.segment,
                                     .first_sequence = found.header->first_sequence,
                                     .last_sequence = footer.last_sequence,
                                     .end_offset = footer.frames_end_offset},
                         .last_frame_hash = footer.last_frame_hash});
    chain_.sequence = footer.last_sequence;
    chain_.frame_hash = footer.last_frame_hash;
}

// Reads all frames of the segment as far as they are valid.
Status Recovery::scan(const Found& found) {
    std::unique_ptr<File> file = LB_TRY(open(found.segment, OpenMode::kRead));
    Accepted accepted{.found = &found, .is_scanned = true};
    chain_.written_at = found.header->previous_written_at;
    FrameReader reader({.file = file.get(),
                        .segment = found.segment,
                        .seed = frame_seed(super_.store_id),
                        .end_offset = found.size_bytes,
                        .next_sequence = chain_.sequence + 1,
                        .previous_frame_hash = chain_.frame_hash});
    while (const ReplayFrame* frame = LB_TRY(reader.next())) {
        chain_ = {.sequence = frame->header.sequence,
                  .frame_hash = frame->header.frame_hash,
                  .written_at = frame->header.written_at};
        durable_sequence_ = std::max(durable_sequence_, frame->header.durable_sequence);
        for (const ReplayRecord& record : frame->records) {
            accepted.entries.push_back({.type = record.header.type,
                                        .line = record.header.line,
                                        .object = record.header.object,
                                        .block = record.header.block,
                                        .sequence = record.header.sequence,
                                        .offset = record.location.offset,
                                        .stored_bytes = record.location.stored_bytes});
        }
    }
    accepted.summary = {.segment = found.segment,
                        .first_sequence = found.header->first_sequence,
                        .last_sequence = chain_.sequence,
                        .end_offset = reader.offset()};
    accepted.last_frame_hash = chain_.frame_hash;
    accepted.end_reason = reader.stop_reason();
    accepted_.push_back(std::move(accepted));
    return ok();
}

// Frames behind the end of the log may prove that what is missing there was durable.
Status Recovery::look_for_durable_claims() {
    uint64_t seed = frame_seed(super_.store_id);
    const SegmentSummary& end = accepted_.back().summary;
    for (const Found& found : found_) {
        if (found.segment < end.segment) continue;
        std::unique_ptr<File> file = LB_TRY(open(found.segment, OpenMode::kRead));
        uint64_t offset = found.segment == end.segment ? end.end_offset : kSegmentHeaderBytes;
        uint64_t claim =
            LB_TRY(find_durable_claim(*file, found.segment, seed, offset, found.size_bytes));
        durable_sequence_ = std::max(durable_sequence_, claim);
    }
    return ok();
}

Status Recovery::check_nothing_durable_is_lost() {
    const Accepted& last = accepted_.back();
    SegmentId segment = last.summary.segment;
    bool is_durable_lost = durable_sequence_ > chain_.sequence;
    // A whole segment and a readable one that does not follow it cannot come from a power cut.
    const Found* next = last.found + 1;
    bool has_next = next != found_.data() + found_.size() && next->header &&
                    next->segment.value() == segment.value() + 1;
    if (!is_durable_lost && !(last.is_whole() && has_next)) return ok();

    Error error = last.is_whole()
                      ? next_problem_
                      : damaged(segment, cat("is damaged at offset ", last.summary.end_offset, ": ",
                                             last.end_reason.message));
    error.help = cat("keep a copy of ", quoted(directory_), ", then restore it from a backup");
    return std::move(error).with(cat("the log can be read up to sequence ", chain_.sequence,
                                     " and was durable up to ", durable_sequence_));
}

Status Recovery::remove_segments_behind_end() {
    SegmentId end = accepted_.back().summary.segment;
    for (const Found& found : found_) {
        if (found.segment > end) LB_TRY(disk_.remove(segment_path(directory_, found.segment)));
    }
    return ok();
}

Status Recovery::remove_segments_before_base() {
    for (SegmentId segment : before_base_) {
        LB_TRY(disk_.remove(segment_path(directory_, segment)));
    }
    return ok();
}

// Makes all of the segment durable. Wipes what is behind the end of the active one.
Status Recovery::repair(Accepted& accepted, bool is_active) {
    if (!accepted.is_scanned) return ok();
    std::unique_ptr<File> file = LB_TRY(open(accepted.summary.segment, OpenMode::kReadWrite));
    LB_TRY(rewrite(*file, accepted));
    if (is_active) {
        LB_TRY(visit_nonzero(*file, accepted.summary.end_offset, LB_TRY(file->size_bytes()),
                             [&](uint64_t offset, ByteView piece) {
                                 Bytes zeros(piece.size());
                                 ByteView view = zeros;
                                 return file->write_at(offset, {&view, 1});
                             }));
        // A power cut may have taken the reservation. If the disk is full now, appends will say so.
        Status allocated = file->allocate(super_.segment_bytes);
        if (!allocated && allocated.error().code != ErrorCode::kStoreFull) return allocated;
    } else {
        LB_TRY(write_footer(*file, super_.segment_bytes, accepted.summary, accepted.last_frame_hash,
                            accepted.entries));
    }
    return file->sync();
}

// Writes again what is not known to be durable. After a failed sync the system may hold such bytes
// as clean: a new sync alone would succeed without storing them.
Status Recovery::rewrite(File& file, const Accepted& accepted) {
    if (accepted.summary.last_sequence <= durable_sequence_ &&
        accepted.summary.first_sequence <= durable_sequence_) {
        return ok();
    }
    uint64_t offset = 0;
    if (accepted.summary.first_sequence <= durable_sequence_) {
        auto first = std::ranges::upper_bound(accepted.entries, durable_sequence_, {},
                                              &FooterEntry::sequence);
        LB_ASSERT(first != accepted.entries.end());
        offset = first->offset - kFrameHeaderBytes;
    }
    return visit_nonzero(file, offset, accepted.summary.end_offset,
                         [&](uint64_t piece_offset, ByteView piece) {
                             return file.write_at(piece_offset, {&piece, 1});
                         });
}

}  // namespace

uint64_t first_previous_frame_hash(const StoreId& store_id) { return frame_seed(store_id); }

Status write_footer(File& file, uint64_t segment_bytes, const SegmentSummary& summary,
                    uint64_t last_frame_hash, const std::vector<FooterEntry>& entries) {
    Bytes footer = encode_footer(entries, summary.segment, summary.last_sequence, last_frame_hash,
                                 summary.end_offset);
    LB_ASSERT(summary.end_offset + footer.size() <= segment_bytes);
    ByteView piece = footer;
    return file.write_at(segment_bytes - footer.size(), {&piece, 1});
}

Result<RecoveredLog> recover_log(Disk& disk, const std::string& store_directory, const Super& super,
                                 const LogBase& base, uint64_t known_durable_sequence) {
    Recovery recovery(disk, store_directory, super, base, known_durable_sequence);
    LB_TRY(recovery.find_end());
    LB_TRY(recovery.make_consistent());
    return recovery.take_result();
}

Result<RecoveredLog> inspect_log(Disk& disk, const std::string& store_directory, const Super& super,
                                 const LogBase& base, uint64_t known_durable_sequence) {
    Recovery recovery(disk, store_directory, super, base, known_durable_sequence);
    LB_TRY(recovery.find_end());
    return recovery.take_result();
}

}  // namespace lb::store
