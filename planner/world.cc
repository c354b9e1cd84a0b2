#include "planner/world.h"

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

// Looks only into the branches whose roles or databases change.
void World::collect_contents(const std::vector<PlannedChange>& changes) {
    std::map<std::string, std::vector<PlannedChange>> touched;
    std::map<Address, std::string> owners;
    for (const PlannedChange& planned : changes) {
        const Address& address = planned.change.address;
        if (address.kind != ResourceKind::kRole && address.kind != ResourceKind::kDatabase)
            continue;
        touched[address.branch].push_back(planned);
    }
    for (const auto& [name, branch_changes] : touched) {
        const BranchState* branch = is_observed(name) ? live_.find_branch(name) : nullptr;
        if (branch != nullptr) {
            for (const RoleState& role : branch->roles) {
                contents_.insert(Address::of_role(name, role.name));
            }
            for (const DatabaseState& database : branch->databases) {
                Address address = Address::of_database(name, database.name);
                owners[address] = value_of(database).owner;
                contents_.insert(std::move(address));
            }
        }
        for (const PlannedChange& planned : branch_changes) {
            auto* database = std::get_if<DatabaseValue>(&planned.change.value);
            if (database != nullptr) owners[planned.change.address] = database->owner;
        }
        role_orders_[name] = order_roles(memberships_after(branch, branch_changes));
    }
    for (const auto& [database, owner] : owners) {
        if (is_deleted(database)) continue;
        owned_after_[Address::of_role(database.branch, owner)].push_back(database.name);
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
        case ResourceKind::kDatabase: return contents_.contains(address);
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

bool World::will_have_role(const std::string& branch, const std::string& role) const {
    if (role == kSuperuser || role.starts_with("pg_")) return true;
    Address address = Address::of_role(branch, role);
    if (is_created(address)) return true;
    if (is_deleted(address)) return false;
    if (is_observed(branch)) return contents_.contains(address);
    const BranchTree::Node* node = tree_.find(branch);
    bool is_new_root =
        node != nullptr && node->parent.empty() && live_.find_branch(branch) == nullptr;
    return !is_new_root;
}

std::vector<std::string> World::databases_owned_after(const Address& role) const {
    auto found = owned_after_.find(role);
    return found == owned_after_.end() ? std::vector<std::string>() : found->second;
}

const RoleOrder* World::role_order(std::string_view branch) const {
    auto found = role_orders_.find(branch);
    return found == role_orders_.end() ? nullptr : &found->second;
}

}  // namespace lb::planner
