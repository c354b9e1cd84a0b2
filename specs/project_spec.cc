#include "specs/project_spec.h"

#include <algorithm>

namespace lb::specs {

const BranchSpec* ProjectSpec::find_branch(std::string_view branch) const {
    auto at = std::lower_bound(branches.begin(), branches.end(), branch,
                               [](const BranchSpec& candidate, std::string_view wanted) {
                                   return candidate.name < wanted;
                               });
    return at != branches.end() && at->name == branch ? &*at : nullptr;
}

}  // namespace lb::specs
