// Computes: the PostgreSQL servers that power branches. One server per running line, started in
// the line's directory under the mount. This file knows processes and configuration; SQL is in
// engine/sql.h, and which branch has which line is the catalog's business.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/model/state.h"
#include "base/result.h"

namespace lb::engine {

// A PostgreSQL installation.
struct PostgresInstallation {
    uint32_t major_version = 0;
    std::string program_directory;
    std::string full_version;  // "15.20"
    bool operator==(const PostgresInstallation&) const = default;
};

// Errors: kPostgresMissing, kPostgresVersion (naming the versions that are there); with the package
// to install in the help.
Result<PostgresInstallation> find_postgres(uint32_t major_version,
                                           const std::string& program_directory_override);
// Major versions that lb supports.
std::vector<uint32_t> supported_postgres_versions();

struct ComputeOptions {
    PostgresInstallation postgres;
    LineId line;
    std::string label;           // "shop/main", for messages and the log file's name
    std::string data_directory;  // <mount>/<line>
    std::string run_directory;   // sockets, pg_hba.conf, pg_ident.conf, of this compute alone
    std::string log_file;
    std::string postgres_user;  // OS user; empty: our own
    ComputeSettings settings;
    uint16_t port = 0;  // decided by the caller
};

// One server. start() and stop() block; the others do not. Thread-safe.
class Compute {
public:
    virtual ~Compute() = default;

    // Starts the server and returns when it answers queries. Removes what a killed server left
    // (postmaster.pid, processes whose working directory is the data directory).
    // Errors: kPortInUse, kComputeStartFailed with the last lines of the log in the notes.
    virtual Status start() = 0;
    // Takes over a server that an earlier image of this process started with the same options and
    // that answered then. Errors: kComputeLost if it has ended meanwhile.
    virtual Status adopt(pid_t pid) = 0;
    // Fast shutdown; after `patience` immediate, then SIGKILL. ok if it is not running.
    virtual Status stop(std::chrono::seconds patience) = 0;
    // SIGKILL to everything of this server; for deletes and tests.
    virtual void kill() = 0;
    virtual ComputeStatus status() const = 0;
    virtual std::string failure() const = 0;
    virtual pid_t pid() const = 0;  // of the postmaster; 0 if none
    virtual const ComputeOptions& options() const = 0;
    // Called from a background thread when the server ends although nobody asked it to.
    virtual void on_exit(std::function<void()> callback) = 0;
};

std::unique_ptr<Compute> make_compute(ComputeOptions options);

// Ends every PostgreSQL process that works inside `directory` (or below it), by its working
// directory; not the shell of somebody who looks around there. Used before the first start after a
// crash of the daemon, before the dead mount is detached. Returns how many there were.
size_t kill_processes_in(const std::string& directory);

// Runs initdb into `data_directory` (empty, on the mount): UTF-8, C.UTF-8 locale, data checksums,
// superuser "postgres". Leaves a cleanly stopped cluster, not synced. Errors: kComputeStartFailed
// with initdb's output in the notes.
Status run_initdb(const PostgresInstallation& postgres, const std::string& data_directory,
                  const std::string& postgres_user);

// A free TCP port of `addresses`, of 54320 to 62511, not in `taken`. Errors: kPortInUse.
Result<uint16_t> choose_port(const std::vector<std::string>& addresses,
                             const std::vector<uint16_t>& taken);

}  // namespace lb::engine
