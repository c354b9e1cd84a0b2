#include "cli/daemon/daemon.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <thread>
#include <utility>

#include "base/clock.h"
#include "base/text.h"
#include "cli/daemon/api.h"
#include "cli/daemon/damage_log.h"
#include "cli/daemon/environment.h"
#include "cli/daemon/start.h"
#include "cli/http_server.h"
#include "cli/version.h"
#include "engine/compute.h"
#include "engine/engine.h"
#include "engine/process_starter.h"
#include "store/fuse_transport.h"
#include "store/store.h"

namespace lb::cli {
namespace {

// Written to by signal handlers and stop requests; read by run_daemon().
int stop_event = -1;

void request_stop() {
    uint64_t one = 1;
    // Cannot fail in a way that matters: a full counter means that a stop is asked for already.
    static_cast<void>(!write(stop_event, &one, sizeof(one)));
}

void on_stop_signal(int) {
    int previous_errno = errno;
    request_stop();
    errno = previous_errno;
}

void on_ignored_signal(int) {}

// Handlers rather than SIG_IGN and blocked signals: those would be inherited by PostgreSQL.
Status install_signal_handlers() {
    stop_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (stop_event < 0) {
        return system_error(ErrorCode::kDaemonStartFailed, "cannot make an eventfd", errno);
    }
    struct sigaction action {};
    action.sa_flags = SA_RESTART;
    action.sa_handler = on_stop_signal;
    sigaction(SIGTERM, &action, nullptr);
    sigaction(SIGINT, &action, nullptr);
    action.sa_handler = on_ignored_signal;
    sigaction(SIGHUP, &action, nullptr);
    sigaction(SIGPIPE, &action, nullptr);
    return ok();
}

void wait_for_stop() {
    pollfd event{.fd = stop_event, .events = POLLIN, .revents = 0};
    while (poll(&event, 1, -1) < 0 && errno == EINTR) {
    }
}

void log_line(std::string_view text) {
    std::string line = cat(format_time(system_clock().now()), " ", text, "\n");
    std::fwrite(line.data(), 1, line.size(), stderr);
}

// Tells systemd (Type=notify) that we serve. Best effort, as sd_notify() is.
void notify_systemd() {
    const char* path = std::getenv("NOTIFY_SOCKET");
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path == nullptr || std::strlen(path) >= sizeof(address.sun_path)) return;
    std::memcpy(address.sun_path, path, std::strlen(path));
    socklen_t length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + std::strlen(path));
    if (address.sun_path[0] == '@') address.sun_path[0] = '\0';  // abstract
    int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return;
    constexpr std::string_view kReady = "READY=1";
    static_cast<void>(!sendto(descriptor, kReady.data(), kReady.size(), MSG_NOSIGNAL,
                              reinterpret_cast<const sockaddr*>(&address), length));
    close(descriptor);
}

// Everything a running daemon has, in the order in which it is opened.
struct Parts {
    std::optional<HomeLock> lock;
    std::unique_ptr<DamageLog> damage_log;
    std::unique_ptr<store::Store> store;
    std::unique_ptr<store::Scrubber> scrubber;
    std::unique_ptr<store::FuseTransport> transport;
    std::unique_ptr<engine::Engine> engine;
    std::unique_ptr<Api> api;
    std::unique_ptr<HttpServer> server;
};

Status open_parts(const DaemonOptions& options, Parts& parts) {
    const Home& home = options.home;
    ComputeUser user = LB_TRY(find_compute_user(options.postgres_user));
    LB_TRY(prepare_home(home, user));
    parts.lock.emplace(LB_TRY(HomeLock::take(home)));
    LB_TRY(install_signal_handlers());
    // Servers that outlived a killed daemon hang on its dead mount.
    if (size_t count = engine::kill_processes_in(home.mount_directory()); count > 0) {
        log_line(cat("ended ", count, " processes that an earlier daemon left"));
    }
    parts.damage_log = std::make_unique<DamageLog>(log_line);
    DamageLog* damage_log = parts.damage_log.get();
    parts.store = LB_TRY(store::Store::open(
        {.directory = home.store_directory(),
         .on_damage = [damage_log](const store::DamageMet& met) { damage_log->met(met); }}));
    damage_log->start(*parts.store);
    if (options.scrub_bytes_per_second > 0) {
        parts.scrubber = store::Scrubber::start(
            *parts.store,
            {.directory = home.store_directory(),
             .bytes_per_second = options.scrub_bytes_per_second,
             .on_problem = [damage_log](const store::Problem& p) { damage_log->found(p); }});
    }
    parts.transport = LB_TRY(store::FuseTransport::mount(
        *parts.store,
        {.mount_directory = home.mount_directory(), .uid = user.user_id, .gid = user.group_id}));
    parts.engine =
        LB_TRY(engine::Engine::open({.store = parts.store.get(),
                                     .mount_directory = home.mount_directory(),
                                     .run_directory = home.computes_directory(),
                                     .log_directory = home.log_directory(),
                                     .postgres_user = user.name,
                                     .postgres_bin_directory = options.postgres_bin_directory}));
    parts.api = std::make_unique<Api>(ApiParts{.engine = parts.engine.get(),
                                               .store = parts.store.get(),
                                               .transport = parts.transport.get(),
                                               .scrubber = parts.scrubber.get(),
                                               .check_directory = home.check_directory(),
                                               .request_stop = request_stop,
                                               .log_line = log_line});
    Api* api = parts.api.get();
    parts.server = LB_TRY(
        HttpServer::start({.socket_path = home.socket_path(), .body_max_bytes = kRequestMaxBytes},
                          [api](const HttpRequest& request) { return api->handle(request); }));
    return ok();
}

// Closes whatever is open, all of it whatever fails; the first error counts.
Status close_parts(Parts& parts) {
    Status first = ok();
    auto note = [&first](Status status) {
        if (status.is_ok()) return;
        log_line(cat("while stopping: ", to_text(status.error())));
        if (first.is_ok()) first = std::move(status);
    };
    if (parts.api != nullptr) parts.api->stop();
    if (parts.server != nullptr) parts.server->stop();
    parts.server.reset();
    parts.api.reset();
    if (parts.engine != nullptr) note(parts.engine->close());
    parts.engine.reset();
    if (parts.transport != nullptr) note(parts.transport->unmount());
    parts.transport.reset();
    parts.scrubber.reset();
    if (parts.damage_log != nullptr) parts.damage_log->stop();
    if (parts.store != nullptr) note(parts.store->close());
    parts.store.reset();
    return first;
}

// The client stops reading after this line.
void report_start(std::optional<int> descriptor, const Status& start) {
    if (!descriptor.has_value()) return;
    std::string line = ready_line(start);
    static_cast<void>(!write(*descriptor, line.data(), line.size()));
    close(*descriptor);
}

Status serve(const DaemonOptions& options) {
    Parts parts;
    Status started = open_parts(options, parts);
    if (!started.is_ok()) {
        static_cast<void>(close_parts(parts).is_ok());  // its errors are in the log
        parts.lock.reset();
        report_start(options.ready_descriptor, started);
        return started;
    }
    log_line(
        cat("lb ", version(), " serves ", options.home.directory, " (process ", getpid(), ")"));
    report_start(options.ready_descriptor, started);
    notify_systemd();
    wait_for_stop();
    log_line("stopping");
    Status closed = close_parts(parts);
    log_line("stopped");
    std::move(*parts.lock).keep_until_exit();
    return closed;
}

}  // namespace

// The first thread only starts processes; another one does the rest.
Status run_daemon(const DaemonOptions& options) {
    keep_daemon_environment();
    int end = eventfd(0, EFD_CLOEXEC);
    if (end < 0) {
        return system_error(ErrorCode::kDaemonStartFailed, "cannot make an eventfd", errno);
    }
    engine::become_starter_thread();
    Status result = ok();
    std::thread server([&] {
        result = serve(options);
        uint64_t one = 1;
        static_cast<void>(!write(end, &one, sizeof(one)));
    });
    engine::serve_process_starts(end);
    server.join();
    close(end);
    return result;
}

}  // namespace lb::cli
