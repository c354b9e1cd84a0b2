// lb branch create, lb branch delete, lb branch undelete: plans of one change.
#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/moment_option.h"
#include "cli/plan_flow.h"
#include "cli/terminal.h"

namespace lb::cli {
namespace {

Error bad_value(std::string_view option, const std::string& value, std::string help) {
    return {.code = ErrorCode::kUsage,
            .message = cat(option, " cannot be ", quoted(value)),
            .help = std::move(help)};
}

Result<BranchValue> branch_value(const Arguments& arguments, const ProjectState& live) {
    BranchValue value{.parent = arguments.text("parent", live.default_branch),
                      .is_protected = arguments.has("protected")};
    if (arguments.has("at")) {
        value.requested_at = LB_TRY(moment_option("--at", arguments.text("at"), system_clock()));
    }
    if (arguments.has("ttl") && arguments.has("expires")) {
        return Error{.code = ErrorCode::kUsage,
                     .message = "--ttl and --expires exclude each other",
                     .help = "keep one of them"};
    }
    if (arguments.has("ttl")) {
        value.ttl = parse_duration(arguments.text("ttl"));
        if (!value.ttl.has_value()) {
            return bad_value("--ttl", arguments.text("ttl"), "write it as 45s, 30m, 12h or 7d");
        }
    }
    if (arguments.has("expires")) {
        value.expire_time = parse_time(arguments.text("expires"));
        if (!value.expire_time.has_value()) {
            return bad_value("--expires", arguments.text("expires"),
                             "write it as 2030-01-31T12:00:00Z");
        }
    }
    return value;
}

Status approve_delete(Session& session, const std::string& branch) {
    if (session.arguments().has("yes")) return ok();
    if (session.output().is_json() || !can_ask()) {
        return Error{.code = ErrorCode::kApprovalNeeded,
                     .message = cat("nobody can be asked whether to delete branch ", branch),
                     .help = cat("lb branch delete ", branch, " --yes")};
    }
    if (LB_TRY(ask_yes_no(cat("Delete branch ", branch, " and its data? [y/N] ")))) return ok();
    return interrupted_error();
}

// How long it can be had back.
void tell_undelete(Output& output, const ProjectState& live, const std::string& name) {
    const BranchState* branch = live.find_branch(name);
    if (branch == nullptr || live.history_retention_of(*branch).count() == 0) return;
    output.notice(cat("to have it back within ",
                      format_short_duration(live.history_retention_of(*branch)),
                      ": lb branch undelete ", name));
}

Error nothing_to_undelete(const ProjectState& live, const std::string& name) {
    Error error{.code = ErrorCode::kNotFound,
                .message = cat("there is no deleted branch ", lb::quoted(name)),
                .help = "lb branch list --deleted shows which can be had back"};
    if (live.find_branch(name) != nullptr) error.message += "; the branch of that name exists";
    return error;
}

}  // namespace

Result<ExitCode> run_branch_create(const Arguments& arguments, Output& output) {
    Session session(arguments, output);
    std::vector<std::string> parents;
    if (arguments.has("parent")) parents.push_back(arguments.text("parent"));
    ProjectState live = LB_TRY(session.live_branches(parents, {arguments.text("branch")}));
    BranchValue value = LB_TRY(branch_value(arguments, live));
    ResourceChange change{.address = Address::of_branch(arguments.text("branch")),
                          .kind = ChangeKind::kCreate,
                          .value = std::move(value),
                          .origin = Origin::kCommand};
    planner::Plan plan = planner::make_plan_for({std::move(change)}, live);
    LB_TRY(planner::check_policy(plan, {}));
    if (!output.is_json()) output.text(plan_text(plan, output, false));
    LB_TRY(carry_out(session, plan));
    return ExitCode::kOk;
}

Result<ExitCode> run_branch_delete(const Arguments& arguments, Output& output) {
    Session session(arguments, output);
    ProjectState live = LB_TRY(session.live_branches(session.asked_branches()));
    std::string name = arguments.text("branch");
    bool is_purge = arguments.has("purge");
    // One that is deleted already can still be purged.
    if (!is_purge || live.find_deleted(name) == nullptr) {
        name = LB_TRY(session.branch_of(live, name));
    }
    Address address = Address::of_branch(name);
    planner::Plan plan = planner::make_plan_for({{.address = address,
                                                  .kind = ChangeKind::kDelete,
                                                  .value = {},
                                                  .origin = Origin::kCommand,
                                                  .is_purge = is_purge}},
                                                live);
    if (!output.is_json()) output.text(plan_text(plan, output, false));
    LB_TRY(planner::check_policy(plan, {to_text(address)}));
    LB_TRY(approve_delete(session, name));
    LB_TRY(carry_out(session, plan));
    if (!output.is_json() && !is_purge) tell_undelete(output, live, name);
    return ExitCode::kOk;
}

Result<ExitCode> run_branch_undelete(const Arguments& arguments, Output& output) {
    Session session(arguments, output);
    std::string name = arguments.text("branch");
    std::string new_name = arguments.text("as", name);
    ProjectState live = LB_TRY(session.live_branches({}, {name, new_name}));
    const DeletedBranchState* deleted = live.find_deleted(name);
    if (deleted == nullptr) return nothing_to_undelete(live, name);
    ResourceChange change{.address = Address::of_branch(new_name),
                          .kind = ChangeKind::kCreate,
                          .value = BranchValue{.parent = deleted->parent, .undelete = deleted->id},
                          .origin = Origin::kCommand};
    planner::Plan plan = planner::make_plan_for({std::move(change)}, live);
    LB_TRY(planner::check_policy(plan, {}));
    if (!output.is_json()) output.text(plan_text(plan, output, false));
    LB_TRY(carry_out(session, plan));
    return ExitCode::kOk;
}

}  // namespace lb::cli
