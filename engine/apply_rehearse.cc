// An apply whose SQL runs on copies only, and which never comes to its commit.
#include <algorithm>

#include "base/text.h"
#include "engine/apply_run.h"
#include "engine/postgres_port.h"
#include "engine/project_computes.h"

namespace lb::engine {

namespace {

using SteadyClock = std::chrono::steady_clock;

Error parent_failed(const std::string& parent) {
    return {.code = ErrorCode::kRehearsalFailed,
            .message = cat("not rehearsed, because branch ", quoted(parent),
                           ", which it is made from, failed")};
}

}  // namespace

Result<Rehearsal> ApplyRun::rehearse() {
    auto apply_lock = LB_TRY(take_turn(kApplyPatience));
    LB_TRY(draft());
    Result<Rehearsal> rehearsal = rehearse_branches();
    undo();
    tell("done");
    return rehearsal;
}

Result<Rehearsal> ApplyRun::rehearse_branches() {
    LB_TRY(resolve_moments());
    LB_TRY(name_lines());
    choose_hidden();
    Rehearsal rehearsal;
    std::set<std::string> failed;
    for (const std::string& name : draft_.in_order()) {
        BranchDraft& branch = draft_.branches.at(name);
        if (branch.is_deleted()) continue;
        if (branch.sql_changes.empty() && !hidden_.contains(name)) continue;
        RehearsedBranch result{.branch = name};
        Status rehearsed = failed.contains(branch.parent) ? Status(parent_failed(branch.parent))
                                                          : rehearse_branch(name, branch, result);
        if (!rehearsed.is_ok()) {
            failed.insert(name);
            result.failure = std::move(rehearsed).error();
        }
        if (!branch.sql_changes.empty() || result.failure) {
            rehearsal.branches.push_back(std::move(result));
        }
    }
    return rehearsal;
}

// A new branch is made as an apply makes it; of one that exists a copy is made.
Status ApplyRun::rehearse_branch(const std::string& name, BranchDraft& branch,
                                 RehearsedBranch& result) {
    BranchRecord copy = branch.is_created() ? *branch.after : *branch.before;
    if (branch.is_created()) {
        LB_TRY(make_hidden_line(name, branch));
    } else {
        LB_TRY(copy_live_line(name, copy));
    }
    if (branch.sql_changes.empty()) return ok();
    copy.compute.port = 0;
    copy.compute.listen_addresses = {"127.0.0.1"};
    auto started = SteadyClock::now();
    SqlTarget target = LB_TRY(start_hidden(name, copy));
    auto answered = SteadyClock::now();
    result.start_duration = answered - started;
    uint64_t bytes_before = LB_TRY(context_.store().line(copy.line)).own_bytes;
    tell("sql.prepare", to_text(Address::of_branch(name)));
    auto transaction = make_branch_transaction(target, transaction_, branch.sql_changes);
    LB_TRY(transaction->prepare());
    auto prepared = SteadyClock::now();
    tell("sql.prepared", to_text(Address::of_branch(name)));
    result.locks = LB_TRY(locks_of_prepared(target));
    auto committing = SteadyClock::now();
    LB_TRY(transaction->commit());
    result.sql_duration = (prepared - answered) + (SteadyClock::now() - committing);
    uint64_t bytes_after = LB_TRY(context_.store().line(copy.line)).own_bytes;
    result.written_bytes = bytes_after - std::min(bytes_before, bytes_after);
    // The children of this apply are made from here; nobody else needs the server.
    return context_.pool.stop(copy.line);
}

Status ApplyRun::copy_live_line(const std::string& name, BranchRecord& copy) {
    tell("branch.prepare", to_text(Address::of_branch(name)));
    LineId line = context_.store().reserve_line();
    store::Commit frame;
    frame.create.push_back({.line = line, .parent = copy.line, .at = kHead});
    LB_TRY(context_.store().commit(frame));
    hidden_lines_.push_back(line);
    copy.line = line;
    copy.id = BranchId{line.value()};
    copy.port = 0;
    return ok();
}

}  // namespace lb::engine
