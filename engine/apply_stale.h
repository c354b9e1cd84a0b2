// Whether a plan still fits the state that an apply finds.
#pragma once

#include "base/model/change.h"
#include "base/result.h"
#include "engine/catalog.h"

namespace lb::engine {

// `project` is null if it does not exist. A base version is what the plan saw:
// - a branch or compute must have that very version (0: must not exist);
// - a role, a database, and what is inside of one must not have been changed by lb since: not after
//   the version, and where it is 0 (it was not there) not after the generation that the plan saw.
//   So what lb made and somebody dropped by hand can be made anew;
// - the project must not have changed its own settings since; other applies do not count.
// Errors: kPlanStale, with a note for each resource that does not fit.
Status check_base_versions(const ChangeSet& changes, const Project* project);

}  // namespace lb::engine
