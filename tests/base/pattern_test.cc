// Patterns against a definition that is too slow to use.
#include "base/pattern.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

namespace lb {
namespace {

bool matches_by_definition(std::string_view pattern, std::string_view text) {
    if (pattern.empty()) return text.empty();
    if (pattern.front() != '*') {
        return !text.empty() && text.front() == pattern.front() &&
               matches_by_definition(pattern.substr(1), text.substr(1));
    }
    for (size_t taken = 0; taken <= text.size(); ++taken) {
        if (matches_by_definition(pattern.substr(1), text.substr(taken))) return true;
    }
    return false;
}

TEST(Pattern, OnlyTheStarIsSpecial) {
    EXPECT_TRUE(matches_pattern("", ""));
    EXPECT_TRUE(matches_pattern("*", ""));
    EXPECT_TRUE(matches_pattern("feature/*", "feature/cart"));
    EXPECT_TRUE(matches_pattern("*-old-*", "main-old-2026"));
    EXPECT_TRUE(matches_pattern("a.b?[c]\\", "a.b?[c]\\"));
    EXPECT_FALSE(matches_pattern("a.b", "axb"));
    EXPECT_FALSE(matches_pattern("feature/*", "feature"));
    EXPECT_FALSE(matches_pattern("ab*ba", "aba"));
    EXPECT_FALSE(matches_pattern("main", "main2"));
}

RC_GTEST_PROP(PatternLaws, MatchesAsDefined, ()) {
    auto pattern = *rc::gen::container<std::string>(rc::gen::element('a', 'b', '*'));
    auto text = *rc::gen::container<std::string>(rc::gen::element('a', 'b'));
    if (pattern.size() > 12) pattern.resize(12);
    if (text.size() > 20) text.resize(20);
    RC_CLASSIFY(matches_pattern(pattern, text));
    RC_ASSERT(matches_pattern(pattern, text) == matches_by_definition(pattern, text));
}

}  // namespace
}  // namespace lb
