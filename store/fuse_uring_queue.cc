#include "store/fuse_uring_queue.h"

#include <liburing.h>
#include <linux/fuse.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <mutex>
#include <thread>
#include <vector>

#include "base/assert.h"
#include "base/text.h"
#include "store/fuse_uring_abi.h"

namespace lb::store {

namespace {

// The kernel hands out the entry that was used last, so that few are ever touched: the others are
// for requests that wait for the disk meanwhile.
constexpr uint32_t kEntries = 32;
constexpr size_t kPageBytes = 4096;
// Per entry: its header in the first page; its payload after the second, whose end the request's
// headers are copied to, so that a request is one piece of memory.
constexpr size_t kPayloadStart = 2 * kPageBytes;
constexpr size_t kEntryBytes = kPayloadStart + FuseUringQueue::kPayloadBytes;

constexpr uint64_t kBell = UINT64_MAX;  // user data; otherwise the entry's number

struct Entry {
    FuseUringHeader* header = nullptr;
    std::byte* payload = nullptr;
    iovec buffers[2] = {};
    // The request that waits for its answer; 0: none.
    std::atomic<uint64_t> unique{0};
};

class Queue final : public FuseUringQueue {
public:
    explicit Queue(uint16_t number) : number_(number) {}
    ~Queue() override;

    Status open();
    void run(int descriptor, const FuseUringHandlers& handlers) override;
    void stop() override { is_stopped_.store(true, std::memory_order_release); }
    bool reply(uint64_t unique, std::span<const iovec> pieces) override;

private:
    io_uring_sqe* next_submission();
    void submit(uint32_t entry, FuseUringCommand command);
    void listen_to_bell();
    void ring_bell();
    void wait(std::optional<std::chrono::milliseconds> limit);
    void take_completions(const FuseUringHandlers& handlers);
    void take_completion(uint64_t user_data, int result, const FuseUringHandlers& handlers);
    void serve(Entry& entry, const FuseUringHandlers& handlers);
    void send_late_answers();

    const uint16_t number_;
    int descriptor_ = -1;
    bool has_ring_ = false;
    io_uring ring_{};
    std::byte* memory_ = nullptr;
    Entry entries_[kEntries];
    uint32_t lost_entries_ = 0;  // that the kernel does not take any more
    std::thread::id thread_;
    std::atomic<bool> is_stopped_{false};

    // Answers of other threads: only the ring's own thread submits. The bell wakes it up.
    int bell_ = -1;
    uint64_t bell_count_ = 0;
    std::mutex mutex_;
    std::vector<uint32_t> late_answers_;
};

// liburing 2.3 declares io_uring_enable_rings(), but has it not in its library.
void enable_ring(io_uring& ring) {
    long code =
        ::syscall(SYS_io_uring_register, ring.ring_fd, IORING_REGISTER_ENABLE_RINGS, nullptr, 0);
    LB_ASSERT(code == 0);
    static_cast<void>(io_uring_register_ring_fd(&ring));  // cheaper calls, if it works
}

Queue::~Queue() {
    if (has_ring_) io_uring_queue_exit(&ring_);
    if (memory_ != nullptr) ::munmap(memory_, kEntries * kEntryBytes);
    if (bell_ >= 0) ::close(bell_);
}

Status Queue::open() {
    io_uring_params parameters{};
    // The thread that will run it enables it, and becomes the only one to submit.
    parameters.flags = IORING_SETUP_SQE128 | IORING_SETUP_SINGLE_ISSUER |
                       IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_R_DISABLED;
    int code = io_uring_queue_init_params(2 * kEntries, &ring_, &parameters);
    if (code < 0) return system_error(ErrorCode::kFuseMissing, "cannot use io_uring", -code);
    has_ring_ = true;
    bell_ = ::eventfd(0, EFD_CLOEXEC);
    void* memory = ::mmap(nullptr, kEntries * kEntryBytes, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED || bell_ < 0) {
        return system_error(ErrorCode::kFuseMissing, "cannot set io_uring up", errno);
    }
    memory_ = static_cast<std::byte*>(memory);
    for (uint32_t i = 0; i < kEntries; ++i) {
        Entry& entry = entries_[i];
        std::byte* start = memory_ + i * kEntryBytes;
        entry.header = reinterpret_cast<FuseUringHeader*>(start);
        entry.payload = start + kPayloadStart;
        entry.buffers[0] = {entry.header, sizeof(FuseUringHeader)};
        entry.buffers[1] = {entry.payload, kPayloadBytes};
    }
    return ok();
}

void Queue::run(int descriptor, const FuseUringHandlers& handlers) {
    descriptor_ = descriptor;
    thread_ = std::this_thread::get_id();
    enable_ring(ring_);
    listen_to_bell();
    for (uint32_t i = 0; i < kEntries; ++i) submit(i, FuseUringCommand::kRegister);
    while (!is_stopped_.load(std::memory_order_acquire) && lost_entries_ < kEntries) {
        wait(handlers.wait_limit());
        take_completions(handlers);
    }
}

// There is room: each entry is submitted at most once at a time, and the bell.
io_uring_sqe* Queue::next_submission() {
    io_uring_sqe* submission = io_uring_get_sqe(&ring_);
    LB_ASSERT(submission != nullptr);
    std::memset(submission, 0, 2 * sizeof(io_uring_sqe));
    return submission;
}

void Queue::submit(uint32_t entry, FuseUringCommand command) {
    io_uring_sqe* submission = next_submission();
    submission->opcode = IORING_OP_URING_CMD;
    submission->fd = descriptor_;
    submission->cmd_op = static_cast<uint32_t>(command);
    submission->user_data = entry;
    FuseUringSubmission details{.queue = number_};
    if (command == FuseUringCommand::kRegister) {
        submission->addr = reinterpret_cast<uint64_t>(entries_[entry].buffers);
        submission->len = 2;
    } else {
        details.commit_id = entries_[entry].header->commit_id;
    }
    std::memcpy(submission->cmd, &details, sizeof details);
}

void Queue::listen_to_bell() {
    io_uring_sqe* submission = next_submission();
    io_uring_prep_read(submission, bell_, &bell_count_, sizeof bell_count_, 0);
    submission->user_data = kBell;
}

void Queue::ring_bell() {
    uint64_t one = 1;
    static_cast<void>(!::write(bell_, &one, sizeof one));  // cannot overflow in a lifetime
}

// Submits, and waits for a completion, a signal or the limit.
void Queue::wait(std::optional<std::chrono::milliseconds> limit) {
    if (!limit) {
        io_uring_submit_and_wait(&ring_, 1);
        return;
    }
    __kernel_timespec timeout{.tv_sec = limit->count() / 1000,
                              .tv_nsec = limit->count() % 1000 * 1'000'000};
    io_uring_cqe* first = nullptr;
    io_uring_submit_and_wait_timeout(&ring_, &first, 1, &timeout, nullptr);
}

void Queue::take_completions(const FuseUringHandlers& handlers) {
    io_uring_cqe* completion = nullptr;
    while (io_uring_peek_cqe(&ring_, &completion) == 0) {
        uint64_t user_data = completion->user_data;
        int result = completion->res;
        io_uring_cqe_seen(&ring_, completion);
        take_completion(user_data, result, handlers);
        // Nobody waits for an answer longer than his own request takes.
        if (io_uring_cq_ready(&ring_) > 0) io_uring_submit(&ring_);
    }
}

void Queue::take_completion(uint64_t user_data, int result, const FuseUringHandlers& handlers) {
    if (user_data == kBell) {
        send_late_answers();
        listen_to_bell();
    } else if (result < 0) {
        lost_entries_++;  // the connection has ended, or refuses
    } else {
        serve(entries_[user_data], handlers);
    }
}

void Queue::serve(Entry& entry, const FuseUringHandlers& handlers) {
    fuse_in_header header;
    std::memcpy(&header, entry.header->in_out, sizeof header);
    size_t payload_bytes = entry.header->payload_bytes;
    LB_ASSERT(header.len >= sizeof header + payload_bytes && payload_bytes <= kPayloadBytes);
    size_t operation_bytes = header.len - sizeof header - payload_bytes;
    LB_ASSERT(operation_bytes <= sizeof entry.header->operation);
    std::byte* operation = entry.payload - operation_bytes;
    std::memcpy(operation, entry.header->operation, operation_bytes);
    std::byte* start = operation - sizeof header;
    std::memcpy(start, &header, sizeof header);
    entry.unique.store(header.unique, std::memory_order_release);
    handlers.serve({start, header.len});
}

bool Queue::reply(uint64_t unique, std::span<const iovec> pieces) {
    for (uint32_t i = 0; i < kEntries; ++i) {
        Entry& entry = entries_[i];
        if (entry.unique.load(std::memory_order_acquire) != unique) continue;
        LB_ASSERT(pieces[0].iov_len == sizeof(fuse_out_header));
        std::memcpy(entry.header->in_out, pieces[0].iov_base, sizeof(fuse_out_header));
        size_t size = 0;
        for (const iovec& piece : pieces.subspan(1)) {
            LB_ASSERT(size + piece.iov_len <= kPayloadBytes);
            std::memcpy(entry.payload + size, piece.iov_base, piece.iov_len);
            size += piece.iov_len;
        }
        entry.header->payload_bytes = static_cast<uint32_t>(size);
        entry.unique.store(0, std::memory_order_release);
        if (std::this_thread::get_id() == thread_) {
            submit(i, FuseUringCommand::kCommitAndFetch);
            return true;
        }
        std::unique_lock lock(mutex_);
        late_answers_.push_back(i);
        bool is_first = late_answers_.size() == 1;
        lock.unlock();
        if (is_first) ring_bell();
        return true;
    }
    return false;
}

void Queue::send_late_answers() {
    std::vector<uint32_t> answered;
    {
        std::lock_guard lock(mutex_);
        answered.swap(late_answers_);
    }
    for (uint32_t entry : answered) submit(entry, FuseUringCommand::kCommitAndFetch);
}

}  // namespace

Result<std::unique_ptr<FuseUringQueue>> FuseUringQueue::make(uint16_t number) {
    auto queue = std::make_unique<Queue>(number);
    LB_TRY(queue->open());
    return std::unique_ptr<FuseUringQueue>(std::move(queue));
}

}  // namespace lb::store
