// FuseUringQueue: one queue of FUSE over io_uring, with its ring, its entries and the loop of its
// thread. The kernel hands the requests of the programs on one processor to that processor's queue.
//
// An entry is a pair of buffers that goes to and fro: it comes with a request, and goes back with
// the answer to fetch the next one. A request that has to wait keeps its entry; when all are in
// use, further requests wait in the kernel until one is answered.
//
// Private to fuse_uring.cc. fuse_uring_queue.cc is the only file that knows liburing.
#pragma once

#include <sys/uio.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "base/result.h"

namespace lb::store {

struct FuseUringHandlers {
    // Answers a request, whose bytes are as read(2) of /dev/fuse gives them, now or later by
    // FuseUring::reply(). Called by several threads at once.
    std::function<void(std::span<std::byte> request)> serve;
    // Called before a thread waits for requests: how long at most.
    std::function<std::optional<std::chrono::milliseconds>()> wait_limit;
};

class FuseUringQueue {
public:
    // What the kernel may put into an entry's second buffer: a whole write, or a whole answer.
    static constexpr size_t kPayloadBytes = size_t{1} << 20;

    // Errors: kFuseMissing (io_uring is forbidden here, or has no memory).
    static Result<std::unique_ptr<FuseUringQueue>> make(uint16_t number);
    virtual ~FuseUringQueue() = default;

    // The life of the queue's thread: registers the entries with the connection `descriptor` and
    // serves until stop(), or until the connection has ended or refused all entries.
    virtual void run(int descriptor, const FuseUringHandlers& handlers) = 0;
    // The thread must be interrupted after this, or woken up by a signal.
    virtual void stop() = 0;

    // Sends the answer to `unique` if that is a request of this queue. From any thread.
    virtual bool reply(uint64_t unique, std::span<const iovec> pieces) = 0;
};

}  // namespace lb::store
