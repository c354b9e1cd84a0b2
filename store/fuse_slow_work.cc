#include "store/fuse_slow_work.h"

#define FUSE_USE_VERSION 314
#include <fuse3/fuse_lowlevel.h>

#include <algorithm>

#include "store/fuse_connection.h"

namespace lb::store {

void FuseSlowWork::sync(fuse_req* request, uint64_t sequence) {
    std::lock_guard lock(mutex_);
    waiting_.syncs.push_back({request, sequence});
    if (!is_claimed_) needs_worker_.store(true, std::memory_order_release);
}

void FuseSlowWork::forget_cached(uint64_t node_id, uint64_t offset, uint64_t length) {
    std::lock_guard lock(mutex_);
    waiting_.ranges.push_back({node_id, offset, length});
    if (!is_claimed_) needs_worker_.store(true, std::memory_order_release);
}

bool FuseSlowWork::claim() {
    if (!needs_worker_.load(std::memory_order_acquire)) return false;
    std::lock_guard lock(mutex_);
    if (is_claimed_ || waiting_.is_empty()) return false;
    is_claimed_ = true;
    needs_worker_.store(false, std::memory_order_release);
    return true;
}

void FuseSlowWork::run(Store& store, fuse_session* session) {
    for (;;) {
        Round round;
        {
            std::lock_guard lock(mutex_);
            LB_ASSERT(is_claimed_);
            std::swap(round, waiting_);
            if (round.is_empty()) {
                is_claimed_ = false;
                return;
            }
        }
        // A range that the kernel does not know is as good as dropped.
        for (const CachedRange& range : round.ranges) {
            static_cast<void>(fuse_lowlevel_notify_inval_inode(session, range.node_id,
                                                               static_cast<off_t>(range.offset),
                                                               static_cast<off_t>(range.length)));
        }
        sync_all(store, round.syncs);
    }
}

void FuseSlowWork::sync_all(Store& store, const std::vector<Sync>& syncs) {
    if (syncs.empty()) return;
    uint64_t newest = 0;
    for (const Sync& sync : syncs) newest = std::max(newest, sync.sequence);
    Status status = store.sync(newest);
    for (const Sync& sync : syncs) reply_status(sync.request, status);
}

}  // namespace lb::store
