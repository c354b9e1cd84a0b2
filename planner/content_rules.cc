// Rules for what is inside of databases.
#include "base/model/names.h"
#include "base/text.h"
#include "planner/rules.h"

namespace lb::planner {

namespace {

// What all of them have in common. False if it was refused.
bool check_content(PlannedChange& planned, const World& world) {
    const Address& address = planned.change.address;
    if (!check_branch_stays(planned, world)) return false;
    if (!world.will_have_database(address.branch, address.database)) {
        refuse(planned, Refusal::kNotFound,
               cat("database ", quoted(address.database), ", where ", to_text(address.kind), " ",
                   quoted(address.name), " is to be, does not exist"),
               "create the database too");
        return false;
    }
    if (world.is_observed(address.branch)) check_existence(planned, world);
    return planned.refusal == Refusal::kNone;
}

}  // namespace

void check_schema(PlannedChange& planned, const World& world) {
    const Address& address = planned.change.address;
    if (planned.change.kind == ChangeKind::kCreate) {
        refuse_invalid_name(planned, check_schema_name(address.name));
    }
    if (!check_content(planned, world)) return;
    if (planned.change.kind == ChangeKind::kDelete) {
        std::vector<std::string> inside = world.extensions_after(address);
        if (inside.empty()) return;
        refuse(planned, Refusal::kInUse,
               cat("schema ", quoted(address.name), " of database ", quoted(address.database),
                   " has extensions that stay: ", list_names(inside)),
               "give them another schema, or keep this one in the spec");
        return;
    }
    auto* value = std::get_if<SchemaValue>(&planned.change.value);
    if (value == nullptr || world.will_have_role(address.branch, value->owner)) return;
    refuse(planned, Refusal::kNotFound,
           cat("schema ", quoted(address.name), " is to be owned by role ", quoted(value->owner),
               ", which does not exist"),
           cat("create role ", quoted(value->owner), " too, or name another owner"));
}

void check_extension(PlannedChange& planned, const World& world) {
    const Address& address = planned.change.address;
    if (planned.change.kind == ChangeKind::kCreate) {
        refuse_invalid_name(planned, check_extension_name(address.name));
    }
    if (!check_content(planned, world)) return;
    auto* value = std::get_if<ExtensionValue>(&planned.change.value);
    if (value == nullptr || world.will_have_schema(address.its_database(), value->schema)) return;
    refuse(planned, Refusal::kNotFound,
           cat("extension ", quoted(address.name), " is to be in schema ", quoted(value->schema),
               ", which does not exist in database ", quoted(address.database)),
           cat("add ", quoted(value->schema), " to the schemas of the database"));
}

}  // namespace lb::planner
