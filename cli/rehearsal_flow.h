// Rehearsing a plan: asking the daemon, and telling people what came of it.
#pragma once

#include <string>

#include "base/result.h"
#include "cli/session.h"
#include "engine/rehearsal.h"
#include "planner/plan.h"

namespace lb::cli {

// Whether the plan changes roles, databases or what is in them on a branch that is protected now:
// lb apply rehearses such plans unless it is told not to.
bool changes_protected_data(const planner::Plan& plan, const ProjectState& live);

// Runs the plan's SQL on hidden copies. Errors: those of Engine::rehearse(); kInterrupted.
Result<engine::Rehearsal> rehearse(Session& session, const planner::Plan& plan);

// "rehearsal: ok on 1 branch, 9.9 ms of SQL, 7.6 MiB written" and a line for each branch.
std::string rehearsal_text(const engine::Rehearsal& rehearsal);

// kRehearsalFailed, naming the branches, with what the server said in the notes.
Status check_rehearsal(const engine::Rehearsal& rehearsal);

// What an apply does before it asks: rehearses if --rehearse says so, or if the plan changes
// protected data and --no-rehearse does not forbid it. Errors: kRehearsalFailed, after it was shown
// what failed.
Status rehearse_before_apply(Session& session, const planner::Plan& plan);

}  // namespace lb::cli
