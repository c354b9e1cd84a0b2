#include <gtest/gtest.h>

#include "tests/planner/support/builders.h"
#include "tests/planner/support/model.h"

namespace lb::planner {
namespace {

using namespace lb::planner::testing;
using Texts = std::vector<std::string>;

std::string base_text(const Plan& plan) {
    std::string text;
    for (const BaseVersion& base : plan.base_versions) {
        if (!text.empty()) text += " ";
        text += to_text(base.address) + "@" + to_string(base.version);
    }
    return text;
}

TEST(MakePlan, a_new_project_is_made_from_the_inside_out) {
    specs::ProjectSpec spec = shop_spec();
    add_branch(spec, "staging");
    add_branch(spec, "a-child", "staging").compute = ComputeSettings{};
    add_role(spec, "app", {"team"});
    add_role(spec, "team", {"pg_monitor"});
    add_database(spec, "shop", "app");
    Plan plan = make_plan(spec, no_project());
    EXPECT_EQ(steps(plan),
              (Texts{"create project", "create branch.main", "create compute.main",
                     "create role.main.team", "create role.main.app", "create database.main.shop",
                     "create branch.staging", "create branch.a-child", "create compute.a-child"}));
    EXPECT_EQ(plan.project, "shop");
    EXPECT_EQ(plan.base_generation, Generation{0});
    EXPECT_EQ(base_text(plan),
              "project@0 branch.a-child@0 branch.main@0 branch.staging@0 role.main.app@0 "
              "role.main.team@0 database.main.shop@0");
    EXPECT_EQ(plan.summary.create_count, 9U);
    EXPECT_EQ(plan.summary.unchanged_count, 0U);
}

TEST(MakePlan, the_default_branch_is_always_on) {
    Plan plan = make_plan(shop_spec(), no_project());
    const auto& compute = std::get<ComputeSettings>(change_of(plan, "compute.main").change.value);
    EXPECT_TRUE(compute.always_on);
    EXPECT_EQ(compute.size_centi_cu, 25U);
}

TEST(MakePlan, a_branch_without_compute_table_has_no_compute_of_its_own_in_the_plan) {
    specs::ProjectSpec spec = shop_spec();
    add_branch(spec, "plain");
    EXPECT_EQ(steps(make_plan(spec, shop_state())), Texts{"create branch.plain"});
}

TEST(MakePlan, nothing_to_do) {
    specs::ProjectSpec spec = shop_spec();
    add_role(spec, "app");
    add_database(spec, "shop");  // of the superuser
    ProjectState live = shop_state();
    add_role(live, "app");
    add_database(live, "shop", "postgres");
    Plan plan = make_plan(spec, live);
    EXPECT_TRUE(plan.is_empty());
    EXPECT_TRUE(plan.base_versions.empty());
    // project, branch.main, compute.main, the role, the database
    EXPECT_EQ(plan.summary.unchanged_count, 5U);
    EXPECT_EQ(plan.summary.branch_count, 1U);
    EXPECT_EQ(plan.base_generation, Generation{5});
}

TEST(MakePlan, a_new_branch_is_bound_to_its_parent_and_to_nothing_else) {
    specs::ProjectSpec spec = shop_spec();
    add_branch(spec, "staging");
    add_branch(spec, "new", "staging");
    ProjectState live = shop_state();
    add_branch(live, "staging").version = Generation{4};
    EXPECT_EQ(base_text(make_plan(spec, live)), "branch.new@0 branch.staging@4");
}

TEST(MakePlan, roles_and_databases_are_bound_one_by_one) {
    specs::ProjectSpec spec = shop_spec();
    add_role(spec, "changed").attributes.login = true;
    add_role(spec, "same");
    add_role(spec, "new");
    add_database(spec, "shop", "new");
    ProjectState live = shop_state();
    add_role(live, "changed");
    add_role(live, "gone");
    add_role(live, "same");
    add_database(live, "shop");
    EXPECT_EQ(base_text(make_plan(spec, live)),
              "role.main.changed@3 role.main.gone@3 role.main.new@0 database.main.shop@3");
}

TEST(MakePlan, protection_is_an_update) {
    specs::ProjectSpec spec = shop_spec();
    spec.branches.front().is_protected = true;
    Plan plan = make_plan(spec, shop_state());
    EXPECT_EQ(steps(plan), Texts{"update branch.main"});
    const PlannedChange& change = plan.changes.front();
    EXPECT_EQ(diff_texts(change), Texts{"protected: false -> true"});
    EXPECT_EQ(change.reason, Reason::kChangedInSpec);
    EXPECT_EQ(change.risk, Risk::kNone);
    EXPECT_EQ(change.span, line(4));
    EXPECT_EQ(base_text(plan), "branch.main@3");
}

// ---- expiration --------------------------------------------------------------------------------

TEST(MakePlan, an_unchanged_ttl_is_no_change_whatever_time_it_led_to) {
    specs::ProjectSpec spec = shop_spec();
    add_branch(spec, "pr").ttl = std::chrono::hours(24);
    ProjectState live = shop_state();
    add_branch(live, "pr").ttl = std::chrono::hours(24);
    branch_of(live, "pr").expire_time = kModelNow;
    EXPECT_TRUE(make_plan(spec, live).is_empty());
}

TEST(MakePlan, another_ttl_counts_from_the_update) {
    specs::ProjectSpec spec = shop_spec();
    add_branch(spec, "pr").ttl = std::chrono::hours(48);
    ProjectState live = shop_state();
    add_branch(live, "pr").ttl = std::chrono::hours(24);
    branch_of(live, "pr").expire_time = kModelNow;
    Plan plan = make_plan(spec, live);
    EXPECT_EQ(diff_texts(change_of(plan, "branch.pr")), Texts{"ttl: 1d -> 2d"});
    const auto& value = std::get<BranchValue>(plan.changes.front().change.value);
    EXPECT_EQ(value.ttl, std::chrono::hours(48));
    EXPECT_FALSE(value.expire_time);
}

TEST(MakePlan, an_update_of_something_else_does_not_start_the_ttl_anew) {
    specs::ProjectSpec spec = shop_spec();
    add_branch(spec, "pr").ttl = std::chrono::hours(24);
    ProjectState live = shop_state();
    BranchState& pr = add_branch(live, "pr");
    pr.ttl = std::chrono::hours(24);
    pr.expire_time = kModelNow - std::chrono::hours(1);
    pr.origin = Origin::kCommand;
    Plan plan = make_plan(spec, live);
    EXPECT_EQ(diff_texts(change_of(plan, "branch.pr")), Texts{"origin: command -> spec"});
    ProjectState after = LB_MUST(apply(live, to_change_set(plan)));
    EXPECT_EQ(branch_of(after, "pr").expire_time, kModelNow - std::chrono::hours(1));
}

TEST(MakePlan, a_ttl_replaced_by_the_very_time_it_led_to_is_a_change) {
    specs::ProjectSpec spec = shop_spec();
    add_branch(spec, "pr").expire_time = WallTime(std::chrono::seconds(1'775'986'200));
    ProjectState live = shop_state();
    BranchState& pr = add_branch(live, "pr");
    pr.ttl = std::chrono::hours(24);
    pr.expire_time = WallTime(std::chrono::seconds(1'775'986'200));
    EXPECT_EQ(diff_texts(change_of(make_plan(spec, live), "branch.pr")),
              (Texts{"expire_time: - -> 2026-04-12T09:30:00Z", "ttl: 1d -> -"}));
}

TEST(MakePlan, expire_times_are_compared_to_the_nanosecond) {
    specs::ProjectSpec spec = shop_spec();
    WallTime time{std::chrono::seconds(1'775'986'200)};
    add_branch(spec, "pr").expire_time = time + std::chrono::milliseconds(250);
    ProjectState live = shop_state();
    add_branch(live, "pr").expire_time = time;
    EXPECT_EQ(diff_texts(change_of(make_plan(spec, live), "branch.pr")),
              Texts{"expire_time: 2026-04-12T09:30:00Z -> 2026-04-12T09:30:00.25Z"});
}

// ---- computes ----------------------------------------------------------------------------------

TEST(MakePlan, another_size_restarts_the_compute) {
    specs::ProjectSpec spec = shop_spec();
    spec.branches.front().compute = ComputeSettings{.size_centi_cu = 150, .port = 5433};
    Plan plan = make_plan(spec, shop_state());
    EXPECT_EQ(steps(plan), Texts{"update compute.main"});
    EXPECT_EQ(plan.changes.front().risk, Risk::kRestartsCompute);
    EXPECT_EQ(diff_texts(plan.changes.front()),
              (Texts{"size: 0.25 CU -> 1.5 CU", "port: - -> 5433"}));
    EXPECT_EQ(base_text(plan), "branch.main@3");
}

TEST(MakePlan, a_compute_that_is_only_switched_on_is_not_restarted) {
    specs::ProjectSpec spec = shop_spec();
    add_branch(spec, "qa").compute = ComputeSettings{};
    ProjectState live = shop_state();
    add_branch(live, "qa");
    Plan plan = make_plan(spec, live);
    EXPECT_EQ(steps(plan), Texts{"update compute.qa"});
    EXPECT_EQ(plan.changes.front().risk, Risk::kNone);
}

TEST(MakePlan, removing_the_compute_table_goes_back_to_the_defaults) {
    specs::ProjectSpec spec = shop_spec();
    add_branch(spec, "qa");
    ProjectState live = shop_state();
    add_branch(live, "qa").compute.settings = ComputeSettings{.port = 5433, .always_on = true};
    Plan plan = make_plan(spec, live);
    EXPECT_EQ(diff_texts(change_of(plan, "compute.qa")),
              (Texts{"port: 5433 -> -", "always_on: true -> false"}));
    EXPECT_EQ(std::get<ComputeSettings>(plan.changes.front().change.value), ComputeSettings{});
}

TEST(MakePlan, the_port_that_lb_chose_is_no_difference) {
    ProjectState live = shop_state();
    live.branches.front().compute.active_port = 54321;
    live.branches.front().compute.status = ComputeStatus::kRunning;
    EXPECT_TRUE(make_plan(shop_spec(), live).is_empty());
}

// ---- deletes and what is not ours --------------------------------------------------------------

TEST(MakePlan, children_are_deleted_before_their_parents_and_take_their_computes_along) {
    ProjectState live = shop_state();
    add_branch(live, "a").own_bytes = 1000;
    add_branch(live, "b", "a").compute.settings.always_on = true;
    add_branch(live, "c", "b");
    Plan plan = make_plan(shop_spec(), live);
    EXPECT_EQ(steps(plan), (Texts{"delete branch.c", "delete branch.b", "delete branch.a"}));
    const PlannedChange& a = change_of(plan, "branch.a");
    EXPECT_EQ(a.risk, Risk::kDeletesData);
    EXPECT_EQ(a.reason, Reason::kNoLongerInSpec);
    EXPECT_EQ(a.deleted_bytes, 1000U);
    EXPECT_EQ(a.span.line, 0U);
    EXPECT_EQ(base_text(plan), "branch.a@3 branch.b@3 branch.c@3");
}

TEST(MakePlan, what_a_spec_did_not_make_is_left_alone) {
    ProjectState live = shop_state();
    add_branch(live, "pr-7").origin = Origin::kCommand;
    add_role(live, "bob").origin = Origin::kManual;
    add_database(live, "scratch").origin = Origin::kManual;
    Plan plan = make_plan(shop_spec(), live);
    EXPECT_TRUE(plan.is_empty());
    std::vector<Unmanaged> expected = {
        {.address = Address::of_branch("pr-7"), .origin = Origin::kCommand},
        {.address = Address::of_role("main", "bob"), .origin = Origin::kManual},
        {.address = Address::of_database("main", "scratch"), .origin = Origin::kManual}};
    EXPECT_EQ(plan.unmanaged, expected);
}

TEST(MakePlan, what_the_spec_names_is_adopted) {
    specs::ProjectSpec spec = shop_spec();
    add_branch(spec, "pr-7");
    add_role(spec, "bob").attributes.login = true;
    add_database(spec, "scratch");
    ProjectState live = shop_state();
    add_branch(live, "pr-7").origin = Origin::kCommand;
    add_role(live, "bob").origin = Origin::kManual;
    add_database(live, "scratch").origin = Origin::kManual;
    Plan plan = make_plan(spec, live);
    EXPECT_EQ(steps(plan), (Texts{"update role.main.bob", "update database.main.scratch",
                                  "update branch.pr-7"}));
    EXPECT_EQ(diff_texts(change_of(plan, "role.main.bob")),
              (Texts{"login: false -> true", "origin: manual -> spec"}));
    EXPECT_EQ(change_of(plan, "branch.pr-7").change.origin, Origin::kSpec);
    EXPECT_TRUE(plan.unmanaged.empty());
}

// ---- roles and databases -----------------------------------------------------------------------

TEST(MakePlan, a_role_is_dropped_after_its_databases_went_or_changed_hands) {
    specs::ProjectSpec spec = shop_spec();
    add_role(spec, "new_owner");
    add_role(spec, "z_member");
    add_database(spec, "kept", "new_owner");
    ProjectState live = shop_state();
    add_role(live, "old_owner");
    add_role(live, "z_member", {"old_owner"});
    add_database(live, "dropped", "old_owner");
    add_database(live, "kept", "old_owner");
    Plan plan = make_plan(spec, live);
    EXPECT_EQ(steps(plan), (Texts{"create role.main.new_owner", "update role.main.z_member",
                                  "delete database.main.dropped", "update database.main.kept",
                                  "delete role.main.old_owner"}));
    EXPECT_EQ(change_of(plan, "database.main.dropped").risk, Risk::kDeletesData);
    EXPECT_EQ(change_of(plan, "role.main.old_owner").risk, Risk::kNone);
}

TEST(MakePlan, a_membership_can_be_turned_round) {
    specs::ProjectSpec spec = shop_spec();
    add_role(spec, "a");
    add_role(spec, "b", {"a"});
    ProjectState live = shop_state();
    add_role(live, "a", {"b"});
    add_role(live, "b");
    EXPECT_EQ(steps(make_plan(spec, live)), (Texts{"update role.main.a", "update role.main.b"}));
}

TEST(MakePlan, passwords_show_only_whether_they_are_set) {
    specs::ProjectSpec spec = shop_spec();
    add_role(spec, "changed").attributes.password_verifier = "SCRAM-SHA-256$new";
    add_role(spec, "first").attributes.password_verifier = "SCRAM-SHA-256$new";
    add_role(spec, "gone");
    add_role(spec, "made").attributes.password_verifier = "SCRAM-SHA-256$new";
    add_role(spec, "same").attributes.password_verifier = "SCRAM-SHA-256$old";
    ProjectState live = shop_state();
    add_role(live, "changed").attributes.password_verifier = "SCRAM-SHA-256$old";
    add_role(live, "first");
    add_role(live, "gone").attributes.password_verifier = "SCRAM-SHA-256$old";
    add_role(live, "same").attributes.password_verifier = "SCRAM-SHA-256$old";
    Plan plan = make_plan(spec, live);
    EXPECT_EQ(diff_texts(change_of(plan, "role.main.changed")), Texts{"password: (set) -> (new)"});
    EXPECT_EQ(diff_texts(change_of(plan, "role.main.first")), Texts{"password: (none) -> (set)"});
    EXPECT_EQ(diff_texts(change_of(plan, "role.main.gone")), Texts{"password: (set) -> (none)"});
    EXPECT_EQ(diff_texts(change_of(plan, "role.main.made")), Texts{"password: - -> (set)"});
    EXPECT_EQ(plan.changes.size(), 4U);
    // The engine needs the verifier itself.
    EXPECT_EQ(to_json(to_change_set(plan)).dump().find("SCRAM-SHA-256$old"), std::string::npos);
    EXPECT_NE(to_json(to_change_set(plan)).dump().find("SCRAM-SHA-256$new"), std::string::npos);
}

TEST(MakePlan, a_new_salt_does_not_change_the_id) {
    specs::ProjectSpec spec = shop_spec();
    specs::RoleSpec& app = add_role(spec, "app");
    app.attributes.password_verifier = "SCRAM-SHA-256$one";
    std::string id = make_plan(spec, shop_state()).id;
    app.attributes.password_verifier = "SCRAM-SHA-256$two";
    EXPECT_EQ(make_plan(spec, shop_state()).id, id);
    app.attributes.login = true;
    EXPECT_NE(make_plan(spec, shop_state()).id, id);
}

TEST(MakePlan, the_id_is_bound_to_the_versions_and_not_to_the_place_in_the_file) {
    specs::ProjectSpec spec = shop_spec();
    specs::BranchSpec& main = spec.branches.front();
    main.is_protected = true;
    ProjectState live = shop_state();
    std::string id = make_plan(spec, live).id;
    EXPECT_EQ(id.size(), 10U);
    EXPECT_EQ(id.substr(0, 2), "p-");
    main.span = line(77);
    EXPECT_EQ(make_plan(spec, live).id, id);
    live.branches.front().version = Generation{4};
    EXPECT_NE(make_plan(spec, live).id, id);
}

// ---- size --------------------------------------------------------------------------------------

TEST(MakePlan, a_chain_of_ten_thousand_branches_is_made_and_deleted_in_order) {
    specs::ProjectSpec spec = shop_spec();
    std::string parent = "main";
    for (int i = 0; i < 10'000; ++i) {
        // Names fall as depth grows, so that the order of names is no help.
        std::string name = "b" + std::to_string(99'999 - i);
        specs::BranchSpec branch;
        branch.name = name;
        branch.parent = parent;
        spec.branches.push_back(branch);
        parent = name;
    }
    std::ranges::sort(spec.branches, {}, &specs::BranchSpec::name);
    ProjectState live = shop_state();
    Plan plan = make_plan(spec, live);
    ASSERT_EQ(plan.changes.size(), 10'000U);
    EXPECT_EQ(to_text(plan.changes.front().change.address), "branch.b99999");
    EXPECT_EQ(to_text(plan.changes.back().change.address), "branch.b90000");

    for (const specs::BranchSpec& branch : spec.branches) {
        if (branch.name != "main") live.branches.push_back(live_branch(branch.name, branch.parent));
    }
    std::ranges::sort(live.branches, {}, &BranchState::name);
    EXPECT_TRUE(make_plan(spec, live).is_empty());
    Plan removal = make_plan(shop_spec(), live);
    ASSERT_EQ(removal.summary.delete_count, 10'000U);
    EXPECT_EQ(to_text(removal.changes.front().change.address), "branch.b90000");
    EXPECT_EQ(to_text(removal.changes.back().change.address), "branch.b99999");
}

}  // namespace
}  // namespace lb::planner
