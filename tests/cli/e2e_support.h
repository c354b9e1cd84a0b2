// Shell: a temporary home and folder in which test commands run as a user would type them, with
// `lb` on the PATH, stdin from /dev/null, and stdout and stderr kept apart.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "base/json.h"
#include "tests/support/lb_home.h"

namespace lb::tests {

struct ShellResult {
    int exit_code = -1;
    std::string out;
    std::string err;
};

class Shell {
public:
    Shell();

    // Runs through bash. A process that is killed by a signal counts as 128 + signal.
    ShellResult run(const std::string& command) const;
    // Fails the test unless it exits with 0; returns stdout.
    std::string must(const std::string& command) const;
    // Fails the test unless it exits with `exit_code` and writes `error` ("LB0602") to stderr.
    // Returns stderr.
    std::string refused(const std::string& command, int exit_code, const std::string& error) const;
    // As must(), for a command that prints one JSON document.
    Json json(const std::string& command) const;

    // SQL on a branch as the superuser; the first value.
    std::string sql(const std::string& branch, const std::string& database,
                    const std::string& statement) const;

    std::string path(const std::string& name) const { return home_.directory() + "/" + name; }
    void write_spec(const std::string& toml) const { home_.write_spec(toml); }
    const LbHome& home() const { return home_; }

private:
    LbHome home_;
};

// A test with a Shell; skips where PostgreSQL or FUSE cannot be had.
class ShellTest : public ::testing::Test {
protected:
    void SetUp() override {
        std::string reason;
        if (!is_environment_usable(reason)) GTEST_SKIP() << reason;
        shell_ = std::make_unique<Shell>();
    }
    Shell& shell() { return *shell_; }

private:
    std::unique_ptr<Shell> shell_;
};

}  // namespace lb::tests
