// LatencyHistogram: how often something was done and how long it took, in buckets that double: 1
// us, 2 us, 4 us ... 33.6 s. add() is three relaxed additions; it may be called from any thread,
// and read meanwhile.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstdint>

namespace lb {

struct LatencySnapshot {
    static constexpr size_t kBuckets = 26;

    // Of bucket i: took at most upper_bound(i), and more than the bucket before. One more for what
    // took longer than all.
    std::array<uint64_t, kBuckets + 1> counts{};
    uint64_t sum_ns = 0;

    static constexpr std::chrono::microseconds upper_bound(size_t bucket) {
        return std::chrono::microseconds(int64_t{1} << bucket);
    }
    uint64_t count() const {
        uint64_t total = 0;
        for (uint64_t in_bucket : counts) total += in_bucket;
        return total;
    }
};

class LatencyHistogram {
public:
    void add(std::chrono::nanoseconds duration) {
        auto ns = static_cast<uint64_t>(duration.count() < 0 ? 0 : duration.count());
        uint64_t microseconds = (ns + 999) / 1000;
        auto bucket = static_cast<size_t>(microseconds <= 1 ? 0 : std::bit_width(microseconds - 1));
        if (bucket > LatencySnapshot::kBuckets) bucket = LatencySnapshot::kBuckets;
        counts_[bucket].fetch_add(1, std::memory_order_relaxed);
        sum_ns_.fetch_add(ns, std::memory_order_relaxed);
    }
    LatencySnapshot snapshot() const {
        LatencySnapshot result;
        for (size_t i = 0; i < counts_.size(); i++) {
            result.counts[i] = counts_[i].load(std::memory_order_relaxed);
        }
        result.sum_ns = sum_ns_.load(std::memory_order_relaxed);
        return result;
    }

private:
    std::array<std::atomic<uint64_t>, LatencySnapshot::kBuckets + 1> counts_{};
    std::atomic<uint64_t> sum_ns_ = 0;
};

}  // namespace lb
