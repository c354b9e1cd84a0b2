// What people see of a resource: its attributes as names and texts, and how two values differ.
// Passwords show as "(set)" and "(new)"; no verifier leaves this file. Pure functions.
#pragma once

#include <vector>

#include "planner/plan.h"

namespace lb::planner {

// Owner of databases for which the spec names none.
inline constexpr std::string_view kSuperuser = "postgres";

// The live value in the form in which it was asked for: an expiration that was computed from a ttl
// shows as the ttl alone.
BranchValue value_of(const BranchState& branch);
ProjectValue value_of(const ProjectState& project);
DatabaseValue value_of(const DatabaseState& database);
SchemaValue value_of(const SchemaState& schema);
ExtensionValue value_of(const ExtensionState& extension);

// The live value of a resource; nullopt if it does not exist, or if nobody looked (contents
// of a branch that is not observed).
std::optional<ResourceValue> live_value(const ProjectState& live, const Address& address);

Risk risk_of_update(const ComputeSettings& before, const ComputeSettings& after);
Risk risk_of_delete(const Address& address);

// All attributes of `after` that are not the usual ones.
std::vector<AttributeDiff> diffs_of_create(const ResourceValue& after);
// All attributes of `before` that are not the usual ones.
std::vector<AttributeDiff> diffs_of_delete(const ResourceValue& before);
// Requires: both hold the same alternative.
std::vector<AttributeDiff> diffs_of_update(const ResourceValue& before, const ResourceValue& after);

}  // namespace lb::planner
