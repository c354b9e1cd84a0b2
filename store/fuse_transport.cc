#include "store/fuse_transport.h"

#define FUSE_USE_VERSION 314
#include <fuse3/fuse_lowlevel.h>
#include <linux/fuse.h>
#include <poll.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "base/text.h"
#include "store/fuse_baton.h"
#include "store/fuse_connection.h"
#include "store/fuse_mount.h"
#include "store/fuse_thread.h"

namespace lb::store {

namespace {

// -- Set-up of the connection --------------------------------------------------------------------
// libfuse derives max_pages from max_write; then a buffer that does not start on a page runs out of
// pages first, and its request ends inside a block. So the reply to FUSE_INIT is changed on its way
// out.

// Requests after which a file is not as it was, or must be in the log.
bool changes_node(uint32_t operation) {
    return operation == FUSE_SETATTR || operation == FUSE_OPEN || operation == FUSE_RELEASE ||
           operation == FUSE_FSYNC || operation == FUSE_FALLOCATE;
}

void note_request(FuseConnection& connection, const fuse_in_header& header) {
    connection.request_count.fetch_add(1, std::memory_order_relaxed);
    FuseWriteJoiner& writes = connection.writes;
    if (!writes.is_holding() || header.opcode == FUSE_WRITE) return;
    writes.request_of_thread(header.pid);
    if (changes_node(header.opcode)) writes.change_of_node(node_of(header.nodeid));
    writes.time_passed(std::chrono::steady_clock::now());
}

// Sleeps until there is a request, a signal, or part of a block has been held back long enough.
void sleep_until_request(FuseConnection& connection, int descriptor) {
    pollfd source{descriptor, POLLIN, 0};
    bool is_holding = connection.writes.is_holding();
    auto timeout_ms = is_holding ? static_cast<int>(FuseWriteJoiner::kHoldTime.count()) : -1;
    ::poll(&source, 1, timeout_ms);
    if (is_holding) connection.writes.time_passed(std::chrono::steady_clock::now());
}

// read(2), which found nothing yet: now, or after a sleep. -1 and EAGAIN: come again.
ssize_t read_late(FuseConnection& connection, int descriptor, void* buffer, size_t size) {
    using Clock = std::chrono::steady_clock;
    const Clock::time_point start = Clock::now();
    const bool spins = connection.spin.is_worth_it();
    ssize_t count = -1;
    while (spins && count < 0 && errno == EAGAIN && Clock::now() - start < FuseSpin::kSpinTime) {
        count = ::read(descriptor, buffer, size);
    }
    if (count < 0 && errno == EAGAIN) {
        sleep_until_request(connection, descriptor);
        count = ::read(descriptor, buffer, size);
    }
    if (count > 0) connection.spin.request_came_after(Clock::now() - start, spins);
    return count;
}

ssize_t read_hook(int descriptor, void* buffer, size_t size, void* user_data) {
    auto& connection = *static_cast<FuseConnection*>(user_data);
    ssize_t count = ::read(descriptor, buffer, size);
    if (count < 0 && errno == EAGAIN) count = read_late(connection, descriptor, buffer, size);
    if (count >= static_cast<ssize_t>(sizeof(fuse_in_header))) {
        const auto& header = *static_cast<const fuse_in_header*>(buffer);
        note_request(connection, header);
        if (header.opcode == FUSE_INIT) {
            const auto* bytes = static_cast<const std::byte*>(buffer);
            connection.init.request.assign(bytes, bytes + count);
            connection.init.request_id = header.unique;
        }
    }
    return count;
}

// True: the kernel must not get this reply, because it has got it long ago.
bool note_init_reply(FuseConnection& connection, const iovec* pieces, int count) {
    FuseInit& init = connection.init;
    const auto* header = static_cast<const fuse_out_header*>(pieces[0].iov_base);
    if (header->unique != std::exchange(init.request_id, 0)) return false;
    if (header->error == 0 && count == 2) {
        auto* reply = static_cast<fuse_init_out*>(pieces[1].iov_base);
        reply->max_pages = kFuseWritePagesMax;
        connection.has_large_requests = (reply->flags & FUSE_MAX_PAGES) != 0;
    }
    Bytes bytes;
    for (int i = 0; i < count; ++i) {
        const auto* piece = static_cast<const std::byte*>(pieces[i].iov_base);
        bytes.insert(bytes.end(), piece, piece + pieces[i].iov_len);
    }
    init.is_as_before = !init.is_replay || bytes == init.reply;
    init.reply = std::move(bytes);
    return std::exchange(init.is_replay, false);
}

ssize_t write_hook(int descriptor, iovec* pieces, int count, void* user_data) {
    auto& connection = *static_cast<FuseConnection*>(user_data);
    if (connection.init.request_id != 0 && note_init_reply(connection, pieces, count)) {
        ssize_t size = 0;
        for (int i = 0; i < count; ++i) size += static_cast<ssize_t>(pieces[i].iov_len);
        return size;
    }
    return ::writev(descriptor, pieces, count);
}

// Since Linux 6.13 an administrator may lower what max_pages the kernel grants.
Status check_page_limit() {
    std::ifstream file("/proc/sys/fs/fuse/max_pages_limit");
    uint32_t limit = 0;
    if (!(file >> limit) || limit >= kFuseWritePagesMax) return ok();
    return Error{.code = ErrorCode::kFuseMissing,
                 .message = cat("the kernel's fs.fuse.max_pages_limit is ", limit,
                                ", too small to keep PostgreSQL's blocks whole"),
                 .help = cat("sudo sysctl fs.fuse.max_pages_limit=", kFuseWritePagesMax)};
}

struct SessionDeleter {
    void operator()(fuse_session* session) const { fuse_session_destroy(session); }
};
using Session = std::unique_ptr<fuse_session, SessionDeleter>;

// Takes over `descriptor`.
Result<Session> make_session(FuseConnection& connection, int descriptor) {
    constexpr fuse_custom_io kHooks = {
        .writev = write_hook, .read = read_hook, .splice_receive = nullptr, .splice_send = nullptr};
    char name[] = "lb";
    char* arguments[] = {name, nullptr};
    fuse_args parsed = FUSE_ARGS_INIT(1, arguments);
    Session session(
        fuse_session_new(&parsed, &fuse_operations(), sizeof(fuse_lowlevel_ops), &connection));
    if (!session || fuse_session_custom_io(session.get(), &kHooks, descriptor) != 0) {
        ::close(descriptor);
        return Error{.code = ErrorCode::kInternal, .message = "libfuse refused to start"};
    }
    return session;
}

// -- Transport -----------------------------------------------------------------------------------

class Transport final : public FuseTransport {
public:
    Transport(Store& store, FuseOptions options) : connection_(store, std::move(options)) {}
    ~Transport() override { static_cast<void>(unmount()); }

    Status start();
    Status adopt(int descriptor, const FuseHandover& handover);

    void forget_line(LineId line) override;
    FuseStatistics statistics() const override;
    void pause() override;
    void resume() override;
    FuseHandover hand_over() const override;
    int descriptor() const override { return fuse_session_fd(session_.get()); }
    Status unmount() override;

private:
    Status replay_init(const FuseHandover& handover);
    Status check_first_answer();
    void serve();
    bool serve_one(fuse_buf& buffer);

    FuseConnection connection_;
    Session session_;
    FuseBaton baton_;
    InterruptibleThreads threads_;
};

Status Transport::start() {
    const std::string& directory = connection_.options.mount_directory;
    LB_TRY(check_page_limit());
    int descriptor = LB_TRY(mount_fuse(directory));
    Result<Session> session = make_session(connection_, descriptor);
    if (!session) {
        static_cast<void>(unmount_fuse(directory, UnmountMode::kDetach));
        return std::move(session).error();
    }
    session_ = std::move(session).value();
    resume();
    Status status = check_first_answer();
    if (!status) static_cast<void>(unmount());
    return status;
}

Status Transport::adopt(int descriptor, const FuseHandover& handover) {
    session_ = LB_TRY(make_session(connection_, descriptor));
    Status status = replay_init(handover);
    if (!status) {
        session_.reset();
        return status;
    }
    connection_.writes.take_over(handover);
    connection_.directories.take_over(handover);
    resume();
    return ok();
}

// libfuse serves no request before it has answered FUSE_INIT.
Status Transport::replay_init(const FuseHandover& handover) {
    FuseInit& init = connection_.init;
    Error refused{.code = ErrorCode::kFuseMissing,
                  .message = "this lb does not serve the mount as the one before it"};
    if (handover.init_request.size() < sizeof(fuse_in_header)) return refused;
    init = {.request = handover.init_request, .reply = handover.init_reply, .is_replay = true};
    fuse_in_header header;
    std::memcpy(&header, init.request.data(), sizeof header);
    init.request_id = header.unique;
    if (header.opcode != FUSE_INIT || init.request_id == 0) return refused;
    Bytes request = init.request;
    fuse_buf buffer{};
    buffer.mem = request.data();
    buffer.size = request.size();
    fuse_session_process_buf(session_.get(), &buffer);
    if (init.request_id != 0 || !init.is_as_before || !connection_.has_large_requests) {
        return refused;
    }
    return ok();
}

// The first answer shows that kernel and libfuse agreed on a protocol.
Status Transport::check_first_answer() {
    const std::string& directory = connection_.options.mount_directory;
    struct stat attributes {};
    if (::stat(directory.c_str(), &attributes) != 0) {
        return system_error(ErrorCode::kFuseMissing, cat("the new mount on ", quoted(directory)),
                            errno);
    }
    if (connection_.has_large_requests) return ok();
    return Error{.code = ErrorCode::kFuseMissing,
                 .message = "the kernel's FUSE is too old to keep PostgreSQL's blocks whole",
                 .help = "use Linux 4.20 or newer"};
}

void Transport::serve() {
    ask_for_short_slices();
    fuse_buf buffer{};
    while (baton_.take()) {
        bool has_slow_work = false;
        while (!has_slow_work && serve_one(buffer)) has_slow_work = connection_.slow_work.claim();
        baton_.pass();
        if (has_slow_work) connection_.slow_work.run(connection_.store, session_.get());
    }
    std::free(buffer.mem);
}

// Reads and answers one request. False: the connection has ended or shall end.
bool Transport::serve_one(fuse_buf& buffer) {
    if (baton_.is_stopped()) return false;
    int count = fuse_session_receive_buf(session_.get(), &buffer);
    if (count > 0) {
        uint32_t operation = static_cast<const fuse_in_header*>(buffer.mem)->opcode;
        auto started = std::chrono::steady_clock::now();
        fuse_session_process_buf(session_.get(), &buffer);
        connection_.counters.count(operation, std::chrono::steady_clock::now() - started);
        return true;
    }
    if (count == -EINTR || count == -EAGAIN) return true;
    baton_.stop();
    return false;
}

void Transport::forget_line(LineId line) {
    std::string name = to_string(line);
    // "Not cached" is as good as done.
    static_cast<void>(
        fuse_lowlevel_notify_inval_entry(session_.get(), FUSE_ROOT_ID, name.c_str(), name.size()));
}

FuseStatistics Transport::statistics() const {
    return {.request_count = connection_.request_count.load(std::memory_order_relaxed),
            .split_write_count = connection_.writes.split_write_count(),
            .joined_write_count = connection_.writes.joined_write_count(),
            .operations = connection_.counters.statistics()};
}

void Transport::pause() {
    baton_.stop();
    threads_.stop();
}

void Transport::resume() {
    baton_.restart();
    // One that reads requests, and those that wait for the disk meanwhile.
    threads_.start(1 + std::max(connection_.options.pool_threads, 1u), [this] { serve(); });
}

FuseHandover Transport::hand_over() const {
    FuseHandover handover{.init_request = connection_.init.request,
                          .init_reply = connection_.init.reply,
                          .open_inodes = connection_.store.open_inodes()};
    connection_.directories.hand_over(handover);
    connection_.writes.hand_over(handover);
    return handover;
}

Status Transport::unmount() {
    if (!session_) return ok();
    pause();
    connection_.writes.let_go_of_all();
    session_.reset();  // closes the connection: who still has files open is told ENOTCONN
    const std::string& directory = connection_.options.mount_directory;
    if (unmount_fuse(directory, UnmountMode::kIfUnused)) return ok();
    return unmount_fuse(directory, UnmountMode::kDetach);
}

}  // namespace

Result<std::unique_ptr<FuseTransport>> FuseTransport::mount(Store& store, FuseOptions options) {
    auto transport = std::make_unique<Transport>(store, std::move(options));
    LB_TRY(transport->start());
    return std::unique_ptr<FuseTransport>(std::move(transport));
}

Result<std::unique_ptr<FuseTransport>> FuseTransport::adopt(Store& store, FuseOptions options,
                                                            int descriptor,
                                                            const FuseHandover& handover) {
    auto transport = std::make_unique<Transport>(store, std::move(options));
    LB_TRY(transport->adopt(descriptor, handover));
    return std::unique_ptr<FuseTransport>(std::move(transport));
}

}  // namespace lb::store
