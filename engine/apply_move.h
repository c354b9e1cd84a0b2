// What an apply does with a branch that takes another state: a restore or a reset. The branch keeps
// its name, id, port and children and gets a new line; the line that it had goes to a backup
// branch, or goes away. The run itself is in apply_run.h.
#pragma once

#include <functional>

#include "engine/apply_draft.h"

namespace lb::engine {

// "main-old-20261124-083015": the first such name that nobody has.
std::string backup_name(const std::string& branch, WallTime now,
                        const std::function<bool(const std::string&)>& is_taken);

// The roles and databases of lb's as they were at an earlier position: the generations that came
// after it are undone. `generations`: newest first.
ManagedRecord managed_before(ManagedRecord managed, const std::string& branch,
                             const std::vector<GenerationRecord>& generations);

}  // namespace lb::engine
