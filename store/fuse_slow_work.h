// FuseSlowWork: what one mount cannot answer at once. One thread does all of it: whoever finds work
// and nobody at it becomes the worker, and every round of it is one Store::sync() up to the newest
// sequence that was asked for, followed by all replies.
//
// Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <vector>

#include "store/store.h"

struct fuse_req;
struct fuse_session;

namespace lb::store {

class FuseSlowWork {
public:
    // Takes over an FSYNC request; run() will answer it.
    void sync(fuse_req* request, uint64_t sequence);

    // Makes the kernel drop what it caches of a part of a file. It may wait for requests to be
    // answered, so that the thread that reads requests must not do it.
    void forget_cached(uint64_t node_id, uint64_t offset, uint64_t length);

    // True for one caller at a time: that caller must call run().
    bool claim();

    // Works until nothing is left, and gives the claim back.
    void run(Store& store, fuse_session* session);

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
    struct Round {
        std::vector<Sync> syncs = {};
        std::vector<CachedRange> ranges = {};

        bool is_empty() const { return syncs.empty() && ranges.empty(); }
    };

    static void sync_all(Store& store, const std::vector<Sync>& syncs);

    std::mutex mutex_;
    Round waiting_;
    bool is_claimed_ = false;
    // Something waits and nobody is at it: lets claim() say no without the lock.
    std::atomic<bool> needs_worker_{false};
};

}  // namespace lb::store
