// LbHome: a temporary home directory and spec for tests that drive the real `lb` binary with real
// PostgreSQL. Stops the daemon and removes everything when it goes.
//
// The path is short on purpose: sockets live below it.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

namespace lb::tests {

struct CommandResult {
    int exit_code = -1;
    std::string output;  // stdout and stderr
};

class LbHome {
public:
    // `binary`: path of lb.
    explicit LbHome(std::string binary);
    ~LbHome();
    LbHome(const LbHome&) = delete;
    LbHome& operator=(const LbHome&) = delete;

    const std::string& directory() const { return directory_; }
    void write_spec(const std::string& toml) const;

    // Runs `lb <arguments>` through the shell, in the spec's folder.
    CommandResult run(const std::string& arguments) const;
    // As run(); reports a test failure, with the output, unless it exits with 0.
    std::string must(const std::string& arguments) const;

    // Conninfo of the owner's way in to a branch. Starts its compute.
    std::string url(const std::string& branch, const std::string& database) const;

    std::optional<pid_t> daemon_pid() const;
    // The postmaster whose data directory is `<mount>/<line>`.
    std::optional<pid_t> postmaster_pid(const std::string& line) const;
    // SIGKILL to the daemon and to every process that works below the home.
    void kill_everything() const;
    // Line id of a branch, from `lb branch show --json`.
    std::string line_of(const std::string& branch) const;

private:
    std::string binary_;
    std::string directory_;
};

// False, with the reason, where no FUSE mount or no PostgreSQL can be had; such tests skip.
bool is_environment_usable(std::string& reason);

}  // namespace lb::tests
