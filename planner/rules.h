// The rules that every change must pass, whoever asks for it: protection, orphans, what cannot be
// changed in place, what is still in use, what does not exist. docs/planning.md lists them.
#pragma once

#include <string>
#include <vector>

#include "planner/world.h"

namespace lb::planner {

// Marks the changes that may not be carried out. Requires: `changes` are in their final order.
void check_rules(std::vector<PlannedChange>& changes, const World& world);

// The pieces of it that rules.cc, role_rules.cc and content_rules.cc share. The first refusal of a
// change stands.
void refuse(PlannedChange& planned, Refusal refusal, std::string message, std::string help);
void refuse_invalid_name(PlannedChange& planned, const Status& name_check);
// Creates need that it does not exist, others that it does.
void check_existence(PlannedChange& planned, const World& world);
void check_role(PlannedChange& planned, const World& world);
void check_database(PlannedChange& planned, const World& world);
void check_schema(PlannedChange& planned, const World& world);
void check_extension(PlannedChange& planned, const World& world);
// False, and refused, if the branch will not be there.
bool check_branch_stays(PlannedChange& planned, const World& world);

// "a, b and 7 more"
std::string list_names(const std::vector<std::string>& names);

}  // namespace lb::planner
