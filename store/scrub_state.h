// Where the scrubber is, in <store>/scrub.json. Not synced: losing it costs a pass.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "store/disk.h"
#include "store/format.h"

namespace lb::store {

struct ScrubState {
    SegmentId next_segment{1};
    uint64_t pass_count = 0;
    uint64_t problem_count = 0;       // of the pass under way
    uint64_t last_problem_count = 0;  // of the last complete one
    std::optional<WallTime> completed_at = {};

    bool operator==(const ScrubState&) const = default;
};

std::string encode_scrub_state(const ScrubState& state);
// nullopt for anything that the encoder would not have made.
std::optional<ScrubState> decode_scrub_state(std::string_view text);

// A new state if there is none that can be read.
ScrubState read_scrub_state(Disk& disk, const std::string& store_directory);
Status write_scrub_state(Disk& disk, const std::string& store_directory, const ScrubState& state);

}  // namespace lb::store
