// The last step of making a plan, the same for all: order, rules, base versions, summary, id.
#pragma once

#include "planner/plan.h"

namespace lb::planner {

// Requires: project, changes (in any order), unmanaged and unchanged_count are filled in.
void finish_plan(Plan& plan, const ProjectState& live);

}  // namespace lb::planner
