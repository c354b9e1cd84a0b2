#include "cli/plan_flow.h"

#include <algorithm>
#include <chrono>
#include <optional>

#include "base/text.h"
#include "cli/author.h"
#include "cli/progress.h"
#include "cli/rehearsal_flow.h"
#include "cli/spec_file.h"
#include "cli/terminal.h"
#include "engine/git_head.h"
#include "planner/render.h"
#include "planner/select.h"
#include "specs/spec_reader.h"

namespace lb::cli {
namespace {

constexpr std::chrono::seconds kFreedPatience{2};

// Of the spec's repository, for the audit; a repository that cannot be read does not stop an apply.
std::string git_commit(const std::string& directory) {
    if (directory.empty()) return {};
    Result<std::optional<std::string>> commit = engine::head_commit(directory);
    return commit.is_ok() ? commit->value_or("") : "";
}

Result<std::optional<std::chrono::seconds>> lock_timeout_of(const Arguments& arguments) {
    if (!arguments.has("lock-timeout")) return std::optional<std::chrono::seconds>{};
    std::string text = arguments.text("lock-timeout");
    std::optional<std::chrono::seconds> timeout = parse_duration(text);
    if (timeout && *timeout <= kLockTimeoutMax) return timeout;
    return Error{.code = ErrorCode::kUsage,
                 .message = cat("--lock-timeout cannot be ", quoted(text)),
                 .help = "write it as 45s, 5m or 1h; 24h at most"};
}

bool comes_from_spec(const ChangeSet& changes) {
    return std::ranges::any_of(changes.changes,
                               [](const auto& change) { return change.origin == Origin::kSpec; });
}

Status approve(Session& session) {
    if (session.arguments().has("auto-approve")) return ok();
    if (session.output().is_json() || !can_ask()) {
        return Error{.code = ErrorCode::kApprovalNeeded,
                     .message = "nobody can be asked whether to apply this plan",
                     .help = "say that nobody needs to be, as in: lb apply --auto-approve"};
    }
    if (LB_TRY(ask_yes_no("Apply these changes? [y/N] "))) return ok();
    return interrupted_error();
}

std::vector<std::string> created_branches(const planner::Plan& plan) {
    std::vector<std::string> names;
    for (const planner::PlannedChange& change : plan.changes) {
        const Address& address = change.change.address;
        if (address.kind == ResourceKind::kBranch && change.change.kind == ChangeKind::kCreate) {
            names.push_back(address.branch);
        }
    }
    return names;
}

void print_outcome(Output& output, const planner::Plan& plan, const engine::Applied& applied,
                   std::chrono::nanoseconds duration) {
    if (output.is_json()) {
        Json result = to_json(applied);
        result.set("plan_id", plan.id);
        result.set("duration_ms",
                   std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
        Json line = event_line("finished");
        line.set("result", std::move(result));
        return output.json_line(line);
    }
    output.text(cat("applied ", plan.id, ": generation ", applied.generation.value(), ", ",
                    format_duration(duration), "\n"));
    std::vector<std::string> created = created_branches(plan);
    if (created.empty()) return;
    const std::string& name = created.front();
    output.notice(created.size() == 1 ? cat("connect: lb psql -b ", name)
                                      : cat("connect: lb psql -b ", name, " (or another branch)"));
}

// What the shorter restore windows of a plan free, as far as it is known soon.
void ask_freed_bytes(const Client& client, const specs::ProjectSpec& spec, planner::Plan& plan) {
    auto until = std::chrono::steady_clock::now() + kFreedPatience;
    for (planner::PlannedChange& planned : plan.changes) {
        for (planner::LostHistory& loss : planned.lost_history) {
            if (std::chrono::steady_clock::now() > until) return;
            const specs::BranchSpec* branch = spec.find_branch(loss.branch);
            auto window = branch != nullptr && branch->history_retention
                              ? *branch->history_retention
                              : spec.history_retention;
            Result<engine::BranchUsage> usage = client.usage(spec.name, loss.branch, window);
            if (usage.is_ok()) loss.freed_bytes = usage->freed_by_window_bytes;
        }
    }
}

}  // namespace

Result<SpecPlan> plan_from_spec(Session& session) {
    specs::ProjectSpec spec = LB_TRY(session.spec());
    Client client = LB_TRY(session.client());
    ProjectState live = LB_TRY(client.state(spec.name, engine::Observe::kYes));
    const std::string directory = session.spec_directory();
    LB_TRY(specs::resolve_secrets(
        spec, live,
        [&](const specs::SecretReference& reference) { return read_secret(reference, directory); },
        [&](const specs::SecretReference& reference) {
            return make_secret(reference, directory);
        }));
    const Arguments& arguments = session.arguments();
    planner::Selection selection{.only = arguments.list("only"),
                                 .except = arguments.list("except")};
    planner::Plan plan = LB_TRY(planner::make_plan(spec, live, selection));
    ask_freed_bytes(client, spec, plan);
    return SpecPlan{.spec = std::move(spec), .live = std::move(live), .plan = std::move(plan)};
}

Status check_plan_form(const Arguments& arguments, const Output& output) {
    if (!arguments.has("markdown") || !output.is_json()) return ok();
    return Error{.code = ErrorCode::kUsage,
                 .message = "--markdown and --json are two forms of one plan",
                 .help = "give one of them"};
}

std::string plan_text(const planner::Plan& plan, const Output& output, bool is_verbose) {
    return planner::render_text(
        plan, output.has_colour() ? planner::Colour::kAlways : planner::Colour::kNever,
        is_verbose ? planner::Detail::kAttributes : planner::Detail::kChangesOnly);
}

void show_plan(Session& session, const planner::Plan& plan, bool is_verbose) {
    Output& output = session.output();
    if (!output.is_json()) return output.text(plan_text(plan, output, is_verbose));
    Json line = event_line("planned");
    line.set("plan", planner::to_json(plan));
    output.json_line(line);
}

Status review_and_carry_out(Session& session, const planner::Plan& plan) {
    const Arguments& arguments = session.arguments();
    show_plan(session, plan, arguments.has("verbose"));
    LB_TRY(planner::check_policy(plan, arguments.list("allow-destroy")));
    if (plan.is_empty()) return ok();
    LB_TRY(rehearse_before_apply(session, plan));
    LB_TRY(approve(session));
    return carry_out(session, plan);
}

Status carry_out(Session& session, const planner::Plan& plan) {
    std::optional<std::chrono::seconds> lock_timeout = LB_TRY(lock_timeout_of(session.arguments()));
    Client client = LB_TRY(session.client());
    ChangeSet changes = planner::to_change_set(plan);
    changes.author = author();
    if (comes_from_spec(changes)) changes.spec_hash = session.spec_hash();
    changes.git_commit = git_commit(session.spec_directory());
    ProgressDisplay display(session.output());
    InterruptGuard guard;
    bool has_noticed = false;
    auto is_cancelled = [&] {
        if (InterruptGuard::count() == 1 && !std::exchange(has_noticed, true)) {
            display.clear();
            session.output().notice(
                "an apply is not cut off; waiting for its outcome (Ctrl-C again: do not wait)");
        }
        return InterruptGuard::count() > 1;
    };
    auto started = std::chrono::steady_clock::now();
    if (session.output().is_json()) {
        Json line = event_line("started");
        line.set("plan_id", plan.id);
        session.output().json_line(line);
    }
    Result<engine::Applied> applied = client.apply(
        changes, [&](const auto& event) { display.show(event); }, is_cancelled, lock_timeout);
    display.clear();
    if (!applied.is_ok()) return std::move(applied).error();
    print_outcome(session.output(), plan, *applied, std::chrono::steady_clock::now() - started);
    return ok();
}

}  // namespace lb::cli
