// How a branch shows: the words of `lb status` and `lb branch list|show`.
#pragma once

#include <string>
#include <vector>

#include "base/model/state.h"

namespace lb::cli {

// "running on port 54321", "stopped", "failed: why".
std::string compute_text(const ComputeState& compute);
// "@120455", or "-" for a root branch.
std::string branch_point_text(const BranchState& branch);
// "in 6 d 23 h" style times would change with every call; this is the absolute time, or "-".
std::string expiration_text(const BranchState& branch);

struct TreeRow {
    std::string label;  // "├─ staging"
    const BranchState* branch;
};
// Roots first, children below their parents, siblings by name.
std::vector<TreeRow> branch_tree(const ProjectState& live);

}  // namespace lb::cli
