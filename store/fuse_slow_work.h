// FuseSlowWork: what one mount cannot answer at once, for threads that may wait. Syncs are
// collected: one thread at a time does all that have come, as one Store::sync() up to the newest
// sequence that was asked for, followed by all replies. Dropping cached ranges may wait for a
// request that waits for a sync, so it never keeps another thread from the syncs.
//
// Thread-safe.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <vector>

#include "store/store.h"

struct fuse_req;
struct fuse_session;

namespace lb::store {

class FuseSlowWork {
public:
    // Takes over an FSYNC request, to be answered by do_work().
    void sync(fuse_req* request, uint64_t sequence);

    // Makes the kernel drop what it caches of a part of a file. It may wait for requests to be
    // answered, so that a thread that answers requests must not do it.
    void forget_cached(uint64_t node_id, uint64_t offset, uint64_t length);

    // There is something that nobody is at.
    bool is_waiting() const { return is_waiting_.load(std::memory_order_acquire); }

    // Works until there is nothing left.
    void do_work(Store& store, fuse_session* session);

    // For threads that do nothing else: works whenever there is something, until stop(). What had
    // come before is done.
    void do_work_until_stopped(Store& store, fuse_session* session);
    void stop();

private:
    struct Sync {
        fuse_req* request = nullptr;
        uint64_t sequence = 0;
    };
    struct CachedRange {
        uint64_t node_id = 0;
        uint64_t offset = 0;
        uint64_t length = 0;
    };
    // Either syncs or ranges.
    struct Round {
        std::vector<Sync> syncs = {};
        std::vector<CachedRange> ranges = {};

        bool is_empty() const { return syncs.empty() && ranges.empty(); }
    };

    Round take_after(const Round& done);
    static void work_on(const Round& round, Store& store, fuse_session* session);
    void note_what_waits();

    std::mutex mutex_;
    std::condition_variable has_come_;
    std::vector<Sync> syncs_;
    std::vector<CachedRange> ranges_;
    bool is_syncing_ = false;
    bool is_stopped_ = false;
    // Lets is_waiting() do without the lock.
    std::atomic<bool> is_waiting_{false};
};

}  // namespace lb::store
