#include "store/fuse_sync_queue.h"

#include <algorithm>

#include "store/fuse_connection.h"

namespace lb::store {

void FuseSyncQueue::add(fuse_req* request, uint64_t sequence) {
    std::lock_guard lock(mutex_);
    waiting_.push_back({request, sequence});
    if (!is_claimed_) needs_syncer_.store(true, std::memory_order_release);
}

bool FuseSyncQueue::claim() {
    if (!needs_syncer_.load(std::memory_order_acquire)) return false;
    std::lock_guard lock(mutex_);
    if (is_claimed_ || waiting_.empty()) return false;
    is_claimed_ = true;
    needs_syncer_.store(false, std::memory_order_release);
    return true;
}

void FuseSyncQueue::run(Store& store) {
    std::vector<Waiting> round;
    for (;;) {
        {
            std::lock_guard lock(mutex_);
            LB_ASSERT(is_claimed_);
            round.clear();
            round.swap(waiting_);
            if (round.empty()) {
                is_claimed_ = false;
                return;
            }
        }
        uint64_t newest = 0;
        for (const Waiting& waiting : round) newest = std::max(newest, waiting.sequence);
        Status status = store.sync(newest);
        for (const Waiting& waiting : round) reply_status(waiting.request, status);
    }
}

}  // namespace lb::store
