// FuseUring: FUSE over io_uring, the shorter way of requests and answers where the kernel offers it
// (Linux 6.14 and newer, switched on by an administrator).
//
// There is a queue for each processor, served by a thread that is bound to it. A request is
// answered on the processor of the program that waits for it: that costs two changes of the running
// thread, where /dev/fuse costs waking another processor up and being woken up by it. The answer
// and the wait for the next request are one system call.
//
// The connection begins on /dev/fuse, which goes on to carry what io_uring does not: FORGET,
// INTERRUPT, and notifications. If the kernel refuses the queues, it also carries all the rest.
//
//   FuseUring::prepare()   before the answer to FUSE_INIT says yes
//   start()                right after it: until all queues are there, the kernel sends nothing
//   stop()
//
// reply() from any thread.
#pragma once

#include <memory>
#include <vector>

#include "store/fuse_thread.h"
#include "store/fuse_uring_queue.h"

namespace lb::store {

class FuseUring {
public:
    // Errors: kFuseMissing.
    static Result<std::unique_ptr<FuseUring>> prepare();
    ~FuseUring() { stop(); }

    void start(int descriptor, FuseUringHandlers handlers);
    void stop();

    // True if the answer is for a request that came by io_uring; then it is on its way.
    bool reply(std::span<const iovec> pieces);

private:
    void run_queue(uint16_t number);

    int descriptor_ = -1;
    FuseUringHandlers handlers_;
    std::vector<std::unique_ptr<FuseUringQueue>> queues_;
    std::atomic<uint16_t> next_queue_{0};
    InterruptibleThreads threads_;
};

}  // namespace lb::store
