// Back to an earlier generation: a plan that undoes what the applies after it did to the catalog,
// the roles and the databases. Resources that no later apply touched stay as they are. Rows stay:
// what only a restore of a branch's data could bring back is refused or noted, with how to get it.
#pragma once

#include <vector>

#include "base/model/generation.h"
#include "planner/plan.h"

namespace lb::planner {

// `generations`: the target and all after it, newest first, up to the live state's.
// Errors: kRefused if one of them does not say what its changes were before; kPlanStale if the
// newest is not the live state's.
Result<Plan> make_rollback_plan(const std::vector<GenerationRecord>& generations,
                                const ProjectState& live);

}  // namespace lb::planner
