// WriteThrottle: slows writers down while reclaim is behind, each write a little, so that nobody
// ever has to stop. Thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

namespace lb::store {

class WriteThrottle {
public:
    static constexpr uint64_t kSlowestBytesPerSecond = uint64_t{16} << 20;

    // 0: not at all; 1: all writes together get kSlowestBytesPerSecond.
    void set_pressure(double pressure) { pressure_.store(pressure, std::memory_order_relaxed); }
    double pressure() const { return pressure_.load(std::memory_order_relaxed); }

    std::chrono::nanoseconds due_for(uint64_t bytes) const {
        double seconds = pressure() * static_cast<double>(bytes) / kSlowestBytesPerSecond;
        return std::chrono::nanoseconds(static_cast<int64_t>(seconds * 1e9));
    }

    // After a write, without locks held. Sleeps when a millisecond has come together.
    void charge(uint64_t bytes) {
        if (pressure() <= 0) return;
        int64_t cost = due_for(bytes).count();
        int64_t due = owed_ns_.fetch_add(cost) + cost;
        if (due < kSleepMin.count()) return;
        due = owed_ns_.exchange(0);
        if (due > 0) std::this_thread::sleep_for(std::chrono::nanoseconds(due));
    }

private:
    static constexpr std::chrono::nanoseconds kSleepMin = std::chrono::milliseconds{1};

    std::atomic<double> pressure_ = 0;
    std::atomic<int64_t> owed_ns_ = 0;
};

}  // namespace lb::store
