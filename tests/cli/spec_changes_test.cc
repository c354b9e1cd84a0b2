// What a spec says about changes, through the real binary: [[forget]] and [policy].
#include <gtest/gtest.h>

#include "tests/cli/e2e_support.h"

namespace lb::tests {
namespace {

using SpecChanges = ShellTest;

bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

constexpr const char* kBefore = R"(
[project]
name = "shop"

[branches.old]

[roles.app]

[databases.attic]
owner = "app"
)";

TEST_F(SpecChanges, WhatIsForgottenStays) {
    shell().write_spec(kBefore);
    shell().must("lb apply --auto-approve");
    shell().sql("main", "attic", "CREATE TABLE t AS SELECT 1 AS i");
    shell().write_spec(R"(
[project]
name = "shop"

[[forget]]
address = "branch.old"
[[forget]]
address = "role.main.app"
[[forget]]
address = "database.main.attic"
)");
    std::string plan = shell().must("lb plan");
    EXPECT_TRUE(has(plan, ". branch.old")) << plan;
    EXPECT_TRUE(has(plan, "3 to forget")) << plan;
    EXPECT_TRUE(has(shell().must("lb apply --auto-approve"), "generation 2"));
    EXPECT_EQ(shell().run("lb plan --detailed-exitcode").exit_code, 0);
    EXPECT_TRUE(has(shell().must("lb plan"), "branch.old (manual)")) << shell().must("lb plan");
    EXPECT_EQ(shell().sql("main", "attic", "SELECT i FROM t"), "1");
    EXPECT_EQ(shell().sql("old", "postgres", "SELECT 1"), "1");
    // Neither does a spec without the [[forget]] take it away, and one that declares it adopts it.
    shell().write_spec("[project]\nname = \"shop\"\n");
    EXPECT_EQ(shell().run("lb plan --detailed-exitcode").exit_code, 0);
    shell().write_spec(kBefore);
    plan = shell().must("lb apply --auto-approve");
    EXPECT_TRUE(has(plan, "origin: manual -> spec")) << plan;
    EXPECT_EQ(shell().run("lb plan --detailed-exitcode").exit_code, 0);
}

TEST_F(SpecChanges, WhatPolicyForbidsIsRefused) {
    shell().write_spec(kBefore);
    shell().must("lb apply --auto-approve");
    shell().write_spec(R"(
[project]
name = "shop"

[policy]
forbid = ["delete branch.*"]

[roles.app]

[databases.attic]
owner = "app"
)");
    EXPECT_TRUE(has(shell().must("lb plan"), "policy forbids \"delete branch.*\""));
    std::string error =
        shell().refused("lb apply --auto-approve --allow-destroy branch.old", 5, "LB0501");
    EXPECT_TRUE(has(error, "lb.toml:6")) << error;
    EXPECT_EQ(shell().sql("old", "postgres", "SELECT 1"), "1");
}

}  // namespace
}  // namespace lb::tests
