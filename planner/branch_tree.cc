#include "planner/branch_tree.h"

#include <algorithm>

namespace lb::planner {

namespace {

enum class Visit : uint8_t { kNew, kOnPath, kDone };

}  // namespace

BranchTree::BranchTree(const ProjectState& live, const std::vector<PlannedChange>& changes) {
    nodes_.reserve(live.branches.size());
    for (const BranchState& branch : live.branches) {
        nodes_.push_back(Node{.name = branch.name, .parent = branch.parent});
    }
    for (const PlannedChange& planned : changes) {
        const ResourceChange& change = planned.change;
        auto* branch = std::get_if<BranchValue>(&change.value);
        if (branch == nullptr || change.kind != ChangeKind::kCreate) continue;
        nodes_.push_back(Node{.name = change.address.branch, .parent = branch->parent});
    }
    // Of two with one name the first counts: the live branch, or the first request.
    std::ranges::stable_sort(nodes_, {}, &Node::name);
    auto duplicates = std::ranges::unique(nodes_, {}, &Node::name);
    nodes_.erase(duplicates.begin(), duplicates.end());
    measure_depths();
}

// Walks up from each branch to the first ancestor whose depth is known, then back down. Every node
// is walked once; there is no recursion, because chains of branches can be long.
void BranchTree::measure_depths() {
    std::vector<Visit> visits(nodes_.size(), Visit::kNew);
    std::vector<size_t> path;
    for (size_t start = 0; start < nodes_.size(); ++start) {
        size_t at = start;
        const Node* above = nullptr;
        while (visits[at] == Visit::kNew) {
            visits[at] = Visit::kOnPath;
            path.push_back(at);
            above = nodes_[at].parent.empty() ? nullptr : find(nodes_[at].parent);
            if (above == nullptr) break;
            at = static_cast<size_t>(above - nodes_.data());
        }
        bool is_circular = above != nullptr && visits[at] == Visit::kOnPath;
        while (!path.empty()) {
            Node& node = nodes_[path.back()];
            node.is_circular = is_circular || (above != nullptr && above->is_circular);
            node.depth = above == nullptr || node.is_circular ? 0 : above->depth + 1;
            visits[path.back()] = Visit::kDone;
            above = &node;
            path.pop_back();
        }
    }
}

const BranchTree::Node* BranchTree::find(std::string_view branch) const {
    auto found = std::ranges::lower_bound(nodes_, branch, {}, &Node::name);
    return found != nodes_.end() && found->name == branch ? &*found : nullptr;
}

uint32_t BranchTree::depth(std::string_view branch) const {
    const Node* node = find(branch);
    return node == nullptr ? 0 : node->depth;
}

}  // namespace lb::planner
