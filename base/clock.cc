#include "base/clock.h"

namespace lb {

namespace {

class SystemClock final : public Clock {
public:
    WallTime now() override {
        return std::chrono::time_point_cast<std::chrono::nanoseconds>(
            std::chrono::system_clock::now());
    }
};

}  // namespace

Clock& system_clock() {
    static SystemClock clock;
    return clock;
}

}  // namespace lb
