// Client: the daemon's endpoints as functions. Errors of the daemon come back with their codes.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/model/change.h"
#include "base/model/state.h"
#include "base/result.h"
#include "cli/protocol.h"
#include "engine/engine.h"

namespace lb::cli {

class Client {
public:
    // Talks to whoever listens there. `bring_back` (ensure_daemon()) sees to it that somebody does:
    // a call that finds the daemon dying is made again. But for an apply, whose outcome is unknown.
    explicit Client(std::string socket_path, std::function<Status()> bring_back = {})
        : socket_path_(std::move(socket_path)), bring_back_(std::move(bring_back)) {}

    Result<std::vector<std::string>> projects() const;
    Result<ProjectState> state(const std::string& project, engine::Observe observe) const;
    Result<ProjectState> state_around(const std::string& project,
                                      const std::vector<std::string>& branches) const;
    // An apply that is on its way is not cut off: once `is_cancelled` says so, only the waiting
    // ends. Errors: those of Engine::apply(); kDaemonUnreachable if the outcome is unknown.
    // `lock_timeout`: how long it waits for another apply; nullopt: the daemon's usual time.
    Result<engine::Applied> apply(const ChangeSet& changes, const engine::ProgressSink& progress,
                                  const std::function<bool()>& is_cancelled,
                                  std::optional<std::chrono::seconds> lock_timeout = {}) const;
    // Errors: those of Engine::rehearse(); kInterrupted once `is_cancelled` says so: the daemon
    // carries it to its end, and it changes nothing.
    Result<engine::Rehearsal> rehearse(const ChangeSet& changes,
                                       const engine::ProgressSink& progress,
                                       const std::function<bool()>& is_cancelled) const;
    Result<engine::Connection> connect(const std::string& project, const std::string& branch) const;
    Status stop_compute(const std::string& project, const std::string& branch) const;
    Status restart_compute(const std::string& project, const std::string& branch) const;
    Result<std::string> log_path(const std::string& project, const std::string& branch) const;
    Result<engine::BranchHistory> history(const std::string& project,
                                          const std::string& branch) const;
    Status mark_load(const std::string& project, const std::string& branch,
                     engine::LoadMark load) const;
    Result<std::vector<GenerationRecord>> generations(const std::string& project,
                                                      const engine::GenerationRange& range) const;
    Result<engine::BranchUsage> usage(const std::string& project, const std::string& branch,
                                      std::optional<std::chrono::seconds> window = {}) const;
    Result<Json> statistics() const;
    // Prometheus' text format.
    Result<std::string> metrics() const;
    // One sample for lb top (cli/top_view.h).
    Result<Json> top() const;
    // The document of a check that the daemon makes. Once `is_cancelled` says so, only the waiting
    // ends (kInterrupted). Errors: kBusy while another check is under way.
    Result<Json> check(const std::function<void(std::string_view step, uint64_t done_bytes,
                                                uint64_t total_bytes)>& progress,
                       const std::function<bool()>& is_cancelled) const;
    // Returns when the daemon has begun to stop.
    Status stop_daemon() const;
    // Version, process id and hand-overs of the daemon that listens now (docs/daemon.md).
    Result<Json> version() const;
    // Returns when the daemon has left its place to `program`, or is gone. Errors: kHandoverRefused
    // and kBusy: it goes on as before.
    Status hand_over(const std::string& program) const;

private:
    Result<Json> call(const ApiCall& call) const;
    Result<Json> branch_call(ApiCall::Kind kind, const std::string& project,
                             const std::string& branch) const;

    std::string socket_path_;
    std::function<Status()> bring_back_;
};

}  // namespace lb::cli
