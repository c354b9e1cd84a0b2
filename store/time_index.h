// When frames were written, in the index: one entry a second, the first frame of that second with
// its place in the log. The headers of the frames behind it say the rest exactly.
//
//   C ~time u64  ->  sequence u64, segment u64, offset u64 of the frame's header
//
// `~time`: nanoseconds since the Unix epoch, inverted, so that a seek finds the newest entry up to
// a time. Entries go back to the beginning of the hot log, which has one, too; history.h knows the
// points in time before that.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "store/index.h"
#include "store/index_keys.h"
#include "store/segment_log.h"

namespace lb::store {

struct TimeEntry {
    WallTime written_at{};
    LogPlace before;  // the frame is the first one after this place

    uint64_t sequence() const { return before.sequence + 1; }
    bool operator==(const TimeEntry&) const = default;
};

// As a bound: the first key at or after it is the newest entry up to `time`.
IndexKey time_key(WallTime time);
void put_time(IndexBatch& batch, const TimeEntry& entry);
// The newest frame that is no longer in the hot log: a walk from here sees what is.
TimeEntry entry_of_base(const LogBase& base);
std::optional<TimeEntry> decode_time_entry(std::string_view key, std::string_view value);
Error unreadable_time();

}  // namespace lb::store
