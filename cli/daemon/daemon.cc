#include "cli/daemon/daemon.h"

#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <thread>

#include "base/text.h"
#include "cli/daemon/environment.h"
#include "cli/daemon/parts.h"
#include "cli/daemon/start.h"
#include "cli/version.h"
#include "engine/process_starter.h"

namespace lb::cli {
namespace {

// Written to by signal handlers, stop requests and requests for a hand-over; read by serve().
int wake_event = -1;
std::atomic<bool> is_stop_requested = false;

void wake_up() {
    uint64_t one = 1;
    // Cannot fail in a way that matters: a full counter means that it is awake already.
    static_cast<void>(!write(wake_event, &one, sizeof(one)));
}

void request_stop() {
    is_stop_requested = true;
    wake_up();
}

void on_stop_signal(int) {
    int previous_errno = errno;
    request_stop();
    errno = previous_errno;
}

void on_ignored_signal(int) {}

sigset_t handled_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    for (int number : {SIGTERM, SIGINT, SIGHUP, SIGPIPE}) sigaddset(&signals, number);
    return signals;
}

// Handlers rather than SIG_IGN and blocked signals: those would be inherited by PostgreSQL.
Status install_signal_handlers() {
    wake_event = eventfd(0, EFD_CLOEXEC);
    if (wake_event < 0) {
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
    // Blocked by keep_stop_signals() before a hand-over.
    sigset_t signals = handled_signals();
    pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
    return ok();
}

// From here on signals wait for the next image to install its handlers.
void keep_stop_signals() {
    sigset_t signals = handled_signals();
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    if (is_stop_requested) raise(SIGTERM);
}

void wait_for_event() {
    uint64_t count = 0;
    while (read(wake_event, &count, sizeof(count)) < 0 && errno == EINTR) {
    }
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

// The client stops reading after this line.
void report_start(std::optional<int> descriptor, const Status& start) {
    if (!descriptor.has_value()) return;
    std::string line = ready_line(start);
    static_cast<void>(!write(*descriptor, line.data(), line.size()));
    close(*descriptor);
}

// Serves until somebody wants it to stop, or until everything is ready for another image.
Result<std::optional<Execution>> serve_requests(DaemonParts& parts, HandoverDesk& desk) {
    for (;;) {
        wait_for_event();
        std::optional<std::string> program = desk.take();
        if (is_stop_requested) return std::optional<Execution>{};
        if (!program) continue;
        Result<Execution> execution = parts.hand_over(*program);
        if (execution) return std::optional(*std::move(execution));
        desk.refuse(execution.error());
        if (parts.is_lost()) return std::move(execution).error();
        LB_TRY(parts.serve_again());
    }
}

// A hand-over ends it with everything still open: nothing of it may be destroyed before the process
// has become the next image.
Result<std::optional<Execution>> serve(const DaemonOptions& options, DaemonParts& parts,
                                       HandoverDesk& desk,
                                       const std::optional<Result<HandoverState>>& state) {
    Status started = parts.open(state);
    if (!started.is_ok()) {
        static_cast<void>(parts.close().is_ok());  // its errors are in the log
        parts.free_lock();
        report_start(options.ready_descriptor, started);
        return std::move(started).error();
    }
    log_line(
        cat("lb ", version(), " serves ", options.home.directory, " (process ", getpid(), ")"));
    report_start(options.ready_descriptor, started);
    notify_systemd();
    Result<std::optional<Execution>> served = serve_requests(parts, desk);
    if (served && served->has_value()) return served;
    log_line("stopping");
    desk.close();
    Status closed = parts.close();
    log_line("stopped");
    parts.keep_lock_until_exit();
    LB_TRY(std::move(closed));
    return served;
}

}  // namespace

std::vector<std::string> serve_arguments(const DaemonOptions& options, int handover_descriptor) {
    std::vector<std::string> words = {"lb",
                                      "--home",
                                      options.home.directory,
                                      "serve",
                                      "--handover-fd",
                                      std::to_string(handover_descriptor),
                                      "--scrub-rate",
                                      std::to_string(options.scrub_bytes_per_second >> 20)};
    if (!options.postgres_user.empty()) {
        words.insert(words.end(), {"--postgres-user", options.postgres_user});
    }
    if (!options.postgres_bin_directory.empty()) {
        words.insert(words.end(), {"--postgres-bin", options.postgres_bin_directory});
    }
    return words;
}

// The first thread only starts processes and becomes the next image; another one does the rest.
Status run_daemon(const DaemonOptions& options) {
    keep_daemon_environment();
    std::optional<Result<HandoverState>> state;
    if (options.handover_descriptor) {
        state = read_handover_file(*options.handover_descriptor);
        // Whatever was handed over: without the list of it it is of no use.
        if (!state->is_ok()) close_range(STDERR_FILENO + 1, ~0U, 0);
    }
    LB_TRY(install_signal_handlers());
    int end = eventfd(0, EFD_CLOEXEC);
    if (end < 0) {
        return system_error(ErrorCode::kDaemonStartFailed, "cannot make an eventfd", errno);
    }
    engine::become_starter_thread();
    HandoverDesk desk(wake_up);
    auto parts = std::make_unique<DaemonParts>(
        options, DaemonHooks{.request_stop = request_stop, .desk = &desk});
    Result<std::optional<Execution>> result = std::optional<Execution>{};
    std::thread server([&] {
        result = serve(options, *parts, desk, state);
        uint64_t one = 1;
        static_cast<void>(!write(end, &one, sizeof(one)));
    });
    engine::serve_process_starts(end);
    server.join();
    close(end);
    std::optional<Execution> execution = LB_TRY(std::move(result));
    if (!execution) return ok();
    keep_stop_signals();
    Error error = execute(*execution);
    log_line(to_text(error));
    _exit(static_cast<int>(ExitCode::kError));  // what is still open waits for what never comes
}

}  // namespace lb::cli
