#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/text.h"
#include "planner/plan_file.h"
#include "planner/render.h"
#include "planner/select.h"
#include "tests/planner/support/builders.h"
#include "tests/planner/support/generators.h"

namespace lb::planner {
namespace {

using namespace lb::planner::testing;

constexpr const char* kVerifier = "SCRAM-SHA-256$4096:c2FsdA==$c3RvcmVk:c2VydmVy";

specs::ProjectSpec spec_with_password() {
    specs::ProjectSpec spec = shop_spec();
    spec.content_hash = "c0ffee";
    add_branch(spec, "feature");
    specs::RoleSpec& role = add_role(spec, "app");
    role.attributes.password_verifier = kVerifier;
    role.password = specs::SecretReference{.name = "APP_PASSWORD", .span = line(3)};
    return spec;
}

SavedPlan saved_of(const specs::ProjectSpec& spec, const ProjectState& live) {
    return saved_plan(make_plan(spec, live), spec, live);
}

std::string some_file() { return encode_plan_file(saved_of(spec_with_password(), shop_state())); }

std::string message_of(std::string_view text) {
    Result<SavedPlan> saved = decode_plan_file(text);
    EXPECT_FALSE(saved.is_ok());
    return saved.is_ok() ? "" : saved.error().message;
}

RC_GTEST_PROP(PlanFile, is_read_as_it_was_written, ()) {
    specs::ProjectSpec before = *any_spec();
    ProjectState live = *live_state_near(before);
    specs::ProjectSpec spec = *edited(before);
    for (const Plan& plan : {make_plan(spec, live), make_destroy_plan(live)}) {
        SavedPlan saved = saved_plan(plan, spec, live);
        Result<SavedPlan> again = decode_plan_file(encode_plan_file(saved));
        if (!again.is_ok()) RC_LOG() << to_text(again.error());
        RC_ASSERT(again.is_ok());
        RC_ASSERT(*again == saved);
        RC_ASSERT(to_json(again->plan).dump() == to_json(plan).dump());
        RC_ASSERT(render_text(again->plan, Colour::kNever, Detail::kAttributes) ==
                  render_text(plan, Colour::kNever, Detail::kAttributes));
        RC_ASSERT(encode_plan_file(saved).find("SCRAM") == std::string::npos);
    }
}

TEST(PlanFile, says_what_was_left_out) {
    specs::ProjectSpec spec = shop_spec();
    add_branch(spec, "a");
    add_branch(spec, "b", "a");
    add_branch(spec, "c");
    for (const Selection& selection :
         {Selection{.only = {"branch.b"}}, Selection{.except = {"branch.a"}}}) {
        SavedPlan saved =
            saved_plan(LB_MUST(make_plan(spec, shop_state(), selection)), spec, shop_state());
        EXPECT_EQ(saved.plan.selection_notes.size(), 1U);
        EXPECT_EQ(LB_MUST(decode_plan_file(encode_plan_file(saved))), saved);
    }
}

TEST(PlanFile, holds_no_secret_but_where_it_comes_from) {
    std::string text = some_file();
    EXPECT_EQ(text.find("SCRAM"), std::string::npos);
    EXPECT_NE(text.find("APP_PASSWORD"), std::string::npos);
}

TEST(PlanFile, gets_its_verifiers_when_it_is_applied) {
    SavedPlan saved = LB_MUST(decode_plan_file(some_file()));
    specs::ProjectSpec roles = spec_of_secrets(saved, shop_state());
    ASSERT_EQ(roles.roles.size(), 1U);
    roles.roles[0].attributes.password_verifier = kVerifier;
    ASSERT_TRUE(fill_verifiers(saved, roles, shop_state()).is_ok());
    EXPECT_EQ(to_change_set(saved.plan),
              to_change_set(make_plan(spec_with_password(), shop_state())));
}

TEST(PlanFile, a_password_that_the_plan_leaves_must_not_change) {
    ProjectState live = shop_state();
    add_role(live, "app").attributes.password_verifier = kVerifier;
    specs::ProjectSpec spec = spec_with_password();
    spec.roles[0].attributes.login = !live.find_branch("main")->roles[0].attributes.login;
    SavedPlan saved = saved_of(spec, live);
    specs::ProjectSpec roles = spec_of_secrets(saved, live);
    roles.roles[0].attributes.password_verifier = kVerifier;
    EXPECT_TRUE(fill_verifiers(saved, roles, live).is_ok());
    roles.roles[0].attributes.password_verifier = "SCRAM-SHA-256$4096:b3RoZXI=$c3RvcmVk:c2VydmVy";
    Status refused = fill_verifiers(saved, roles, live);
    ASSERT_FALSE(refused.is_ok());
    EXPECT_EQ(refused.error().code, ErrorCode::kPlanStale);
}

TEST(PlanFile, cut_off_anywhere_is_refused) {
    std::string text = some_file();
    for (size_t size = 0; size + 1 < text.size(); size += 1 + size / 50) {
        EXPECT_FALSE(decode_plan_file(std::string_view(text).substr(0, size)).is_ok()) << size;
    }
    EXPECT_NE(message_of(std::string_view(text).substr(0, text.size() / 2)).find("not complete"),
              std::string::npos);
}

TEST(PlanFile, edited_by_hand_is_refused) {
    std::string text = some_file();
    size_t at = text.find("branch.feature");
    ASSERT_NE(at, std::string::npos);
    text.replace(at, 14, "branch.futures");
    EXPECT_NE(message_of(text).find("was changed"), std::string::npos);
}

TEST(PlanFile, of_a_newer_lb_is_refused_as_that) {
    std::string text = some_file();
    text.replace(text.find("\"lb_plan_file\": 1"), 17, "\"lb_plan_file\": 2");
    Result<SavedPlan> saved = decode_plan_file(text);
    ASSERT_FALSE(saved.is_ok());
    EXPECT_EQ(saved.error().code, ErrorCode::kVersionMismatch);
}

TEST(PlanFile, other_files_are_no_plan_files) {
    for (std::string_view text : {"", "{}", "[project]\nname = \"shop\"\n", "null", "{\"a\": 1}"}) {
        EXPECT_NE(message_of(text).find("no plan file"), std::string::npos) << text;
    }
}

TEST(PlanDifferences, say_what_is_new_gone_and_other) {
    specs::ProjectSpec spec = spec_with_password();
    Plan before = make_plan(spec, shop_state());
    EXPECT_TRUE(plan_differences(before, before).empty());
    ProjectState live = shop_state();
    add_branch(live, "feature").is_protected = true;
    add_branch(live, "extra");
    std::string lines = join(plan_differences(before, make_plan(spec, live)), "\n");
    EXPECT_NE(lines.find("other: update branch.feature"), std::string::npos) << lines;
    EXPECT_NE(lines.find("new: delete branch.extra"), std::string::npos) << lines;
    lines = join(plan_differences(make_plan(spec, live), before), "\n");
    EXPECT_NE(lines.find("gone: delete branch.extra"), std::string::npos) << lines;
}

}  // namespace
}  // namespace lb::planner
