#include "base/model/names.h"
#include "base/text.h"
#include "planner/rules.h"

namespace lb::planner {

namespace {

// False, and refused, if the branch will not be there.
void check_branch_stays(PlannedChange& planned, const World& world) {
    const std::string& branch = planned.change.address.branch;
    if (world.will_have_branch(branch)) return;
    refuse(planned, Refusal::kNotFound, cat("branch ", branch, " does not exist"),
           "see what there is with: lb branch list");
}

void check_memberships(PlannedChange& planned, const World& world) {
    const Address& address = planned.change.address;
    const auto& role = std::get<RoleValue>(planned.change.value);
    for (const std::string& group : role.attributes.member_of) {
        if (world.will_have_role(address.branch, group)) continue;
        refuse(planned, Refusal::kNotFound,
               cat("role ", quoted(address.name), " is to be a member of role ", quoted(group),
                   ", which does not exist"),
               cat("create role ", quoted(group), " too, or take it out of member_of"));
    }
    const RoleOrder* order = world.role_order(address.branch);
    if (order == nullptr || !order->circular.contains(address.name)) return;
    refuse(planned, Refusal::kNotSupported,
           cat("role ", quoted(address.name), " would be a member of itself through other roles"),
           "take one of the roles in the circle out of member_of");
}

void check_owns_nothing(PlannedChange& planned, const World& world) {
    const Address& address = planned.change.address;
    std::vector<std::string> owned = world.databases_owned_after(address);
    if (owned.empty()) return;
    refuse(planned, Refusal::kInUse,
           cat("role ", quoted(address.name), " owns databases that stay: ", list_names(owned)),
           "give them another owner first");
}

}  // namespace

void check_role(PlannedChange& planned, const World& world) {
    const ResourceChange& change = planned.change;
    if (change.kind == ChangeKind::kCreate) {
        refuse_invalid_name(planned, check_role_name(change.address.name));
    }
    check_branch_stays(planned, world);
    if (world.is_observed(change.address.branch)) check_existence(planned, world);
    if (change.kind == ChangeKind::kDelete) {
        check_owns_nothing(planned, world);
    } else {
        check_memberships(planned, world);
    }
}

void check_database(PlannedChange& planned, const World& world) {
    const ResourceChange& change = planned.change;
    const Address& address = change.address;
    if (change.kind == ChangeKind::kCreate) {
        refuse_invalid_name(planned, check_database_name(address.name));
    }
    check_branch_stays(planned, world);
    if (world.is_observed(address.branch)) check_existence(planned, world);
    auto* value = std::get_if<DatabaseValue>(&change.value);
    if (value == nullptr || world.will_have_role(address.branch, value->owner)) return;
    refuse(planned, Refusal::kNotFound,
           cat("database ", quoted(address.name), " is to be owned by role ", quoted(value->owner),
               ", which does not exist"),
           cat("create role ", quoted(value->owner), " too, or name another owner"));
}

}  // namespace lb::planner
