#include "cli/daemon/start.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <thread>
#include <vector>

#include "base/json.h"
#include "base/text.h"
#include "cli/daemon/environment.h"
#include "cli/protocol.h"
#include "cli/text_file.h"

namespace lb::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Recovery after a crash may read gigabytes of log.
constexpr std::chrono::minutes kStartPatience{10};
constexpr milliseconds kFirstNoticeAfter{2000};
constexpr size_t kLogTailLines = 15;

Error cannot_start(std::string_view what) {
    return system_error(ErrorCode::kDaemonStartFailed, what, errno);
}

// In the child, between fork and exec: only system calls.
[[noreturn]] void become_daemon(char* const* arguments, char* const* environment, int log,
                                int ready) {
    setsid();
    // A second fork, so that nobody has to wait for the daemon and it cannot get a terminal.
    pid_t daemon = fork();
    if (daemon != 0) _exit(daemon < 0 ? 1 : 0);
    int nothing = open("/dev/null", O_RDONLY);
    dup2(nothing, STDIN_FILENO);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    fcntl(ready, F_SETFD, 0);  // the one descriptor that goes along
    static_cast<void>(!chdir("/"));
    execve("/proc/self/exe", arguments, environment);
    _exit(1);
}

// As exec wants them.
std::vector<char*> pointers_to(std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    for (std::string& text : texts) pointers.push_back(text.data());
    pointers.push_back(nullptr);
    return pointers;
}

// Returns the reading end of the pipe for the daemon's ready_line().
Result<int> spawn_daemon(const Home& home, const PostgresChoice& postgres) {
    int log = open(home.daemon_log_path().c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log < 0) return cannot_start(cat("cannot open ", quoted(home.daemon_log_path())));
    int pipe_ends[2];
    if (pipe2(pipe_ends, O_CLOEXEC) != 0) return cannot_start("cannot make a pipe");
    std::vector<std::string> words = {"lb",    "--home",     home.directory,
                                      "serve", "--ready-fd", std::to_string(pipe_ends[1])};
    if (!postgres.user.empty()) words.insert(words.end(), {"--postgres-user", postgres.user});
    if (!postgres.bin_directory.empty()) {
        words.insert(words.end(), {"--postgres-bin", postgres.bin_directory});
    }
    std::vector<std::string> variables = daemon_environment();
    std::vector<char*> arguments = pointers_to(words);
    std::vector<char*> environment = pointers_to(variables);
    pid_t child = fork();
    if (child == 0) become_daemon(arguments.data(), environment.data(), log, pipe_ends[1]);
    int fork_errno = errno;
    close(log);
    close(pipe_ends[1]);
    int exit_status = 0;
    if (child > 0) waitpid(child, &exit_status, 0);
    if (child > 0 && exit_status == 0) return pipe_ends[0];
    close(pipe_ends[0]);
    errno = fork_errno;
    return cannot_start("cannot fork");
}

// The line, or what was written of it when the writer went away or the time was up.
std::string read_ready_line(int descriptor, const std::function<void(std::string_view)>& notice) {
    std::string text;
    auto started = steady_clock::now();
    bool has_noticed = false;
    while (steady_clock::now() - started < kStartPatience) {
        pollfd event{.fd = descriptor, .events = POLLIN, .revents = 0};
        int ready = poll(&event, 1, static_cast<int>(kFirstNoticeAfter.count()));
        if (ready < 0 && errno != EINTR) break;
        if (ready <= 0) {
            if (!std::exchange(has_noticed, true)) notice("the daemon is starting ...");
            continue;
        }
        char buffer[4096];
        ssize_t count = read(descriptor, buffer, sizeof(buffer));
        if (count <= 0) break;
        text.append(buffer, static_cast<size_t>(count));
        if (text.back() == '\n') break;
    }
    return text;
}

Status parse_ready_line(const Home& home, const std::string& line) {
    Result<Json> document = Json::parse(line);
    if (document.is_ok() && document->find("ready") != nullptr) return ok();
    if (document.is_ok()) return error_from_json(*document);
    Error error{.code = ErrorCode::kDaemonStartFailed,
                .message = "the daemon ended before it was ready",
                .help = "run it in the foreground to see more: lb serve"};
    Result<FileTail> log = last_lines(home.daemon_log_path(), kLogTailLines);
    if (log.is_ok() && !log->text.empty())
        error.notes.push_back(cat(home.daemon_log_path(), " ends with:\n", log->text));
    return error;
}

Status start_daemon(const Home& home, const PostgresChoice& postgres,
                    const std::function<void(std::string_view)>& notice) {
    int ready = LB_TRY(spawn_daemon(home, postgres));
    std::string line = read_ready_line(ready, notice);
    close(ready);
    return parse_ready_line(home, line);
}

}  // namespace

std::string ready_line(const Status& start) {
    if (!start.is_ok()) return to_json(start.error()).dump() + "\n";
    Json json = Json::object();
    json.set("ready", true);
    return json.dump() + "\n";
}

bool is_daemon_listening(const Home& home) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::string path = home.socket_path();
    LB_ASSERT(path.size() < sizeof(address.sun_path));  // find_home() has checked
    std::memcpy(address.sun_path, path.data(), path.size());
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return false;
    bool is_listening =
        connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
    close(descriptor);
    return is_listening;
}

Status ensure_daemon(const Home& home, const PostgresChoice& postgres,
                     const std::function<void(std::string_view)>& notice) {
    if (is_daemon_listening(home)) return ok();
    ComputeUser user = LB_TRY(find_compute_user(postgres.user));
    auto deadline = steady_clock::now() + kStartPatience;
    auto notice_at = steady_clock::now() + kFirstNoticeAfter;
    while (steady_clock::now() < deadline) {
        // Another client's daemon may be starting, or one stopping: wait for what comes of it.
        std::optional<pid_t> holder = home_holder(home);
        if (!holder.has_value()) {
            LB_TRY(prepare_home(home, user));
            Status started = start_daemon(home, postgres, notice);
            if (started.is_ok() || started.error().code != ErrorCode::kHomeInUse) return started;
        }
        if (is_daemon_listening(home)) return ok();
        if (holder.has_value() && steady_clock::now() >= notice_at) {
            notice(cat("waiting for the daemon that starts or stops (process ", *holder, ") ..."));
            notice_at = deadline;
        }
        std::this_thread::sleep_for(milliseconds(20));
    }
    return Error{.code = ErrorCode::kDaemonUnreachable,
                 .message = cat("the daemon of ", quoted(home.directory), " does not answer"),
                 .help = "lb logs --daemon shows what it is doing"};
}

Status wait_until_stopped(const Home& home, int patience_s) {
    auto deadline = steady_clock::now() + std::chrono::seconds(patience_s);
    while (std::optional<pid_t> holder = home_holder(home)) {
        if (steady_clock::now() >= deadline) {
            return Error{.code = ErrorCode::kDaemonUnreachable,
                         .message = cat("the daemon (process ", *holder, ") still runs after ",
                                        patience_s, " s"),
                         .help = "lb logs --daemon shows what it is doing"};
        }
        std::this_thread::sleep_for(milliseconds(10));
    }
    return ok();
}

}  // namespace lb::cli
