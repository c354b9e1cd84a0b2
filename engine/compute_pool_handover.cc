// Leaving servers to the next image of the daemon, and taking them over.
#include "base/text.h"
#include "engine/compute_pool.h"

namespace lb::engine {

Result<std::vector<HandedCompute>> ComputePool::pause(std::chrono::milliseconds patience) {
    std::vector<HandedCompute> handed;
    std::unique_lock lock(mutex_);
    is_paused_ = true;
    bool is_at_rest = wake_.wait_for(lock, patience, [this] { return !is_restarting_; });
    for (const auto& [line, entry] : entries_) {
        if (entry->compute == nullptr || entry->is_retired) continue;
        const ComputeRequest& request = entry->request;
        ComputeStatus status = entry->compute->status();
        is_at_rest &= status != ComputeStatus::kStarting && status != ComputeStatus::kStopping;
        pid_t pid = status == ComputeStatus::kRunning ? entry->compute->pid() : 0;
        if (pid == 0 && !entry->is_wanted && entry->failure.empty()) continue;
        handed.push_back({.line = line,
                          .pid = pid,
                          .is_wanted = entry->is_wanted,
                          .failure = entry->failure,
                          .label = request.label,
                          .postgres = entry->compute->options().postgres,
                          .settings = request.settings,
                          .port = request.port,
                          .run_number = request.run_number});
    }
    if (is_at_rest) return handed;
    lock.unlock();
    resume();
    return Error{.code = ErrorCode::kBusy,
                 .message = "a compute is still starting or stopping",
                 .help = "try again when lb status shows it running"};
}

void ComputePool::resume() {
    {
        std::lock_guard lock(mutex_);
        is_paused_ = false;
    }
    wake_.notify_all();
}

void ComputePool::adopt(const HandedCompute& handed, ComputeRequest request) {
    request.label = handed.label;
    request.pg_version = handed.postgres.major_version;
    request.settings = handed.settings;
    request.port = handed.port;
    request.run_number = handed.run_number;
    auto entry = std::make_shared<Entry>();
    entry->compute = make_pool_compute(request, handed.postgres);
    entry->request = std::move(request);
    entry->is_wanted = handed.is_wanted;
    entry->failure = handed.failure;
    entry->started_at = std::chrono::steady_clock::now();
    {
        std::lock_guard lock(mutex_);
        entries_[handed.line] = entry;
    }
    // One that ended while nobody watched is one that ended unasked.
    bool is_running = handed.pid != 0 && entry->compute->adopt(handed.pid).is_ok();
    if (!is_running) schedule_restart(handed.line, /*is_start_failure=*/false);
}

}  // namespace lb::engine
