// lb plan, lb apply, lb destroy.
#include <optional>

#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/plan_flow.h"
#include "cli/progress.h"
#include "cli/rehearsal_flow.h"
#include "cli/saved_plan.h"
#include "cli/terminal.h"
#include "planner/render.h"

namespace lb::cli {
namespace {

// The name once more: as --confirm, or typed.
Status confirm_destroy(Session& session, const std::string& project) {
    Error mismatch{.code = ErrorCode::kApprovalNeeded,
                   .message = cat("deleting project ", quoted(project),
                                  " and all its data has to be confirmed with its name"),
                   .help = cat("lb destroy ", project, " --confirm ", project)};
    const Arguments& arguments = session.arguments();
    if (arguments.has("confirm")) {
        return arguments.text("confirm") == project ? ok() : Status(mismatch);
    }
    if (session.output().is_json() || !can_ask()) return mismatch;
    std::string answer = LB_TRY(ask(cat("This deletes all branches and data of project ",
                                        quoted(project), ". To confirm, type its name: ")));
    return answer == project ? ok() : Status(mismatch);
}

// A saved plan is carried out as it was reviewed.
Status check_is_whole(const Arguments& arguments) {
    if (!arguments.has("only") && !arguments.has("except")) return ok();
    return Error{.code = ErrorCode::kUsage,
                 .message = "of a saved plan no part can be chosen",
                 .help = "choose it when the plan is made: lb plan --only PATTERN --out FILE"};
}

// A destroy that has been confirmed deletes every address of the plan.
std::vector<std::string> all_deletes(const planner::Plan& plan) {
    std::vector<std::string> addresses;
    for (const planner::PlannedChange& change : plan.changes) {
        addresses.push_back(to_text(change.change.address));
    }
    return addresses;
}

}  // namespace

Result<ExitCode> run_plan(const Arguments& arguments, Output& output) {
    LB_TRY(check_plan_form(arguments, output));
    Session session(arguments, output);
    SpecPlan made = LB_TRY(plan_from_spec(session));
    const planner::Plan& plan = made.plan;
    std::optional<Rebase> rebase;
    if (arguments.has("rebase")) {
        rebase = LB_TRY(rebase_of(arguments.text("rebase"), made));
    }
    std::optional<engine::Rehearsal> rehearsal;
    if (arguments.has("rehearse") && plan.summary.refused_count == 0) {
        rehearsal = LB_TRY(rehearse(session, plan));
    }
    if (arguments.has("out")) {
        planner::SavedPlan saved = planner::saved_plan(plan, made.spec, made.live);
        LB_TRY(write_plan_file(arguments.text("out"), saved));
    }
    if (arguments.has("markdown")) {
        output.text(planner::render_markdown(plan));
    } else if (output.is_json()) {
        Json document = planner::to_json(plan);
        if (rebase) document.set("rebase", to_json(*rebase));
        if (rehearsal) document.set("rehearsal", to_json(*rehearsal));
        output.document(document);
    } else {
        if (rebase) output.text(rebase_text(*rebase));
        output.text(plan_text(plan, output, arguments.has("verbose")));
        if (rehearsal) output.text(rehearsal_text(*rehearsal));
    }
    if (rehearsal && !rehearsal->is_ok()) return ExitCode::kRehearsalFailed;
    if (plan.is_empty() || !arguments.has("detailed-exitcode")) return ExitCode::kOk;
    return ExitCode::kChangesPresent;
}

Result<ExitCode> run_apply(const Arguments& arguments, Output& output) {
    Session session(arguments, output);
    const std::string file = arguments.text("file");
    planner::Plan plan;
    if (file.empty()) {
        plan = LB_TRY(plan_from_spec(session)).plan;
    } else {
        LB_TRY(check_is_whole(arguments));
        plan = LB_TRY(ready_plan(session, LB_TRY(read_plan_file(file))));
    }
    Status applied = review_and_carry_out(session, plan);
    if (!applied.is_ok() && !file.empty()) return with_rebase_help(applied.error(), file);
    LB_TRY(applied);
    return ExitCode::kOk;
}

Result<ExitCode> run_destroy(const Arguments& arguments, Output& output) {
    Session session(arguments, output);
    const std::string project = arguments.text("name");
    Client client = LB_TRY(session.client());
    ProjectState live = LB_TRY(client.state(project, engine::Observe::kNo));
    if (!live.exists) {
        return Error{.code = ErrorCode::kNotFound,
                     .message = cat("there is no project ", quoted(project)),
                     .help = "lb status shows what there is"};
    }
    planner::Plan plan = planner::make_destroy_plan(live);
    show_plan(session, plan, false);
    LB_TRY(planner::check_policy(plan, all_deletes(plan)));
    LB_TRY(confirm_destroy(session, project));
    LB_TRY(carry_out(session, plan));
    return ExitCode::kOk;
}

}  // namespace lb::cli
