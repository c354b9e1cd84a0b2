// Specs and states for tests, said in few words.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "planner/plan.h"

namespace lb::planner::testing {

// Returned by reference into the spec or state: valid until the next one is added.
template <class Item>
Item& add_sorted(std::vector<Item>& items, Item item) {
    auto at = std::ranges::lower_bound(items, item.name, {}, &Item::name);
    return *items.insert(at, std::move(item));
}

inline specs::Span line(uint32_t number) {
    return {.file = "lb.toml", .line = number, .column = 1, .end_line = number, .end_column = 9};
}

// Project "shop" with the default branch "main".
inline specs::ProjectSpec shop_spec() {
    specs::ProjectSpec spec;
    spec.name = "shop";
    spec.branches.push_back({.name = "main", .span = line(4)});
    spec.span = line(1);
    return spec;
}

inline specs::BranchSpec& add_branch(specs::ProjectSpec& spec, std::string name,
                                     std::string parent = "main") {
    specs::BranchSpec branch;
    branch.name = std::move(name);
    branch.parent = std::move(parent);
    branch.span = line(10);
    return add_sorted(spec.branches, std::move(branch));
}

inline specs::RoleSpec& add_role(specs::ProjectSpec& spec, std::string name,
                                 std::vector<std::string> member_of = {}) {
    specs::RoleSpec role;
    role.name = std::move(name);
    role.span = line(20);
    role.attributes.member_of = std::move(member_of);
    return add_sorted(spec.roles, std::move(role));
}

inline specs::DatabaseSpec& add_database(specs::ProjectSpec& spec, std::string name,
                                         std::string owner = "") {
    return add_sorted(
        spec.databases,
        specs::DatabaseSpec{.name = std::move(name), .span = line(30), .owner = std::move(owner)});
}

inline BranchState live_branch(std::string name, std::string parent) {
    BranchState branch;
    branch.name = std::move(name);
    branch.parent = std::move(parent);
    branch.version = Generation{3};
    branch.line = LineId{7};
    return branch;
}

// "shop" at generation 5 with the branch "main" as shop_spec() wants it.
inline ProjectState shop_state() {
    ProjectState state;
    state.name = "shop";
    state.exists = true;
    state.generation = Generation{5};
    state.pg_version = 15;
    state.default_branch = "main";
    BranchState main = live_branch("main", "");
    main.compute.settings.always_on = true;
    main.is_observed = true;
    state.branches.push_back(std::move(main));
    return state;
}

inline ProjectState no_project() {
    ProjectState state;
    state.name = "shop";
    return state;
}

inline BranchState& add_branch(ProjectState& state, std::string name, std::string parent = "main") {
    return add_sorted(state.branches, live_branch(std::move(name), std::move(parent)));
}

// Aborts unless there is one.
inline BranchState& branch_of(ProjectState& state, std::string_view name) {
    auto found = std::ranges::find(state.branches, name, &BranchState::name);
    LB_ASSERT(found != state.branches.end());
    return *found;
}

inline RoleState& add_role(ProjectState& state, std::string name,
                           std::vector<std::string> member_of = {}) {
    RoleState role{.name = std::move(name), .origin = Origin::kSpec, .attributes = {}};
    role.attributes.member_of = std::move(member_of);
    return add_sorted(branch_of(state, "main").roles, std::move(role));
}

inline DatabaseState& add_database(ProjectState& state, std::string name,
                                   std::string owner = "postgres") {
    DatabaseState database{.name = std::move(name),
                           .origin = Origin::kSpec,
                           .owner = std::move(owner),
                           .encoding = "UTF8",
                           .locale = "C.UTF-8"};
    return add_sorted(branch_of(state, "main").databases, std::move(database));
}

inline SchemaState& add_schema(DatabaseState& database, std::string name,
                               std::string owner = "postgres") {
    return add_sorted(
        database.schemas,
        SchemaState{.name = std::move(name), .origin = Origin::kSpec, .owner = std::move(owner)});
}

inline ExtensionState& add_extension(DatabaseState& database, std::string name) {
    return add_sorted(database.extensions, ExtensionState{.name = std::move(name),
                                                          .origin = Origin::kSpec,
                                                          .schema = "public",
                                                          .version = "1.0"});
}

// "create branch.main", "! delete branch.old" for refused ones; in the plan's order.
inline std::vector<std::string> steps(const Plan& plan) {
    std::vector<std::string> steps;
    for (const PlannedChange& planned : plan.changes) {
        std::string mark = planned.refusal == Refusal::kNone ? "" : "! ";
        steps.push_back(mark + std::string(to_text(planned.change.kind)) + " " +
                        to_text(planned.change.address));
    }
    return steps;
}

// Aborts unless the plan has the change.
inline const PlannedChange& change_of(const Plan& plan, std::string_view address) {
    auto found = std::ranges::find_if(plan.changes, [&](const PlannedChange& planned) {
        return to_text(planned.change.address) == address;
    });
    LB_ASSERT(found != plan.changes.end());
    return *found;
}

// "protected: false -> true"; "-" for no value.
inline std::vector<std::string> diff_texts(const PlannedChange& planned) {
    std::vector<std::string> texts;
    for (const AttributeDiff& diff : planned.diffs) {
        texts.push_back(diff.name + ": " + diff.before.value_or("-") + " -> " +
                        diff.after.value_or("-"));
    }
    return texts;
}

}  // namespace lb::planner::testing
