#include "planner/world.h"

#include "base/text.h"
#include "planner/attributes.h"

namespace lb::planner {

World::World(const ProjectState& live, const std::vector<PlannedChange>& changes)
    : live_(live), tree_(live, changes) {
    for (const PlannedChange& planned : changes) {
        const ResourceChange& change = planned.change;
        if (change.kind == ChangeKind::kCreate) created_.insert(change.address);
        if (change.kind == ChangeKind::kDelete) deleted_.insert(change.address);
    }
    for (const BranchTree::Node& node : tree_.nodes()) {
        bool stays = !is_deleted(Address::of_branch(node.name));
        if (stays && !node.parent.empty()) children_after_[node.parent].push_back(node.name);
    }
    collect_contents(changes);
}

// Looks only into the branches whose contents change.
void World::collect_contents(const std::vector<PlannedChange>& changes) {
    std::map<std::string, std::vector<PlannedChange>> touched;
    for (const PlannedChange& planned : changes) {
        const Address& address = planned.change.address;
        bool is_content = address.kind == ResourceKind::kRole ||
                          address.kind == ResourceKind::kDatabase || address.is_inside_database();
        if (is_content) touched[address.branch].push_back(planned);
    }
    Belongings belongings;
    for (const auto& [name, branch_changes] : touched) {
        const BranchState* branch = is_observed(name) ? live_.find_branch(name) : nullptr;
        if (branch != nullptr) collect_live(*branch, belongings);
        for (const PlannedChange& planned : branch_changes) {
            collect_changed(planned.change, belongings);
        }
        role_orders_[name] = order_roles(memberships_after(branch, branch_changes));
    }
    index(belongings);
}

void World::collect_live(const BranchState& branch, Belongings& belongings) {
    for (const RoleState& role : branch.roles) {
        contents_.insert(Address::of_role(branch.name, role.name));
    }
    for (const DatabaseState& database : branch.databases) {
        Address address = Address::of_database(branch.name, database.name);
        belongings.owners[address] = value_of(database).owner;
        contents_.insert(std::move(address));
        for (const SchemaState& schema : database.schemas) {
            Address inside = Address::of_schema(branch.name, database.name, schema.name);
            belongings.owners[inside] = schema.owner;
            contents_.insert(std::move(inside));
        }
        for (const ExtensionState& extension : database.extensions) {
            Address inside = Address::of_extension(branch.name, database.name, extension.name);
            belongings.schemas[inside] = extension.schema;
            contents_.insert(std::move(inside));
        }
    }
}

void World::collect_changed(const ResourceChange& change, Belongings& belongings) {
    auto* database = std::get_if<DatabaseValue>(&change.value);
    if (database != nullptr) belongings.owners[change.address] = database->owner;
    auto* schema = std::get_if<SchemaValue>(&change.value);
    if (schema != nullptr) belongings.owners[change.address] = schema->owner;
    auto* extension = std::get_if<ExtensionValue>(&change.value);
    if (extension != nullptr && !extension->schema.empty()) {
        belongings.schemas[change.address] = extension->schema;
    }
}

void World::index(const Belongings& belongings) {
    auto is_gone = [this](const Address& address) {
        return is_deleted(address) ||
               (address.is_inside_database() && is_deleted(address.its_database()));
    };
    for (const auto& [address, owner] : belongings.owners) {
        if (is_gone(address)) continue;
        owned_after_[{Address::of_role(address.branch, owner), address.kind}].push_back(
            address.is_inside_database() ? cat(address.database, ".", address.name) : address.name);
    }
    for (const auto& [address, schema] : belongings.schemas) {
        if (is_gone(address)) continue;
        extensions_after_[Address::of_schema(address.branch, address.database, schema)].push_back(
            address.name);
    }
}

bool World::is_observed(std::string_view branch) const {
    const BranchState* found = live_.find_branch(branch);
    return found != nullptr && found->is_observed;
}

bool World::exists(const Address& address) const {
    switch (address.kind) {
        case ResourceKind::kProject: return live_.exists;
        case ResourceKind::kBranch:
        case ResourceKind::kCompute: return live_.find_branch(address.branch) != nullptr;
        case ResourceKind::kRole:
        case ResourceKind::kDatabase:
        case ResourceKind::kSchema:
        case ResourceKind::kExtension: return contents_.contains(address);
    }
    return false;
}

bool World::will_have_branch(const std::string& branch) const {
    return tree_.find(branch) != nullptr && !is_deleted(Address::of_branch(branch));
}

const std::vector<std::string>& World::children_after(std::string_view branch) const {
    static const std::vector<std::string> kNone;
    auto found = children_after_.find(branch);
    return found == children_after_.end() ? kNone : found->second;
}

bool World::will_have_content(const Address& address) const {
    if (is_created(address)) return true;
    if (is_deleted(address)) return false;
    if (is_observed(address.branch)) return contents_.contains(address);
    const BranchTree::Node* node = tree_.find(address.branch);
    bool is_new_root =
        node != nullptr && node->parent.empty() && live_.find_branch(address.branch) == nullptr;
    return !is_new_root;
}

bool World::will_have_role(const std::string& branch, const std::string& role) const {
    if (role == kSuperuser || role.starts_with("pg_")) return true;
    return will_have_content(Address::of_role(branch, role));
}

bool World::will_have_database(const std::string& branch, const std::string& database) const {
    return will_have_content(Address::of_database(branch, database));
}

bool World::will_have_schema(const Address& database, const std::string& schema) const {
    bool is_in_every_database =
        schema == "public" || schema == "information_schema" || schema.starts_with("pg_");
    if (schema.empty() || is_in_every_database) return true;
    return will_have_content(Address::of_schema(database.branch, database.name, schema));
}

std::vector<std::string> World::owned_after(const Address& role, ResourceKind kind) const {
    auto found = owned_after_.find({role, kind});
    return found == owned_after_.end() ? std::vector<std::string>() : found->second;
}

std::vector<std::string> World::extensions_after(const Address& schema) const {
    auto found = extensions_after_.find(schema);
    return found == extensions_after_.end() ? std::vector<std::string>() : found->second;
}

const RoleOrder* World::role_order(std::string_view branch) const {
    auto found = role_orders_.find(branch);
    return found == role_orders_.end() ? nullptr : &found->second;
}

}  // namespace lb::planner
