#include "store/fuse_slow_work.h"

#define FUSE_USE_VERSION 314
#include <fuse3/fuse_lowlevel.h>

#include <algorithm>
#include <utility>

#include "store/fuse_connection.h"

namespace lb::store {

void FuseSlowWork::sync(fuse_req* request, uint64_t sequence) {
    std::lock_guard lock(mutex_);
    syncs_.push_back({request, sequence});
    note_what_waits();
}

void FuseSlowWork::forget_cached(uint64_t node_id, uint64_t offset, uint64_t length) {
    std::lock_guard lock(mutex_);
    ranges_.push_back({node_id, offset, length});
    note_what_waits();
}

void FuseSlowWork::note_what_waits() {
    bool is_waiting = !ranges_.empty() || (!syncs_.empty() && !is_syncing_);
    is_waiting_.store(is_waiting, std::memory_order_release);
    if (is_waiting) has_come_.notify_one();
}

FuseSlowWork::Round FuseSlowWork::take_after(const Round& done) {
    std::lock_guard lock(mutex_);
    if (!done.syncs.empty()) is_syncing_ = false;
    Round round;
    if (!ranges_.empty()) {
        round.ranges.swap(ranges_);
    } else if (!is_syncing_) {
        round.syncs.swap(syncs_);
        is_syncing_ = !round.syncs.empty();
    }
    note_what_waits();
    return round;
}

void FuseSlowWork::work_on(const Round& round, Store& store, fuse_session* session) {
    // A range that the kernel does not know is as good as dropped.
    for (const CachedRange& range : round.ranges) {
        static_cast<void>(fuse_lowlevel_notify_inval_inode(session, range.node_id,
                                                           static_cast<off_t>(range.offset),
                                                           static_cast<off_t>(range.length)));
    }
    if (round.syncs.empty()) return;
    uint64_t newest = 0;
    for (const Sync& sync : round.syncs) newest = std::max(newest, sync.sequence);
    Status status = store.sync(newest);
    for (const Sync& sync : round.syncs) reply_status(sync.request, status);
}

void FuseSlowWork::do_work(Store& store, fuse_session* session) {
    Round round;
    for (;;) {
        round = take_after(round);
        if (round.is_empty()) return;
        work_on(round, store, session);
    }
}

void FuseSlowWork::do_work_until_stopped(Store& store, fuse_session* session) {
    for (;;) {
        {
            std::unique_lock lock(mutex_);
            has_come_.wait(lock, [&] { return is_stopped_ || is_waiting(); });
            if (!is_waiting()) return;
        }
        do_work(store, session);
    }
}

void FuseSlowWork::stop() {
    std::lock_guard lock(mutex_);
    is_stopped_ = true;
    has_come_.notify_all();
}

}  // namespace lb::store
