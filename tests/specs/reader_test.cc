// read_spec() beyond what the golden cases show: places, defaults, limits, and the sink.
#include <gtest/gtest.h>

#include "base/text.h"
#include "specs/diagnostic_codes.h"
#include "specs/internal/limits.h"
#include "tests/specs/spec_text.h"

namespace lb::specs {
namespace {

constexpr std::string_view kProject = "[project]\nname = \"shop\"\n";

struct Outcome {
    std::optional<ProjectSpec> spec;
    std::vector<Diagnostic> diagnostics;
};

Outcome read(std::string_view text) {
    DiagnosticSink sink;
    std::optional<ProjectSpec> spec = read_spec(text, "lb.toml", sink);
    EXPECT_EQ(spec.has_value(), !sink.has_errors());
    return {std::move(spec), sink.sorted()};
}

std::vector<uint16_t> codes_of(const Outcome& outcome) {
    std::vector<uint16_t> found;
    for (const Diagnostic& diagnostic : outcome.diagnostics) found.push_back(diagnostic.code);
    return found;
}

std::string tables(std::string_view section, size_t count) {
    std::string text(kProject);
    for (size_t i = 0; i < count; ++i) text += cat("[", section, ".n", i, "]\n");
    return text;
}

TEST(ReadSpec, KnowsWhereThingsStand) {
    Outcome outcome = read(
        "[project]\n"
        "name = \"shop\"\n"
        "[branches.staging]\n"
        "parent = \"main\"\n"
        "compute = {}\n"
        "[roles.app]\n"
        "login = true\n"
        "password = { env = \"APP_PASSWORD\" }\n"
        "[databases.shop]\n");
    ASSERT_TRUE(outcome.spec);
    const ProjectSpec& spec = *outcome.spec;
    EXPECT_EQ(spec.span, (Span{"lb.toml", 1, 2, 1, 9}));
    const BranchSpec* staging = spec.find_branch("staging");
    ASSERT_NE(staging, nullptr);
    EXPECT_EQ(staging->span, (Span{"lb.toml", 3, 11, 3, 18}));
    EXPECT_EQ(staging->parent_span, (Span{"lb.toml", 4, 10, 4, 16}));
    EXPECT_EQ(staging->compute_span, (Span{"lb.toml", 5, 1, 5, 8}));
    EXPECT_EQ(spec.roles.at(0).span, (Span{"lb.toml", 6, 8, 6, 11}));
    EXPECT_EQ(spec.roles.at(0).password->span, (Span{"lb.toml", 8, 20, 8, 34}));
    EXPECT_EQ(spec.databases.at(0).span, (Span{"lb.toml", 9, 12, 9, 16}));
}

TEST(ReadSpec, MakesTheDefaultBranchAlwaysOn) {
    Outcome outcome = read(cat(kProject, "[branches.a]\n[branches.b]\ncompute = {}\n"));
    ASSERT_TRUE(outcome.spec);
    const BranchSpec* main = outcome.spec->find_branch("main");
    ASSERT_NE(main, nullptr);
    EXPECT_EQ(main->parent, "");
    ASSERT_TRUE(main->compute.has_value());
    EXPECT_TRUE(main->compute->always_on);
    EXPECT_EQ(main->span, outcome.spec->span);  // it has no table of its own
    EXPECT_FALSE(outcome.spec->find_branch("a")->compute.has_value());
    EXPECT_TRUE(outcome.spec->find_branch("b")->compute->always_on);
    EXPECT_EQ(outcome.spec->find_branch("c"), nullptr);
}

TEST(ReadSpec, SortsEverythingByName) {
    Outcome outcome = read(cat(kProject,
                               "[branches.b]\n[branches.a]\n[roles.z]\nmember_of = [\"y\", \"x\"]\n"
                               "[roles.y]\n[roles.x]\n[databases.d2]\n[databases.d1]\n"));
    ASSERT_TRUE(outcome.spec);
    EXPECT_EQ(outcome.spec->branches.at(0).name, "a");
    EXPECT_EQ(outcome.spec->branches.at(2).name, "main");
    EXPECT_EQ(outcome.spec->roles.at(2).attributes.member_of, (std::vector<std::string>{"x", "y"}));
    EXPECT_EQ(outcome.spec->databases.at(0).name, "d1");
}

TEST(ReadSpec, LimitsTheSize) {
    std::string text = cat(kProject, "# ");
    text.resize(kSpecMaxBytes, 'x');
    EXPECT_TRUE(read(text).spec.has_value());
    text += 'x';
    EXPECT_EQ(codes_of(read(text)), std::vector{codes::kTooLarge});
}

TEST(ReadSpec, LimitsTheCounts) {
    EXPECT_TRUE(read(tables("branches", kBranchesMax)).spec.has_value());
    EXPECT_TRUE(read(tables("roles", kRolesMax)).spec.has_value());
    EXPECT_TRUE(read(tables("databases", kDatabasesMax)).spec.has_value());
    for (auto [section, count_max] :
         {std::pair("branches", kBranchesMax), std::pair("roles", kRolesMax),
          std::pair("databases", kDatabasesMax)}) {
        Outcome outcome = read(tables(section, count_max + 2));
        EXPECT_EQ(codes_of(outcome), std::vector{codes::kTooMany});
        // It points at the first one that is too many.
        EXPECT_EQ(outcome.diagnostics.at(0).span.line, count_max + 3);
    }
}

TEST(ReadSpec, LimitsTheDiagnostics) {
    std::string text(kProject);
    for (size_t i = 0; i < kDiagnosticsMax; ++i) text += cat("unknown", i, " = 1\n");
    EXPECT_EQ(read(text).diagnostics.size(), kDiagnosticsMax);
    text += "one_more = 1\nand_more = 1\n";
    Outcome outcome = read(text);
    EXPECT_EQ(outcome.diagnostics.size(), kDiagnosticsMax + 1);
    EXPECT_EQ(outcome.diagnostics.back().code, codes::kMoreProblems);
}

TEST(ReadSpec, AcceptsKeysUpToTheLimitOfParts) {
    std::string key = "a";
    for (size_t parts = 1; parts < 16; ++parts) key += ".a";
    EXPECT_EQ(codes_of(read(cat(key, " = 1\n", kProject))), std::vector{codes::kUnknownKey});
    EXPECT_EQ(codes_of(read(cat(key, ".a = 1\n", kProject))), std::vector{codes::kTooDeep});
}

TEST(ReadSpec, SurvivesHostileNesting) {
    for (size_t count : {40UL, 100'000UL}) {
        std::string open(count, '[');
        std::string keys = "a";
        std::string tables = "x = ";
        for (size_t i = 0; i < count; ++i) {
            keys += ".a";
            tables += "{a=";
        }
        for (const std::string& text : {cat("x = ", open), cat(keys, " = 1"), cat("[", keys, "]"),
                                        cat("x = {", keys, " = 1}"), tables}) {
            EXPECT_EQ(codes_of(read(text)), std::vector{codes::kTooDeep}) << text.substr(0, 40);
        }
        // Double brackets at the start of a line are no nesting.
        EXPECT_EQ(codes_of(read(open)), std::vector{codes::kSyntax});
    }
}

TEST(ReadSpec, SearchesSuggestionsWithinABudget) {
    // 9,999 misspelt parents among as many branches would be 10^8 comparisons.
    std::string text(kProject);
    for (size_t i = 0; i < 9'999; ++i) text += cat("[branches.b", i, "]\nparent = \"x", i, "\"\n");
    Outcome outcome = read(text);
    EXPECT_EQ(outcome.diagnostics.size(), kDiagnosticsMax + 1);
    EXPECT_EQ(outcome.diagnostics.front().code, codes::kUnknownParent);
}

TEST(ReadSpec, FollowsLongChainsOfParents) {
    std::string text(kProject);
    for (size_t i = 0; i < 9'999; ++i) {
        text += cat("[branches.b", i, "]\nparent = \"", i == 0 ? "main" : cat("b", i - 1), "\"\n");
    }
    EXPECT_TRUE(read(text).spec.has_value());
    text += "[branches.c]\nparent = \"b9998\"\n";
    size_t at = text.find("\"main\"");
    text.replace(at, 6, "\"c\"");
    EXPECT_EQ(codes_of(read(text)), std::vector{codes::kParentCycle});
}

TEST(ProjectName, IsFoundWhereverItStands) {
    EXPECT_EQ(read_project_name("[project]\nname = \"shop\"\n"), "shop");
    EXPECT_EQ(read_project_name("# c\n[branches.main]\n[project]\nname = \"shop\"\n[roles.a]\n"),
              "shop");
    EXPECT_EQ(read_project_name("\xef\xbb\xbf[project]\nname = \"shop\"\n"), "shop");
    EXPECT_EQ(read_project_name("[project]\r\nname = \"shop\"\r\n"), "shop");
    EXPECT_EQ(read_project_name("project.name = \"shop\"\n"), "shop");
    EXPECT_EQ(read_project_name("project = { name = \"shop\" }\n[branches.main]\n"), "shop");
    EXPECT_EQ(read_project_name("[project]\nname = \"shop\"\ndefault_branch = \"trunk\"\n"
                                "[branches.trunk]\n"),
              "shop");
    EXPECT_EQ(read_project_name(""), std::nullopt);
    EXPECT_EQ(read_project_name("[project]\n"), std::nullopt);
    EXPECT_EQ(read_project_name("[project]\nname = 7\n"), std::nullopt);
}

TEST(DiagnosticSink, SortsAndKeepsWarningsApart) {
    DiagnosticSink sink;
    sink.add({.severity = Severity::kWarning, .code = 3, .span = {.file = "b", .line = 1}});
    EXPECT_FALSE(sink.has_errors());
    sink.add({.code = 2, .span = {.file = "a", .line = 7, .column = 2}});
    sink.add({.code = 1, .span = {.file = "a", .line = 7, .column = 2}});
    sink.add({.code = 4, .span = {.file = "a", .line = 7, .column = 1}});
    sink.add({.code = 5, .span = {.file = "a", .line = 2, .column = 9}});
    EXPECT_TRUE(sink.has_errors());
    std::vector<uint16_t> found;
    for (const Diagnostic& diagnostic : sink.sorted()) found.push_back(diagnostic.code);
    EXPECT_EQ(found, (std::vector<uint16_t>{5, 4, 1, 2, 3}));
}

TEST(DiagnosticJson, HoldsBothPlacesAndNoSource) {
    Outcome outcome = read(cat(kProject,
                               "[branches.a]\ncompute.port = 5433\n"
                               "[branches.b]\ncompute.port = 5433\n"));
    ASSERT_EQ(outcome.diagnostics.size(), 1U);
    EXPECT_EQ(to_json(outcome.diagnostics.front()).dump(),
              R"({"severity":"error","code":"LB0127","message":"port 5433 is used twice",)"
              R"("help":"choose another port, or remove \"port\" and lb chooses one",)"
              R"("span":{"file":"lb.toml","line":6,"column":16,"end_line":6,"end_column":20},)"
              R"("related":{"message":"by branch \"a\"",)"
              R"("span":{"file":"lb.toml","line":4,"column":16,"end_line":4,"end_column":20}}})");
}

}  // namespace
}  // namespace lb::specs
