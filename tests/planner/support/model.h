// A model of apply: carries a ChangeSet out on a ProjectState, one change after the other, as
// strictly as PostgreSQL and the store would: whatever a change needs must be there at its turn. So
// it tells whether a plan's order is right, and what the plan leads to.
#pragma once

#include "base/model/change.h"
#include "base/result.h"
#include "specs/project_spec.h"

namespace lb::planner::testing {

// What the model's clock says.
inline constexpr WallTime kModelNow{std::chrono::seconds(1'800'000'000)};

// Errors: kPlanStale for a base version that does not hold; kInternal for a change whose turn is
// wrong.
Result<ProjectState> apply(const ProjectState& live, const ChangeSet& changes);

// What of `state` is not as `spec` says, one line each; empty if all is. Resources that came from
// commands or by hand may be there besides.
std::vector<std::string> differences(const specs::ProjectSpec& spec, const ProjectState& state);

}  // namespace lb::planner::testing
