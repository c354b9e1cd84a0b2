#include "store/fuse_uring.h"

#include <linux/fuse.h>
#include <sched.h>

#include <algorithm>
#include <cstring>
#include <fstream>

#include "base/text.h"

namespace lb::store {

namespace {

constexpr size_t kQueuesMax = 512;

// The kernel wants a queue for each processor that it can ever have: "0-7", "0,2-3".
Result<size_t> count_possible_processors() {
    std::ifstream file("/sys/devices/system/cpu/possible");
    size_t count = 0;
    for (size_t first = 0; file >> first;) {
        size_t last = first;
        if (file.peek() == '-') file.ignore() >> last;
        count = std::max(count, last + 1);
        if (file.peek() != ',') break;
        file.ignore();
    }
    if (count > 0 && count <= kQueuesMax) return count;
    return Error{.code = ErrorCode::kFuseMissing,
                 .message = cat("io_uring is not used with ", count, " processors")};
}

// A processor that is absent or forbidden has no programs either: then anywhere will do.
void bind_to_processor(uint16_t number) {
    cpu_set_t processors;
    CPU_ZERO(&processors);
    CPU_SET(number, &processors);
    static_cast<void>(::sched_setaffinity(0, sizeof processors, &processors));
}

// Where most answers come from.
thread_local FuseUringQueue* queue_of_thread = nullptr;

}  // namespace

Result<std::unique_ptr<FuseUring>> FuseUring::prepare() {
    size_t count = LB_TRY(count_possible_processors());
    auto uring = std::make_unique<FuseUring>();
    for (size_t i = 0; i < count; ++i) {
        uring->queues_.push_back(LB_TRY(FuseUringQueue::make(static_cast<uint16_t>(i))));
    }
    return uring;
}

void FuseUring::start(int descriptor, FuseUringHandlers handlers) {
    descriptor_ = descriptor;
    handlers_ = std::move(handlers);
    threads_.start(queues_.size(), [this] { run_queue(next_queue_++); });
}

void FuseUring::run_queue(uint16_t number) {
    bind_to_processor(number);
    ask_for_short_slices();
    queue_of_thread = queues_[number].get();
    queue_of_thread->run(descriptor_, handlers_);
    queue_of_thread = nullptr;
}

void FuseUring::stop() {
    for (auto& queue : queues_) queue->stop();
    threads_.stop();
    queues_.clear();
}

bool FuseUring::reply(std::span<const iovec> pieces) {
    uint64_t unique = static_cast<const fuse_out_header*>(pieces[0].iov_base)->unique;
    if (unique == 0) return false;  // a notification
    FuseUringQueue* own = queue_of_thread;
    if (own != nullptr && own->reply(unique, pieces)) return true;
    return std::ranges::any_of(queues_, [&](const auto& queue) {
        return queue.get() != own && queue->reply(unique, pieces);
    });
}

}  // namespace lb::store
