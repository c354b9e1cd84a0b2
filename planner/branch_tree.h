// BranchTree: how the branches of a project hang together, with the ones that a plan creates and as
// it updates them. The ones that it deletes are still in it. Built once per plan; const afterwards.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "planner/plan.h"

namespace lb::planner {

class BranchTree {
public:
    struct Node {
        std::string name;
        std::string parent;  // empty: root branch
        uint32_t depth = 0;  // number of ancestors
        bool expires = false;
        bool is_circular = false;  // its ancestors lead back to one that was seen
    };

    BranchTree(const ProjectState& live, const std::vector<PlannedChange>& changes);

    // nullptr if there is no such branch. O(log n).
    const Node* find(std::string_view branch) const;
    // 0 for root branches and for names that are not in the tree.
    uint32_t depth(std::string_view branch) const;
    // Sorted by name.
    const std::vector<Node>& nodes() const { return nodes_; }

private:
    Node* find(std::string_view branch);
    void measure_depths();

    std::vector<Node> nodes_;
};

}  // namespace lb::planner
