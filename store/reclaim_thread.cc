#include "store/reclaim_thread.h"

#include <algorithm>

namespace lb::store {

namespace {

using namespace std::chrono_literals;
constexpr auto kIdlePause = 2s;
constexpr auto kFailurePause = 10s;

}  // namespace

ReclaimThread::ReclaimThread(SegmentLog& log, Projection& projection, Disk& disk,
                             std::mutex& change_mutex, std::function<bool(LineId, InodeId)> is_open,
                             ReclaimThreadOptions options)
    : disk_(disk),
      options_(std::move(options)),
      reclaim_(log, projection, disk.clock(), change_mutex, std::move(is_open),
               {.may_go_on = [this] { return may_go_on(); }}) {}

void ReclaimThread::set_windows(const RestoreWindows& windows) {
    std::lock_guard lock(mutex_);
    windows_ = windows;
    is_woken_ = true;
    wanted_.notify_all();
    bool is_first = options_.has_thread && !thread_.joinable() && !is_stopping_;
    if (is_first) thread_ = std::thread([this] { run(); });
}

std::optional<RestoreWindows> ReclaimThread::windows() {
    std::lock_guard lock(mutex_);
    return is_stopping_ ? std::nullopt : windows_;
}

Result<bool> ReclaimThread::step_now() {
    std::lock_guard lock(step_mutex_);
    std::optional<RestoreWindows> windows = this->windows();
    if (!windows) return false;
    bool had_stopped = reclaim_.has_stopped();
    Result<bool> stepped = reclaim_.step(*windows, urgency());
    update_pressure();
    if (!stepped && !had_stopped && reclaim_.has_stopped() && options_.on_stopped) {
        options_.on_stopped(stepped.error());
    }
    return stepped;
}

void ReclaimThread::update_pressure() {
    if (reclaim_.has_stopped()) {  // slower writers would not help
        throttle_.set_pressure(0);
        return;
    }
    auto debt = static_cast<double>(reclaim_.statistics().debt_bytes);
    auto from = static_cast<double>(options_.debt_from_bytes);
    auto full = static_cast<double>(options_.debt_full_bytes);
    throttle_.set_pressure(std::clamp((debt - from) / (full - from), 0.0, 1.0));
}

Urgency ReclaimThread::urgency() {
    Result<uint64_t> free_bytes = disk_.free_bytes(options_.directory);
    bool is_short = free_bytes.is_ok() && *free_bytes < options_.short_of_space_bytes;
    std::lock_guard lock(mutex_);
    is_hurrying_ = is_short;
    return is_short ? Urgency::kSpaceIsShort : Urgency::kNormal;
}

void ReclaimThread::line_removed() {
    reclaim_.line_removed();
    std::lock_guard lock(mutex_);
    is_woken_ = true;
    wanted_.notify_all();
}

// Between two pieces of work: rests for as long as keeps the share.
bool ReclaimThread::may_go_on() {
    auto now = std::chrono::steady_clock::now();
    std::unique_lock lock(mutex_);
    if (!is_hurrying_ && thread_.get_id() == std::this_thread::get_id()) {
        double pressure = throttle_.pressure();
        double share = options_.work_share + (1 - options_.work_share) * pressure;
        auto rest = (now - work_began_) * ((1 - share) / share);
        wanted_.wait_for(lock, std::min<std::chrono::duration<double>>(rest, 1s),
                         [&] { return is_stopping_; });
    }
    work_began_ = std::chrono::steady_clock::now();
    return !is_stopping_;
}

void ReclaimThread::run() {
    std::unique_lock lock(mutex_);
    while (!is_stopping_) {
        is_woken_ = false;
        work_began_ = std::chrono::steady_clock::now();
        lock.unlock();
        Result<bool> stepped = step_now();
        lock.lock();
        // A full disk may get emptier; after anything else steps do nothing until a restart.
        if (stepped && *stepped) continue;
        wanted_.wait_for(lock, stepped ? kIdlePause : kFailurePause,
                         [&] { return is_stopping_ || is_woken_; });
    }
}

void ReclaimThread::stop() {
    {
        std::lock_guard lock(mutex_);
        is_stopping_ = true;
    }
    wanted_.notify_all();
    if (thread_.joinable()) thread_.join();
    std::lock_guard lock(step_mutex_);
}

}  // namespace lb::store
