// Real PostgreSQL clusters in temporary directories, for tests. Nothing is left behind: neither
// files nor processes.
#pragma once

#include <memory>
#include <string>

#include "engine/compute.h"
#include "engine/sql.h"

namespace lb::engine::testing {

// "postgres" under root, otherwise our own user.
std::string test_postgres_user();

PostgresInstallation test_postgres();

// A TCP port that was free a moment ago; never 5432.
uint16_t free_port();

// A directory that the server's user can enter; removed with everything in it, after ending the
// servers that work there. In memory where there is room: crash recovery syncs every file.
class TemporaryDirectory {
public:
    TemporaryDirectory();
    ~TemporaryDirectory();
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

    const std::string& path() const { return path_; }

private:
    std::string path_;
};

// An initialised, stopped cluster, copied from one that is made once per test program.
class TemporaryCluster {
public:
    TemporaryCluster();

    std::string data_directory() const { return directory_.path() + "/data"; }
    std::string log_file() const { return directory_.path() + "/log/compute.log"; }
    ComputeOptions options() const;
    SqlTarget target(const std::string& database = "postgres") const;
    std::string log() const;

    // A copy of the data directory, like a branch. Requires: no server runs.
    std::unique_ptr<TemporaryCluster> copy() const;

private:
    explicit TemporaryCluster(const std::string& source);

    TemporaryDirectory directory_;
    uint16_t port_ = free_port();
};

// The first column of the first row, "" for NULL or none; a failed query fails the test.
std::string query_text(SqlSession& session, const std::string& sql);
std::string query_text(const SqlTarget& target, const std::string& sql);

std::string read_file(const std::string& path);
void write_file(const std::string& path, const std::string& text);

}  // namespace lb::engine::testing
