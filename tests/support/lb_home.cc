#include "tests/support/lb_home.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

namespace lb::tests {

namespace {

// Everything a shell prints for `command`, and how it ended.
CommandResult run_shell(const std::string& command) {
    CommandResult result;
    FILE* pipe = ::popen((command + " 2>&1 </dev/null").c_str(), "r");
    if (pipe == nullptr) return result;
    char buffer[4096];
    size_t count = 0;
    while ((count = std::fread(buffer, 1, sizeof buffer, pipe)) > 0) {
        result.output.append(buffer, count);
    }
    int status = ::pclose(pipe);
    result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return result;
}

std::string trimmed(std::string text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
    return text;
}

}  // namespace

LbHome::LbHome(std::string binary) : binary_(std::move(binary)) {
    char pattern[] = "/tmp/lbt-XXXXXX";
    directory_ = ::mkdtemp(pattern);
    ::chmod(directory_.c_str(), 0711);  // the computes' user must pass
}

LbHome::~LbHome() {
    run("stop");
    // Whatever a failed test left: the daemon, then the mount.
    kill_everything();
    run_shell("umount -l " + directory_ + "/home/mnt || fusermount3 -uz " + directory_ +
              "/home/mnt");
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
}

void LbHome::write_spec(const std::string& toml) const {
    std::ofstream(directory_ + "/lb.toml") << toml;
}

CommandResult LbHome::run(const std::string& arguments) const {
    return run_shell("cd " + directory_ + " && NO_COLOR=1 LB_HOME=" + directory_ + "/home " +
                     binary_ + " " + arguments);
}

std::string LbHome::must(const std::string& arguments) const {
    CommandResult result = run(arguments);
    EXPECT_EQ(result.exit_code, 0) << "lb " << arguments << "\n" << result.output;
    return result.output;
}

std::string LbHome::url(const std::string& branch, const std::string& database) const {
    return trimmed(must("url --socket --branch " + branch + " --database " + database));
}

std::optional<pid_t> LbHome::daemon_pid() const {
    std::ifstream lock(directory_ + "/home/run/lock");
    pid_t pid = 0;
    if (!(lock >> pid) || pid <= 0) return std::nullopt;
    std::error_code failure;
    auto program = std::filesystem::read_symlink("/proc/" + std::to_string(pid) + "/exe", failure);
    if (failure || program.filename() != "lb") return std::nullopt;
    return pid;
}

std::optional<pid_t> LbHome::postmaster_pid(const std::string& line) const {
    std::string wanted = directory_ + "/home/mnt/" + line;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        std::error_code failure;
        auto folder = std::filesystem::read_symlink(entry.path() / "cwd", failure);
        if (failure || folder != wanted) continue;
        std::ifstream stat_file(entry.path() / "stat");
        std::string stat((std::istreambuf_iterator<char>(stat_file)), {});
        size_t after_name = stat.rfind(')');
        if (after_name == std::string::npos) continue;
        // ") S ppid ...": the postmaster is the one whose parent works elsewhere.
        pid_t parent = std::atoi(stat.c_str() + after_name + 4);
        auto parent_folder =
            std::filesystem::read_symlink("/proc/" + std::to_string(parent) + "/cwd", failure);
        if (failure || parent_folder != wanted) {
            return static_cast<pid_t>(std::atoi(entry.path().filename().c_str()));
        }
    }
    return std::nullopt;
}

void LbHome::kill_everything() const {
    if (auto pid = daemon_pid()) ::kill(*pid, SIGKILL);
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        std::error_code failure;
        auto folder = std::filesystem::read_symlink(entry.path() / "cwd", failure);
        if (failure || !folder.string().starts_with(directory_ + "/home/")) continue;
        ::kill(std::atoi(entry.path().filename().c_str()), SIGKILL);
    }
}

std::string LbHome::line_of(const std::string& branch) const {
    std::string json = must("branch show " + branch + " --json");
    size_t key = json.find("\"line\":");
    if (key == std::string::npos) return "";
    size_t start = json.find_first_of("0123456789", key);
    return json.substr(start, json.find_first_not_of("0123456789", start) - start);
}

bool is_environment_usable(std::string& reason) {
    if (::access("/dev/fuse", R_OK | W_OK) != 0) {
        reason = "/dev/fuse is not there or not ours";
        return false;
    }
    if (::access("/usr/lib/postgresql/15/bin/postgres", X_OK) != 0) {
        reason = "postgresql-15 is not installed";
        return false;
    }
    return true;
}

}  // namespace lb::tests
