#include "tests/planner/support/generators.h"

#include <set>

#include "tests/planner/support/builders.h"
#include "tests/planner/support/model.h"

namespace lb::planner::testing {

namespace {

const std::vector<std::string> kBranchNames = {"a", "b", "c", "d/1", "d/2", "e.x", "staging", "qa"};
const std::vector<std::string> kRoleNames = {"app", "reader", "writer", "Owner", "r 1", "auditor"};
const std::vector<std::string> kSchemaNames = {"api", "audit", "Odd \"one\""};
const std::vector<std::string> kExtensionNames = {"citext", "hstore", "pgcrypto"};
const std::vector<std::string> kDatabaseNames = {"shop", "stats", "My Data", "audit"};

// From low to high - 1, evenly at every size: RapidCheck's ranges begin with their low end only.
template <class Number>
Number number(Number low, Number high) {
    return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange<Number>(low, high));
}

bool chance(int percent) { return number(0, 100) < percent; }

template <class Item>
const Item& pick(const std::vector<Item>& items) {
    return items[number<size_t>(0, items.size())];
}

template <class Item>
void shuffle(std::vector<Item>& items) {
    for (size_t i = items.size(); i > 1; --i) {
        std::swap(items[i - 1], items[number<size_t>(0, i)]);
    }
}

std::string any_verifier() { return "SCRAM-SHA-256$4096:salt$key:" + std::to_string(number(0, 3)); }

std::chrono::seconds any_history_retention() { return std::chrono::days(number(0, 4)); }

Settings any_settings() {
    Settings settings;
    if (chance(30)) settings["work_mem"] = pick(std::vector<std::string>{"4MB", "8MB"});
    if (chance(10)) settings["search_path"] = "api, public";
    return settings;
}

ComputeSettings any_compute() {
    ComputeSettings compute;
    compute.size_centi_cu = 25 * number<uint32_t>(1, 4);
    compute.port = pick(std::vector<uint16_t>{0, 5433, 5434});
    if (chance(20)) compute.listen_addresses = {"0.0.0.0"};
    compute.always_on = true;
    compute.settings = any_settings();
    return compute;
}

void set_any_expiration(specs::BranchSpec& branch) {
    branch.ttl.reset();
    branch.expire_time.reset();
    if (branch.is_protected || branch.parent.empty() || chance(60)) return;
    if (chance(50)) {
        branch.ttl = std::chrono::hours(number(1, 4));
    } else {
        branch.expire_time = kModelNow + std::chrono::hours(number(1, 4));
    }
}

bool has_children(const specs::ProjectSpec& spec, std::string_view name) {
    return std::ranges::count(spec.branches, name, &specs::BranchSpec::parent) > 0;
}

void set_any_settings(specs::ProjectSpec& spec, specs::BranchSpec& branch) {
    branch.is_protected = chance(20);
    branch.history_retention.reset();
    if (chance(30)) branch.history_retention = any_history_retention();
    branch.compute.reset();
    branch.settings = any_settings();
    if (chance(30)) branch.compute = any_compute();
    if (branch.compute) branch.compute->settings.clear();
    set_any_expiration(branch);
    if (!has_children(spec, branch.name)) return;
    branch.ttl.reset();
    branch.expire_time.reset();
}

// The parent is one that is there already, and so never a descendant.
void add_any_branch(specs::ProjectSpec& spec, const std::string& name) {
    if (spec.find_branch(name) != nullptr) return;
    std::vector<std::string> parents;
    for (const specs::BranchSpec& branch : spec.branches) {
        if (!branch.ttl && !branch.expire_time) parents.push_back(branch.name);
    }
    specs::BranchSpec& branch = add_branch(spec, name, pick(parents));
    if (chance(20)) branch.at = "position:" + std::to_string(number(1, 3));
    set_any_settings(spec, branch);
}

// Roles belong only to roles that come before them in `order`, so that there is no circle.
void set_any_role(specs::RoleSpec& role, const std::vector<std::string>& groups) {
    RoleAttributes& attributes = role.attributes;
    attributes = RoleAttributes{};
    attributes.login = chance(50);
    attributes.inherit = chance(80);
    if (chance(20)) attributes.connection_limit = number(0, 3);
    if (chance(30)) attributes.password_verifier = any_verifier();
    if (chance(20)) attributes.valid_until = kModelNow + std::chrono::hours(number(1, 4));
    attributes.settings = any_settings();
    std::set<std::string> member_of;
    for (const std::string& group : groups) {
        if (chance(30)) member_of.insert(group);
    }
    if (chance(20)) member_of.insert("pg_monitor");
    attributes.member_of.assign(member_of.begin(), member_of.end());
}

void set_any_roles(specs::ProjectSpec& spec) {
    spec.roles.clear();
    std::vector<std::string> order = kRoleNames;
    shuffle(order);
    std::vector<std::string> before;
    for (const std::string& name : order) {
        if (chance(40)) continue;
        set_any_role(add_role(spec, name), before);
        before.push_back(name);
    }
}

void set_any_contents(const specs::ProjectSpec& spec, specs::DatabaseSpec& database) {
    for (const std::string& name : kSchemaNames) {
        if (chance(60)) continue;
        specs::SchemaSpec schema{.name = name, .span = line(31)};
        if (!spec.roles.empty() && chance(60)) schema.owner = pick(spec.roles).name;
        database.schemas.push_back(std::move(schema));
    }
    std::ranges::sort(database.schemas, {}, &specs::SchemaSpec::name);
    for (const std::string& name : kExtensionNames) {
        if (chance(60)) continue;
        specs::ExtensionSpec extension{.name = name, .span = line(32)};
        if (!database.schemas.empty() && chance(40)) extension.schema = pick(database.schemas).name;
        if (chance(40)) extension.version = pick(std::vector<std::string>{"1.0", "1.1"});
        database.extensions.push_back(std::move(extension));
    }
}

void set_any_databases(specs::ProjectSpec& spec) {
    spec.databases.clear();
    for (const std::string& name : kDatabaseNames) {
        if (chance(50)) continue;
        specs::DatabaseSpec& database = add_database(spec, name);
        if (!spec.roles.empty() && chance(60)) database.owner = pick(spec.roles).name;
        if (chance(20)) database.connection_limit = number(0, 3);
        if (chance(20)) database.encoding = "UTF8";
        if (chance(20)) database.template_name = "template0";
        database.settings = any_settings();
        set_any_contents(spec, database);
    }
}

specs::ProjectSpec make_any_spec() {
    specs::ProjectSpec spec = shop_spec();
    if (chance(50)) spec.history_retention = any_history_retention();
    spec.settings = any_settings();
    set_any_settings(spec, spec.branches.front());
    // Drawn before they are used, so that shrinking drops whole branches.
    auto names = *rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(kBranchNames));
    for (const std::string& name : names) add_any_branch(spec, name);
    set_any_roles(spec);
    set_any_databases(spec);
    return spec;
}

void remove_any_leaf(specs::ProjectSpec& spec) {
    std::vector<std::string> leaves;
    for (const specs::BranchSpec& branch : spec.branches) {
        bool is_leaf = !has_children(spec, branch.name) && branch.name != spec.default_branch;
        if (is_leaf) leaves.push_back(branch.name);
    }
    if (leaves.empty()) return;
    std::string name = pick(leaves);
    std::erase_if(spec.branches,
                  [&](const specs::BranchSpec& branch) { return branch.name == name; });
}

// Of what the spec does not declare; some of it is live, some never was.
void forget_any(specs::ProjectSpec& spec) {
    std::set<Address> addresses;
    for (const std::string& name : kBranchNames) {
        if (spec.find_branch(name) == nullptr) addresses.insert(Address::of_branch(name));
    }
    for (const std::string& name : kRoleNames) addresses.insert(Address::of_role("main", name));
    for (const specs::RoleSpec& role : spec.roles) {
        addresses.erase(Address::of_role("main", role.name));
    }
    for (const std::string& name : kDatabaseNames) {
        addresses.insert(Address::of_database("main", name));
    }
    for (const specs::DatabaseSpec& database : spec.databases) {
        addresses.erase(Address::of_database("main", database.name));
    }
    for (const Address& address : addresses) {
        if (chance(25)) spec.forgotten.push_back({.address = address, .span = line(40)});
    }
}

specs::ProjectSpec make_edited(specs::ProjectSpec spec) {
    int count = number(0, 6);
    for (int i = 0; i < count; ++i) {
        switch (number(0, 6)) {
            case 5:
                spec.history_retention = any_history_retention();
                spec.settings = any_settings();
                break;
            case 0: add_any_branch(spec, pick(kBranchNames)); break;
            case 1: remove_any_leaf(spec); break;
            case 2: {
                size_t index = number<size_t>(0, spec.branches.size());
                set_any_settings(spec, spec.branches[index]);
                break;
            }
            case 3:
                set_any_roles(spec);
                set_any_databases(spec);
                break;
            default: set_any_databases(spec); break;
        }
    }
    forget_any(spec);
    return spec;
}

// Somebody's SQL inside of a database.
void disturb_contents(BranchState& main) {
    if (main.databases.empty()) return;
    DatabaseState& database = main.databases[number<size_t>(0, main.databases.size())];
    database.settings = any_settings();
    const std::string& schema = pick(kSchemaNames);
    auto found = std::ranges::find(database.schemas, schema, &SchemaState::name);
    if (found == database.schemas.end()) {
        add_schema(database, schema).origin = Origin::kManual;
    } else {
        found->owner = "postgres";
    }
    const std::string& extension = pick(kExtensionNames);
    auto installed = std::ranges::find(database.extensions, extension, &ExtensionState::name);
    if (installed == database.extensions.end()) {
        add_extension(database, extension).origin = Origin::kManual;
    } else {
        installed->schema = "public";
    }
}

// What commands and people do between two applies.
void disturb(ProjectState& state) {
    switch (number(0, 9)) {
        case 7:
        case 8: disturb_contents(branch_of(state, "main")); return;
        case 0: {
            const BranchState parent = pick(state.branches);
            if (parent.expire_time) return;
            std::string name = "cmd-" + std::to_string(number(0, 3));
            if (state.find_branch(name) != nullptr) return;
            add_branch(state, name, parent.name).origin = Origin::kCommand;
            return;
        }
        case 1: {
            std::string name = pick(kRoleNames);
            BranchState& main = branch_of(state, "main");
            if (std::ranges::count(main.roles, name, &RoleState::name) > 0) return;
            add_role(state, name).origin = Origin::kManual;
            return;
        }
        case 2: {
            std::string name = pick(kDatabaseNames);
            BranchState& main = branch_of(state, "main");
            if (std::ranges::count(main.databases, name, &DatabaseState::name) > 0) return;
            add_database(state, name).origin = Origin::kManual;
            return;
        }
        case 3: {
            BranchState& main = branch_of(state, "main");
            if (main.roles.empty()) return;
            RoleState& role = main.roles[number<size_t>(0, main.roles.size())];
            role.attributes.login = !role.attributes.login;
            return;
        }
        case 4: {
            size_t index = number<size_t>(0, state.branches.size());
            state.branches[index].compute.settings = any_compute();
            return;
        }
        case 5: {
            size_t index = number<size_t>(0, state.branches.size());
            if (state.branches[index].name != "main")
                state.branches[index].origin = Origin::kCommand;
            return;
        }
        default: {
            size_t index = number<size_t>(0, state.branches.size());
            BranchState& branch = state.branches[index];
            branch.is_protected = false;
            branch.own_bytes = number<uint64_t>(0, 1'000'000);
            branch.version = state.generation = Generation{state.generation.value() + 1};
            return;
        }
    }
}

ProjectState make_live_state(const specs::ProjectSpec& spec) {
    ProjectState state = no_project();
    if (chance(10)) return state;
    state = LB_MUST(apply(state, to_change_set(make_plan(spec, state))));
    int count = number(0, 6);
    for (int i = 0; i < count; ++i) disturb(state);
    return state;
}

}  // namespace

rc::Gen<specs::ProjectSpec> any_spec() { return rc::gen::exec(make_any_spec); }

rc::Gen<specs::ProjectSpec> edited(specs::ProjectSpec spec) {
    return rc::gen::exec([spec = std::move(spec)] { return make_edited(spec); });
}

rc::Gen<ProjectState> live_state_near(specs::ProjectSpec spec) {
    return rc::gen::exec([spec = std::move(spec)] { return make_live_state(spec); });
}

rc::Gen<specs::ProjectSpec> shuffled(specs::ProjectSpec spec) {
    return rc::gen::exec([spec = std::move(spec)] {
        specs::ProjectSpec copy = spec;
        shuffle(copy.branches);
        shuffle(copy.roles);
        shuffle(copy.databases);
        for (specs::DatabaseSpec& database : copy.databases) {
            shuffle(database.schemas);
            shuffle(database.extensions);
        }
        return copy;
    });
}

}  // namespace lb::planner::testing
