// What roles and databases a branch has, without waking its compute more often than needed.
//
// What was seen when the line's head was at position P stays true while the head is P: without a
// write nothing can have changed. A running server moves the head now and then; then it is asked
// again, which is cheap. A clean stop moves it too, so what was seen just before the stop is kept
// if PostgreSQL's control file shows that no transaction ran in between (project_control_file.h).
#pragma once

#include <string>

#include "engine/project_context.h"

namespace lb::engine {

// Roles and databases of a branch now. Starts its compute if nothing valid is remembered.
// Errors: kNotFound, those of start_branch(), kSqlFailed.
Result<Observation> observe_branch(Context& context, const std::string& project,
                                   const std::string& branch);

// True if observe_branch() would not have to start the compute.
bool is_observable_asleep(Context& context, const std::string& project, const std::string& branch);

// Stops the branch's compute; of a project's default branch, remembers what it has.
Status stop_branch(Context& context, const std::string& project, const std::string& branch);

}  // namespace lb::engine
