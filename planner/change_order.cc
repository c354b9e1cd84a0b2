#include "planner/change_order.h"

#include <algorithm>
#include <tuple>

namespace lb::planner {

namespace {

// What happens at one depth of the tree of branches, in this order.
enum class Phase : uint8_t {
    kBranch,
    kCompute,
    kRole,
    kDropDatabase,
    kDatabase,
    kDropExtension,
    kSchema,
    kExtension,
    kDropSchema,
    kDropRole,
};

enum class Part : uint8_t { kProject, kBranches, kBranchDeletes, kProjectDelete };

Part part_of(const ResourceChange& change) {
    bool is_delete = change.kind == ChangeKind::kDelete;
    switch (change.address.kind) {
        case ResourceKind::kProject: return is_delete ? Part::kProjectDelete : Part::kProject;
        case ResourceKind::kBranch: return is_delete ? Part::kBranchDeletes : Part::kBranches;
        case ResourceKind::kCompute:
        case ResourceKind::kRole:
        case ResourceKind::kDatabase:
        case ResourceKind::kSchema:
        case ResourceKind::kExtension: return Part::kBranches;
    }
    return Part::kBranches;
}

Phase phase_of(const ResourceChange& change) {
    bool is_delete = change.kind == ChangeKind::kDelete;
    switch (change.address.kind) {
        case ResourceKind::kProject:
        case ResourceKind::kBranch: return Phase::kBranch;
        case ResourceKind::kCompute: return Phase::kCompute;
        case ResourceKind::kRole: return is_delete ? Phase::kDropRole : Phase::kRole;
        case ResourceKind::kDatabase: return is_delete ? Phase::kDropDatabase : Phase::kDatabase;
        case ResourceKind::kSchema: return is_delete ? Phase::kDropSchema : Phase::kSchema;
        case ResourceKind::kExtension: return is_delete ? Phase::kDropExtension : Phase::kExtension;
    }
    return Phase::kBranch;
}

struct SortKey {
    Part part = Part::kProject;
    int64_t depth = 0;
    Phase phase = Phase::kBranch;
    uint32_t level = 0;
    size_t index = 0;  // of the change
};

uint32_t role_level(const ResourceChange& change, const World& world) {
    const RoleOrder* order = world.role_order(change.address.branch);
    if (order == nullptr) return 0;
    auto level = order->levels.find(change.address.name);
    return level == order->levels.end() ? 0 : level->second;
}

SortKey sort_key(const ResourceChange& change, size_t index, const World& world) {
    SortKey key{.part = part_of(change), .phase = phase_of(change), .index = index};
    int64_t depth = int64_t{world.tree().depth(change.address.branch)};
    key.depth = key.part == Part::kBranchDeletes ? -depth : depth;
    if (key.phase == Phase::kRole) key.level = role_level(change, world);
    return key;
}

}  // namespace

void sort_changes(std::vector<PlannedChange>& changes, const World& world) {
    std::vector<SortKey> keys;
    keys.reserve(changes.size());
    for (size_t i = 0; i < changes.size(); ++i) {
        keys.push_back(sort_key(changes[i].change, i, world));
    }
    std::ranges::stable_sort(keys, [&](const SortKey& left, const SortKey& right) {
        const Address& left_address = changes[left.index].change.address;
        const Address& right_address = changes[right.index].change.address;
        return std::tie(left.part, left.depth, left.phase, left.level, left_address) <
               std::tie(right.part, right.depth, right.phase, right.level, right_address);
    });
    std::vector<PlannedChange> sorted;
    sorted.reserve(changes.size());
    for (const SortKey& key : keys) sorted.push_back(std::move(changes[key.index]));
    changes = std::move(sorted);
}

}  // namespace lb::planner
