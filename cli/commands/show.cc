// lb show: a saved plan, for people and programs.
#include "cli/commands/commands.h"
#include "cli/plan_flow.h"
#include "cli/saved_plan.h"
#include "planner/render.h"

namespace lb::cli {

Result<ExitCode> run_show(const Arguments& arguments, Output& output) {
    LB_TRY(check_plan_form(arguments, output));
    planner::SavedPlan saved = LB_TRY(read_plan_file(arguments.text("file")));
    if (arguments.has("markdown")) {
        output.text(planner::render_markdown(saved.plan));
    } else if (output.is_json()) {
        output.document(planner::to_json(saved.plan));
    } else {
        output.text(plan_text(saved.plan, output, arguments.has("verbose")));
    }
    return ExitCode::kOk;
}

}  // namespace lb::cli
