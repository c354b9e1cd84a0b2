// ReclaimThread: runs reclaim beside the store's work, at a bounded rate, and hurries when the disk
// gets full. Thread-safe.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "store/reclaim.h"
#include "store/write_throttle.h"

namespace lb::store {

struct ReclaimThreadOptions {
    std::string directory;
    bool has_thread = true;
    // Free space below which every full segment is worked on, without pauses.
    uint64_t short_of_space_bytes = uint64_t{1} << 30;
    // Of a second that reclaim may work when there is no hurry.
    double work_share = 0.3;
    // Debt (ReclaimStatistics) from which on reclaim works more and writers are slowed down, and
    // from which on both as much as ever.
    uint64_t debt_from_bytes = uint64_t{1} << 30;
    uint64_t debt_full_bytes = uint64_t{4} << 30;
    // Called after the step after which nothing more is reclaimed, without the lock of the store.
    std::function<void(const Error&)> on_stopped = {};
};

class ReclaimThread {
public:
    ReclaimThread(SegmentLog& log, Projection& projection, Disk& disk, std::mutex& change_mutex,
                  std::function<bool(LineId, InodeId)> is_open, ReclaimThreadOptions options);
    ~ReclaimThread() { stop(); }

    Status resume() { return reclaim_.resume(); }
    // The first call starts the thread.
    void set_windows(const RestoreWindows& windows);
    // One step by the caller. false: nothing to do, or no windows yet.
    Result<bool> step_now();
    // While it is held no step runs: files stay where they are. Waits for a step that is running.
    std::unique_lock<std::mutex> hold() { return std::unique_lock(step_mutex_); }
    void line_removed();
    ReclaimStatistics statistics() const { return reclaim_.statistics(); }
    WriteThrottle& throttle() { return throttle_; }
    // Returns when no step is running; none starts afterwards.
    void stop();

private:
    void run();
    bool may_go_on();
    Urgency urgency();
    void update_pressure();
    std::optional<RestoreWindows> windows();

    Disk& disk_;
    const ReclaimThreadOptions options_;
    Reclaim reclaim_;
    WriteThrottle throttle_;
    std::mutex step_mutex_;  // one step at a time

    std::mutex mutex_;
    std::condition_variable wanted_;
    std::optional<RestoreWindows> windows_;
    bool is_stopping_ = false;
    bool is_woken_ = false;
    bool is_hurrying_ = false;
    std::chrono::steady_clock::time_point work_began_{};
    std::thread thread_;
};

}  // namespace lb::store
