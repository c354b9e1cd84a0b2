// FuseSyncQueue: the FSYNC requests of one mount that must wait for the disk. One thread waits for
// all of them: whoever finds the queue waiting and nobody at work becomes the syncer, and every
// round of it is one Store::sync() up to the newest sequence asked for, followed by all replies.
//
// Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <vector>

#include "store/store.h"

struct fuse_req;

namespace lb::store {

class FuseSyncQueue {
public:
    // Takes over the request; run() will answer it.
    void add(fuse_req* request, uint64_t sequence);

    // True for one caller at a time: that caller must call run().
    bool claim();

    // Syncs and replies until nothing waits, and gives the claim back.
    void run(Store& store);

private:
    struct Waiting {
        fuse_req* request = nullptr;
        uint64_t sequence = 0;
    };

    std::mutex mutex_;
    std::vector<Waiting> waiting_;
    bool is_claimed_ = false;
    // Waiting and not claimed: lets claim() say no without the lock.
    std::atomic<bool> needs_syncer_{false};
};

}  // namespace lb::store
