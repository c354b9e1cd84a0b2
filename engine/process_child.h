// ChildProcess: a long-lived child that is watched and does not outlive us.
//
// The starter thread (process_starter.h) starts it, so that its death signal comes exactly when our
// process dies, however it dies; a thread of its own waits for its end and reaps it.
//
// Thread-safe.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "engine/process_spawn.h"

namespace lb::engine {

class ChildProcess {
public:
    // Called on the background thread with the wait status, after has_ended() became true.
    using EndCallback = std::function<void(const ChildProcess* ended, int wait_status)>;

    // Errors: those of spawn_process(); then `on_end` is never called.
    static Result<std::shared_ptr<ChildProcess>> start(const ProcessOptions& options,
                                                       EndCallback on_end);

    // Watches a child that an earlier image of this process started. Errors: kComputeLost if we
    // have no such child; then `on_end` is never called.
    static Result<std::shared_ptr<ChildProcess>> adopt(pid_t pid, EndCallback on_end);

    pid_t pid() const { return pid_; }
    bool has_ended() const;
    // As waitpid() gives it; nullopt while it runs.
    std::optional<int> wait_status() const;
    // True if it has ended within `duration`.
    bool wait_for(std::chrono::milliseconds duration) const;
    // Never reaches another process that got the same number. False if it has ended.
    bool send_signal(int number);

private:
    static std::shared_ptr<ChildProcess> watch_over(pid_t pid, EndCallback on_end);
    void watch();

    mutable std::mutex mutex_;
    mutable std::condition_variable ended_;
    pid_t pid_ = 0;
    std::optional<int> wait_status_ = {};  // guarded by mutex_
};

}  // namespace lb::engine
