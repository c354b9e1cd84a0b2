#include "store/log_group_commit.h"

namespace lb::store {

Status GroupCommit::wait(uint64_t sequence) {
    if (durable_sequence() >= sequence) return ok();
    std::unique_lock lock(mutex_);
    while (durable_sequence() < sequence) {
        if (has_failed_) {
            return Error{.code = ErrorCode::kStoreReadOnly,
                         .message = "the store stopped because a sync failed",
                         .help = "check the disk, then restart lb"};
        }
        if (is_flushing_) {
            round_ended_.wait(lock);
        } else {
            LB_TRY(lead(lock));
        }
    }
    return ok();
}

Status GroupCommit::lead(std::unique_lock<std::mutex>& lock) {
    is_flushing_ = true;
    lock.unlock();
    auto started = std::chrono::steady_clock::now();
    Result<uint64_t> flushed = flush_();
    flushes_.add(std::chrono::steady_clock::now() - started);
    lock.lock();
    is_flushing_ = false;
    if (flushed) {
        durable_sequence_.store(*flushed, std::memory_order_release);
    } else {
        has_failed_ = true;
    }
    round_ended_.notify_all();
    return flushed ? ok() : Status(std::move(flushed).error());
}

}  // namespace lb::store
