#include "engine/process_child.h"

#include <signal.h>
#include <sys/wait.h>

#include <cerrno>
#include <thread>

#include "base/text.h"
#include "engine/process_starter.h"

namespace lb::engine {

Result<std::shared_ptr<ChildProcess>> ChildProcess::start(const ProcessOptions& options,
                                                          EndCallback on_end) {
    std::optional<Result<pid_t>> pid;
    run_on_starter_thread([&] { pid = spawn_process(options); });
    return watch_over(LB_TRY(*std::move(pid)), std::move(on_end));
}

Result<std::shared_ptr<ChildProcess>> ChildProcess::adopt(pid_t pid, EndCallback on_end) {
    siginfo_t info{};
    if (::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT | WNOHANG) != 0) {
        return system_error(ErrorCode::kComputeLost, cat("process ", pid, " is no child of ours"),
                            errno);
    }
    return watch_over(pid, std::move(on_end));
}

std::shared_ptr<ChildProcess> ChildProcess::watch_over(pid_t pid, EndCallback on_end) {
    auto child = std::make_shared<ChildProcess>();
    child->pid_ = pid;
    // Detached: it ends by itself, right after the child, and owns what it touches.
    std::thread([child, on_end = std::move(on_end)] {
        child->watch();
        on_end(child.get(), *child->wait_status());
    }).detach();
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
