// Whether a plan still fits the state that an apply finds.
#pragma once

#include "base/model/change.h"
#include "base/result.h"
#include "engine/catalog.h"

namespace lb::engine {

// `project` is null if it does not exist. A base version is what the plan saw:
// - a branch or compute must have that very version (0: must not exist);
// - a role or database must not have been changed by lb since, and must not be lb's if it was 0;
// - the project must not have changed its own settings since; other applies do not count.
// Errors: kPlanStale, with a note for each resource that does not fit.
Status check_base_versions(const std::vector<BaseVersion>& versions, const Project* project);

}  // namespace lb::engine
