#include "tests/engine/crash_child.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>

#include "base/result.h"

namespace lb::engine {

namespace {

constexpr const char* kScenarioVariable = "LB_CRASH_SCENARIO";
constexpr const char* kHomeVariable = "LB_CRASH_HOME";
constexpr const char* kStepVariable = "LB_CRASH_STEP";

pid_t start_child(const std::string& scenario, const std::string& directory, int step) {
    ::setenv(kScenarioVariable, scenario.c_str(), 1);
    ::setenv(kHomeVariable, directory.c_str(), 1);
    ::setenv(kStepVariable, std::to_string(step).c_str(), 1);
    pid_t child = ::fork();
    LB_ASSERT(child >= 0);
    if (child == 0) {
        ::execl("/proc/self/exe", "crash-child", "--gtest_filter=CrashChild.Run", "--gtest_brief=1",
                static_cast<char*>(nullptr));
        ::_exit(127);
    }
    ::unsetenv(kScenarioVariable);
    return child;
}

ChildEnd wait_for(pid_t child) {
    int status = 0;
    LB_ASSERT(::waitpid(child, &status, 0) == child);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) return ChildEnd::kKilled;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? ChildEnd::kCompleted : ChildEnd::kFailed;
}

// In the child only.
TEST(CrashChild, Run) {
    const char* name = std::getenv(kScenarioVariable);
    if (name == nullptr) GTEST_SKIP() << "runs in child processes of the other tests";
    int remaining = std::atoi(std::getenv(kStepVariable));
    crash_scenarios().at(name)(std::getenv(kHomeVariable), [&](const ProgressEvent&) {
        if (--remaining == 0) ::kill(::getpid(), SIGKILL);
    });
}

}  // namespace

std::map<std::string, CrashScenario>& crash_scenarios() {
    static std::map<std::string, CrashScenario> scenarios;
    return scenarios;
}

ChildEnd run_until_step(const std::string& scenario, const std::string& directory, int step) {
    return wait_for(start_child(scenario, directory, step));
}

ChildEnd run_until_killed(const std::string& scenario, const std::string& directory,
                          std::chrono::milliseconds delay) {
    pid_t child = start_child(scenario, directory, /*step=*/0);
    std::this_thread::sleep_for(delay);
    ::kill(child, SIGKILL);
    return wait_for(child);
}

ChildEnd run_until(const std::string& scenario, const std::string& directory,
                   const std::function<bool()>& has_come) {
    pid_t child = start_child(scenario, directory, /*step=*/0);
    siginfo_t ended{};
    while (!has_come()) {
        // One that has ended without us is not waited for any longer.
        ::waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOHANG | WNOWAIT);
        if (ended.si_pid != 0) break;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    ::kill(child, SIGKILL);
    return wait_for(child);
}

}  // namespace lb::engine
