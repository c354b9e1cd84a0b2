// The one order of a plan: every change after what it needs, ties broken by kind and name, so that
// equal changes always come in the same order.
//
//   project; then branches from the root outwards, each depth with its computes, roles (after the
//   roles that they belong to), dropped databases, other databases, dropped roles; then deleted
//   branches from the leaves inwards; then a deleted project.
//
// So a new branch inherits what the plan does to its parent, and a role is dropped after the
// databases that it owned have gone or changed hands.
#pragma once

#include <vector>

#include "planner/world.h"

namespace lb::planner {

void sort_changes(std::vector<PlannedChange>& changes, const World& world);

}  // namespace lb::planner
