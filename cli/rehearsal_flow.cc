#include "cli/rehearsal_flow.h"

#include <algorithm>

#include "base/text.h"
#include "cli/progress.h"
#include "cli/terminal.h"

namespace lb::cli {
namespace {

constexpr size_t kLocksShown = 3;

bool runs_sql(ResourceKind kind) {
    return kind != ResourceKind::kProject && kind != ResourceKind::kBranch &&
           kind != ResourceKind::kCompute;
}

std::string counted(size_t count, std::string_view one, std::string_view many) {
    return cat(count, " ", count == 1 ? one : many);
}

// "; locks table public.orders (AccessExclusiveLock) and 2 more"
std::string locks_text(const std::vector<engine::RehearsedLock>& locks) {
    if (locks.empty()) return {};
    std::string text = "; locks ";
    for (size_t i = 0; i < std::min(locks.size(), kLocksShown); ++i) {
        const engine::RehearsedLock& lock = locks[i];
        if (i > 0) text += ", ";
        text += lock.object;
        if (!lock.database.empty()) text += cat(" of ", lock.database);
        text += cat(" (", lock.mode, ")");
    }
    if (locks.size() > kLocksShown) text += cat(" and ", locks.size() - kLocksShown, " more");
    return text;
}

std::string branch_text(const engine::RehearsedBranch& branch) {
    std::string text = cat(branch.failure ? "  x " : "    ", branch.branch, "  ");
    if (!branch.failure) {
        return cat(text, format_duration(branch.sql_duration), " of SQL, ",
                   format_bytes(branch.written_bytes), " written, server up in ",
                   format_duration(branch.start_duration), locks_text(branch.locks), "\n");
    }
    text += cat(code_name(branch.failure->code), " ", branch.failure->message, "\n");
    for (const std::string& note : branch.failure->notes) {
        for (const std::string& line : split(note, '\n')) text += cat("      ", line, "\n");
    }
    return text;
}

size_t failed_count(const engine::Rehearsal& rehearsal) {
    return static_cast<size_t>(std::ranges::count_if(
        rehearsal.branches, [](const auto& branch) { return branch.failure.has_value(); }));
}

// --rehearse, and without a word about it where the plan changes what is in a protected branch.
Result<bool> is_to_rehearse(Session& session, const planner::Plan& plan) {
    const Arguments& arguments = session.arguments();
    if (arguments.has("rehearse")) return true;
    if (arguments.has("no-rehearse")) return false;
    Client client = LB_TRY(session.client());
    ProjectState live = LB_TRY(client.state(plan.project, engine::Observe::kNo));
    return changes_protected_data(plan, live);
}

}  // namespace

bool changes_protected_data(const planner::Plan& plan, const ProjectState& live) {
    return std::ranges::any_of(plan.changes, [&](const planner::PlannedChange& planned) {
        const Address& address = planned.change.address;
        if (!runs_sql(address.kind)) return false;
        const BranchState* branch = live.find_branch(address.branch);
        return branch != nullptr && branch->is_protected;
    });
}

Result<engine::Rehearsal> rehearse(Session& session, const planner::Plan& plan) {
    if (plan.is_empty()) return engine::Rehearsal{};
    Client client = LB_TRY(session.client());
    ProgressDisplay display(session.output());
    InterruptGuard guard;
    engine::ProgressSink show = [&](const auto& event) { display.show(event); };
    if (session.output().is_json()) show = {};  // its outcome is one document
    Result<engine::Rehearsal> rehearsal = client.rehearse(
        planner::to_change_set(plan), show, [] { return InterruptGuard::count() > 0; });
    display.clear();
    if (!rehearsal.is_ok() && rehearsal.error().code == ErrorCode::kInterrupted) {
        return interrupted_error();
    }
    return rehearsal;
}

std::string rehearsal_text(const engine::Rehearsal& rehearsal) {
    if (rehearsal.branches.empty()) return "rehearsal: nothing to do, the plan has no SQL\n";
    std::string text = "rehearsal: ";
    std::chrono::nanoseconds sql{};
    uint64_t written_bytes = 0;
    for (const engine::RehearsedBranch& branch : rehearsal.branches) {
        sql += branch.sql_duration;
        written_bytes += branch.written_bytes;
    }
    std::string branches = counted(rehearsal.branches.size(), "branch", "branches");
    if (rehearsal.is_ok()) {
        text += cat("ok on ", branches, ", ", format_duration(sql), " of SQL, ",
                    format_bytes(written_bytes), " written\n");
    } else {
        text += cat("FAILED on ", failed_count(rehearsal), " of ", branches, "\n");
    }
    for (const engine::RehearsedBranch& branch : rehearsal.branches) text += branch_text(branch);
    return text;
}

Status check_rehearsal(const engine::Rehearsal& rehearsal) {
    if (rehearsal.is_ok()) return ok();
    Error error{.code = ErrorCode::kRehearsalFailed};
    std::vector<std::string> names;
    for (const engine::RehearsedBranch& branch : rehearsal.branches) {
        if (!branch.failure) continue;
        names.push_back(quoted(branch.branch));
        const Error& cause = *branch.failure;
        error.notes.push_back(cat(branch.branch, ": ", code_name(cause.code), " ", cause.message));
        error.notes.insert(error.notes.end(), cause.notes.begin(), cause.notes.end());
        if (error.help.empty()) error.help = cause.help;
    }
    error.message = cat("the plan's SQL fails on ", names.size() == 1 ? "branch " : "branches ",
                        join(names, ", "), "; nothing was changed");
    return error;
}

Status rehearse_before_apply(Session& session, const planner::Plan& plan) {
    if (!LB_TRY(is_to_rehearse(session, plan))) return ok();
    engine::Rehearsal rehearsal = LB_TRY(rehearse(session, plan));
    Output& output = session.output();
    if (output.is_json()) {
        Json line = event_line("rehearsed");
        line.set("rehearsal", to_json(rehearsal));
        output.json_line(line);
    } else if (rehearsal.is_ok()) {
        output.text(rehearsal_text(rehearsal));
    }
    return check_rehearsal(rehearsal);
}

}  // namespace lb::cli
