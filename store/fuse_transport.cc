#include "store/fuse_transport.h"

#define FUSE_USE_VERSION 314
#include <fuse3/fuse_lowlevel.h>
#include <linux/fuse.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <thread>
#include <vector>

#include "base/text.h"
#include "store/fuse_baton.h"
#include "store/fuse_connection.h"
#include "store/fuse_mount.h"

namespace lb::store {

namespace {

// -- Set-up of the connection --------------------------------------------------------------------
// libfuse derives max_pages from max_write; then a buffer that does not start on a page runs out of
// pages first, and its request ends inside a block. So the reply to FUSE_INIT is changed on its way
// out.

ssize_t read_hook(int descriptor, void* buffer, size_t size, void* user_data) {
    ssize_t count = ::read(descriptor, buffer, size);
    if (count >= static_cast<ssize_t>(sizeof(fuse_in_header))) {
        auto& connection = *static_cast<FuseConnection*>(user_data);
        const auto* header = static_cast<const fuse_in_header*>(buffer);
        connection.request_count.fetch_add(1, std::memory_order_relaxed);
        if (header->opcode == FUSE_INIT) connection.init_request = header->unique;
    }
    return count;
}

ssize_t write_hook(int descriptor, iovec* pieces, int count, void* user_data) {
    auto& connection = *static_cast<FuseConnection*>(user_data);
    if (connection.init_request != 0) {
        const auto* header = static_cast<const fuse_out_header*>(pieces[0].iov_base);
        bool is_reply = header->unique == std::exchange(connection.init_request, 0);
        if (is_reply && header->error == 0 && count == 2) {
            static_cast<fuse_init_out*>(pieces[1].iov_base)->max_pages = kFuseWritePagesMax;
        }
    }
    return ::writev(descriptor, pieces, count);
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

    void forget_line(LineId line) override;
    FuseStatistics statistics() const override;
    Status unmount() override;

private:
    void start_threads();
    void serve();
    bool serve_one(fuse_buf& buffer);

    FuseConnection connection_;
    Session session_;
    FuseBaton baton_;
    std::vector<std::thread> threads_;
};

Status Transport::start() {
    const std::string& directory = connection_.options.mount_directory;
    int descriptor = LB_TRY(mount_fuse(directory));
    Result<Session> session = make_session(connection_, descriptor);
    if (!session) {
        static_cast<void>(unmount_fuse(directory, UnmountMode::kDetach));
        return std::move(session).error();
    }
    session_ = std::move(session).value();
    start_threads();
    // The first answer shows that kernel and libfuse agreed on a protocol.
    struct stat attributes {};
    if (::stat(directory.c_str(), &attributes) == 0) return ok();
    int code = errno;
    static_cast<void>(unmount());
    return system_error(ErrorCode::kFuseMissing, cat("the new mount on ", quoted(directory)), code);
}

void Transport::start_threads() {
    // Signals are for the program's own threads.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (uint32_t i = 0; i <= std::max(connection_.options.pool_threads, 1u); ++i) {
        threads_.emplace_back([this] { serve(); });
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void Transport::serve() {
    fuse_buf buffer{};
    while (baton_.take()) {
        bool is_syncer = false;
        while (!is_syncer && serve_one(buffer)) is_syncer = connection_.syncs.claim();
        baton_.pass();
        if (is_syncer) connection_.syncs.run(connection_.store);
    }
    std::free(buffer.mem);
}

// Reads and answers one request. False: the connection has ended or shall end.
bool Transport::serve_one(fuse_buf& buffer) {
    if (baton_.is_stopped()) return false;
    int count = fuse_session_receive_buf(session_.get(), &buffer);
    if (count > 0) {
        fuse_session_process_buf(session_.get(), &buffer);
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
            .split_write_count = connection_.split_write_count.load(std::memory_order_relaxed)};
}

Status Transport::unmount() {
    if (!session_) return ok();
    const std::string& directory = connection_.options.mount_directory;
    Status status = unmount_fuse(directory, UnmountMode::kIfUnused);
    if (!status) status = unmount_fuse(directory, UnmountMode::kDetach);
    baton_.stop();
    // While files are open the connection goes on and its reader waits for a request: ask the
    // kernel to send us one. Fails if the connection has ended, and then nobody waits.
    static_cast<void>(fuse_lowlevel_notify_retrieve(session_.get(), FUSE_ROOT_ID, 0, 0, nullptr));
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    session_.reset();  // closes the connection: who still has files open is told ENOTCONN
    return status;
}

}  // namespace

Result<std::unique_ptr<FuseTransport>> FuseTransport::mount(Store& store, FuseOptions options) {
    auto transport = std::make_unique<Transport>(store, std::move(options));
    LB_TRY(transport->start());
    return std::unique_ptr<FuseTransport>(std::move(transport));
}

}  // namespace lb::store
