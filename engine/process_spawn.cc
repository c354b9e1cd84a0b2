#include "engine/process_spawn.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/text.h"
#include "engine/process_descriptor.h"

namespace lb::engine {

namespace {

constexpr size_t kOutputBytesMax = 64 * 1024;

// Everything that the child needs, laid out before it exists: between vfork() and exec() it shares
// our memory and may only make system calls.
struct ChildPlan {
    std::vector<char*> arguments = {};
    std::vector<char*> environment = {};
    const char* working_directory = nullptr;
    std::array<int, 3> descriptors = {-1, -1, -1};
    int report = -1;  // close-on-exec pipe for (step, errno)
    const OsUser* user = nullptr;
    int death_signal = 0;
    bool is_session_leader = false;
    pid_t parent = 0;
};

enum class Step : int { kSession, kDescriptors, kUser, kDeathSignal, kDirectory, kExecute };

const char* describe(Step step) {
    switch (step) {
        case Step::kSession: return "start a session";
        case Step::kDescriptors: return "set up descriptors";
        case Step::kUser: return "switch to the user";
        case Step::kDeathSignal: return "set the death signal";
        case Step::kDirectory: return "enter the working directory";
        case Step::kExecute: return "execute the program";
    }
    return "";
}

struct Report {
    Step step;
    int error_number;
};

[[noreturn]] void fail_child(const ChildPlan& plan, Step step) {
    Report report{step, errno};
    // A pipe takes these few bytes whole; if it does not, the parent sees the exit code.
    [[maybe_unused]] ssize_t written = ::write(plan.report, &report, sizeof report);
    ::_exit(127);
}

// glibc's setuid() and its kin change all threads of what they take for this process, and after
// vfork() those are the parent's: only the bare system calls change the child alone.
bool switch_user(const OsUser& user) {
    return ::syscall(SYS_setgroups, user.groups.size(), user.groups.data()) == 0 &&
           ::syscall(SYS_setresgid, user.gid, user.gid, user.gid) == 0 &&
           ::syscall(SYS_setresuid, user.uid, user.uid, user.uid) == 0;
}

void reset_signals() {
    struct sigaction by_default {};
    by_default.sa_handler = SIG_DFL;
    for (int number = 1; number < NSIG; ++number) ::sigaction(number, &by_default, nullptr);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

[[noreturn]] void run_child(const ChildPlan& plan) {
    if (plan.is_session_leader && ::setsid() < 0) fail_child(plan, Step::kSession);
    for (int target = 0; target < 3; ++target) {
        if (::dup2(plan.descriptors[static_cast<size_t>(target)], target) < 0) {
            fail_child(plan, Step::kDescriptors);
        }
    }
    // Whatever a library left without close-on-exec must not reach a server that outlives it.
    if (::syscall(SYS_close_range, 3U, ~0U, 4U /* CLOSE_RANGE_CLOEXEC */) != 0) {
        fail_child(plan, Step::kDescriptors);
    }
    if (plan.user != nullptr && !switch_user(*plan.user)) fail_child(plan, Step::kUser);
    // After the switch, which clears it.
    if (plan.death_signal != 0) {
        if (::prctl(PR_SET_PDEATHSIG, plan.death_signal) != 0) fail_child(plan, Step::kDeathSignal);
        if (::getppid() != plan.parent) ::_exit(127);  // it died before the prctl()
    }
    if (::chdir(plan.working_directory) != 0) fail_child(plan, Step::kDirectory);
    ::umask(077);
    reset_signals();
    ::execve(plan.arguments[0], plan.arguments.data(), plan.environment.data());
    fail_child(plan, Step::kExecute);
}

// fork() would copy the page tables of a daemon with a large cache, and make every thread of it
// fault afterwards; vfork() costs the same at any size.
__attribute__((noinline)) pid_t start_child(const ChildPlan& plan) {
    pid_t pid = ::vfork();
    if (pid == 0) run_child(plan);
    return pid;
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
    std::vector<char*> out;
    for (const std::string& text : texts) out.push_back(const_cast<char*>(text.c_str()));
    out.push_back(nullptr);
    return out;
}

// A copy above 2, so that laying out 0, 1 and 2 cannot overwrite it.
Result<Descriptor> copy_or_null_device(int descriptor) {
    int copy = -1;
    if (descriptor >= 0) {
        copy = ::fcntl(descriptor, F_DUPFD_CLOEXEC, 3);
    } else {
        Descriptor null_device(::open("/dev/null", O_RDWR | O_CLOEXEC));
        copy = ::fcntl(null_device.get(), F_DUPFD_CLOEXEC, 3);
    }
    if (copy < 0) return system_error(ErrorCode::kIo, "cannot copy a descriptor", errno);
    return Descriptor(copy);
}

Result<OsUser> user_of(const passwd& entry) {
    OsUser user{.name = entry.pw_name, .uid = entry.pw_uid, .gid = entry.pw_gid};
    int count = 64;
    user.groups.resize(static_cast<size_t>(count));
    if (::getgrouplist(entry.pw_name, entry.pw_gid, user.groups.data(), &count) < 0) {
        user.groups.resize(static_cast<size_t>(count));
        if (::getgrouplist(entry.pw_name, entry.pw_gid, user.groups.data(), &count) < 0) count = 0;
    }
    user.groups.resize(static_cast<size_t>(count));
    return user;
}

}  // namespace

Result<OsUser> find_user(const std::string& name) {
    passwd entry{};
    passwd* found = nullptr;
    std::vector<char> buffer(64 * 1024);
    int failure = ::getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
    if (found == nullptr) {
        Error error{.code = ErrorCode::kComputeStartFailed,
                    .message = cat("there is no operating system user ", quoted(name)),
                    .help =
                        "name an existing unprivileged account with --postgres-user, or make "
                        "one: adduser --system postgres"};
        error.system_errno = failure;
        return error;
    }
    return user_of(entry);
}

Result<OsUser> own_user() {
    passwd entry{};
    passwd* found = nullptr;
    std::vector<char> buffer(64 * 1024);
    ::getpwuid_r(::geteuid(), &entry, buffer.data(), buffer.size(), &found);
    if (found == nullptr) {
        return Error{.code = ErrorCode::kComputeStartFailed,
                     .message = cat("user id ", ::geteuid(),
                                    " has no entry in /etc/passwd, and "
                                    "PostgreSQL's peer authentication needs its name"),
                     .help = "add the account to /etc/passwd"};
    }
    return user_of(entry);
}

std::vector<std::string> clean_environment() {
    return {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8",
            "LC_ALL=C.UTF-8"};
}

Result<pid_t> spawn_process(const ProcessOptions& options) {
    LB_ASSERT(!options.arguments.empty());
    std::array<int, 2> report_ends;
    if (::pipe2(report_ends.data(), O_CLOEXEC) != 0) {
        return system_error(ErrorCode::kIo, "cannot make a pipe", errno);
    }
    Descriptor report_reader(report_ends[0]);
    Descriptor report_writer(LB_TRY(copy_or_null_device(report_ends[1])));
    ::close(report_ends[1]);
    Descriptor input = LB_TRY(copy_or_null_device(options.input));
    Descriptor output = LB_TRY(copy_or_null_device(options.output));
    Descriptor error_output = LB_TRY(copy_or_null_device(options.error_output));

    ChildPlan plan;
    plan.arguments = pointers(options.arguments);
    plan.environment = pointers(options.environment);
    plan.working_directory = options.working_directory.c_str();
    plan.descriptors = {input.get(), output.get(), error_output.get()};
    plan.report = report_writer.get();
    plan.user = options.user ? &*options.user : nullptr;
    plan.death_signal = options.death_signal;
    plan.is_session_leader = options.is_session_leader;
    plan.parent = ::getpid();

    // A handler of ours must not run in the child, on memory that is still the parent's.
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = start_child(plan);
    int start_errno = errno;
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (pid < 0) return system_error(ErrorCode::kIo, "cannot start a process", start_errno);

    report_writer.close();
    Report report{};
    if (::read(report_reader.get(), &report, sizeof report) == ssize_t{sizeof report}) {
        ::waitpid(pid, nullptr, 0);
        return system_error(
            ErrorCode::kIo,
            cat("cannot start ", options.arguments[0], ": cannot ", describe(report.step),
                report.step == Step::kDirectory ? cat(" ", options.working_directory)
                : report.step == Step::kUser    ? cat(" ", quoted(options.user->name))
                                                : std::string()),
            report.error_number);
    }
    return pid;
}

Result<ProgramOutput> run_program(ProcessOptions options) {
    std::array<int, 2> ends;
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        return system_error(ErrorCode::kIo, "cannot make a pipe", errno);
    }
    Descriptor reader(ends[0]);
    Descriptor writer(ends[1]);
    options.output = writer.get();
    options.error_output = writer.get();
    pid_t pid = LB_TRY(spawn_process(options));
    writer.close();

    ProgramOutput result;
    std::array<char, 4096> buffer;
    while (true) {
        ssize_t count = ::read(reader.get(), buffer.data(), buffer.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) break;
        result.text.append(buffer.data(), static_cast<size_t>(count));
        if (result.text.size() > 2 * kOutputBytesMax) {
            result.text.erase(0, result.text.size() - kOutputBytesMax);
        }
    }
    while (::waitpid(pid, &result.wait_status, 0) < 0 && errno == EINTR) {
    }
    return result;
}

std::string describe_wait_status(int wait_status) {
    if (WIFEXITED(wait_status)) return cat("exit code ", WEXITSTATUS(wait_status));
    if (WIFSIGNALED(wait_status)) {
        const char* name = ::sigdescr_np(WTERMSIG(wait_status));
        return cat("killed by signal ", WTERMSIG(wait_status), " (",
                   name == nullptr ? "unknown" : name, ")");
    }
    return cat("wait status ", wait_status);
}

}  // namespace lb::engine
