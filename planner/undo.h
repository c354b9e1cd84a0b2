// The way back: what would take an applied plan back, and what of it would stay lost. Pure.
#pragma once

#include "planner/plan.h"

namespace lb::planner {

// The steps that take `plan` back, in the order in which they would be carried out. Changes that
// are refused have none. Requires: `plan.changes` are in their final order.
std::vector<UndoStep> undo_of(const Plan& plan, const ProjectState& live);

// What carrying out the change costs, as far as the live state tells.
Cost cost_of(const PlannedChange& planned, const ProjectState& live);

// How long a deleted branch can be had back: its restore window as the plan leaves it.
std::chrono::seconds window_after(const Plan& plan, const ProjectState& live,
                                  const BranchState& branch);

}  // namespace lb::planner
