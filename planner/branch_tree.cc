#include "planner/branch_tree.h"

#include <algorithm>
#include <utility>

namespace lb::planner {

namespace {

enum class Visit : uint8_t { kNew, kOnPath, kDone };

bool does_expire(const BranchValue& branch) { return branch.ttl || branch.expire_time; }

}  // namespace

BranchTree::BranchTree(const ProjectState& live, const std::vector<PlannedChange>& changes) {
    nodes_.reserve(live.branches.size());
    for (const BranchState& branch : live.branches) {
        nodes_.push_back(Node{.name = branch.name,
                              .parent = branch.parent,
                              .expires = branch.expire_time.has_value()});
    }
    for (const PlannedChange& planned : changes) {
        auto* branch = std::get_if<BranchValue>(&planned.change.value);
        if (branch == nullptr || planned.change.kind != ChangeKind::kCreate) continue;
        nodes_.push_back(Node{.name = planned.change.address.branch,
                              .parent = branch->parent,
                              .expires = does_expire(*branch)});
    }
    // Of two with one name the first counts: the live branch, or the first request.
    std::ranges::stable_sort(nodes_, {}, &Node::name);
    auto has_same_name = [](const Node& a, const Node& b) { return a.name == b.name; };
    nodes_.erase(std::unique(nodes_.begin(), nodes_.end(), has_same_name), nodes_.end());
    for (const PlannedChange& planned : changes) {
        auto* branch = std::get_if<BranchValue>(&planned.change.value);
        if (branch == nullptr || planned.change.kind == ChangeKind::kCreate) continue;
        Node* node = find(planned.change.address.branch);
        if (node != nullptr) node->expires = does_expire(*branch);
    }
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

BranchTree::Node* BranchTree::find(std::string_view branch) {
    return const_cast<Node*>(std::as_const(*this).find(branch));
}

uint32_t BranchTree::depth(std::string_view branch) const {
    const Node* node = find(branch);
    return node == nullptr ? 0 : node->depth;
}

}  // namespace lb::planner
