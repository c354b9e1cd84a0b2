// Saved plans: what "lb plan --out" writes and "lb apply FILE" carries out. The format, byte by
// byte: docs/plan-file.md. A plan file holds no secret: where a role has a password, it holds the
// reference from the spec, and the verifier is made anew when the plan is applied. Pure functions.
#pragma once

#include <string>
#include <vector>

#include "planner/plan.h"

namespace lb::planner {

struct SavedSecret {
    Address role;
    specs::SecretReference reference;
    bool operator==(const SavedSecret&) const = default;
};

struct SavedPlan {
    Plan plan;  // its undo without values, its roles without verifiers
    std::string spec_hash = {};
    // Creation of the default branch: tells the project from another one of its name. nullopt: the
    // project did not exist.
    std::optional<WallTime> project_created_at = {};
    std::vector<SavedSecret> secrets = {};
    bool operator==(const SavedPlan&) const = default;
};

// What a plan of `spec` against `live` is saved as.
SavedPlan saved_plan(const Plan& plan, const specs::ProjectSpec& spec, const ProjectState& live);

std::string encode_plan_file(const SavedPlan& saved);
// Errors: kBadRequest for what is no plan file, is not complete or was changed; kVersionMismatch
// for one of a newer lb.
Result<SavedPlan> decode_plan_file(std::string_view text);

// Puts the verifiers in, of roles whose secrets were resolved into `spec`. Errors: kPlanStale if a
// password that the plan leaves as it is would change.
Status fill_verifiers(SavedPlan& saved, const specs::ProjectSpec& spec, const ProjectState& live);

// The roles with secrets, as a spec that resolve_secrets() understands.
specs::ProjectSpec spec_of_secrets(const SavedPlan& saved, const ProjectState& live);

// What is in one plan and not in the other, one line each; empty if both do the same.
std::vector<std::string> plan_differences(const Plan& before, const Plan& now);

// The reverse of to_json(plan), for a document whose changes are `changes`. Errors: kBadRequest.
Result<Plan> plan_from_json(const Json& json, ChangeSet changes);

}  // namespace lb::planner
