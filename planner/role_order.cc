#include "planner/role_order.h"

#include <algorithm>

namespace lb::planner {

namespace {

// Takes roles away as long as one has no neighbour left in `next`; returns what remains: circles
// and whatever is behind them. `on_taken(role, round)` sees each role that went.
template <class OnTaken>
std::set<std::string, std::less<>> peel(const Memberships& next, const Memberships& previous,
                                        OnTaken on_taken) {
    std::map<std::string_view, size_t> open_counts;
    std::vector<std::string_view> ready;
    for (const auto& [role, neighbours] : next) {
        open_counts[role] = neighbours.size();
        if (neighbours.empty()) ready.push_back(role);
    }
    for (uint32_t round = 0; !ready.empty(); ++round) {
        std::vector<std::string_view> next_ready;
        for (std::string_view role : ready) {
            on_taken(role, round);
            open_counts.erase(role);
            for (const std::string& dependent : previous.find(role)->second) {
                if (--open_counts.find(dependent)->second == 0) next_ready.push_back(dependent);
            }
        }
        ready = std::move(next_ready);
    }
    std::set<std::string, std::less<>> rest;
    for (const auto& [role, count] : open_counts) rest.emplace(role);
    return rest;
}

}  // namespace

Memberships memberships_after(const BranchState* live, const std::vector<PlannedChange>& changes) {
    Memberships memberships;
    if (live != nullptr) {
        for (const RoleState& role : live->roles) {
            memberships[role.name] = role.attributes.member_of;
        }
    }
    for (const PlannedChange& planned : changes) {
        const ResourceChange& change = planned.change;
        if (change.address.kind != ResourceKind::kRole) continue;
        if (auto* role = std::get_if<RoleValue>(&change.value)) {
            memberships[change.address.name] = role->attributes.member_of;
        } else if (change.kind == ChangeKind::kDelete) {
            memberships.erase(change.address.name);
        }
    }
    return memberships;
}

RoleOrder order_roles(const Memberships& memberships) {
    // Only memberships among the roles at hand count; PostgreSQL's own roles belong to none of
    // ours.
    Memberships groups;
    Memberships members;
    for (const auto& [role, member_of] : memberships) {
        members[role];
        std::vector<std::string>& known = groups[role];
        for (const std::string& group : member_of) {
            if (memberships.contains(group)) known.push_back(group);
        }
        std::ranges::sort(known);
        known.erase(std::unique(known.begin(), known.end()), known.end());
        for (const std::string& group : known) members[group].push_back(role);
    }
    RoleOrder order;
    auto above = peel(groups, members, [&](std::string_view role, uint32_t round) {
        order.levels.emplace(role, round);
    });
    if (above.empty()) return order;
    auto below = peel(members, groups, [](std::string_view, uint32_t) {});
    std::ranges::set_intersection(above, below,
                                  std::inserter(order.circular, order.circular.end()));
    return order;
}

}  // namespace lb::planner
