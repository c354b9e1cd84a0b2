#include "engine/compute_pool.h"

#include <algorithm>
#include <filesystem>

#include "base/text.h"
#include "engine/compute_pool_parallel.h"

namespace lb::engine {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kStopPatience{20};
// A server that ends sooner than this after its start has failed quickly: the next start waits,
// each time twice as long. One that was up is always started again; one that does not come up is
// given up after some tries, until somebody asks for it.
constexpr seconds kQuickFailure{10};
constexpr uint32_t kStartFailuresMax = 5;
constexpr milliseconds kFirstPause{200};
constexpr milliseconds kPauseMax{5000};
constexpr size_t kParallelStops = 8;

Error closed_error() {
    return Error{.code = ErrorCode::kComputeStartFailed, .message = "lb is stopping"};
}

Error retired_error() {
    return Error{.code = ErrorCode::kBusy,
                 .message = "the branch is being moved to another state",
                 .help = "try again in a moment"};
}

std::string failure_text(const Error& error) {
    std::string text = error.message;
    for (const std::string& note : error.notes) text += "\n" + note;
    return text;
}

}  // namespace

ComputePool::ComputePool(ComputePoolOptions options)
    : options_(std::move(options)), supervisor_([this] { supervise(); }) {}

ComputePool::~ComputePool() {
    {
        std::lock_guard lock(mutex_);
        is_closed_ = true;
    }
    wake_.notify_all();
    supervisor_.join();
    // Their callbacks use this pool, so they go before it does.
    for (auto& [line, entry] : entries_) entry->compute.reset();
}

std::string ComputePool::data_directory(LineId line) const {
    return cat(options_.mount_directory, '/', line.value());
}
std::string ComputePool::run_directory(const ComputeRequest& request) const {
    uint64_t number = request.run_number != 0 ? request.run_number : request.line.value();
    return cat(options_.run_directory, '/', number);
}
std::string ComputePool::log_file(LineId line) const {
    return cat(options_.log_directory, "/compute-", line.value(), ".log");
}

SqlTarget ComputePool::target(const ComputeRequest& request) const {
    return {.socket_directory = run_directory(request), .port = request.port};
}

ComputePool::EntryPointer ComputePool::find(LineId line) const {
    std::lock_guard lock(mutex_);
    auto found = entries_.find(line);
    return found == entries_.end() ? nullptr : found->second;
}

Result<ComputePool::EntryPointer> ComputePool::find_or_make(LineId line) {
    std::lock_guard lock(mutex_);
    if (is_closed_) return closed_error();
    EntryPointer& entry = entries_[line];
    if (entry == nullptr) entry = std::make_shared<Entry>();
    return entry;
}

Result<SqlTarget> ComputePool::start(const ComputeRequest& request) {
    EntryPointer entry = LB_TRY(find_or_make(request.line));
    std::lock_guard start_lock(entry->start_mutex);
    {
        std::lock_guard lock(mutex_);
        if (is_closed_ || entry->is_removed) return closed_error();
        if (entry->is_retired) return retired_error();
        entry->quick_failures = 0;
        entry->start_failures = 0;
    }
    return start_entry(*entry, request);
}

Result<SqlTarget> ComputePool::start_entry(Entry& entry, const ComputeRequest& request) {
    bool is_current = entry.compute != nullptr && entry.request.settings == request.settings &&
                      entry.request.port == request.port && entry.request.label == request.label &&
                      entry.request.run_number == request.run_number;
    if (is_current && entry.compute->status() == ComputeStatus::kRunning) return target(request);
    Status started = ok();
    if (!is_current) started = replace_compute(entry, request);
    if (started.is_ok()) started = entry.compute->start();
    bool is_held = false;
    {
        std::lock_guard lock(mutex_);
        entry.is_wanted = started.is_ok();
        entry.failure = started.is_ok() ? std::string() : failure_text(started.error());
        entry.started_at = std::chrono::steady_clock::now();
        is_held = entry.is_held;
    }
    LB_TRY(std::move(started));
    if (is_held) return target(request);
    Status settled = settle_entry(entry);
    if (!settled.is_ok()) {
        // Nobody may work on a branch of which part of an apply is missing.
        {
            std::lock_guard lock(mutex_);
            entry.is_wanted = false;
            entry.failure = failure_text(settled.error());
        }
        Status stopped = entry.compute->stop(kStopPatience);
        if (!stopped.is_ok()) entry.compute->kill();
        return std::move(settled).error();
    }
    return target(request);
}

Status ComputePool::replace_compute(Entry& entry, const ComputeRequest& request) {
    if (entry.compute != nullptr) LB_TRY(entry.compute->stop(kStopPatience));
    std::shared_ptr<Compute> compute = make_pool_compute(
        request, LB_TRY(find_postgres(request.pg_version, options_.postgres_bin_directory)));
    std::lock_guard lock(mutex_);
    entry.compute = std::move(compute);
    entry.request = request;
    return ok();
}

std::shared_ptr<Compute> ComputePool::make_pool_compute(const ComputeRequest& request,
                                                        PostgresInstallation postgres) {
    ComputeOptions options{
        .postgres = std::move(postgres),
        .line = request.line,
        .label = request.label,
        .data_directory = data_directory(request.line),
        .run_directory = run_directory(request),
        .log_file = log_file(request.line),
        .postgres_user = options_.postgres_user,
        .settings = request.settings,
        .port = request.port,
    };
    std::shared_ptr<Compute> compute = make_compute(std::move(options));
    LineId line = request.line;
    compute->on_exit([this, line] { schedule_restart(line, /*is_start_failure=*/false); });
    return compute;
}

Status ComputePool::settle_entry(Entry& entry) {
    if (!entry.request.settle) return ok();
    return entry.request.settle(target(entry.request));
}

Status ComputePool::stop(LineId line) {
    EntryPointer entry = find(line);
    if (entry == nullptr) return ok();
    std::shared_ptr<Compute> compute;
    {
        std::lock_guard lock(mutex_);
        entry->is_wanted = false;
        compute = entry->compute;
    }
    // Twice: the first makes a start() that is under way give up.
    if (compute != nullptr) LB_TRY(compute->stop(kStopPatience));
    std::lock_guard start_lock(entry->start_mutex);
    {
        std::lock_guard lock(mutex_);
        entry->is_wanted = false;
        entry->failure.clear();
    }
    if (entry->compute == nullptr) return ok();
    return entry->compute->stop(kStopPatience);
}

Status ComputePool::retire(LineId line) {
    EntryPointer entry = LB_TRY(find_or_make(line));
    {
        std::lock_guard lock(mutex_);
        entry->is_retired = true;
    }
    return stop(line);
}

void ComputePool::revive(LineId line) {
    EntryPointer entry = find(line);
    if (entry == nullptr) return;
    std::lock_guard lock(mutex_);
    entry->is_retired = false;
}

void ComputePool::remove(LineId line) {
    EntryPointer entry;
    std::shared_ptr<Compute> compute;
    {
        std::lock_guard lock(mutex_);
        auto found = entries_.find(line);
        if (found != entries_.end()) {
            entry = found->second;
            entry->is_wanted = false;
            entry->is_removed = true;
            compute = entry->compute;
            entries_.erase(found);
        }
    }
    if (entry != nullptr) {
        // Twice: the first makes a start() that is under way give up.
        if (compute != nullptr) compute->kill();
        std::lock_guard start_lock(entry->start_mutex);
        if (entry->compute != nullptr) entry->compute->kill();
    }
    std::error_code ignored;
    ComputeRequest request{.line = line};
    if (entry != nullptr && entry->request.line == line) request = entry->request;
    if (!is_run_directory_shared(request)) {
        std::filesystem::remove_all(run_directory(request), ignored);
    }
    std::filesystem::remove(log_file(line), ignored);
}

// By the server that runs for the same branch on the line that it moved to.
bool ComputePool::is_run_directory_shared(const ComputeRequest& request) const {
    std::lock_guard lock(mutex_);
    return std::ranges::any_of(entries_, [&](const auto& entry) {
        return run_directory(entry.second->request) == run_directory(request);
    });
}

Status ComputePool::stop_all() {
    std::vector<LineId> lines;
    {
        std::lock_guard lock(mutex_);
        is_closed_ = true;
        restarts_.clear();
        for (const auto& [line, entry] : entries_) lines.push_back(line);
    }
    wake_.notify_all();
    std::mutex result_mutex;
    Status result = ok();
    for_each_in_parallel(lines.size(), kParallelStops, [&](size_t i) {
        Status stopped = stop(lines[i]);
        std::lock_guard lock(result_mutex);
        if (!stopped.is_ok() && result.is_ok()) result = std::move(stopped);
    });
    return result;
}

void ComputePool::hold(LineId line) {
    EntryPointer entry = find(line);
    if (entry == nullptr) return;
    std::lock_guard lock(mutex_);
    entry->is_held = true;
}

void ComputePool::release(LineId line) {
    EntryPointer entry = find(line);
    if (entry == nullptr) return;
    // A start that saw the line held is over when we get here.
    std::lock_guard start_lock(entry->start_mutex);
    std::lock_guard lock(mutex_);
    entry->is_held = false;
}

Status ComputePool::settle(LineId line) {
    EntryPointer entry = find(line);
    if (entry == nullptr) return ok();
    std::lock_guard start_lock(entry->start_mutex);
    if (entry->compute == nullptr || entry->compute->status() != ComputeStatus::kRunning) {
        return ok();
    }
    return settle_entry(*entry);
}

ComputeHealth ComputePool::health(LineId line) const {
    std::shared_ptr<Compute> compute;
    bool is_wanted = false;
    ComputeHealth health;
    {
        std::lock_guard lock(mutex_);
        auto found = entries_.find(line);
        if (found == entries_.end()) return health;
        compute = found->second->compute;
        health.failure = found->second->failure;
        is_wanted = found->second->is_wanted;
    }
    if (compute != nullptr) health.status = compute->status();
    if (health.status == ComputeStatus::kRunning || health.status == ComputeStatus::kStarting) {
        health.failure.clear();
        return health;
    }
    // Ended unasked: it will be started again, perhaps after a pause.
    if (is_wanted && health.status == ComputeStatus::kFailed) {
        health.status = ComputeStatus::kStarting;
        return health;
    }
    if (health.status == ComputeStatus::kFailed && health.failure.empty()) {
        health.failure = compute->failure();
    }
    if (!health.failure.empty()) health.status = ComputeStatus::kFailed;
    return health;
}

std::optional<SqlTarget> ComputePool::running(LineId line) const {
    std::lock_guard lock(mutex_);
    auto found = entries_.find(line);
    if (found == entries_.end() || found->second->compute == nullptr) return std::nullopt;
    if (found->second->compute->status() != ComputeStatus::kRunning) return std::nullopt;
    return target(found->second->request);
}

std::vector<LineId> ComputePool::running_lines() const {
    std::lock_guard lock(mutex_);
    std::vector<LineId> lines;
    for (const auto& [line, entry] : entries_) {
        if (entry->compute == nullptr) continue;
        if (entry->compute->status() == ComputeStatus::kRunning) lines.push_back(line);
    }
    return lines;
}

void ComputePool::schedule_restart(LineId line, bool is_start_failure) {
    std::lock_guard lock(mutex_);
    auto found = entries_.find(line);
    if (found == entries_.end() || is_closed_) return;
    Entry& entry = *found->second;
    if (!entry.is_wanted) return;
    SteadyTime now = std::chrono::steady_clock::now();
    bool is_quick = is_start_failure || now - entry.started_at < kQuickFailure;
    entry.quick_failures = is_quick ? entry.quick_failures + 1 : 0;
    entry.start_failures = is_start_failure ? entry.start_failures + 1 : 0;
    if (entry.start_failures > kStartFailuresMax) {
        entry.is_wanted = false;
        if (entry.failure.empty()) entry.failure = entry.compute->failure();
        return;
    }
    milliseconds pause{0};
    if (entry.quick_failures > 1) {
        uint32_t doublings = std::min(entry.quick_failures - 2, uint32_t{10});
        pause = std::min(kFirstPause * (1 << doublings), kPauseMax);
    }
    restarts_.emplace(now + pause, line);
    wake_.notify_all();
}

void ComputePool::supervise() {
    std::unique_lock lock(mutex_);
    while (!is_closed_) {
        if (restarts_.empty() || is_paused_) {
            wake_.wait(lock);
            continue;
        }
        auto [due, line] = *restarts_.begin();
        if (std::chrono::steady_clock::now() < due) {
            wake_.wait_until(lock, due);
            continue;
        }
        restarts_.erase(restarts_.begin());
        is_restarting_ = true;
        lock.unlock();
        restart(line);
        lock.lock();
        is_restarting_ = false;
        wake_.notify_all();
    }
}

void ComputePool::restart(LineId line) {
    EntryPointer entry = find(line);
    if (entry == nullptr) return;
    std::lock_guard start_lock(entry->start_mutex);
    {
        std::lock_guard lock(mutex_);
        if (is_closed_ || entry->is_removed || entry->is_retired || !entry->is_wanted) return;
    }
    Result<SqlTarget> started = start_entry(*entry, entry->request);
    if (started.is_ok()) return;
    {
        std::lock_guard lock(mutex_);
        entry->is_wanted = true;  // start_entry() gave up; the pause decides
    }
    schedule_restart(line, /*is_start_failure=*/true);
}

}  // namespace lb::engine
