// From a spec or a command's wish to a plan, and from a plan to the live state. Every change that
// lb makes goes this way.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cli/session.h"
#include "planner/plan.h"

namespace lb::cli {

// A plan, and what it was made from.
struct SpecPlan {
    specs::ProjectSpec spec;
    ProjectState live;
    planner::Plan plan;
};

// The spec's plan against the live state. Errors: kInvalidSpec, kSecretMissing, the daemon's.
Result<SpecPlan> plan_from_spec(Session& session);

// Errors: kUsage if two forms are asked for, --markdown and --json.
Status check_plan_form(const Arguments& arguments, const Output& output);

// The plan for people, coloured for a terminal.
std::string plan_text(const planner::Plan& plan, const Output& output, bool is_verbose);

// On stdout, before what is asked about it: text, or with --json one line, because events follow.
void show_plan(Session& session, const planner::Plan& plan, bool is_verbose);

// Shows the plan, checks it (--allow-destroy), asks unless --auto-approve says not to, and carries
// it out. An empty plan is only shown. Errors: those of check_policy() and carry_out(),
// kApprovalNeeded, kInterrupted.
Status review_and_carry_out(Session& session, const planner::Plan& plan);

// Sends the plan to the daemon, shows how it goes on, and prints what came of it. The plan must
// have passed check_policy(). Errors: those of Engine::apply(); kInterrupted if Ctrl-C came first.
Status carry_out(Session& session, const planner::Plan& plan);

}  // namespace lb::cli
