// From a spec or a command's wish to a plan, and from a plan to the live state. Every change that
// lb makes goes this way.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cli/session.h"
#include "planner/plan.h"

namespace lb::cli {

// The spec's plan against the live state. Errors: kInvalidSpec, kSecretMissing, the daemon's.
Result<planner::Plan> plan_from_spec(Session& session);

// The plan for people, coloured for a terminal.
std::string plan_text(const planner::Plan& plan, const Output& output, bool is_verbose);

// Sends the plan to the daemon, shows how it goes on, and prints what came of it. The plan must
// have passed check_policy(). Errors: those of Engine::apply(); kInterrupted if Ctrl-C came first.
Status carry_out(Session& session, const planner::Plan& plan);

}  // namespace lb::cli
