#include <gtest/gtest.h>

#include "tests/planner/support/builders.h"

namespace lb::planner {
namespace {

using namespace lb::planner::testing;

Plan plan_with_deletes() {
    ProjectState live = shop_state();
    add_branch(live, "old/one");
    add_database(live, "it's mine");
    add_role(live, "nobody");
    return make_plan(shop_spec(), live);
}

TEST(Policy, deleting_data_needs_every_address_and_the_help_is_what_to_type) {
    Status status = check_policy(plan_with_deletes(), {});
    ASSERT_FALSE(status.is_ok());
    EXPECT_EQ(status.error().code, ErrorCode::kDestroyNotAllowed);
    EXPECT_EQ(status.error().message,
              "this plan deletes the data of database.main.\"it's mine\", branch.old/one");
    EXPECT_EQ(status.error().help,
              "if that is wanted, add: --allow-destroy 'database.main.\"it'\\''s mine\"' "
              "--allow-destroy branch.old/one");
    EXPECT_EQ(exit_code(status.error().code), ExitCode::kRefused);
}

TEST(Policy, only_what_is_missing_is_asked_for) {
    Status status = check_policy(plan_with_deletes(), {"branch.old/one", "branch.other", "junk"});
    ASSERT_FALSE(status.is_ok());
    EXPECT_EQ(status.error().help,
              "if that is wanted, add: --allow-destroy 'database.main.\"it'\\''s mine\"'");
}

TEST(Policy, named_destroys_are_allowed_however_they_are_quoted) {
    EXPECT_TRUE(
        check_policy(plan_with_deletes(), {"branch.\"old/one\"", "database.\"main\".\"it's mine\""})
            .is_ok());
}

TEST(Policy, one_refusal_is_the_error_itself) {
    ProjectState live = shop_state();
    add_branch(live, "prod").is_protected = true;
    Status status = check_policy(make_plan(shop_spec(), live), {"branch.prod"});
    ASSERT_FALSE(status.is_ok());
    EXPECT_EQ(status.error().code, ErrorCode::kRefused);
    EXPECT_EQ(status.error().message, "branch prod is protected");
    EXPECT_EQ(status.error().help,
              "put [branches.prod] back with protected = false, run \"lb apply\", then remove it");
}

TEST(Policy, several_refusals_are_all_told) {
    ProjectState live = shop_state();
    add_branch(live, "a").is_protected = true;
    add_branch(live, "b").is_protected = true;
    Status status = check_policy(make_plan(shop_spec(), live), {});
    ASSERT_FALSE(status.is_ok());
    EXPECT_EQ(status.error().message, "2 changes of this plan are refused");
    ASSERT_EQ(status.error().notes.size(), 2U);
    EXPECT_EQ(status.error().notes.front(),
              "branch.a: branch a is protected (put [branches.a] back with protected = false, run "
              "\"lb apply\", then remove it)");
}

TEST(Policy, a_request_that_makes_no_sense_has_the_code_that_says_so) {
    auto code_for = [](std::string name, std::string parent) {
        ResourceChange change{.address = Address::of_branch(std::move(name)),
                              .value = BranchValue{.parent = std::move(parent)},
                              .origin = Origin::kCommand};
        return check_policy(make_plan_for({change}, shop_state()), {}).error().code;
    };
    EXPECT_EQ(code_for("main", "main"), ErrorCode::kAlreadyExists);
    EXPECT_EQ(code_for("x", "nowhere"), ErrorCode::kNotFound);
    EXPECT_EQ(code_for("No", "main"), ErrorCode::kInvalidName);
    EXPECT_EQ(code_for("x", ""), ErrorCode::kRefused);
}

TEST(Policy, restarts_and_role_drops_need_no_permission) {
    specs::ProjectSpec spec = shop_spec();
    spec.branches.front().compute = ComputeSettings{.size_centi_cu = 100};
    ProjectState live = shop_state();
    add_role(live, "nobody");
    EXPECT_TRUE(check_policy(make_plan(spec, live), {}).is_ok());
}

TEST(ChangeSet, carries_the_plan) {
    Plan plan = plan_with_deletes();
    ChangeSet set = to_change_set(plan);
    EXPECT_EQ(set.project, "shop");
    EXPECT_EQ(set.plan_id, plan.id);
    EXPECT_EQ(set.base_versions, plan.base_versions);
    ASSERT_EQ(set.changes.size(), plan.changes.size());
    for (size_t i = 0; i < set.changes.size(); ++i) {
        EXPECT_EQ(set.changes[i], plan.changes[i].change);
    }
}

}  // namespace
}  // namespace lb::planner
