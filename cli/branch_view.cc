#include "cli/branch_view.h"

#include <map>

#include "base/text.h"

namespace lb::cli {

std::string compute_text(const ComputeState& compute) {
    std::string text(to_text(compute.status));
    if (compute.status == ComputeStatus::kRunning) return cat(text, " :", compute.active_port);
    if (compute.status == ComputeStatus::kFailed && !compute.failure.empty()) {
        return cat(text, ": ", split(compute.failure, '\n').front());
    }
    return text;
}

std::string branch_point_text(const BranchState& branch) {
    return branch.parent.empty() ? "-" : cat("@", branch.branch_point.value());
}

std::string expiration_text(const BranchState& branch) {
    return branch.expire_time.has_value() ? format_time(*branch.expire_time) : "-";
}

std::vector<TreeRow> branch_tree(const ProjectState& live) {
    std::map<std::string_view, std::vector<const BranchState*>> children;
    std::vector<const BranchState*> roots;
    for (const BranchState& branch : live.branches) {
        if (live.find_branch(branch.parent) != nullptr) {
            children[branch.parent].push_back(&branch);
        } else {
            roots.push_back(&branch);
        }
    }
    // A stack instead of recursion: branches of branches can go deep.
    struct Pending {
        const BranchState* branch;
        std::string own_prefix;       // in front of its name
        std::string children_prefix;  // in front of its children's prefixes
    };
    std::vector<Pending> stack;
    for (size_t index = roots.size(); index > 0; --index)
        stack.push_back({roots[index - 1], "", ""});
    std::vector<TreeRow> rows;
    while (!stack.empty()) {
        Pending top = std::move(stack.back());
        stack.pop_back();
        rows.push_back({top.own_prefix + top.branch->name, top.branch});
        const std::vector<const BranchState*>& below = children[top.branch->name];
        for (size_t index = below.size(); index > 0; --index) {
            const bool is_last = index == below.size();
            stack.push_back({below[index - 1], top.children_prefix + (is_last ? "└─ " : "├─ "),
                             top.children_prefix + (is_last ? "   " : "│  ")});
        }
    }
    return rows;
}

}  // namespace lb::cli
