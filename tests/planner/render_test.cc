#include <gtest/gtest.h>

#include "planner/render.h"
#include "tests/planner/support/builders.h"

namespace lb::planner {
namespace {

using namespace lb::planner::testing;

std::string text_of(const Plan& plan, Detail detail = Detail::kChangesOnly) {
    return render_text(plan, Colour::kNever, detail);
}

TEST(RenderText, no_changes) {
    Plan plan = make_plan(shop_spec(), shop_state());
    EXPECT_EQ(text_of(plan), "No changes. project shop, 1 branch, generation 5.\nplan " + plan.id +
                                 ": 0 to create, 0 to update, 0 to delete, 3 unchanged\n");
}

TEST(RenderText, names_cannot_steer_the_terminal) {
    specs::ProjectSpec spec = shop_spec();
    add_role(spec, "evil\x1b[2J\nplan p-0: fine\xc2\x9b");
    std::string text = text_of(make_plan(spec, shop_state()), Detail::kAttributes);
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
    EXPECT_EQ(text.find("\xc2\x9b"), std::string::npos);
    EXPECT_NE(text.find("role.main.\"evil\\x1b[2J\\x0aplan p-0: fine\\x9b\""), std::string::npos)
        << text;
}

TEST(RenderText, columns_are_aligned_by_characters_not_bytes) {
    specs::ProjectSpec spec = shop_spec();
    add_role(spec, "müller").attributes.login = true;
    add_role(spec, "muller").attributes.login = true;
    std::string text = text_of(make_plan(spec, shop_state()));
    std::vector<std::string> lines;
    for (size_t start = 0; start < text.size(); start = text.find('\n', start) + 1) {
        lines.push_back(text.substr(start, text.find('\n', start) - start));
    }
    // "ü" is two bytes in one column; the name with it is quoted.
    EXPECT_EQ(lines[0].find("login"), lines[1].find("login") - 1) << text;
}

TEST(RenderText, colours_only_when_asked) {
    specs::ProjectSpec spec = shop_spec();
    add_branch(spec, "x");
    Plan plan = make_plan(spec, shop_state());
    EXPECT_EQ(text_of(plan).find('\x1b'), std::string::npos);
    std::string coloured = render_text(plan, Colour::kAlways, Detail::kChangesOnly);
    EXPECT_EQ(coloured.substr(0, 26), "  \x1b[32m+ branch.x\x1b[0m  fro");
}

TEST(RenderText, one_long_address_does_not_push_the_others_away) {
    specs::ProjectSpec spec = shop_spec();
    add_branch(spec, "a");
    add_branch(spec, std::string(63, 'b'));
    std::string text = text_of(make_plan(spec, shop_state()));
    EXPECT_EQ(text.find("from main@head"), size_t{2 + 2 + 8 + 2}) << text;
}

TEST(RenderText, many_unmanaged_resources_are_one_line) {
    ProjectState live = shop_state();
    for (int i = 0; i < 9; ++i) {
        add_branch(live, "pr-" + std::to_string(i)).origin = Origin::kCommand;
    }
    Plan plan = make_plan(shop_spec(), live);
    EXPECT_NE(text_of(plan).find("branch.pr-4 (command) and 4 more\n"), std::string::npos);
    EXPECT_EQ(text_of(plan).find("pr-5"), std::string::npos);
    EXPECT_NE(text_of(plan, Detail::kAttributes).find("branch.pr-8 (command)\n"),
              std::string::npos);
}

TEST(PlanJson, is_versioned_and_says_whether_it_can_be_applied) {
    Json empty = to_json(make_plan(shop_spec(), shop_state()));
    EXPECT_EQ(LB_MUST(empty.text_at("format_version")), "1.3");
    EXPECT_FALSE(LB_MUST(empty.bool_at("applyable")));
    Json full = to_json(make_plan(shop_spec(), no_project()));
    EXPECT_TRUE(LB_MUST(full.bool_at("applyable")));
}

}  // namespace
}  // namespace lb::planner
