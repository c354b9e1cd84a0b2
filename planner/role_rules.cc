#include "base/model/names.h"
#include "base/text.h"
#include "planner/attributes.h"
#include "planner/rules.h"

namespace lb::planner {

namespace {

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
    for (ResourceKind kind : {ResourceKind::kDatabase, ResourceKind::kSchema}) {
        std::vector<std::string> owned = world.owned_after(address, kind);
        if (owned.empty()) continue;
        refuse(planned, Refusal::kInUse,
               cat("role ", quoted(address.name), " owns ", to_text(kind),
                   "s that stay: ", list_names(owned)),
               "give them another owner first");
    }
}

// An encoding and a locale are forever.
void check_create_only(PlannedChange& planned, const World& world) {
    auto live = live_value(world.live(), planned.change.address);
    if (!live) return;
    const auto& before = std::get<DatabaseValue>(*live);
    const auto& after = std::get<DatabaseValue>(planned.change.value);
    auto check = [&](const char* key, const std::string& present, const std::string& wanted) {
        if (present.empty() || wanted == present) return;
        refuse(planned, Refusal::kNotSupported,
               cat("database ", quoted(planned.change.address.name), " has ", key, " ",
                   quoted(present), " and cannot change to ", quoted(wanted), " in place"),
               cat("set ", key, " = ", quoted(present),
                   ", or make a new database and load a dump into it"));
    };
    check("encoding", before.encoding, after.encoding);
    check("locale", before.locale, after.locale);
}

}  // namespace

bool check_branch_stays(PlannedChange& planned, const World& world) {
    const std::string& branch = planned.change.address.branch;
    if (world.will_have_branch(branch)) return true;
    refuse(planned, Refusal::kNotFound, cat("branch ", branch, " does not exist"),
           "see what there is with: lb branch list");
    return false;
}

void check_role(PlannedChange& planned, const World& world) {
    const ResourceChange& change = planned.change;
    if (change.kind == ChangeKind::kCreate) {
        refuse_invalid_name(planned, check_role_name(change.address.name));
    }
    check_branch_stays(planned, world);
    if (world.is_observed(change.address.branch)) check_existence(planned, world);
    if (change.kind == ChangeKind::kForget) return;
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
    if (change.kind == ChangeKind::kUpdate) check_create_only(planned, world);
    auto* value = std::get_if<DatabaseValue>(&change.value);
    if (value == nullptr || world.will_have_role(address.branch, value->owner)) return;
    refuse(planned, Refusal::kNotFound,
           cat("database ", quoted(address.name), " is to be owned by role ", quoted(value->owner),
               ", which does not exist"),
           cat("create role ", quoted(value->owner), " too, or name another owner"));
}

}  // namespace lb::planner
