// FuseBaton: one of several threads at a time reads requests. The reader answers what it can at
// once, so that a busy mount stays on one warm processor; before it waits for the disk it passes
// the baton.
//
//   while (baton.take()) { ...read and answer...; baton.pass(); ...wait for the disk... }
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>

namespace lb::store {

class FuseBaton {
public:
    // Waits for the baton. False: stopped.
    bool take() {
        std::unique_lock lock(mutex_);
        is_free_.wait(lock, [&] { return !is_held_ || is_stopped(); });
        if (is_stopped()) return false;
        is_held_ = true;
        return true;
    }

    void pass() {
        {
            std::lock_guard lock(mutex_);
            is_held_ = false;
        }
        is_free_.notify_one();
    }

    void stop() {
        {
            std::lock_guard lock(mutex_);
            is_stopped_.store(true, std::memory_order_release);
        }
        is_free_.notify_all();
    }

    // After stop(), when nobody holds or waits for it any more.
    void restart() {
        std::lock_guard lock(mutex_);
        is_held_ = false;
        is_stopped_.store(false, std::memory_order_release);
    }

    bool is_stopped() const { return is_stopped_.load(std::memory_order_acquire); }

private:
    std::mutex mutex_;
    std::condition_variable is_free_;
    bool is_held_ = false;
    std::atomic<bool> is_stopped_{false};
};

}  // namespace lb::store
