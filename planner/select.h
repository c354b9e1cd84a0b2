// A part of a plan: `lb plan --only PATTERN --except PATTERN`. A part is closed: a change comes
// with the changes that it needs, and goes with them. So it can be applied by itself, and what was
// left out is what the next plan says. Pure functions.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "planner/plan.h"

namespace lb::planner {

// Patterns of addresses (base/pattern.h): "branch.pr-*".
struct Selection {
    std::vector<std::string> only = {};    // empty: everything
    std::vector<std::string> except = {};  // wins over `only`
    bool operator==(const Selection&) const = default;
};

// make_plan() with only these changes.
// Errors: kUsage for a pattern that matches nothing that is there or planned.
Result<Plan> make_plan(const specs::ProjectSpec& spec, const ProjectState& live,
                       const Selection& selection);

// The step before finish_plan(): takes the changes of `plan` away that are not selected. Errors as
// above; then `plan` is as it was.
Status select_changes(Plan& plan, const ProjectState& live, const Selection& selection);

// Of everything that the live state shows; sorted.
std::set<std::string> live_addresses(const ProjectState& live);

}  // namespace lb::planner
