// Reading a segment file to the last byte, going on behind damage: what the check and the scrubber
// see of the log. The one place that knows how segments lie on disk for both.
#pragma once

#include <functional>
#include <vector>

#include "store/check.h"
#include "store/log_super.h"
#include "store/segment_log.h"

namespace lb::store {

// SUPER; if it cannot be read, that is a problem, and what it should say is taken from a segment.
// Errors: those of Disk; kStoreDamaged if no segment can be read either.
Result<Super> super_or_guess(Disk& disk, const std::string& directory,
                             const std::function<void(const Problem&)>& problem);

struct SurveyedSegment {
    SegmentId segment;
    uint64_t first_sequence = 0;  // of its first frame, by its place in the log; 0: unknown
    // Where its frames end; 0: where its footer says or nothing more is found.
    uint64_t end_offset = 0;
    bool is_sealed = false;  // it must have a footer
};

// What is to be read of a store whose log begins with segment `first` and ends at `end`; of one
// whose end is damaged: all there is. Errors: those of Disk. A segment that is missing is in the
// list.
Result<std::vector<SurveyedSegment>> list_segments(Disk& disk, const std::string& directory,
                                                   SegmentId first, std::optional<LogPlace> end);

struct SurveySink {
    // Each frame, in order, with the records that can be read; blocks also if only their payload is
    // damaged, because their place is known. A frame without a readable header has what was found
    // of its records.
    std::function<Status(const ReplayFrame&)> frame;
    std::function<void(Problem)> problem;
};

// Chain of frames across segments.
struct SurveyChain {
    bool is_known = true;  // false: begin wherever the next segment's header says
    uint64_t sequence = 0;
    std::optional<uint64_t> frame_hash = {};  // nullopt: unknown because of damage
    WallTime written_at{};
};

// Errors: those of reading the file, and of `sink.frame`.
Status survey_segment(Disk& disk, const std::string& directory, const Super& super,
                      const SurveyedSegment& segment, SurveyChain& chain, const SurveySink& sink);

}  // namespace lb::store
