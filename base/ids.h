// The ids and units that more than one module speaks of.
#pragma once

#include <chrono>
#include <cstdint>

#include "base/strong_id.h"

namespace lb {

// A line: the store's write history behind a branch. Never reused. 0 is no line.
using LineId = StrongId<struct LineIdTag>;

// A point in the store's history: the sequence number of a mutation. Every position of a line is a
// crash-consistent image. Strictly increasing over the whole store; 0 is before everything.
using Position = StrongId<struct PositionTag>;

// The state that one apply left. Numbered from 1; 0 is "no apply yet".
using Generation = StrongId<struct GenerationTag>;

// Wall clock, nanoseconds since the Unix epoch, UTC.
using WallTime = std::chrono::sys_time<std::chrono::nanoseconds>;

// The largest position: "the head of a line, whatever it is".
inline constexpr Position kHead{UINT64_MAX};

}  // namespace lb
