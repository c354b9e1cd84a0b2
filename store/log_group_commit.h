// GroupCommit: many callers that wait for durability share one flush. The first to come leads: it
// flushes for all that were there before; those who come meanwhile wait for the next round.
// Thread-safe.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>

#include "base/latency_histogram.h"
#include "base/result.h"

namespace lb::store {

class GroupCommit {
public:
    // Makes everything that was written before the call durable; returns the newest sequence of
    // that. Called by one thread at a time, never again after it failed.
    using Flush = std::function<Result<uint64_t>()>;

    GroupCommit(Flush flush, uint64_t durable_sequence)
        : flush_(std::move(flush)), durable_sequence_(durable_sequence) {}

    // Returns when `sequence` is durable. The caller whose flush failed gets its error; everybody
    // after that gets kStoreReadOnly.
    Status wait(uint64_t sequence);

    uint64_t durable_sequence() const { return durable_sequence_.load(std::memory_order_acquire); }
    // Each flush, failed ones included.
    LatencySnapshot flushes() const { return flushes_.snapshot(); }
    uint64_t flush_count() const { return flushes().count(); }

private:
    Status lead(std::unique_lock<std::mutex>& lock);

    const Flush flush_;
    std::atomic<uint64_t> durable_sequence_;
    LatencyHistogram flushes_;

    std::mutex mutex_;
    std::condition_variable round_ended_;
    bool is_flushing_ = false;
    bool has_failed_ = false;
};

}  // namespace lb::store
