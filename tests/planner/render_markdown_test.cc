#include <gtest/gtest.h>

#include "base/text.h"
#include "planner/render.h"
#include "tests/planner/support/builders.h"

namespace lb::planner {
namespace {

using namespace lb::planner::testing;

size_t count_of(std::string_view text, std::string_view word) {
    size_t count = 0;
    for (size_t at = text.find(word); at != text.npos; at = text.find(word, at + 1)) ++count;
    return count;
}

// A line of three backticks or more closes a block that was opened by as many, or opens one.
// Returns what stands outside of all blocks; fails if one is left open.
std::string outside_of_fences(const std::string& text) {
    std::string outside;
    size_t fence = 0;
    for (const std::string& line : split(text, '\n')) {
        size_t ticks = std::min(line.find_first_not_of('`'), line.size());
        if (fence == 0 && ticks >= 3) {
            fence = ticks;
        } else if (fence > 0 && ticks >= fence && ticks == line.size()) {
            fence = 0;
        } else if (fence == 0) {
            outside += line + "\n";
        }
    }
    EXPECT_EQ(fence, size_t{0}) << "a block is left open";
    return outside;
}

void expect_well_formed(const std::string& text) {
    std::string outside = outside_of_fences(text);
    EXPECT_EQ(count_of(outside, "<details>"), count_of(outside, "</details>"));
    EXPECT_EQ(count_of(outside, "<summary>"), count_of(outside, "</summary>"));
    EXPECT_LE(text.size() + count_of(text, "\n"), kMarkdownMaxChars);
    EXPECT_TRUE(is_utf8(text));
}

TEST(RenderMarkdown, ten_thousand_changes_fit_and_say_what_was_left_out) {
    specs::ProjectSpec spec = shop_spec();
    spec.branches.clear();
    spec.branches.push_back({.name = "main", .span = line(4)});
    for (int i = 0; i < 10000; ++i) {
        specs::BranchSpec branch;
        branch.name = "feature/" + std::to_string(10000 + i);
        branch.parent = "main";
        branch.span = line(10);
        spec.branches.push_back(branch);
    }
    ProjectState live = shop_state();
    add_branch(live, "doomed").own_bytes = 1 << 20;
    std::string text = render_markdown(make_plan(spec, live));
    expect_well_formed(text);
    EXPECT_GT(text.size(), kMarkdownMaxChars / 2);
    EXPECT_NE(text.find("more left out here."), std::string::npos);
    EXPECT_NE(text.find("lines are left out"), std::string::npos);
    // The dangerous one comes first.
    EXPECT_LT(text.find("branch.doomed"), text.find("branch.feature/10000"));
}

TEST(RenderMarkdown, many_dangerous_changes_of_long_names_fit_too) {
    ProjectState live = shop_state();
    for (int i = 0; i < 3000; ++i) {
        add_branch(live, cat(1000 + i, std::string(59, 'x')));
        add_role(live, cat("`````", i, "\n<details>")).origin = Origin::kSpec;
    }
    std::string text = render_markdown(make_plan(shop_spec(), live));
    expect_well_formed(text);
    EXPECT_NE(text.find("more left out here."), std::string::npos);
}

TEST(RenderMarkdown, no_name_leaves_its_place) {
    const std::vector<std::string> names = {
        "````",
        "a``````````b",
        "| a | b |",
        "@everyone",
        "</details><img src=x onerror=alert(1)>",
        "line\n```\n@team",
        "[click](https://example.com)",
        "\xe2\x80\xae"
        "evil",
        "\xe2\x80\xa8next",
        "\xf0\x9f\x92\xa5",
        std::string(63, '`'),
        "~~~",
    };
    specs::ProjectSpec spec = shop_spec();
    for (const std::string& name : names) {
        add_role(spec, name).attributes.login = true;
        add_database(spec, "db " + name).owner = name;
    }
    std::string text = render_markdown(make_plan(spec, shop_state()));
    expect_well_formed(text);
    std::string outside = outside_of_fences(text);
    EXPECT_EQ(outside.find('@'), std::string::npos) << outside;
    EXPECT_EQ(outside.find("img"), std::string::npos) << outside;
    EXPECT_EQ(outside.find("click"), std::string::npos) << outside;
    EXPECT_EQ(text.find("\xe2\x80\xae"), std::string::npos);
    EXPECT_NE(text.find("\\u202e"
                        "evil"),
              std::string::npos)
        << text;
}

TEST(RenderMarkdown, a_line_is_cut_between_characters) {
    specs::ProjectSpec spec = shop_spec();
    specs::RoleSpec& role = add_role(spec, "x");
    for (int i = 0; i < 40; ++i) {
        role.attributes.member_of.push_back(cat("m\xc3\xbcller", std::string(50, 'y'), i));
    }
    std::string text = render_markdown(make_plan(spec, shop_state()));
    expect_well_formed(text);
    EXPECT_NE(text.find("[...]"), std::string::npos);
}

}  // namespace
}  // namespace lb::planner
