// When frames were written, in the index: one entry a second, the first frame of that second with
// its place in the log. The headers of the frames behind it say the rest exactly.
//
//   C ~time u64  ->  sequence u64, segment u64, offset u64 of the frame's header
//
// `~time`: nanoseconds since the Unix epoch, inverted, so that a seek finds the newest entry up to
// a time. A start of the store may add an entry to a second that has one already: each entry is
// true by itself.
#pragma once

#include <optional>
#include <string>
#include <string_view>

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
std::string encode_time_entry(const TimeEntry& entry);
std::optional<TimeEntry> decode_time_entry(std::string_view key, std::string_view value);

// Says of which frames an entry is made. Sees them in the order of the log.
class SecondTicks {
public:
    bool is_first_of_second(WallTime written_at) {
        auto second = std::chrono::floor<std::chrono::seconds>(written_at);
        return std::exchange(last_, second) != second;
    }

private:
    std::optional<std::chrono::sys_seconds> last_;
};

}  // namespace lb::store
