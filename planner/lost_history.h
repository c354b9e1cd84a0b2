// What of the past a plan gives up by shorter restore windows, and moments that it asks for but
// that will be outside of them.
#pragma once

#include "planner/plan.h"

namespace lb::planner {

// Fills in `lost_history` and the risk of changes that shorten a window, and refuses branches and
// restores of a time that is before a window which the plan shortens.
void check_history(std::vector<PlannedChange>& changes, const ProjectState& live);

}  // namespace lb::planner
