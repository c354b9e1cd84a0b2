// RoleOrder: in which order the roles of a branch can be created and changed. PostgreSQL refuses a
// membership in a role that does not exist yet and one that closes a circle, so a role comes after
// the roles that it will belong to.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "planner/plan.h"

namespace lb::planner {

// Role -> roles that it belongs to.
using Memberships = std::map<std::string, std::vector<std::string>, std::less<>>;

// The memberships of one branch as `changes`, which are all of that branch, will leave them; of the
// roles that lb does not manage too. `live` may be null: nothing is known of the branch.
Memberships memberships_after(const BranchState* live, const std::vector<PlannedChange>& changes);

struct RoleOrder {
    // Length of the longest chain of memberships above a role. Roles of a circle have none.
    std::map<std::string, uint32_t, std::less<>> levels;
    // Roles that would belong to themselves, and those between two such circles.
    std::set<std::string, std::less<>> circular;
};

RoleOrder order_roles(const Memberships& memberships);

}  // namespace lb::planner
