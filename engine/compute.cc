#include "engine/compute.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <mutex>
#include <thread>

#include "base/text.h"
#include "engine/compute_preparation.h"
#include "engine/postgres_leftovers.h"
#include "engine/postgres_log.h"
#include "engine/postgres_port.h"
#include "engine/process_child.h"
#include "engine/process_descriptor.h"
#include "engine/sql.h"

namespace lb::engine {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Recovery of a large WAL may take minutes, and ending it would only start it again.
constexpr std::chrono::minutes kStartPatience{10};
constexpr milliseconds kReadyPoll{1};
constexpr milliseconds kReadyPollLater{10};
constexpr milliseconds kReadyPollLaterAfter{500};
constexpr std::chrono::seconds kImmediatePatience{5};
constexpr std::chrono::seconds kKillPatience{10};
constexpr std::chrono::seconds kDestructorPatience{10};
constexpr size_t kTailLines = 20;

// What a line of the log means for the one who reads it.
struct LogHint {
    const char* pattern;
    const char* help;
};
constexpr LogHint kLogHints[] = {
    {"could not map anonymous shared memory", "choose a smaller compute or free memory"},
    {"could not create shared memory segment", "choose a smaller compute or free memory"},
    {"unrecognized configuration parameter", "undo the setting in postgresql.auto.conf"},
    {"configuration file", "undo the setting in postgresql.auto.conf"},
    {"could not access file", "undo shared_preload_libraries in postgresql.auto.conf"},
    {"Permission denied", "let the server's user enter every directory above the named one"},
    {"No space left on device", "free space on the disk of the home directory"},
};

std::string help_for(const std::string& log, const std::string& log_file) {
    for (const LogHint& hint : kLogHints) {
        if (log.find(hint.pattern) != std::string::npos) return hint.help;
    }
    return cat("read ", log_file);
}

// All that the background thread of a server touches: it may outlive the Compute for a moment.
class Core : public std::enable_shared_from_this<Core> {
public:
    explicit Core(ComputeOptions options) : options_(std::move(options)) {}

    Status start();
    Status adopt(pid_t pid);
    Status stop(std::chrono::seconds patience);
    void kill();
    void set_callback(std::function<void()> callback);
    ComputeStatus status() const;
    std::string failure() const;
    pid_t pid() const;
    const ComputeOptions& options() const { return options_; }

private:
    Status start_server();
    Status launch();
    Status wait_until_ready();
    Status check_answer() const;
    Error start_failure(std::string message) const;
    void end_server(std::chrono::seconds patience);
    void end_at_once();
    void end_everything();
    void handle_end(const ChildProcess* child, int wait_status);

    std::shared_ptr<ChildProcess> child() const {
        std::lock_guard lock(mutex_);
        return child_;
    }
    void set_status(ComputeStatus status, std::string failure) {
        std::lock_guard lock(mutex_);
        status_ = status;
        failure_ = std::move(failure);
    }

    const ComputeOptions options_;

    // Held by whoever starts, stops or cleans up, for as long as that takes.
    std::mutex operation_mutex_;
    std::atomic<int> stops_pending_ = 0;  // a start in progress gives way to them
    // Of the current start; guarded by operation_mutex_.
    uint64_t log_offset_ = 0;
    int stale_shared_memory_id_ = -1;

    mutable std::mutex mutex_;  // guards the following
    ComputeStatus status_ = ComputeStatus::kStopped;
    std::string failure_;
    std::shared_ptr<ChildProcess> child_;

    // Held during the callback, so that nobody can remove it under our feet; recursive, because the
    // callback may destroy the Compute.
    std::recursive_mutex callback_mutex_;
    std::function<void()> callback_;
};

Status Core::start() {
    std::lock_guard operation(operation_mutex_);
    if (status() == ComputeStatus::kRunning) return ok();
    set_status(ComputeStatus::kStarting, "");
    Status started = start_server();
    if (started.is_ok()) {
        set_status(ComputeStatus::kRunning, "");
    } else if (stops_pending_ > 0) {
        set_status(ComputeStatus::kStopped, "");
    } else {
        set_status(ComputeStatus::kFailed, started.error().message);
    }
    return started;
}

Status Core::adopt(pid_t pid) {
    std::lock_guard operation(operation_mutex_);
    log_offset_ = log_size_bytes(options_.log_file);
    auto core = shared_from_this();
    auto adopted = ChildProcess::adopt(
        pid, [core](const ChildProcess* ended, int status) { core->handle_end(ended, status); });
    if (!adopted) {
        set_status(ComputeStatus::kFailed, "the server ended while the daemon was handed over");
        return std::move(adopted).error();
    }
    std::lock_guard lock(mutex_);
    child_ = std::move(adopted).value();
    status_ = ComputeStatus::kRunning;
    return ok();
}

Status Core::start_server() {
    LB_TRY(launch());
    Status is_ready = wait_until_ready();
    if (is_ready.is_ok()) is_ready = check_answer();
    if (!is_ready.is_ok()) end_at_once();
    // Only now: the new server has had its chance to clean up more than we can.
    remove_shared_memory(stale_shared_memory_id_, options_.data_directory);
    return is_ready;
}

Status Core::launch() {
    std::optional<OsUser> user = LB_TRY(server_user(options_.postgres_user));
    stale_shared_memory_id_ = LB_TRY(prepare_start(options_, user));

    std::error_code failure;
    std::filesystem::create_directories(std::filesystem::path(options_.log_file).parent_path(),
                                        failure);
    // Opened by us: the server's user need not be able to.
    Descriptor log(
        ::open(options_.log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640));
    if (!log.is_open()) {
        return system_error(ErrorCode::kIo, cat("cannot open the log ", options_.log_file), errno);
    }
    log_offset_ = log_size_bytes(options_.log_file);

    ProcessOptions process{.arguments = server_arguments(options_),
                           .environment = clean_environment(),
                           .working_directory = options_.data_directory,
                           .user = user,
                           .output = log.get(),
                           .error_output = log.get(),
                           // Without us the files are gone: an immediate shutdown is all that is
                           // left to do, and it frees ports and shared memory.
                           .death_signal = SIGQUIT};
    auto core = shared_from_this();
    auto started = ChildProcess::start(process, [core](const ChildProcess* ended, int status) {
        core->handle_end(ended, status);
    });
    if (!started) {
        Error error = std::move(started).error();
        error.code = ErrorCode::kComputeStartFailed;
        return error;
    }
    std::lock_guard lock(mutex_);
    child_ = std::move(started).value();
    return ok();
}

// Asks the server's own state file: a connection attempt during recovery would cost the server a
// process and a line in the log each time.
Status Core::wait_until_ready() {
    auto started_at = steady_clock::now();
    std::shared_ptr<ChildProcess> server = child();
    while (true) {
        auto waited = steady_clock::now() - started_at;
        if (server->wait_for(waited < kReadyPollLaterAfter ? kReadyPoll : kReadyPollLater)) {
            return start_failure(cat("the server of ", options_.label, " does not start: ",
                                     describe_wait_status(*server->wait_status())));
        }
        if (stops_pending_ > 0) {
            return start_failure(
                cat("the server of ", options_.label, " was stopped while it was starting"));
        }
        std::optional<PostmasterFile> file = read_postmaster_file(options_.data_directory);
        if (file && file->pid == server->pid() && file->is_ready) return ok();
        if (waited > kStartPatience) {
            return start_failure(cat("the server of ", options_.label, " is not ready after ",
                                     format_duration(kStartPatience)));
        }
    }
}

Status Core::check_answer() const {
    auto session =
        SqlSession::connect({.socket_directory = options_.run_directory, .port = options_.port});
    Status answered = ok();
    if (!session) {
        answered = std::move(session).error();
    } else if (auto rows = (*session)->query("SELECT 1"); !rows) {
        answered = std::move(rows).error();
    }
    if (answered.is_ok()) return answered;
    Error error = start_failure(cat("the server of ", options_.label,
                                    " runs but does not answer: ", answered.error().message));
    return error;
}

Error Core::start_failure(std::string message) const {
    std::string log = log_tail(options_.log_file, log_offset_, kTailLines);
    if (tells_port_in_use(log)) {
        Error error = port_in_use(options_.port);
        error.notes.push_back(cat("last lines of ", options_.log_file, ":\n", log));
        return error;
    }
    std::string reason = last_failure_in(log);
    if (!reason.empty()) message += cat(": ", reason);
    Error error{.code = ErrorCode::kComputeStartFailed,
                .message = std::move(message),
                .help = help_for(log, options_.log_file)};
    if (!log.empty()) {
        error.notes.push_back(cat("last lines of ", options_.log_file, ":\n", log));
    }
    return error;
}

Status Core::stop(std::chrono::seconds patience) {
    ++stops_pending_;
    std::lock_guard operation(operation_mutex_);
    --stops_pending_;
    std::shared_ptr<ChildProcess> server = child();
    if (server && !server->has_ended()) {
        set_status(ComputeStatus::kStopping, "");
        end_server(patience);
    }
    set_status(ComputeStatus::kStopped, "");
    return ok();
}

// Fast shutdown, then immediate, then SIGKILL.
void Core::end_server(std::chrono::seconds patience) {
    std::shared_ptr<ChildProcess> server = child();
    server->send_signal(SIGINT);
    if (!server->wait_for(patience)) end_at_once();
}

// Immediate shutdown, which still frees the server's shared memory, then SIGKILL.
void Core::end_at_once() {
    std::shared_ptr<ChildProcess> server = child();
    server->send_signal(SIGQUIT);
    if (!server->wait_for(kImmediatePatience)) end_everything();
}

void Core::end_everything() {
    kill_processes_in(options_.data_directory);
    if (std::shared_ptr<ChildProcess> server = child()) {
        server->send_signal(SIGKILL);  // it may not have entered its directory yet
        server->wait_for(kKillPatience);
    }
    remove_shared_memory(remove_postmaster_file(options_.data_directory), options_.data_directory);
}

void Core::kill() {
    ++stops_pending_;
    set_status(ComputeStatus::kStopping, "");
    std::unique_lock operation(operation_mutex_, std::try_to_lock);
    if (!operation.owns_lock()) {
        // The operation in progress ends when its server does.
        if (std::shared_ptr<ChildProcess> server = child()) server->send_signal(SIGQUIT);
        operation.lock();
    }
    --stops_pending_;
    end_everything();
    set_status(ComputeStatus::kStopped, "");
}

// On the server's background thread. Whoever ended the server on purpose holds operation_mutex_ and
// has changed the status by the time we get it.
void Core::handle_end(const ChildProcess* ended, int wait_status) {
    {
        std::lock_guard operation(operation_mutex_);
        if (child().get() != ended || stops_pending_ > 0) return;
        if (std::lock_guard lock(mutex_); status_ != ComputeStatus::kRunning) return;
        // Backends that are busy have not noticed yet.
        kill_processes_in(options_.data_directory);
        std::string failure =
            cat("the server ended unexpectedly: ", describe_wait_status(wait_status));
        std::string log = log_tail(options_.log_file, log_offset_, kTailLines);
        if (std::string reason = last_failure_in(log); !reason.empty()) {
            failure += cat("; its log says: ", reason);
        }
        set_status(ComputeStatus::kFailed, std::move(failure));
    }
    std::lock_guard lock(callback_mutex_);
    if (std::function<void()> callback = callback_) callback();
}

void Core::set_callback(std::function<void()> callback) {
    std::lock_guard lock(callback_mutex_);
    callback_ = std::move(callback);
}

ComputeStatus Core::status() const {
    std::lock_guard lock(mutex_);
    if (status_ == ComputeStatus::kRunning && child_->has_ended()) return ComputeStatus::kFailed;
    return status_;
}

std::string Core::failure() const {
    std::lock_guard lock(mutex_);
    return failure_;
}

pid_t Core::pid() const {
    std::shared_ptr<ChildProcess> server = child();
    return server && !server->has_ended() ? server->pid() : 0;
}

class PostgresCompute final : public Compute {
public:
    explicit PostgresCompute(ComputeOptions options)
        : core_(std::make_shared<Core>(std::move(options))) {}
    ~PostgresCompute() override {
        core_->set_callback(nullptr);
        // Nothing is lost if it does not stop in time, and nobody is there to be told.
        static_cast<void>(core_->stop(kDestructorPatience));
    }

    Status start() override { return core_->start(); }
    Status adopt(pid_t pid) override { return core_->adopt(pid); }
    Status stop(std::chrono::seconds patience) override { return core_->stop(patience); }
    void kill() override { core_->kill(); }
    ComputeStatus status() const override { return core_->status(); }
    std::string failure() const override { return core_->failure(); }
    pid_t pid() const override { return core_->pid(); }
    const ComputeOptions& options() const override { return core_->options(); }
    void on_exit(std::function<void()> callback) override {
        core_->set_callback(std::move(callback));
    }

private:
    std::shared_ptr<Core> core_;
};

}  // namespace

std::unique_ptr<Compute> make_compute(ComputeOptions options) {
    return std::make_unique<PostgresCompute>(std::move(options));
}

}  // namespace lb::engine
