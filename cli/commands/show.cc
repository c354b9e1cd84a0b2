// lb show: a saved plan, or one live resource.
#include "base/model/address.h"
#include "cli/commands/commands.h"
#include "cli/plan_flow.h"
#include "cli/saved_plan.h"
#include "cli/show_resource.h"
#include "cli/spec_file.h"
#include "planner/render.h"

namespace lb::cli {
namespace {

// Quietly: a spec that is not right declares nothing, and is not what this is about.
std::optional<specs::ProjectSpec> spec_if_right(const Arguments& arguments) {
    std::optional<std::string> path = find_spec_file(arguments.text("spec"));
    if (!path) return {};
    Result<GivenVariables> variables = given_variables(arguments.list("var"));
    if (!variables.is_ok()) return {};
    Result<CheckedSpec> checked = check_spec_file(*path, *variables);
    if (!checked.is_ok()) return {};
    return std::move(checked->spec);
}

Result<ExitCode> show_resource(const Address& address, const Arguments& arguments, Output& output) {
    if (arguments.has("markdown")) {
        return Error{.code = ErrorCode::kUsage,
                     .message = "--markdown is for saved plans",
                     .help = "leave it out, or name a file: ./FILE"};
    }
    Session session(arguments, output);
    ProjectState live = LB_TRY(session.live_project(engine::Observe::kYes));
    std::optional<specs::ProjectSpec> spec = spec_if_right(arguments);
    ShownResource shown = LB_TRY(shown_resource(address, live, spec ? &*spec : nullptr));
    if (output.is_json()) {
        output.document(to_json(shown));
    } else {
        output.text(to_text(shown));
    }
    return ExitCode::kOk;
}

}  // namespace

Result<ExitCode> run_show(const Arguments& arguments, Output& output) {
    LB_TRY(check_plan_form(arguments, output));
    const std::string what = arguments.text("what");
    Result<Address> address = parse_address(what);
    if (address.is_ok()) return show_resource(*address, arguments, output);
    planner::SavedPlan saved = LB_TRY(read_plan_file(what));
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
