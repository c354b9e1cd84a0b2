#include "engine/process_child.h"

#include <signal.h>
#include <sys/wait.h>

#include <cerrno>
#include <future>
#include <thread>

namespace lb::engine {

Result<std::shared_ptr<ChildProcess>> ChildProcess::start(ProcessOptions options,
                                                          EndCallback on_end) {
    auto child = std::make_shared<ChildProcess>();
    std::promise<Result<pid_t>> started;
    std::future<Result<pid_t>> start_result = started.get_future();
    // Detached: it ends by itself, right after the child, and owns what it touches.
    std::thread([child, options = std::move(options), on_end = std::move(on_end),
                 started = std::move(started)]() mutable {
        Result<pid_t> pid = spawn_process(options);
        bool is_started = pid.is_ok();
        if (is_started) child->pid_ = *pid;
        started.set_value(std::move(pid));
        if (!is_started) return;
        child->watch();
        on_end(child.get(), *child->wait_status());
    }).detach();
    LB_TRY(start_result.get());
    return child;
}

bool ChildProcess::has_ended() const { return wait_status().has_value(); }

std::optional<int> ChildProcess::wait_status() const {
    std::lock_guard lock(mutex_);
    return wait_status_;
}

bool ChildProcess::wait_for(std::chrono::milliseconds duration) const {
    std::unique_lock lock(mutex_);
    return ended_.wait_for(lock, duration, [this] { return wait_status_.has_value(); });
}

bool ChildProcess::send_signal(int number) {
    std::lock_guard lock(mutex_);
    if (wait_status_) return false;
    return ::kill(pid_, number) == 0;
}

void ChildProcess::watch() {
    // First wait without reaping: the number stays taken until nobody can signal it any more.
    siginfo_t info{};
    while (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT) < 0 &&
           errno == EINTR) {
    }
    std::lock_guard lock(mutex_);
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    wait_status_ = status;
    ended_.notify_all();
}

}  // namespace lb::engine
