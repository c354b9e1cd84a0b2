// The ends of an apply: after the commit frame, or after an error before it.
#include "base/text.h"
#include "engine/apply_run.h"
#include "engine/compute_pool_parallel.h"
#include "engine/project_computes.h"

namespace lb::engine {

namespace {

constexpr size_t kParallelStarts = 4;

std::string warning_text(const Error& error) {
    return error.notes.empty() ? error.message : cat(error.message, ": ", error.notes.front());
}

}  // namespace

void ApplyRun::end_transactions(Outcome outcome) {
    for (LiveTransaction& live : live_transactions_) {
        std::string address = to_text(Address::of_branch(live.branch));
        if (outcome == Outcome::kCommit) tell("sql.commit", address);
        Status ended = end_transaction(live, outcome);
        if (outcome == Outcome::kRollback) continue;
        if (!ended.is_ok()) tell("warning", address, warning_text(ended.error()));
        tell("sql.committed", address);
    }
    live_transactions_.clear();
}

// Whatever goes wrong here is put right by the next start of the compute, which settles by the
// commit frame. So a server that cannot be brought in order is stopped and started.
Status ApplyRun::end_transaction(LiveTransaction& live, Outcome outcome) {
    Status ended =
        outcome == Outcome::kCommit ? live.transaction->commit() : live.transaction->rollback();
    context_.pool.release(live.line);
    if (ended.is_ok()) return ok();
    if (context_.pool.running(live.line) && context_.pool.settle(live.line).is_ok()) return ok();
    LB_TRY(context_.pool.stop(live.line));
    LB_TRY(start_branch(context_, draft_.project.name, live.branch));
    return ok();
}

void ApplyRun::remove_computes() {
    std::vector<LineId> lines = removed_lines_;
    lines.insert(lines.end(), kept_lines_.begin(), kept_lines_.end());
    if (lines.empty()) return;
    tell("compute.remove", {}, cat(lines.size(), " branches"));
    for (LineId line : lines) {
        context_.pool.remove(line);
        context_.line_is_gone(line);
    }
    if (!draft_.removes_project) return;
    Status swept = sweep_destroyed_projects(context_.store());
    // The next open goes on with it.
    if (!swept.is_ok()) tell("warning", to_text(Address::project()), warning_text(swept.error()));
}

std::set<std::string> ApplyRun::running_branches() const {
    std::lock_guard lock(context_.catalog_mutex);
    std::set<std::string> names;
    const Project* project = context_.catalog.find(draft_.project.name);
    if (project == nullptr) return names;
    for (const auto& [name, branch] : project->branches) {
        if (context_.pool.running(branch.line)) names.insert(name);
    }
    return names;
}

void ApplyRun::start_computes() {
    std::set<std::string> chosen;
    if (draft_.are_settings_changed) chosen = running_branches();
    for (const auto& [name, branch] : draft_.branches) {
        if (!branch.after) continue;
        bool is_running = context_.pool.running(branch.after->line).has_value();
        bool is_new = branch.is_created() || branch.is_compute_changed || branch.move;
        bool is_to_start = (branch.after->compute.always_on && is_new) || restarts_.contains(name);
        if (is_to_start || (is_running && branch.is_compute_changed)) chosen.insert(name);
    }
    std::vector<std::string> names(chosen.begin(), chosen.end());
    for_each_in_parallel(names.size(), kParallelStarts, [&](size_t i) {
        std::string address = to_text(Address::of_compute(names[i]));
        tell("compute.start", address);
        Result<SqlTarget> started = start_branch(context_, draft_.project.name, names[i]);
        if (started.is_ok()) {
            tell("compute.started", address);
        } else {
            tell("warning", address, warning_text(started.error()));
        }
    });
}

void ApplyRun::undo() {
    end_transactions(Outcome::kRollback);
    for (const auto& [name, line] : retired_lines_) {
        context_.pool.revive(line);
        if (!restarts_.contains(name)) continue;
        // One that does not come up shows its failure in its state.
        [[maybe_unused]] Result<SqlTarget> started =
            start_branch(context_, draft_.project.name, name);
    }
    for (LineId line : hidden_lines_) context_.pool.remove(line);
    if (!hidden_lines_.empty()) {
        store::Commit removal{.remove = hidden_lines_};
        // If it fails, the next open removes them, because the catalog does not name them.
        [[maybe_unused]] Result<Position> removed = context_.store().commit(removal);
        for (LineId line : hidden_lines_) context_.line_is_gone(line);
    }
    for (uint16_t port : reserved_ports_) give_back_port(context_, port);
}

}  // namespace lb::engine
