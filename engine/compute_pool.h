// ComputePool: the computes of all branches, by line. It starts a server once however many ask for
// it, settles what a crash left in it before anybody uses it, and starts it again when it ends
// unasked: at once the first time, then after growing pauses, and after several failed starts not
// any more (kFailed, with the log's last lines).
//
// Thread-safe. start() and stop() of one line wait for each other; status() never waits.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "engine/compute.h"
#include "engine/handed_compute.h"
#include "engine/sql.h"

namespace lb::engine {

struct ComputePoolOptions {
    std::string mount_directory;
    std::string run_directory;
    std::string log_directory;
    std::string postgres_user;
    std::string postgres_bin_directory;
};

struct ComputeRequest {
    LineId line;
    std::string label;  // "shop/main"
    uint32_t pg_version = 0;
    ComputeSettings settings;
    uint16_t port = 0;
    // Names the directory of its socket, which stays when a branch moves to another line; 0: as the
    // line.
    uint64_t run_number = 0;
    // Commits or rolls back the prepared transactions that it finds; run after each start.
    std::function<Status(const SqlTarget&)> settle;
};

struct ComputeHealth {
    ComputeStatus status = ComputeStatus::kStopped;
    std::string failure = {};
};

class ComputePool {
public:
    explicit ComputePool(ComputePoolOptions options);
    // Requires: stop_all() or that nothing was started.
    ~ComputePool();
    ComputePool(const ComputePool&) = delete;
    ComputePool& operator=(const ComputePool&) = delete;

    // Starts the line's server, or again if it runs with other settings or another port. At once
    // if it runs already. Errors: those of find_postgres(), Compute::start(),
    // settle_transactions().
    Result<SqlTarget> start(const ComputeRequest& request);
    // Stops it and keeps it stopped until the next start().
    Status stop(LineId line);
    // Stops it and lets it start no more until revive(): the branch is about to leave the line.
    Status retire(LineId line);
    void revive(LineId line);
    // Ends it at once and removes its files outside of the store: the line is gone.
    void remove(LineId line);
    // Stops all servers, several at a time, and lets none start any more.
    Status stop_all();

    // Hand-over (compute_pool_handover.cc). pause() starts nothing by itself any more, and says
    // what runs or should run; the caller starts and stops nothing until resume(). Errors: kBusy if
    // a start is still under way after `patience`; then it is not paused.
    Result<std::vector<HandedCompute>> pause(std::chrono::milliseconds patience);
    void resume();
    // `request`: whose server it is; what it was started with is in `handed`.
    void adopt(const HandedCompute& handed, ComputeRequest request);

    // While a line is held, an apply has a prepared transaction there, which is not to be settled
    // if the server comes back after a crash.
    void hold(LineId line);
    void release(LineId line);
    // Settles what is left in a running server; of others the next start does it.
    Status settle(LineId line);

    ComputeHealth health(LineId line) const;
    // Where the line's server answers, if it is running.
    std::optional<SqlTarget> running(LineId line) const;
    // All lines with a running server.
    std::vector<LineId> running_lines() const;

    std::string log_file(LineId line) const;
    std::string data_directory(LineId line) const;

private:
    using SteadyTime = std::chrono::steady_clock::time_point;

    struct Entry {
        std::mutex start_mutex;  // one start, stop or settle at a time
        // The rest is guarded by the pool's mutex_; written only with start_mutex held as well,
        // apart from the flags.
        ComputeRequest request = {};
        std::shared_ptr<Compute> compute = {};
        bool is_wanted = false;  // was started and not asked to stop
        bool is_held = false;
        bool is_removed = false;
        bool is_retired = false;
        uint32_t quick_failures = 0;  // in a row; decides the pause
        uint32_t start_failures = 0;  // in a row; decides when to give up
        SteadyTime started_at = {};
        std::string failure = {};
    };
    using EntryPointer = std::shared_ptr<Entry>;

    EntryPointer find(LineId line) const;
    Result<EntryPointer> find_or_make(LineId line);
    Result<SqlTarget> start_entry(Entry& entry, const ComputeRequest& request);
    Status replace_compute(Entry& entry, const ComputeRequest& request);
    std::shared_ptr<Compute> make_pool_compute(const ComputeRequest& request,
                                               PostgresInstallation postgres);
    Status settle_entry(Entry& entry);
    SqlTarget target(const ComputeRequest& request) const;
    std::string run_directory(const ComputeRequest& request) const;
    bool is_run_directory_shared(const ComputeRequest& request) const;

    void schedule_restart(LineId line, bool is_start_failure);
    void supervise();
    void restart(LineId line);

    const ComputePoolOptions options_;
    mutable std::mutex mutex_;
    std::condition_variable wake_;
    std::map<LineId, EntryPointer> entries_;
    std::multimap<SteadyTime, LineId> restarts_;  // due times
    bool is_closed_ = false;
    bool is_paused_ = false;      // the supervisor begins no restart
    bool is_restarting_ = false;  // the supervisor is at one
    std::thread supervisor_;
};

}  // namespace lb::engine
