// FuseWriteJoiner: the way of a write request into the store. It puts together again the blocks
// that the kernel cut.
//
// When the kernel caches a file, it copies the program's buffer page by page; where a page of the
// buffer is not in memory just then, it ends the request and sends the rest of the same write(2) as
// the next one. The first request then ends inside a block, and a crash or a fork between the two
// would see a block that is half new and half old.
//
// So the end of a write that covers the beginning of a block, but not all of it, while the file
// goes on, is acknowledged and held back until its rest arrives; then the block is one frame. The
// kernel keeps the file locked during the whole write(2): the rest is the thread's next request and
// the next change of the file. Another request of the thread, another change of the file, or
// kHoldTime shows that the program meant to write a part; then it goes into the log as it is.
// (PostgreSQL writes whole blocks wherever a file goes on.)
//
// Not thread-safe: for the thread that answers a request. What it says of itself without changing
// anything (is_holding(), the counters) may be asked by others.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "store/fuse_handover.h"
#include "store/fuse_node.h"
#include "store/fuse_transport.h"

namespace lb::store {

struct WriteRequest {
    Node node;
    uint32_t thread = 0;  // who asks; 0: unknown
    uint64_t offset = 0;
    ByteView data = {};
};

struct WriteOutcome {
    Status status = ok();
    // After an error: so many bytes before the request were acknowledged and are lost, so that the
    // kernel must forget them. The program is told that its write(2) was short.
    uint64_t lost_bytes = 0;
};

class FuseWriteJoiner {
public:
    using SteadyTime = std::chrono::steady_clock::time_point;
    static constexpr std::chrono::milliseconds kHoldTime{100};

    FuseWriteJoiner(Store& store, FuseCache cache) : store_(store), cache_(cache) {}

    WriteOutcome write(const WriteRequest& request);

    bool is_holding() const { return is_holding_.load(std::memory_order_acquire); }
    // A request other than a write was received.
    void request_of_thread(uint32_t thread);
    void change_of_node(Node node);
    void time_passed(SteadyTime now);
    void let_go_of_all();

    // Puts what is held over what was read from the store.
    void overlay(Node node, uint64_t offset, std::span<std::byte> bytes) const;

    // The error of a part that was let go since the last call, for fsync(2) to report.
    Status take_failure(Node node);

    // What is held and what is to be reported, to and from another image of the process.
    void hand_over(FuseHandover& handover) const;
    void take_over(const FuseHandover& handover);

    // Writes that reached the store with a block cut although the file goes on.
    uint64_t split_write_count() const { return split_writes_.load(std::memory_order_relaxed); }
    uint64_t joined_write_count() const { return joined_writes_.load(std::memory_order_relaxed); }

private:
    struct Part {
        WriteRequest request;  // its data is `bytes`
        Bytes bytes;
        SteadyTime held_since;

        uint64_t end() const { return request.offset + bytes.size(); }
    };

    std::optional<Part> take_beginning_of(const WriteRequest& request);
    uint64_t bytes_to_hold(uint64_t start, uint64_t end, uint64_t size_bytes) const;
    void count_splits(uint64_t start, uint64_t end, uint64_t size_bytes);
    template <class Condition>
    void let_go_where(const Condition& condition);
    void let_go(const Part& part);
    void note_what_is_held() { is_holding_.store(!held_.empty(), std::memory_order_release); }

    Store& store_;
    const FuseCache cache_;
    std::vector<Part> held_;
    std::atomic<bool> is_holding_{false};
    Bytes joined_;
    std::vector<std::pair<Node, Error>> failures_;
    std::atomic<uint64_t> split_writes_{0};
    std::atomic<uint64_t> joined_writes_{0};
};

}  // namespace lb::store
