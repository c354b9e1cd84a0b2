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
#include <mutex>
#include <optional>
#include <span>
#include <string_view>

#include "base/text.h"
#include "store/fuse_baton.h"
#include "store/fuse_connection.h"
#include "store/fuse_mount.h"
#include "store/fuse_thread.h"
#include "store/fuse_uring_abi.h"

namespace lb::store {

namespace {

// -- Set-up of the connection --------------------------------------------------------------------
// libfuse derives max_pages from max_write; then a buffer that does not start on a page runs out of
// pages first, and its request ends inside a block. So the reply to FUSE_INIT is changed on its way
// out. It also says yes to io_uring.

constexpr const char* kUringHelp = "echo Y | sudo tee /sys/module/fuse/parameters/enable_uring";

Result<std::unique_ptr<FuseUring>> prepare_uring(FuseChannel channel, const fuse_init_in& offer) {
    if (channel == FuseChannel::kDevice) {
        return Error{.code = ErrorCode::kFuseMissing, .message = "io_uring is switched off"};
    }
    bool is_offered =
        (offer.flags & FUSE_INIT_EXT) != 0 && (offer.flags2 & kFuseInitFlags2Uring) != 0;
    if (is_offered) return FuseUring::prepare();
    return Error{.code = ErrorCode::kFuseMissing, .message = "the kernel does not offer io_uring"};
}

void note_init(FuseConnection& connection, const fuse_in_header& header) {
    const auto* bytes = reinterpret_cast<const std::byte*>(&header);
    connection.init.request.assign(bytes, bytes + header.len);
    connection.init.request_id = header.unique;
    fuse_init_in offer{};  // older kernels send less
    std::memcpy(&offer, &header + 1, std::min(header.len - sizeof header, sizeof offer));
    auto uring = prepare_uring(connection.options.channel, offer);
    if (uring) {
        connection.uring = std::move(uring).value();
    } else {
        connection.why_no_uring = uring.error().message;
    }
}

void complete_init(FuseConnection& connection, fuse_init_out& reply) {
    reply.max_pages = kFuseWritePagesMax;
    connection.has_large_requests = (reply.flags & FUSE_MAX_PAGES) != 0;
    if (!connection.uring) return;
    reply.flags |= FUSE_INIT_EXT;
    reply.flags2 |= kFuseInitFlags2Uring;
}

// -- Requests ------------------------------------------------------------------------------------

// Requests after which a file is not as it was, or must be in the log.
bool changes_node(uint32_t operation) {
    return operation == FUSE_SETATTR || operation == FUSE_OPEN || operation == FUSE_RELEASE ||
           operation == FUSE_FSYNC || operation == FUSE_FALLOCATE;
}

void note_request(FuseConnection& connection, const fuse_in_header& header) {
    connection.request_count.fetch_add(1, std::memory_order_relaxed);
    if (header.opcode == FUSE_INIT) note_init(connection, header);
    FuseWriteJoiner& writes = connection.writes;
    if (!writes.is_holding() || header.opcode == FUSE_WRITE) return;
    writes.request_of_thread(header.pid);
    if (changes_node(header.opcode)) writes.change_of_node(node_of(header.nodeid));
    writes.time_passed(std::chrono::steady_clock::now());
}

// Lets go of what has been held back long enough. Returns how long to wait for requests at most.
std::optional<std::chrono::milliseconds> look_at_held_writes(FuseConnection& connection) {
    if (!connection.writes.is_holding()) return std::nullopt;
    std::lock_guard alone(connection.answering);
    connection.writes.time_passed(std::chrono::steady_clock::now());
    return FuseWriteJoiner::kHoldTime;
}

// Sleeps until there is a request, a signal, or part of a block has been held back long enough.
void sleep_until_request(FuseConnection& connection, int descriptor) {
    pollfd source{descriptor, POLLIN, 0};
    std::optional<std::chrono::milliseconds> limit = look_at_held_writes(connection);
    ::poll(&source, 1, limit ? static_cast<int>(limit->count()) : -1);
    if (limit) look_at_held_writes(connection);
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
    return count;
}

size_t bytes_of(std::span<const iovec> pieces) {
    size_t bytes = 0;
    for (const iovec& piece : pieces) bytes += piece.iov_len;
    return bytes;
}

// True: the kernel must not get this reply, because it has got it long ago.
bool note_init_reply(FuseConnection& connection, std::span<const iovec> pieces) {
    FuseInit& init = connection.init;
    const auto* header = static_cast<const fuse_out_header*>(pieces[0].iov_base);
    if (header->unique != std::exchange(init.request_id, 0)) return false;
    if (header->error == 0 && pieces.size() == 2) {
        complete_init(connection, *static_cast<fuse_init_out*>(pieces[1].iov_base));
    }
    Bytes bytes;
    for (const iovec& piece : pieces) {
        const auto* start = static_cast<const std::byte*>(piece.iov_base);
        bytes.insert(bytes.end(), start, start + piece.iov_len);
    }
    init.is_as_before = !init.is_replay || bytes == init.reply;
    init.reply = std::move(bytes);
    return std::exchange(init.is_replay, false);
}

ssize_t write_hook(int descriptor, iovec* pieces, int count, void* user_data) {
    auto& connection = *static_cast<FuseConnection*>(user_data);
    std::span<const iovec> all(pieces, static_cast<size_t>(count));
    bool is_done = (connection.init.request_id != 0 && note_init_reply(connection, all)) ||
                   (connection.uring && connection.uring->reply(all));
    if (is_done) return static_cast<ssize_t>(bytes_of(all));
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

// One for the syncs while another drops cached ranges.
constexpr size_t kSlowThreads = 2;

// -- Transport -----------------------------------------------------------------------------------

class Transport final : public FuseTransport {
public:
    Transport(Store& store, FuseOptions options) : connection_(store, std::move(options)) {}
    ~Transport() override { static_cast<void>(unmount()); }

    Status start();
    Status adopt(int descriptor, const FuseHandover& handover);

    void forget_line(LineId line) override;
    FuseStatistics statistics() const override;
    Status check_hand_over() const override;
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
    void answer(fuse_buf& request);
    void start_uring();
    void serve_uring_request(std::span<std::byte> request);

    FuseConnection connection_;
    Session session_;
    FuseBaton baton_;
    InterruptibleThreads threads_;
    InterruptibleThreads slow_threads_;  // with io_uring, whose threads never wait for the disk
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
    if (!connection_.has_large_requests) {
        return Error{.code = ErrorCode::kFuseMissing,
                     .message = "the kernel's FUSE is too old to keep PostgreSQL's blocks whole",
                     .help = "use Linux 4.20 or newer"};
    }
    bool is_as_wanted =
        connection_.options.channel != FuseChannel::kUring || connection_.uring_request_count > 0;
    if (is_as_wanted) return ok();
    return Error{.code = ErrorCode::kFuseMissing,
                 .message = cat("FUSE over io_uring cannot be used: ",
                                connection_.uring ? "the kernel refused the queues"
                                                  : connection_.why_no_uring),
                 .help = kUringHelp};
}

void Transport::serve() {
    ask_for_short_slices();
    fuse_buf buffer{};
    while (baton_.take()) {
        bool has_slow_work = false;
        while (!has_slow_work && serve_one(buffer)) {
            has_slow_work = connection_.slow_work.is_waiting();
        }
        baton_.pass();
        if (has_slow_work) connection_.slow_work.do_work(connection_.store, session_.get());
    }
    std::free(buffer.mem);
}

// Reads and answers one request. False: the connection has ended or shall end.
bool Transport::serve_one(fuse_buf& buffer) {
    if (baton_.is_stopped()) return false;
    int count = fuse_session_receive_buf(session_.get(), &buffer);
    if (count > 0) {
        bool is_init = static_cast<const fuse_in_header*>(buffer.mem)->opcode == FUSE_INIT;
        answer(buffer);
        if (is_init && connection_.uring) start_uring();
        return true;
    }
    if (count == -EINTR || count == -EAGAIN) return true;
    baton_.stop();
    return false;
}

void Transport::answer(fuse_buf& request) {
    const auto& header = *static_cast<const fuse_in_header*>(request.mem);
    uint32_t operation = header.opcode;
    std::lock_guard alone(connection_.answering);
    auto started = std::chrono::steady_clock::now();
    note_request(connection_, header);
    fuse_session_process_buf(session_.get(), &request);
    connection_.counters.count(operation, std::chrono::steady_clock::now() - started);
}

// -- Requests that come by io_uring --------------------------------------------------------------

void Transport::start_uring() {
    slow_threads_.start(kSlowThreads, [this] {
        ask_for_short_slices();
        connection_.slow_work.do_work_until_stopped(connection_.store, session_.get());
    });
    connection_.uring->start(
        fuse_session_fd(session_.get()),
        {.serve = [this](std::span<std::byte> request) { serve_uring_request(request); },
         .wait_limit = [this] { return look_at_held_writes(connection_); }});
}

void Transport::serve_uring_request(std::span<std::byte> request) {
    fuse_buf buffer{};
    buffer.mem = request.data();
    buffer.size = request.size();
    connection_.uring_request_count.fetch_add(1, std::memory_order_relaxed);
    answer(buffer);
}

void Transport::forget_line(LineId line) {
    std::string name = to_string(line);
    // "Not cached" is as good as done.
    static_cast<void>(
        fuse_lowlevel_notify_inval_entry(session_.get(), FUSE_ROOT_ID, name.c_str(), name.size()));
}

FuseStatistics Transport::statistics() const {
    return {.request_count = connection_.request_count.load(std::memory_order_relaxed),
            .uring_request_count = connection_.uring_request_count.load(std::memory_order_relaxed),
            .split_write_count = connection_.writes.split_write_count(),
            .joined_write_count = connection_.writes.joined_write_count(),
            .operations = connection_.counters.statistics()};
}

Status Transport::check_hand_over() const {
    if (!connection_.uring) return ok();
    return Error{.code = ErrorCode::kHandoverRefused,
                 .message = "requests come by io_uring, whose queues end with this program",
                 .help = "lb stop ends the computes; the next command starts the new lb"};
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
    if (connection_.uring) {
        connection_.slow_work.stop();
        slow_threads_.stop();
        connection_.uring->stop();
    }
    connection_.writes.let_go_of_all();
    session_.reset();  // closes the connection: who still has files open is told ENOTCONN
    const std::string& directory = connection_.options.mount_directory;
    if (unmount_fuse(directory, UnmountMode::kIfUnused)) return ok();
    return unmount_fuse(directory, UnmountMode::kDetach);
}

}  // namespace

FuseChannel fuse_channel_of_environment() {
    const char* value = std::getenv("LB_FUSE_URING");
    if (value == nullptr) return FuseChannel::kFastest;
    if (std::string_view(value) == "off") return FuseChannel::kDevice;
    return std::string_view(value) == "on" ? FuseChannel::kUring : FuseChannel::kFastest;
}

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
