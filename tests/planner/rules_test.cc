#include <gtest/gtest.h>

#include "tests/planner/support/builders.h"
#include "tests/planner/support/model.h"

namespace lb::planner {
namespace {

using namespace lb::planner::testing;
using Texts = std::vector<std::string>;

ResourceChange wanted(Address address, ResourceValue value, ChangeKind kind = ChangeKind::kCreate) {
    return {.address = std::move(address),
            .kind = kind,
            .value = std::move(value),
            .origin = Origin::kCommand};
}

ResourceChange wanted_branch(std::string name, std::string parent = "main") {
    return wanted(Address::of_branch(std::move(name)), BranchValue{.parent = std::move(parent)});
}

ResourceChange unwanted(Address address) {
    return {.address = std::move(address), .kind = ChangeKind::kDelete, .origin = Origin::kCommand};
}

// "not_found: branch x does not exist", or "ok".
std::string verdict(const PlannedChange& planned) {
    if (planned.refusal == Refusal::kNone) return "ok";
    EXPECT_FALSE(planned.refusal_help.empty()) << planned.refusal_message;
    return std::string(to_text(planned.refusal)) + ": " + planned.refusal_message;
}

// Of the only change that is asked for.
std::string verdict_of(ResourceChange change, const ProjectState& live) {
    Plan plan = make_plan_for({std::move(change)}, live);
    return plan.changes.size() == 1 ? verdict(plan.changes.front()) : "no change";
}

// ---- specs -------------------------------------------------------------------------------------

TEST(Rules, a_protected_branch_that_left_the_spec_is_refused_and_the_rest_still_shows) {
    specs::ProjectSpec spec = shop_spec();
    add_branch(spec, "new");
    ProjectState live = shop_state();
    add_branch(live, "feature/cart").is_protected = true;
    Plan plan = make_plan(spec, live);
    EXPECT_EQ(steps(plan), (Texts{"create branch.new", "! delete branch.feature/cart"}));
    const PlannedChange& refused = change_of(plan, "branch.feature/cart");
    EXPECT_EQ(verdict(refused), "protected: branch feature/cart is protected");
    EXPECT_EQ(refused.refusal_help,
              "put [branches.\"feature/cart\"] back with protected = false, run \"lb apply\", then "
              "remove it");
    EXPECT_EQ(plan.summary.create_count, 1U);
    EXPECT_EQ(plan.summary.delete_count, 0U);
    EXPECT_EQ(plan.summary.refused_count, 1U);
}

TEST(Rules, a_branch_with_an_unmanaged_child_is_not_deleted) {
    ProjectState live = shop_state();
    add_branch(live, "old");
    add_branch(live, "pr-1", "old").origin = Origin::kCommand;
    Plan plan = make_plan(shop_spec(), live);
    EXPECT_EQ(verdict(change_of(plan, "branch.old")),
              "would_orphan: branch old has children that stay: pr-1");
}

TEST(Rules, a_protected_child_keeps_all_of_its_ancestors) {
    ProjectState live = shop_state();
    add_branch(live, "a");
    add_branch(live, "b", "a");
    add_branch(live, "c", "b").is_protected = true;
    add_branch(live, "d", "a");
    Plan plan = make_plan(shop_spec(), live);
    EXPECT_EQ(steps(plan), (Texts{"! delete branch.c", "! delete branch.b", "delete branch.d",
                                  "! delete branch.a"}));
    EXPECT_EQ(verdict(change_of(plan, "branch.a")),
              "would_orphan: branch a has children that stay: b");
}

TEST(Rules, many_staying_children_are_listed_in_short) {
    ProjectState live = shop_state();
    add_branch(live, "old");
    for (int i = 1; i < 10; ++i) {
        add_branch(live, "pr-" + std::to_string(i), "old").origin = Origin::kCommand;
    }
    EXPECT_EQ(verdict(change_of(make_plan(shop_spec(), live), "branch.old")),
              "would_orphan: branch old has children that stay: pr-1, pr-2, pr-3, pr-4, pr-5 and 4 "
              "more");
}

TEST(Rules, an_existing_branch_cannot_get_another_parent_or_branch_point) {
    specs::ProjectSpec spec = shop_spec();
    add_branch(spec, "a");
    add_branch(spec, "b", "a");
    add_branch(spec, "c").at = "position:9";
    ProjectState live = shop_state();
    add_branch(live, "a");
    add_branch(live, "b");
    add_branch(live, "c");
    Plan plan = make_plan(spec, live);
    EXPECT_EQ(steps(plan), (Texts{"! update branch.b", "! update branch.c"}));
    EXPECT_EQ(verdict(change_of(plan, "branch.b")),
              "not_supported: branch b was made from main; its parent cannot be changed");
    EXPECT_EQ(diff_texts(change_of(plan, "branch.b")), Texts{"parent: main -> a"});
    EXPECT_EQ(verdict(change_of(plan, "branch.c")),
              "not_supported: branch c was made at its parent's head; its branch point cannot be "
              "changed");
}

TEST(Rules, a_branch_point_that_was_asked_for_stays_as_it_was_asked_for) {
    specs::ProjectSpec spec = shop_spec();
    add_branch(spec, "c").at = "position:9";
    ProjectState live = shop_state();
    add_branch(live, "c").requested_at = "position:9";
    EXPECT_TRUE(make_plan(spec, live).is_empty());
}

TEST(Rules, another_postgres_version_is_refused) {
    specs::ProjectSpec spec = shop_spec();
    spec.pg_version = 16;
    add_branch(spec, "new");
    Plan plan = make_plan(spec, shop_state());
    EXPECT_EQ(steps(plan), (Texts{"! update project", "create branch.new"}));
    EXPECT_EQ(verdict(plan.changes.front()),
              "not_supported: project shop has PostgreSQL 15 and cannot change to 16 in place");
}

TEST(Rules, another_default_branch_is_refused_alone) {
    specs::ProjectSpec spec = shop_spec();
    spec.default_branch = "trunk";
    spec.branches.front().name = "trunk";
    add_role(spec, "app");
    Plan plan = make_plan(spec, shop_state());
    EXPECT_EQ(steps(plan), Texts{"! update project"});
    EXPECT_EQ(verdict(plan.changes.front()),
              "not_supported: the default branch of project shop is main and cannot be changed");
    EXPECT_EQ(plan.changes.front().refusal_help, "set default_branch = \"main\"");
}

TEST(Rules, a_role_that_owns_a_staying_database_is_not_dropped) {
    ProjectState live = shop_state();
    add_role(live, "app");
    add_database(live, "by_hand", "app").origin = Origin::kManual;
    Plan plan = make_plan(shop_spec(), live);
    EXPECT_EQ(verdict(change_of(plan, "role.main.app")),
              "in_use: role \"app\" owns databases that stay: by_hand");
}

TEST(Rules, a_circle_through_a_role_made_by_hand_is_refused) {
    specs::ProjectSpec spec = shop_spec();
    add_role(spec, "app", {"team"});
    add_role(spec, "team");
    add_role(spec, "unrelated", {"app"});
    ProjectState live = shop_state();
    add_role(live, "team", {"by_hand"});
    branch_of(live, "main").roles.front().attributes.member_of = {};
    add_role(live, "by_hand", {"app"}).origin = Origin::kManual;
    spec.roles[1].attributes.member_of = {"by_hand"};
    Plan plan = make_plan(spec, live);
    EXPECT_EQ(verdict(change_of(plan, "role.main.app")),
              "not_supported: role \"app\" would be a member of itself through other roles");
    EXPECT_EQ(verdict(change_of(plan, "role.main.team")),
              "not_supported: role \"team\" would be a member of itself through other roles");
    EXPECT_EQ(verdict(change_of(plan, "role.main.unrelated")), "ok");
}

TEST(Rules, a_branch_with_an_unmanaged_child_cannot_begin_to_expire) {
    specs::ProjectSpec spec = shop_spec();
    add_branch(spec, "qa").ttl = std::chrono::hours(1);
    ProjectState live = shop_state();
    add_branch(live, "qa");
    add_branch(live, "pr", "qa").origin = Origin::kCommand;
    EXPECT_EQ(verdict(change_of(make_plan(spec, live), "branch.qa")),
              "would_orphan: branch qa has children and cannot expire: pr");
    // Where that is so already, other changes go on.
    branch_of(live, "qa").ttl = std::chrono::hours(1);
    branch_of(live, "qa").expire_time = kModelNow;
    branch_of(live, "qa").origin = Origin::kCommand;
    EXPECT_EQ(verdict(change_of(make_plan(spec, live), "branch.qa")), "ok");
}

// ---- commands ----------------------------------------------------------------------------------

TEST(CommandRules, a_branch_is_created_from_an_existing_parent) {
    Plan plan = make_plan_for({wanted_branch("pr-1")}, shop_state());
    EXPECT_EQ(steps(plan), Texts{"create branch.pr-1"});
    EXPECT_EQ(plan.changes.front().reason, Reason::kRequestedByCommand);
    EXPECT_EQ(plan.changes.front().change.origin, Origin::kCommand);
    EXPECT_EQ(plan.base_versions.size(), 2U);
    EXPECT_TRUE(check_policy(plan, {}).is_ok());
}

TEST(CommandRules, branches_that_cannot_be_created) {
    ProjectState live = shop_state();
    add_branch(live, "pr");
    add_branch(live, "short").expire_time = kModelNow;
    EXPECT_EQ(verdict_of(wanted_branch("pr"), live), "already_exists: branch.pr exists already");
    EXPECT_EQ(verdict_of(wanted_branch("x", "nowhere"), live),
              "not_found: branch nowhere, the parent of x, does not exist");
    EXPECT_EQ(verdict_of(wanted_branch("x", "x"), live),
              "not_supported: branch x would descend from itself");
    EXPECT_EQ(verdict_of(wanted_branch("x", ""), live),
              "not_supported: branch x has no parent, and project shop has a root branch already");
    EXPECT_EQ(verdict_of(wanted_branch("x", "short"), live),
              "not_supported: branch short, the parent of x, expires");
    EXPECT_EQ(verdict_of(wanted_branch("Pr"), live).substr(0, 12), "invalid_name");
    EXPECT_EQ(verdict_of(wanted_branch(""), live).substr(0, 12), "invalid_name");
    EXPECT_EQ(verdict_of(wanted_branch("x"), no_project()),
              "not_found: project shop does not exist");
}

TEST(CommandRules, branch_points) {
    auto at = [](std::string text) {
        ResourceChange change = wanted_branch("x");
        std::get<BranchValue>(change.value).requested_at = std::move(text);
        return verdict_of(change, shop_state());
    };
    EXPECT_EQ(at("position:12"), "ok");
    EXPECT_EQ(at("0/16B3748"), "ok");
    EXPECT_EQ(at("2026-04-12T09:30:00Z"), "ok");
    EXPECT_EQ(at(""), "ok");
    for (const char* text : {"position:", "position:0", "position:1x", "position:-1",
                             "position:99999999999999999999", "12", "git:4f2c1e9"}) {
        EXPECT_EQ(at(text).substr(0, 13), "not_supported") << text;
    }
}

TEST(CommandRules, expirations) {
    auto with = [](bool is_protected, std::string parent) {
        ResourceChange change = wanted_branch("x", std::move(parent));
        auto& value = std::get<BranchValue>(change.value);
        value.is_protected = is_protected;
        value.ttl = std::chrono::hours(1);
        return verdict_of(change, shop_state());
    };
    EXPECT_EQ(with(false, "main"), "ok");
    EXPECT_EQ(with(true, "main"), "not_supported: branch x is protected and cannot expire");

    ResourceChange main = wanted(Address::of_branch("main"),
                                 BranchValue{.ttl = std::chrono::hours(1)}, ChangeKind::kUpdate);
    EXPECT_EQ(verdict_of(main, shop_state()),
              "not_supported: branch main is the root branch and cannot expire");
}

TEST(CommandRules, several_changes_are_one_plan) {
    ProjectState live = shop_state();
    add_branch(live, "old");
    add_branch(live, "older", "old");
    Plan plan = make_plan_for({unwanted(Address::of_branch("old")), wanted_branch("b", "a"),
                               wanted_branch("a"), unwanted(Address::of_branch("older"))},
                              live);
    EXPECT_EQ(steps(plan), (Texts{"create branch.a", "create branch.b", "delete branch.older",
                                  "delete branch.old"}));
}

TEST(CommandRules, circles_of_new_branches_are_refused) {
    Plan plan = make_plan_for({wanted_branch("a", "b"), wanted_branch("b", "a"),
                               wanted_branch("c", "b"), wanted_branch("d")},
                              shop_state());
    EXPECT_EQ(steps(plan), (Texts{"! create branch.a", "! create branch.b", "! create branch.c",
                                  "create branch.d"}));
}

TEST(CommandRules, the_same_thing_twice_is_refused) {
    ProjectState live = shop_state();
    add_branch(live, "x");
    Plan plan = make_plan_for({unwanted(Address::of_branch("x")), wanted_branch("x")}, live);
    EXPECT_EQ(plan.summary.refused_count, 2U);
    Plan twice = make_plan_for({wanted_branch("y"), wanted_branch("y")}, live);
    EXPECT_EQ(verdict(twice.changes.back()),
              "not_supported: branch.y is changed twice in one plan");
}

TEST(CommandRules, branches_that_cannot_be_deleted) {
    ProjectState live = shop_state();
    add_branch(live, "kept").is_protected = true;
    add_branch(live, "parent");
    add_branch(live, "child", "parent");
    EXPECT_EQ(verdict_of(unwanted(Address::of_branch("nowhere")), live),
              "not_found: branch.nowhere does not exist");
    EXPECT_EQ(verdict_of(unwanted(Address::of_branch("kept")), live),
              "protected: branch kept is protected");
    EXPECT_EQ(verdict_of(unwanted(Address::of_branch("parent")), live),
              "would_orphan: branch parent has children that stay: child");
    EXPECT_EQ(verdict_of(unwanted(Address::of_branch("child")), live), "ok");
    EXPECT_EQ(verdict_of(unwanted(Address::of_branch("main")), shop_state()),
              "in_use: branch main is the default branch of project shop");
    EXPECT_EQ(verdict_of(unwanted(Address::of_compute("child")), live),
              "not_supported: compute child goes with its branch only");
}

TEST(CommandRules, a_branch_cannot_be_created_on_one_that_goes) {
    ProjectState live = shop_state();
    add_branch(live, "old");
    Plan plan =
        make_plan_for({unwanted(Address::of_branch("old")), wanted_branch("x", "old")}, live);
    EXPECT_EQ(steps(plan), (Texts{"! create branch.x", "! delete branch.old"}));
}

TEST(CommandRules, what_is_so_already_is_no_change) {
    ProjectState live = shop_state();
    live.branches.front().is_protected = true;
    ResourceChange change =
        wanted(Address::of_branch("main"), BranchValue{.is_protected = true}, ChangeKind::kUpdate);
    Plan plan = make_plan_for({change}, live);
    EXPECT_TRUE(plan.is_empty());
    EXPECT_EQ(plan.summary.unchanged_count, 1U);
}

TEST(CommandRules, computes) {
    ProjectState live = shop_state();
    add_branch(live, "qa");
    ComputeSettings big{.size_centi_cu = 400};
    Plan plan = make_plan_for({wanted(Address::of_compute("qa"), big, ChangeKind::kUpdate)}, live);
    EXPECT_EQ(plan.changes.front().risk, Risk::kRestartsCompute);
    EXPECT_EQ(diff_texts(plan.changes.front()), Texts{"size: 0.25 CU -> 4 CU"});
    EXPECT_EQ(verdict_of(wanted(Address::of_compute("qa"), big), live),
              "already_exists: compute.qa exists already");
    EXPECT_EQ(verdict_of(wanted(Address::of_compute("no"), big, ChangeKind::kUpdate), live),
              "not_found: branch no does not exist");
    Plan both = make_plan_for({wanted(Address::of_compute("x"), big), wanted_branch("x")}, live);
    EXPECT_EQ(steps(both), (Texts{"create branch.x", "create compute.x"}));
}

TEST(CommandRules, roles_and_databases_of_an_observed_branch) {
    ProjectState live = shop_state();
    add_role(live, "app");
    add_database(live, "shop", "app");
    auto role = [](std::string name, Texts member_of) {
        return wanted(Address::of_role("main", std::move(name)),
                      RoleValue{{.member_of = std::move(member_of)}});
    };
    auto database = [](std::string name, std::string owner) {
        return wanted(Address::of_database("main", std::move(name)),
                      DatabaseValue{std::move(owner)});
    };
    EXPECT_EQ(verdict_of(role("new", {"app", "pg_monitor"}), live), "ok");
    EXPECT_EQ(verdict_of(role("app", {}), live), "already_exists: role.main.app exists already");
    EXPECT_EQ(verdict_of(role("new", {"ghost"}), live),
              "not_found: role \"new\" is to be a member of role \"ghost\", which does not exist");
    EXPECT_EQ(verdict_of(role("new", {"new"}), live),
              "not_supported: role \"new\" would be a member of itself through other roles");
    EXPECT_EQ(verdict_of(role("pg_x", {}), live).substr(0, 12), "invalid_name");
    EXPECT_EQ(verdict_of(unwanted(Address::of_role("main", "app")), live),
              "in_use: role \"app\" owns databases that stay: shop");
    EXPECT_EQ(verdict_of(unwanted(Address::of_role("main", "ghost")), live),
              "not_found: role.main.ghost does not exist");
    EXPECT_EQ(verdict_of(database("stats", "app"), live), "ok");
    EXPECT_EQ(
        verdict_of(database("stats", "ghost"), live),
        "not_found: database \"stats\" is to be owned by role \"ghost\", which does not exist");
    EXPECT_EQ(verdict_of(database("shop", "app"), live),
              "already_exists: database.main.shop exists already");
    EXPECT_EQ(verdict_of(database("template1", "app"), live).substr(0, 12), "invalid_name");
    EXPECT_EQ(verdict_of(wanted(Address::of_database("no", "x"), DatabaseValue{"postgres"}), live),
              "not_found: branch no does not exist");
}

TEST(CommandRules, what_nobody_looked_at_is_left_to_the_engine_to_check) {
    ProjectState live = shop_state();
    add_branch(live, "asleep");
    EXPECT_EQ(verdict_of(unwanted(Address::of_role("asleep", "app")), live), "ok");
    EXPECT_EQ(
        verdict_of(wanted(Address::of_role("asleep", "x"), RoleValue{{.member_of = {"y"}}}), live),
        "ok");
}

TEST(CommandRules, a_new_branch_inherits_what_the_same_plan_does_to_its_parent) {
    Plan plan =
        make_plan_for({wanted_branch("x"), wanted(Address::of_role("x", "only_here"), RoleValue{}),
                       wanted(Address::of_role("main", "app"), RoleValue{})},
                      shop_state());
    EXPECT_EQ(steps(plan),
              (Texts{"create role.main.app", "create branch.x", "create role.x.only_here"}));
}

TEST(CommandRules, the_project_itself) {
    ResourceChange create = wanted(Address::project(), ProjectValue{15, "main"});
    EXPECT_EQ(verdict_of(create, shop_state()), "already_exists: project exists already");
    EXPECT_EQ(verdict_of(create, no_project()), "ok");
    ResourceChange update =
        wanted(Address::project(), ProjectValue{16, "main"}, ChangeKind::kUpdate);
    EXPECT_EQ(verdict_of(update, no_project()), "not_found: project does not exist");
}

// ---- destroy -----------------------------------------------------------------------------------

TEST(Destroy, everything_goes_from_the_leaves_inwards) {
    ProjectState live = shop_state();
    add_branch(live, "a");
    add_branch(live, "b", "a").origin = Origin::kCommand;
    Plan plan = make_destroy_plan(live);
    EXPECT_EQ(steps(plan), (Texts{"delete branch.b", "delete branch.a", "delete branch.main",
                                  "delete project"}));
    EXPECT_EQ(plan.changes.front().reason, Reason::kParentDeleted);
    EXPECT_EQ(plan.changes.back().reason, Reason::kRequestedByCommand);
    // No change of a project is disjoint from its end.
    EXPECT_EQ(plan.base_versions.front().address, Address::project());
    EXPECT_EQ(plan.base_versions.front().version, Generation{5});
}

TEST(Destroy, a_project_with_a_protected_branch_stays) {
    ProjectState live = shop_state();
    add_branch(live, "prod").is_protected = true;
    Plan plan = make_destroy_plan(live);
    EXPECT_EQ(verdict(plan.changes.back()), "protected: project shop has protected branches: prod");
    EXPECT_EQ(check_policy(plan, {"project"}).error().code, ErrorCode::kRefused);
}

TEST(Destroy, of_nothing_is_refused) {
    Plan plan = make_destroy_plan(no_project());
    EXPECT_EQ(steps(plan), Texts{"! delete project"});
    EXPECT_EQ(check_policy(plan, {}).error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace lb::planner
