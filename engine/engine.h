// Engine: projects of PostgreSQL branches on one store. It keeps the catalog (in the store's
// notes), applies change sets all or nothing, and runs computes.
//
//   auto engine = LB_TRY(Engine::open(options));
//   ProjectState live = LB_TRY(engine->state("shop", Observe::kYes));
//   Applied applied = LB_TRY(engine->apply(changes, progress));
//   Connection main = LB_TRY(engine->connect("shop", "main"));
//
// Thread-safe. One Engine per home directory (the caller holds the home's lock).
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/json.h"
#include "base/latency_histogram.h"
#include "base/model/generation.h"
#include "base/model/state.h"
#include "base/result.h"
#include "engine/branch_history.h"
#include "engine/catalog_records.h"
#include "engine/generation_range.h"
#include "engine/handed_compute.h"
#include "engine/rehearsal.h"

namespace lb::store {
class Store;
}

namespace lb::engine {

struct EngineOptions {
    store::Store* store = nullptr;
    std::string mount_directory;  // where the transport shows lines: <mount>/<line id>
    std::string run_directory;    // sockets and per-compute configuration; paths must stay short
    std::string log_directory;    // one file per compute
    // OS user for PostgreSQL; needed when lb runs as root, empty otherwise.
    std::string postgres_user;
    // Where PostgreSQL's programs are; empty: /usr/lib/postgresql/<version>/bin.
    std::string postgres_bin_directory;
    Clock* clock = nullptr;  // nullptr: system_clock()
    // Servers that an earlier image of this process left running (Engine::pause()): taken over, and
    // nothing is started or ended.
    std::optional<std::vector<HandedCompute>> handed_computes = {};
    // Called after a line was removed and its server has ended; for FuseTransport::forget_line().
    std::function<void(LineId)> on_line_removed = {};
};

enum class Observe { kNo, kYes };

// One step of a long action, for progress display and NDJSON events.
struct ProgressEvent {
    std::string step;          // stable: "prepare", "branch.create", "compute.start", "commit" ...
    std::string address = {};  // what it is about
    std::string message = {};  // for people
    uint64_t done = 0;         // of total, 0/0 if unknown
    uint64_t total = 0;
};
using ProgressSink = std::function<void(const ProgressEvent&)>;

// How long an apply waits for one that is under way.
inline constexpr std::chrono::seconds kApplyPatience{10};

struct Applied {
    Generation generation;
    Position position;  // of the commit frame
};

// How to reach a running compute.
struct Connection {
    std::string socket_directory;  // PGHOST of the owner's peer-checked way in
    uint16_t port = 0;             // same number for the socket's name and for TCP
    std::vector<std::string> listen_addresses = {};
    std::string superuser;          // "postgres"
    std::string default_database;   // first database of the project, or "postgres"
    std::string program_directory;  // psql, pg_restore, ... of the same major version
};

// What of the store a branch uses. Measured when asked for: up to a second for a branch that wrote
// gigabytes.
struct BranchUsage {
    uint64_t shared_bytes = 0;   // of what it shows, what it inherited
    uint64_t own_bytes = 0;      // of what it shows, what it wrote
    uint64_t history_bytes = 0;  // what it wrote and shows no more
    uint64_t freed_by_delete_bytes = 0;
    std::optional<uint64_t> freed_by_window_bytes = {};  // if a window was asked about
    bool operator==(const BranchUsage&) const = default;
};

// What a running compute's server counts, over all its databases (pg_stat_database).
struct ComputeActivity {
    uint64_t connections = 0;
    uint64_t transactions = 0;  // committed and rolled back
    uint64_t blocks_hit = 0;
    uint64_t blocks_read = 0;
};

struct BranchStatistics {
    std::string project;
    std::string branch;
    LineId line;
    ComputeStatus status = ComputeStatus::kStopped;
    uint16_t port = 0;
    std::optional<ComputeActivity> activity = {};  // of running ones that answer
};

struct EngineStatistics {
    uint64_t project_count = 0;
    std::vector<BranchStatistics> branches = {};  // sorted by project and branch
    LatencySnapshot applies = {};
    uint64_t failed_apply_count = 0;
};

class Engine {
public:
    // Brings the home to order: finishes or rolls back what a crash left, removes lines that no
    // catalog entry names, ends left-over servers, and starts the computes that should run (in the
    // background; failures show in their state).
    static Result<std::unique_ptr<Engine>> open(EngineOptions options);
    virtual ~Engine() = default;

    virtual std::vector<std::string> projects() const = 0;

    // An unknown project is no error: exists is false. Observe::kYes reads roles and databases of
    // the default branch (starting its compute only if nothing valid is remembered).
    virtual Result<ProjectState> state(const std::string& project, Observe observe) = 0;
    // A part of state(): those of `branches` that there are, what they are made from, up to ten of
    // their children each, and the default branch. Costs the same however many others there are.
    virtual Result<ProjectState> state_around(const std::string& project,
                                              const std::vector<std::string>& branches) = 0;

    // Carries out `changes` atomically. On an error nothing has changed. Errors: kPlanStale (naming
    // what changed), kBusy, kRefused (protection is checked here again), kComputeStartFailed,
    // kSqlFailed, kPostgresVersion, kStoreFull, kPortInUse, ... kBusy if another apply is not over
    // after `patience`.
    virtual Result<Applied> apply(const ChangeSet& changes, const ProgressSink& progress,
                                  std::chrono::milliseconds patience = kApplyPatience) = 0;

    // Runs the SQL of `changes` on hidden copies of their branches, which are gone when it returns:
    // what would fail, how long it takes, which locks it holds. Errors: those of apply() that come
    // before any SQL; what fails in a branch is in the rehearsal. Applies wait meanwhile.
    virtual Result<Rehearsal> rehearse(const ChangeSet& changes, const ProgressSink& progress) = 0;

    // What the applies of the project did, newest first. Errors: kNotFound.
    virtual Result<std::vector<GenerationRecord>> generations(const std::string& project,
                                                              const GenerationRange& range) = 0;

    // What can be restored of the branch's past, and what happened in it.
    virtual Result<BranchHistory> history(const std::string& project,
                                          const std::string& branch) = 0;

    // Notes that a dump has just been loaded, for history(). `load` needs no time and position.
    virtual Status mark_load(const std::string& project, const std::string& branch,
                             LoadMark load) = 0;

    // `window`: a shorter restore window, to know what it would free.
    virtual Result<BranchUsage> usage(const std::string& project, const std::string& branch,
                                      std::optional<std::chrono::seconds> window) = 0;

    // Starts the branch's compute if needed and waits until it answers.
    virtual Result<Connection> connect(const std::string& project, const std::string& branch) = 0;
    virtual Status stop_compute(const std::string& project, const std::string& branch) = 0;
    virtual Status restart_compute(const std::string& project, const std::string& branch) = 0;

    // Path of the compute's log file.
    virtual Result<std::string> log_path(const std::string& project, const std::string& branch) = 0;

    // Starts nothing and wakes nobody.
    virtual EngineStatistics statistics() = 0;

    // For a hand-over: brings what goes on in the background to rest, and says which servers there
    // are; no other call may be under way until resume(). Errors: kBusy if an apply or the start of
    // a compute is not over after `patience`; then nothing has changed. One thread calls both.
    virtual Result<std::vector<HandedCompute>> pause(std::chrono::milliseconds patience) = 0;
    virtual void resume() = 0;

    // Stops all computes (fast shutdown) and the background threads. The store stays open.
    virtual Status close() = 0;
};

}  // namespace lb::engine
