// Saved plans as files: written by "lb plan --out", read by "lb apply FILE" and "lb show FILE".
#pragma once

#include <string>

#include "base/result.h"
#include "cli/plan_flow.h"
#include "cli/session.h"
#include "planner/plan_file.h"

namespace lb::cli {

// As a whole, with mode 0600, in place of what was there. Errors: kIo, and nothing is changed.
Status write_plan_file(const std::string& path, const planner::SavedPlan& saved);

// Errors: kIo; those of decode_plan_file(), with the path.
Result<planner::SavedPlan> read_plan_file(const std::string& path);

// The plan as it is to be carried out: of this project and not another one of its name, with the
// passwords that its references lead to. Errors: kUsage, kRefused, kPlanStale, kSecretMissing.
Result<planner::Plan> ready_plan(Session& session, planner::SavedPlan saved);

// What became of a saved plan: the plan of the same spec against the present state, compared.
struct Rebase {
    std::string plan_id;  // of the saved plan
    std::vector<std::string> differences = {};
};

// Errors: those of read_plan_file(); kRefused if the spec is not the one of the saved plan.
Result<Rebase> rebase_of(const std::string& path, const SpecPlan& now);
Json to_json(const Rebase& rebase);
std::string rebase_text(const Rebase& rebase);

// Adds to an error that says the plan is stale what to do about it.
Error with_rebase_help(Error error, const std::string& path);

}  // namespace lb::cli
