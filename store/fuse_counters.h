// FuseCounters: requests by operation, with how long their handlers took. Relaxed atomics, so that
// counting costs the reader of requests next to nothing.
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "base/latency_histogram.h"

namespace lb::store {

struct FuseOperationStatistics {
    std::string_view name;  // "read"
    LatencySnapshot latency;
};

class FuseCounters {
public:
    // `operation`: FUSE's opcode.
    void count(uint32_t operation, std::chrono::nanoseconds duration) {
        operations_[operation < kOperations ? operation : 0].add(duration);
    }
    // Those that happened, by opcode.
    std::vector<FuseOperationStatistics> statistics() const;

private:
    static constexpr uint32_t kOperations = 64;

    std::array<LatencyHistogram, kOperations> operations_;  // 0: unknown ones
};

}  // namespace lb::store
