// Wall clock behind an interface, so that tests decide what time it is.
#pragma once

#include "base/ids.h"

namespace lb {

class Clock {
public:
    virtual ~Clock() = default;
    virtual WallTime now() = 0;
};

// The system's clock. Thread-safe.
Clock& system_clock();

// "2026-04-12T09:30:00Z", whole seconds, UTC.
std::string format_time(WallTime time);

}  // namespace lb
