// Which generations of a project are asked for.
#pragma once

#include <cstdint>

#include "base/ids.h"

namespace lb::engine {

// Older ones are forgotten (engine/generation_log.h).
inline constexpr uint64_t kGenerationsKept = 1000;

// Which generations; all of them unless it says otherwise.
struct GenerationRange {
    Generation after = {};  // only newer ones than this
    uint64_t count_max = kGenerationsKept;
    bool operator==(const GenerationRange&) const = default;
};

}  // namespace lb::engine
