// Starting programs: PostgreSQL's servers and tools, as another OS user if need be.
//
//   ProcessOptions options{.arguments = {"/usr/lib/postgresql/15/bin/postgres", "--version"}};
//   ProgramOutput version = LB_TRY(run_program(options));
//
// Children get the environment, the three descriptors and the signal dispositions that are named
// here and nothing else of ours. Thread-safe.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace lb::engine {

// An account of the operating system.
struct OsUser {
    std::string name;
    uid_t uid = 0;
    gid_t gid = 0;
    std::vector<gid_t> groups = {};  // gid and the supplementary ones
};

// Errors: kComputeStartFailed if there is no such account.
Result<OsUser> find_user(const std::string& name);
// The account that we run as (the effective one).
Result<OsUser> own_user();

struct ProcessOptions {
    std::vector<std::string> arguments;         // the program's path first
    std::vector<std::string> environment = {};  // "NAME=value", complete
    std::string working_directory = "/";
    std::optional<OsUser> user = {};  // switch to it; only root can
    int input = -1;                   // descriptor, or -1 for /dev/null; all three stay ours
    int output = -1;
    int error_output = -1;
    // Sent to the child when the thread that started it ends, 0 for none: start long-lived children
    // by ChildProcess (engine/process_child.h).
    int death_signal = 0;
    bool is_session_leader = true;  // away from our terminal and its Ctrl-C
};

// PATH and the C.UTF-8 locale: no PG* variables, no secrets.
std::vector<std::string> clean_environment();

// Starts the program; the caller reaps it. Returns when the program runs or has failed to.
// Errors: kIo, naming the step, with errno.
Result<pid_t> spawn_process(const ProcessOptions& options);

struct ProgramOutput {
    int wait_status = 0;  // as waitpid() gives it
    std::string text;     // both streams in the order of arrival; the newest 64 KiB
};

// Runs the program to its end and collects what it prints. `output` and `error_output` are ignored.
// Errors: kIo.
Result<ProgramOutput> run_program(ProcessOptions options);

// "exit code 1", "killed by signal 9 (Killed)".
std::string describe_wait_status(int wait_status);

}  // namespace lb::engine
