// lb rollback: a plan back to an earlier generation.
#include "planner/rollback.h"
#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/generation_option.h"
#include "cli/plan_flow.h"
#include "planner/render.h"

namespace lb::cli {
namespace {

// The one that is asked for, or the one before the newest.
Result<Generation> target_of(const Arguments& arguments, const ProjectState& live) {
    uint64_t newest = live.generation.value();
    uint64_t target = newest - 1;
    if (arguments.has("generation")) {
        target = LB_TRY(generation_number("GENERATION", arguments.text("generation")));
    }
    if (target > newest) {
        return Error{.code = ErrorCode::kNotFound,
                     .message = cat("project ", live.name, " has no generation ", target,
                                    "; its newest is ", newest),
                     .help = "lb generations lists what there is"};
    }
    return Generation{target};
}

Result<planner::Plan> plan_back(Session& session) {
    ProjectState live = LB_TRY(session.live_project(engine::Observe::kYes));
    Generation target = LB_TRY(target_of(session.arguments(), live));
    Error unknown{.code = ErrorCode::kNotFound,
                  .message = cat("project ", live.name, " knows no generation ", target.value()),
                  .help = cat("lb generations lists what there is; lb destroy ", live.name,
                              " ends the project")};
    if (target == Generation{}) return unknown;
    Client client = LB_TRY(session.client());
    std::vector<GenerationRecord> generations =
        LB_TRY(client.generations(live.name, {.after = Generation{target.value() - 1}}));
    if (generations.empty() || generations.back().number != target) return unknown;
    return planner::make_rollback_plan(generations, live);
}

}  // namespace

Result<ExitCode> run_rollback(const Arguments& arguments, Output& output) {
    Session session(arguments, output);
    planner::Plan plan = LB_TRY(plan_back(session));
    if (!arguments.has("dry-run")) {
        LB_TRY(review_and_carry_out(session, plan));
        return ExitCode::kOk;
    }
    if (output.is_json()) {
        output.document(planner::to_json(plan));
    } else {
        output.text(plan_text(plan, output, arguments.has("verbose")));
    }
    if (plan.is_empty() || !arguments.has("detailed-exitcode")) return ExitCode::kOk;
    return ExitCode::kChangesPresent;
}

}  // namespace lb::cli
