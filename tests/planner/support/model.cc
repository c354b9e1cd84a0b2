#include "tests/planner/support/model.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "tests/planner/support/builders.h"

namespace lb::planner::testing {

namespace {

Error wrong(const ResourceChange& change, std::string_view why) {
    return Error{.message = cat(to_text(change.kind), " ", to_text(change.address), ": ", why)};
}

template <class Item>
Item* find_named(std::vector<Item>& items, std::string_view name) {
    auto found = std::ranges::find(items, name, &Item::name);
    return found == items.end() ? nullptr : &*found;
}

template <class Item>
void erase_named(std::vector<Item>& items, std::string_view name) {
    std::erase_if(items, [&](const Item& item) { return item.name == name; });
}

class Model {
public:
    explicit Model(ProjectState state) : state_(std::move(state)) {
        state_.generation = Generation{state_.generation.value() + 1};
    }

    Status apply(const ResourceChange& change) {
        switch (change.address.kind) {
            case ResourceKind::kProject: return apply_project(change);
            case ResourceKind::kBranch: return apply_branch(change);
            case ResourceKind::kCompute: return apply_compute(change);
            case ResourceKind::kRole: return apply_role(change);
            case ResourceKind::kDatabase: return apply_database(change);
            case ResourceKind::kSchema: return apply_schema(change);
            case ResourceKind::kExtension: return apply_extension(change);
        }
        return wrong(change, "unknown kind");
    }

    ProjectState take() { return std::move(state_); }

private:
    Status apply_project(const ResourceChange& change) {
        if (change.kind == ChangeKind::kDelete) {
            if (!state_.branches.empty()) return wrong(change, "has branches");
            state_.exists = false;
            return ok();
        }
        const auto& value = std::get<ProjectValue>(change.value);
        state_.history_retention = value.history_retention;
        state_.settings = value.settings;
        if (change.kind == ChangeKind::kUpdate) {
            bool is_same = value.pg_version == state_.pg_version &&
                           value.default_branch == state_.default_branch;
            return is_same ? ok() : Status(wrong(change, "is not supported"));
        }
        if (state_.exists) return wrong(change, "exists");
        state_.exists = true;
        state_.pg_version = value.pg_version;
        state_.default_branch = value.default_branch;
        return ok();
    }

    // A ttl counts from when it was given; one that stays goes on.
    static void set_expiration(BranchState& branch, const BranchValue& value) {
        if (!value.ttl) {
            branch.expire_time = value.expire_time;
        } else if (branch.ttl != value.ttl) {
            branch.expire_time = kModelNow + *value.ttl;
        }
        branch.ttl = value.ttl;
    }

    Status apply_branch(const ResourceChange& change) {
        const std::string& name = change.address.branch;
        BranchState* live = find_named(state_.branches, name);
        if (!state_.exists) return wrong(change, "no project");
        if (change.kind == ChangeKind::kCreate) return create_branch(change);
        if (live == nullptr) return wrong(change, "does not exist");
        if (change.kind == ChangeKind::kForget) {
            live->origin = Origin::kManual;
            live->version = state_.generation;
            return ok();
        }
        bool is_reset = change.kind == ChangeKind::kReset;
        bool is_restore = change.kind == ChangeKind::kRestore;
        if ((is_restore || is_reset) && live->is_protected) return wrong(change, "is protected");
        if (change.kind == ChangeKind::kUpdate || is_restore || is_reset) {
            const auto& value = std::get<BranchValue>(change.value);
            if (value.parent != live->parent || value.requested_at != live->requested_at) {
                return wrong(change, "another branch point");
            }
            if (!is_restore && !is_reset && value.restore != live->restore)
                return wrong(change, "restores");
            if (change.origin == Origin::kSpec) live->restore = value.restore;
            live->is_protected = value.is_protected;
            live->history_retention = value.history_retention;
            set_expiration(*live, value);
            if (change.origin == Origin::kSpec) live->origin = Origin::kSpec;
            live->version = state_.generation;
            return ok();
        }
        if (live->is_protected) return wrong(change, "is protected");
        for (const BranchState& branch : state_.branches) {
            if (branch.parent == name) return wrong(change, "has children");
        }
        erase_named(state_.branches, name);
        return ok();
    }

    Status create_branch(const ResourceChange& change) {
        const auto& value = std::get<BranchValue>(change.value);
        if (find_named(state_.branches, change.address.branch)) return wrong(change, "exists");
        BranchState branch;
        branch.name = change.address.branch;
        branch.origin = change.origin;
        branch.parent = value.parent;
        branch.requested_at = value.requested_at;
        branch.is_protected = value.is_protected;
        branch.history_retention = value.history_retention;
        set_expiration(branch, value);
        branch.created_at = kModelNow;
        branch.created_in = branch.version = state_.generation;
        branch.is_observed = true;
        if (!value.parent.empty()) {
            const BranchState* parent = find_named(state_.branches, value.parent);
            if (parent == nullptr) return wrong(change, "no parent");
            branch.roles = parent->roles;
            branch.databases = parent->databases;
            branch.is_observed = parent->is_observed;
        }
        fresh_.insert(branch.name);
        add_sorted(state_.branches, std::move(branch));
        return ok();
    }

    Status apply_compute(const ResourceChange& change) {
        BranchState* branch = find_named(state_.branches, change.address.branch);
        if (branch == nullptr) return wrong(change, "no branch");
        bool is_create = change.kind == ChangeKind::kCreate;
        if (is_create != fresh_.contains(branch->name)) return wrong(change, "wrong kind");
        branch->compute.settings = std::get<ComputeSettings>(change.value);
        branch->version = state_.generation;
        return ok();
    }

    static bool has_role(BranchState& branch, std::string_view role) {
        return role == "postgres" || role.starts_with("pg_") ||
               find_named(branch.roles, role) != nullptr;
    }

    // Follows memberships from `from`; true if they lead to `to`.
    static bool is_member(BranchState& branch, const std::string& from, std::string_view to) {
        std::vector<std::string> open = {from};
        std::set<std::string> seen;
        while (!open.empty()) {
            std::string role = open.back();
            open.pop_back();
            if (role == to) return true;
            RoleState* state = find_named(branch.roles, role);
            if (state == nullptr || !seen.insert(role).second) continue;
            for (const std::string& group : state->attributes.member_of) open.push_back(group);
        }
        return false;
    }

    Status apply_role(const ResourceChange& change) {
        BranchState* branch = find_named(state_.branches, change.address.branch);
        if (branch == nullptr) return wrong(change, "no branch");
        const std::string& name = change.address.name;
        RoleState* role = find_named(branch->roles, name);
        if ((role == nullptr) != (change.kind == ChangeKind::kCreate)) {
            return wrong(change, "wrong kind");
        }
        branch->version = state_.generation;
        if (change.kind == ChangeKind::kForget) {
            role->origin = Origin::kManual;
            return ok();
        }
        if (change.kind == ChangeKind::kDelete) return drop_role(*branch, change);
        const auto& value = std::get<RoleValue>(change.value);
        for (const std::string& group : value.attributes.member_of) {
            if (!has_role(*branch, group)) return wrong(change, cat("no role ", group));
            bool is_new = role == nullptr || !std::ranges::count(role->attributes.member_of, group);
            if (is_new && is_member(*branch, group, name)) return wrong(change, "circle");
        }
        if (role == nullptr) {
            role = &add_sorted(branch->roles,
                               RoleState{.name = name, .origin = change.origin, .attributes = {}});
        }
        if (change.origin == Origin::kSpec) role->origin = Origin::kSpec;
        role->attributes = value.attributes;
        return ok();
    }

    Status drop_role(BranchState& branch, const ResourceChange& change) {
        const std::string& name = change.address.name;
        for (const DatabaseState& database : branch.databases) {
            if (database.owner == name) return wrong(change, cat("owns ", database.name));
            for (const SchemaState& schema : database.schemas) {
                if (schema.owner == name) return wrong(change, cat("owns schema ", schema.name));
            }
        }
        erase_named(branch.roles, name);
        for (RoleState& role : branch.roles) std::erase(role.attributes.member_of, name);
        return ok();
    }

    Status apply_database(const ResourceChange& change) {
        BranchState* branch = find_named(state_.branches, change.address.branch);
        if (branch == nullptr) return wrong(change, "no branch");
        const std::string& name = change.address.name;
        DatabaseState* database = find_named(branch->databases, name);
        if ((database == nullptr) != (change.kind == ChangeKind::kCreate)) {
            return wrong(change, "wrong kind");
        }
        branch->version = state_.generation;
        if (change.kind == ChangeKind::kForget) {
            database->origin = Origin::kManual;
            for (SchemaState& schema : database->schemas) schema.origin = Origin::kManual;
            for (ExtensionState& extension : database->extensions) {
                extension.origin = Origin::kManual;
            }
            return ok();
        }
        if (change.kind == ChangeKind::kDelete) {
            erase_named(branch->databases, name);
            return ok();
        }
        const auto& value = std::get<DatabaseValue>(change.value);
        if (!has_role(*branch, value.owner)) return wrong(change, "no owner");
        if (database == nullptr) {
            database = &add_sorted(
                branch->databases,
                DatabaseState{.name = name,
                              .origin = change.origin,
                              .encoding = value.encoding.empty() ? "UTF8" : value.encoding,
                              .locale = value.locale.empty() ? "C.UTF-8" : value.locale});
        } else if (value.encoding != database->encoding || value.locale != database->locale ||
                   !value.template_name.empty()) {
            return wrong(change, "cannot be changed");
        }
        if (change.origin == Origin::kSpec) database->origin = Origin::kSpec;
        database->owner = value.owner;
        database->connection_limit = value.connection_limit;
        database->settings = value.settings;
        return ok();
    }

    DatabaseState* database_of(const Address& address) {
        BranchState* branch = find_named(state_.branches, address.branch);
        if (branch == nullptr) return nullptr;
        branch->version = state_.generation;
        return find_named(branch->databases, address.database);
    }

    Status apply_schema(const ResourceChange& change) {
        DatabaseState* database = database_of(change.address);
        if (database == nullptr) return wrong(change, "no database");
        const std::string& name = change.address.name;
        SchemaState* schema = find_named(database->schemas, name);
        if ((schema == nullptr) != (change.kind == ChangeKind::kCreate)) {
            return wrong(change, "wrong kind");
        }
        if (change.kind == ChangeKind::kDelete) {
            for (const ExtensionState& extension : database->extensions) {
                if (extension.schema == name) return wrong(change, "is not empty");
            }
            erase_named(database->schemas, name);
            return ok();
        }
        const auto& value = std::get<SchemaValue>(change.value);
        BranchState* branch = find_named(state_.branches, change.address.branch);
        if (!has_role(*branch, value.owner)) return wrong(change, "no owner");
        if (schema == nullptr) {
            schema =
                &add_sorted(database->schemas, SchemaState{.name = name, .origin = change.origin});
        }
        if (change.origin == Origin::kSpec) schema->origin = Origin::kSpec;
        schema->owner = value.owner;
        return ok();
    }

    Status apply_extension(const ResourceChange& change) {
        DatabaseState* database = database_of(change.address);
        if (database == nullptr) return wrong(change, "no database");
        const std::string& name = change.address.name;
        ExtensionState* extension = find_named(database->extensions, name);
        if ((extension == nullptr) != (change.kind == ChangeKind::kCreate)) {
            return wrong(change, "wrong kind");
        }
        if (change.kind == ChangeKind::kDelete) {
            erase_named(database->extensions, name);
            return ok();
        }
        const auto& value = std::get<ExtensionValue>(change.value);
        bool has_schema = value.schema.empty() || value.schema == "public" ||
                          find_named(database->schemas, value.schema) != nullptr;
        if (!has_schema) return wrong(change, "no schema");
        if (extension == nullptr) {
            extension = &add_sorted(database->extensions,
                                    ExtensionState{.name = name, .origin = change.origin});
        }
        if (change.origin == Origin::kSpec) extension->origin = Origin::kSpec;
        extension->schema = value.schema.empty() ? "public" : value.schema;
        extension->version = value.version.empty() ? "1.0" : value.version;
        return ok();
    }

    ProjectState state_;
    std::set<std::string> fresh_;  // branches that this apply made
};

template <class Item>
bool has_named(const std::vector<Item>& items, std::string_view name) {
    return std::ranges::find(items, name, &Item::name) != items.end();
}

bool has_content(const BranchState& branch, const Address& address) {
    if (address.kind == ResourceKind::kRole) return has_named(branch.roles, address.name);
    if (address.kind == ResourceKind::kDatabase) return has_named(branch.databases, address.name);
    for (const DatabaseState& database : branch.databases) {
        if (database.name != address.database) continue;
        return address.kind == ResourceKind::kSchema ? has_named(database.schemas, address.name)
                                                     : has_named(database.extensions, address.name);
    }
    return false;
}

// The state does not show when a role or database changed, only whether it is there.
bool fits(const ProjectState& live, const BaseVersion& base) {
    const Address& address = base.address;
    if (address.kind == ResourceKind::kProject) {
        return base.version == (live.exists ? live.generation : Generation{});
    }
    const BranchState* branch = live.find_branch(address.branch);
    if (address.kind == ResourceKind::kBranch) {
        return base.version == (branch == nullptr ? Generation{} : branch->version);
    }
    bool exists = branch != nullptr && has_content(*branch, address);
    return exists == (base.version != Generation{});
}

Status check_base(const ProjectState& live, const BaseVersion& base) {
    if (fits(live, base)) return ok();
    return Error{.code = ErrorCode::kPlanStale, .message = to_text(base.address)};
}

}  // namespace

Result<ProjectState> apply(const ProjectState& live, const ChangeSet& changes) {
    for (const BaseVersion& base : changes.base_versions) LB_TRY(check_base(live, base));
    Model model(live);
    for (const ResourceChange& change : changes.changes) LB_TRY(model.apply(change));
    return model.take();
}

namespace {

class Comparison {
public:
    Comparison(const specs::ProjectSpec& spec, const ProjectState& state)
        : spec_(spec), state_(state) {}

    std::vector<std::string> run() {
        expect(state_.exists, "project exists");
        expect(state_.pg_version == spec_.pg_version, "pg_version");
        expect(state_.settings == spec_.settings, "settings");
        expect(state_.default_branch == spec_.default_branch, "default_branch");
        for (const specs::BranchSpec& branch : spec_.branches) compare(branch);
        for (const BranchState& branch : state_.branches) {
            bool is_wanted = spec_.find_branch(branch.name) != nullptr;
            expect(is_wanted || branch.origin != Origin::kSpec, cat("extra branch ", branch.name));
        }
        const BranchState* main = state_.find_branch(spec_.default_branch);
        expect(main != nullptr, "default branch exists");
        if (main != nullptr) compare_contents(*main);
        return std::move(found_);
    }

private:
    void expect(bool holds, std::string what) {
        if (!holds) found_.push_back(std::move(what));
    }

    void compare(const specs::BranchSpec& wanted) {
        const BranchState* live = state_.find_branch(wanted.name);
        expect(live != nullptr, cat("branch ", wanted.name, " exists"));
        if (live == nullptr) return;
        bool is_named = wanted.compute || wanted.name == spec_.default_branch;
        ComputeSettings compute = wanted.compute.value_or(ComputeSettings{});
        compute.always_on = is_named;
        compute.settings = wanted.settings;
        std::optional<WallTime> expire_time;
        if (!live->ttl) expire_time = live->expire_time;
        expect(live->origin == Origin::kSpec, cat("origin of ", wanted.name));
        expect(live->parent == wanted.parent, cat("parent of ", wanted.name));
        expect(live->requested_at == wanted.at, cat("at of ", wanted.name));
        expect(live->is_protected == wanted.is_protected, cat("protected of ", wanted.name));
        expect(live->ttl == wanted.ttl, cat("ttl of ", wanted.name));
        expect(expire_time == wanted.expire_time, cat("expire_time of ", wanted.name));
        expect(live->compute.settings == compute, cat("compute of ", wanted.name));
    }

    void compare_contents(const BranchState& main) {
        for (const specs::RoleSpec& wanted : spec_.roles) {
            auto live = std::ranges::find(main.roles, wanted.name, &RoleState::name);
            bool is_same = live != main.roles.end() && live->attributes == wanted.attributes &&
                           live->origin == Origin::kSpec;
            expect(is_same, cat("role ", wanted.name));
        }
        for (const specs::DatabaseSpec& wanted : spec_.databases) {
            auto live = std::ranges::find(main.databases, wanted.name, &DatabaseState::name);
            std::string owner = wanted.owner.empty() ? "postgres" : wanted.owner;
            bool is_same = live != main.databases.end() && live->owner == owner &&
                           live->connection_limit == wanted.connection_limit &&
                           live->settings == wanted.settings && live->origin == Origin::kSpec;
            expect(is_same, cat("database ", wanted.name));
            if (is_same) compare_database(wanted, *live);
        }
        for (const RoleState& role : main.roles) {
            bool is_wanted = std::ranges::count(spec_.roles, role.name, &specs::RoleSpec::name);
            expect(is_wanted || role.origin != Origin::kSpec, cat("extra role ", role.name));
        }
        for (const DatabaseState& database : main.databases) {
            bool is_wanted =
                std::ranges::count(spec_.databases, database.name, &specs::DatabaseSpec::name);
            expect(is_wanted || database.origin != Origin::kSpec,
                   cat("extra database ", database.name));
        }
    }

    void compare_database(const specs::DatabaseSpec& wanted, const DatabaseState& live) {
        for (const specs::SchemaSpec& schema : wanted.schemas) {
            auto found = std::ranges::find(live.schemas, schema.name, &SchemaState::name);
            std::string owner = schema.owner.empty() ? "postgres" : schema.owner;
            bool is_same = found != live.schemas.end() && found->owner == owner &&
                           found->origin == Origin::kSpec;
            expect(is_same, cat("schema ", schema.name));
        }
        for (const specs::ExtensionSpec& extension : wanted.extensions) {
            auto found = std::ranges::find(live.extensions, extension.name, &ExtensionState::name);
            bool is_same = found != live.extensions.end() && found->origin == Origin::kSpec &&
                           (extension.schema.empty() || found->schema == extension.schema) &&
                           (extension.version.empty() || found->version == extension.version);
            expect(is_same, cat("extension ", extension.name));
        }
        for (const SchemaState& schema : live.schemas) {
            bool is_wanted = has_named(wanted.schemas, schema.name);
            expect(is_wanted || schema.origin != Origin::kSpec, cat("extra schema ", schema.name));
        }
        for (const ExtensionState& extension : live.extensions) {
            bool is_wanted = has_named(wanted.extensions, extension.name);
            expect(is_wanted || extension.origin != Origin::kSpec,
                   cat("extra extension ", extension.name));
        }
    }

    const specs::ProjectSpec& spec_;
    const ProjectState& state_;
    std::vector<std::string> found_;
};

}  // namespace

std::vector<std::string> differences(const specs::ProjectSpec& spec, const ProjectState& state) {
    return Comparison(spec, state).run();
}

}  // namespace lb::planner::testing
