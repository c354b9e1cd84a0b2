#include "planner/change_needs.h"

#include <algorithm>
#include <set>

namespace lb::planner {

namespace {

const RoleState* find_role(const ProjectState& live, const Address& role) {
    const BranchState* branch = live.find_branch(role.branch);
    if (branch == nullptr) return nullptr;
    auto found = std::ranges::find(branch->roles, role.name, &RoleState::name);
    return found == branch->roles.end() ? nullptr : &*found;
}

bool expires(const BranchState* branch) {
    return branch != nullptr && (branch->ttl || branch->expire_time);
}

}  // namespace

ChangeNeeds::ChangeNeeds(const std::vector<PlannedChange>& changes, const ProjectState& live)
    : changes_(changes), live_(live) {
    for (size_t index = 0; index < changes.size(); ++index) {
        const ResourceChange& change = changes[index].change;
        by_address_.emplace(change.address, index);
        bool is_deleted_branch =
            change.address.kind == ResourceKind::kBranch && change.kind == ChangeKind::kDelete;
        const BranchState* branch =
            is_deleted_branch ? live.find_branch(change.address.branch) : nullptr;
        if (branch != nullptr) deleted_children_[branch->parent].push_back(index);
    }
}

std::vector<size_t> ChangeNeeds::of(size_t index) const {
    const ResourceChange& change = changes_[index].change;
    const Address& address = change.address;
    std::vector<size_t> needs;
    if (address.kind != ResourceKind::kProject) add_if_created(Address::project(), needs);
    switch (address.kind) {
        case ResourceKind::kProject: break;
        case ResourceKind::kBranch: add_needs_of_branch(change, needs); break;
        case ResourceKind::kCompute:
            add_if_created(Address::of_branch(address.branch), needs);
            break;
        case ResourceKind::kRole:
            add_if_created(Address::of_branch(address.branch), needs);
            add_needs_of_role(change, needs);
            break;
        case ResourceKind::kDatabase:
        case ResourceKind::kSchema:
        case ResourceKind::kExtension:
            add_if_created(Address::of_branch(address.branch), needs);
            add_needs_of_content(change, needs);
            break;
    }
    return needs;
}

void ChangeNeeds::add_if_planned(const Address& address, std::vector<size_t>& needs) const {
    auto found = by_address_.find(address);
    if (found != by_address_.end()) needs.push_back(found->second);
}

void ChangeNeeds::add_if_created(const Address& address, std::vector<size_t>& needs) const {
    auto found = by_address_.find(address);
    if (found == by_address_.end()) return;
    if (changes_[found->second].change.kind == ChangeKind::kCreate) needs.push_back(found->second);
}

// A new branch takes what its parent has then. Its parent's settings are no concern of it, except
// that a branch that expires has no children.
void ChangeNeeds::add_needs_of_branch(const ResourceChange& change,
                                      std::vector<size_t>& needs) const {
    const std::string& name = change.address.branch;
    auto* value = std::get_if<BranchValue>(&change.value);
    if (value == nullptr || value->ttl || value->expire_time) add_deleted_children(name, needs);
    if (value == nullptr || change.kind != ChangeKind::kCreate) return;
    auto parent = by_address_.find(Address::of_branch(value->parent));
    if (parent == by_address_.end()) return;
    ChangeKind kind = changes_[parent->second].change.kind;
    bool is_setting = kind == ChangeKind::kUpdate || kind == ChangeKind::kDelete;
    if (!is_setting || expires(live_.find_branch(value->parent))) needs.push_back(parent->second);
}

void ChangeNeeds::add_deleted_children(const std::string& branch,
                                       std::vector<size_t>& needs) const {
    auto found = deleted_children_.find(branch);
    if (found == deleted_children_.end()) return;
    needs.insert(needs.end(), found->second.begin(), found->second.end());
}

void ChangeNeeds::add_needs_of_role(const ResourceChange& change,
                                    std::vector<size_t>& needs) const {
    if (change.kind == ChangeKind::kDelete) return add_owned(change.address, needs);
    add_memberships(change.address, needs);
}

// Of a database, or of what is inside of one.
void ChangeNeeds::add_needs_of_content(const ResourceChange& change,
                                       std::vector<size_t>& needs) const {
    const Address& address = change.address;
    if (address.is_inside_database()) add_if_created(address.its_database(), needs);
    if (auto* database = std::get_if<DatabaseValue>(&change.value)) {
        add_if_created(Address::of_role(address.branch, database->owner), needs);
        add_if_created(Address::of_database(address.branch, database->template_name), needs);
    } else if (auto* schema = std::get_if<SchemaValue>(&change.value)) {
        add_if_created(Address::of_role(address.branch, schema->owner), needs);
    } else if (auto* extension = std::get_if<ExtensionValue>(&change.value)) {
        add_if_created(Address::of_schema(address.branch, address.database, extension->schema),
                       needs);
    } else if (address.kind == ResourceKind::kSchema) {
        add_extensions_in(address, needs);
    }
}

// A schema is dropped when the extensions in it have gone or moved.
void ChangeNeeds::add_extensions_in(const Address& schema, std::vector<size_t>& needs) const {
    const BranchState* branch = live_.find_branch(schema.branch);
    if (branch == nullptr) return;
    for (const DatabaseState& database : branch->databases) {
        if (database.name != schema.database) continue;
        for (const ExtensionState& extension : database.extensions) {
            if (extension.schema != schema.name) continue;
            add_if_planned(Address::of_extension(schema.branch, database.name, extension.name),
                           needs);
        }
    }
}

// What a dropped role owns goes first, or changes hands.
void ChangeNeeds::add_owned(const Address& role, std::vector<size_t>& needs) const {
    const BranchState* branch = live_.find_branch(role.branch);
    if (branch == nullptr) return;
    for (const DatabaseState& database : branch->databases) {
        Address address = Address::of_database(role.branch, database.name);
        if (database.owner == role.name) add_if_planned(address, needs);
        for (const SchemaState& schema : database.schemas) {
            if (schema.owner != role.name) continue;
            // It may go with its database.
            add_if_planned(address, needs);
            add_if_planned(Address::of_schema(role.branch, database.name, schema.name), needs);
        }
    }
}

// The roles that it will belong to, over any number of others: they have to be there, and a
// membership that would close a circle with a new one has to be gone.
void ChangeNeeds::add_memberships(const Address& role, std::vector<size_t>& needs) const {
    std::set<std::string> seen;
    std::vector<std::string> open = groups_of(role);
    while (!open.empty()) {
        std::string group = std::move(open.back());
        open.pop_back();
        if (group == role.name || !seen.insert(group).second) continue;
        Address address = Address::of_role(role.branch, group);
        auto found = by_address_.find(address);
        bool is_deleted = found != by_address_.end() &&
                          changes_[found->second].change.kind == ChangeKind::kDelete;
        if (found != by_address_.end() && !is_deleted) needs.push_back(found->second);
        for (std::string& next : groups_of(address)) open.push_back(std::move(next));
    }
}

// Before the plan and after it.
std::vector<std::string> ChangeNeeds::groups_of(const Address& role) const {
    std::vector<std::string> groups;
    if (const RoleState* live = find_role(live_, role)) groups = live->attributes.member_of;
    auto planned = by_address_.find(role);
    if (planned == by_address_.end()) return groups;
    auto* value = std::get_if<RoleValue>(&changes_[planned->second].change.value);
    if (value == nullptr) return groups;
    const std::vector<std::string>& after = value->attributes.member_of;
    groups.insert(groups.end(), after.begin(), after.end());
    return groups;
}

}  // namespace lb::planner
