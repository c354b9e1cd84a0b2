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

}  // namespace lb
