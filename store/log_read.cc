// Reading the log, and what reclaim does with its segments.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "store/cold_segment.h"
#include "store/log.h"
#include "store/segment_scan.h"

namespace lb::store {

// ---- Reading -----------------------------------------------------------------------------------

LogPlace Log::end() const {
    std::lock_guard lock(mutex_);
    const SegmentSummary& active = segments_.back();
    return {
        .segment = active.segment, .offset = active.end_offset, .sequence = active.last_sequence};
}

LogStatistics Log::statistics() const {
    std::lock_guard lock(mutex_);
    LogStatistics result{.segment_count = segments_.size(),
                         .log_bytes = sealed_bytes_ + segments_.back().end_offset,
                         .frame_count = frame_count_,
                         .syncs = commits_.flushes()};
    for (const ColdFile& cold : manifest_->cold) {
        result.cold_bytes += cold.size_bytes;
        result.cold_plain_bytes += cold.plain_bytes;
        ++result.cold_segment_count;
    }
    return result;
}

Status Log::read_block(const RecordLocation& location, const RecordHeader& expected,
                       std::span<std::byte, kBlockBytes> out) {
    Result<std::shared_ptr<File>> file = files_.get(location.segment);
    if (!file) return std::move(file).error();
    uint64_t size_limit = is_cold(location.segment) ? UINT32_MAX : super_.segment_bytes;
    return read_record(**file, size_limit, location, expected, out);
}

Result<uint64_t> Log::last_frame_until(LogPlace from, WallTime time) {
    std::vector<SegmentSummary> segments;
    {
        std::lock_guard lock(mutex_);
        segments = segments_;
    }
    uint64_t offset = 0;
    size_t start = LB_TRY(find_start(segments, from, offset));
    uint64_t last = from.sequence;
    for (size_t i = start; i < segments.size(); ++i) {
        std::shared_ptr<File> file = LB_TRY(files_.get(segments[i].segment));
        if (i != start) offset = kSegmentHeaderBytes;
        while (offset < segments[i].end_offset) {
            std::array<std::byte, kFrameHeaderBytes> bytes;
            LB_TRY(file->read_at(offset, bytes));
            FrameHeader header = LB_TRY(decode_frame_header(bytes, seed_));
            if (header.written_at > time) return last;
            last = header.sequence;
            offset += kFrameHeaderBytes + uint64_t{header.body_bytes};
        }
    }
    return last;
}

Status Log::replay(LogPlace from, const std::function<Status(const ReplayFrame&)>& visit) {
    std::vector<SegmentSummary> segments;
    {
        std::lock_guard lock(mutex_);
        segments = segments_;
    }
    uint64_t offset = 0;
    size_t start = LB_TRY(find_start(segments, from, offset));
    uint64_t next_sequence =
        from == LogPlace{} ? segments.front().first_sequence : from.sequence + 1;
    for (size_t i = start; i < segments.size(); ++i) {
        LB_TRY(replay_segment(segments[i], i == start ? offset : kSegmentHeaderBytes, next_sequence,
                              visit));
        next_sequence = segments[i].last_sequence + 1;
    }
    return ok();
}

// Index of the segment that `from` is in.
Result<size_t> Log::find_start(const std::vector<SegmentSummary>& segments, LogPlace from,
                               uint64_t& offset) {
    offset = from.offset;
    if (from == LogPlace{}) {
        offset = kSegmentHeaderBytes;
        return 0;
    }
    auto absent = [&] {
        return Error{.code = ErrorCode::kStoreNotFound,
                     .message = cat("sequence ", from.sequence, " is not in the log at segment ",
                                    from.segment.value(), ", offset ", from.offset)};
    };
    auto found = std::ranges::lower_bound(segments, from.segment, {}, &SegmentSummary::segment);
    if (found == segments.end() || found->segment != from.segment) return absent();
    if (from.sequence + 1 < found->first_sequence || from.sequence > found->last_sequence) {
        return absent();
    }
    bool is_at_end = from.sequence == found->last_sequence;
    if (is_at_end != (from.offset == found->end_offset)) return absent();
    bool is_at_start = from.sequence + 1 == found->first_sequence;
    if (is_at_start != (from.offset == kSegmentHeaderBytes)) return absent();
    if (is_at_end) return static_cast<size_t>(found - segments.begin());
    if (from.offset < kSegmentHeaderBytes || from.offset + kFrameHeaderBytes > found->end_offset) {
        return absent();
    }
    std::shared_ptr<File> file = LB_TRY(files_.get(found->segment));
    std::array<std::byte, kFrameHeaderBytes> bytes;
    LB_TRY(file->read_at(from.offset, bytes));
    Result<FrameHeader> header = decode_frame_header(bytes, seed_);
    if (!header || header->segment != from.segment || header->sequence != from.sequence + 1) {
        return absent();
    }
    return static_cast<size_t>(found - segments.begin());
}

Status Log::replay_segment(const SegmentSummary& segment, uint64_t offset, uint64_t next_sequence,
                           const std::function<Status(const ReplayFrame&)>& visit) {
    std::shared_ptr<File> file = LB_TRY(files_.get(segment.segment));
    FrameReader reader({.file = file.get(),
                        .segment = segment.segment,
                        .seed = seed_,
                        .offset = offset,
                        .end_offset = segment.end_offset,
                        .next_sequence = next_sequence});
    while (reader.offset() < segment.end_offset) {
        const ReplayFrame* frame = LB_TRY(reader.next());
        if (frame == nullptr) return reader.stop_reason();
        LB_TRY(visit(*frame));
    }
    return ok();
}

// ---- Reclaim -----------------------------------------------------------------------------------

std::shared_ptr<const Manifest> Log::manifest() const {
    std::lock_guard lock(mutex_);
    return manifest_;
}

Status Log::set_manifest(Manifest manifest) {
    std::shared_ptr<const Manifest> old = this->manifest();
    manifest.number = old->number + 1;
    LB_TRY(write_manifest(disk_, directory_, super_.store_id, manifest));
    std::vector<SegmentId> unneeded;
    for (const ColdFile& cold : old->cold) {
        if (std::ranges::find(manifest.cold, cold.segment, &ColdFile::segment) ==
            manifest.cold.end()) {
            unneeded.push_back(cold.segment);
        }
    }
    {
        std::lock_guard lock(mutex_);
        auto kept = std::ranges::lower_bound(segments_, manifest.base.first_segment, {},
                                             &SegmentSummary::segment);
        LB_ASSERT(kept != segments_.end());
        for (auto gone = segments_.begin(); gone != kept; ++gone) {
            unneeded.push_back(gone->segment);
            sealed_bytes_ -= gone->end_offset;
        }
        segments_.erase(segments_.begin(), kept);
        manifest_ = std::make_shared<const Manifest>(std::move(manifest));
    }
    for (SegmentId segment : unneeded) {
        files_.forget(segment);
        // What cannot be removed now is removed by the next open: nothing names it any more.
        static_cast<void>(disk_.remove(segment_path(directory_, segment)).is_ok());
    }
    return ok();
}

std::vector<SegmentSummary> Log::full_segments() const {
    std::lock_guard lock(mutex_);
    return {segments_.begin(), std::prev(segments_.end())};
}

Result<LogBase> Log::base_at(SegmentId segment) {
    std::shared_ptr<File> file = LB_TRY(files_.get(segment));
    std::array<std::byte, kSegmentHeaderBytes> bytes;
    LB_TRY(file->read_at(0, bytes));
    SegmentHeader header = LB_TRY(decode_segment_header(bytes));
    return LogBase{.first_segment = segment,
                   .previous_sequence = header.first_sequence - 1,
                   .previous_frame_hash = header.previous_frame_hash,
                   .previous_written_at = header.previous_written_at};
}

Status Log::visit_segments(SegmentId end, const std::function<Status(const ReplayFrame&)>& visit) {
    for (const SegmentSummary& segment : full_segments()) {
        if (segment.segment >= end) break;
        LB_TRY(replay_segment(segment, kSegmentHeaderBytes, segment.first_sequence, visit));
    }
    return ok();
}

Status Log::visit_cold_segment(const ColdFile& cold,
                               const std::function<Status(const ReplayRecord&)>& visit) {
    std::shared_ptr<File> file = LB_TRY(files_.get(cold.segment));
    return visit_cold(*file, super_.store_id, cold, visit);
}

std::unique_ptr<ColdWriter> Log::cold_writer(SegmentId segment) {
    return std::make_unique<ColdWriter>(disk_, directory_, super_.store_id, segment);
}

}  // namespace lb::store
