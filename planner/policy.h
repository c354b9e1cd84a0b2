// What a plan must be allowed to do: see check_policy() in plan.h.
#pragma once

#include <string>

#include "planner/plan.h"

namespace lb::planner {

// The change deletes data, and its address must be named for that. What goes with something else is
// covered by the name of that.
bool needs_permission(const PlannedChange& planned);

// "--allow-destroy branch.old", quoted for a shell where that is needed.
std::string destroy_option(const Address& address);

}  // namespace lb::planner
