// What each diagnostic means: the one table behind `lb explain` and docs/diagnostics.md. A new code
// needs an entry here and a case in tests/specs/cases; LB_SNAP_UPDATE=1 specs_cases_test then
// writes the document anew.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "specs/explain.h"

namespace lb::specs {

// A section of the document.
struct ExplanationGroup {
    std::string_view title;
    std::span<const Explanation> explanations;
};

extern const ExplanationGroup kTextGroup;
extern const ExplanationGroup kValueGroup;
extern const ExplanationGroup kBranchGroup;
extern const ExplanationGroup kRoleGroup;
extern const ExplanationGroup kFileGroup;
extern const ExplanationGroup kChangeGroup;
extern const ExplanationGroup kPolicyGroup;
extern const ExplanationGroup kLimitGroup;

// In the order of the document.
std::vector<const ExplanationGroup*> explanation_groups();

}  // namespace lb::specs
