// lb plan and lb apply with --only and --except.
#include <gtest/gtest.h>

#include "base/text.h"
#include "tests/cli/e2e_support.h"
#include "tests/cli/support.h"

namespace lb::tests {
namespace {

bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

class SelectionEndToEnd : public ShellTest {
protected:
    void SetUp() override {
        ShellTest::SetUp();
        if (IsSkipped()) return;
        shell().write_spec("[project]\nname = \"shop\"\n");
        shell().must("lb apply --auto-approve");
        shell().write_spec(
            "[project]\nname = \"shop\"\n[branches.a]\nparent = \"main\"\n"
            "[branches.b]\nparent = \"a\"\n[branches.c]\nparent = \"main\"\n");
    }
};

TEST_F(SelectionEndToEnd, AppliesAPartWithWhatItNeedsAndThenTheRest) {
    std::string plan = shell().must("lb plan --only branch.b");
    EXPECT_TRUE(has(plan, "  added: branch.a, which branch.b needs\n")) << plan;
    EXPECT_TRUE(has(plan, "2 to create, 0 to update, 0 to delete")) << plan;
    EXPECT_TRUE(has(plan, ", 1 left out\n")) << plan;
    plan = shell().must("lb plan --except branch.a");
    EXPECT_TRUE(has(plan, "  dropped: branch.b, which needs branch.a\n")) << plan;
    EXPECT_TRUE(has(plan, "1 to create")) << plan;

    shell().must("lb apply --auto-approve --only branch.b");
    plan = shell().must("lb plan");
    EXPECT_TRUE(has(plan, "+ branch.c")) << plan;
    EXPECT_TRUE(has(plan, "1 to create")) << plan;
    shell().must("lb apply --auto-approve");
    EXPECT_TRUE(has(shell().must("lb plan"), "No changes."));
}

TEST_F(SelectionEndToEnd, AddressesAreCompleted) {
    std::string addresses = shell().must("lb completion --names addresses");
    EXPECT_TRUE(has(addresses, "branch.main\n")) << addresses;
    EXPECT_TRUE(has(addresses, "compute.main\n")) << addresses;
    std::string offered = shell().must(
        "source <(lb completion bash); COMP_WORDS=(lb show branch.m); COMP_CWORD=2; _lb; "
        "echo \"${COMPREPLY[@]}\"");
    EXPECT_EQ(offered, "branch.main\n");
    offered = shell().must(
        "source <(lb completion bash); COMP_WORDS=(lb plan --only comp); COMP_CWORD=3; _lb; "
        "echo \"${COMPREPLY[@]}\"");
    EXPECT_EQ(offered, "compute.main\n");
}

TEST_F(SelectionEndToEnd, APatternThatMatchesNothingIsAMistake) {
    std::string error = shell().refused("lb plan --only branch.aa", 64, "LB0600");
    EXPECT_TRUE(has(error, "did you mean branch.a?")) << error;
    error = shell().refused("lb apply --auto-approve --except 'role.*.nobody'", 64, "LB0600");
    EXPECT_TRUE(has(error, "--except")) << error;
    EXPECT_TRUE(has(shell().must("lb plan"), "3 to create"));
}

TEST_F(SelectionEndToEnd, APartCanBeSavedAndIsThenWhole) {
    shell().must("lb plan --only branch.b --out part.plan");
    EXPECT_TRUE(has(shell().must("lb show part.plan"), "added: branch.a, which branch.b needs"));
    shell().refused("lb apply part.plan --auto-approve --except branch.a", 64, "LB0600");
    shell().must("lb apply part.plan --auto-approve");
    EXPECT_TRUE(has(shell().must("lb plan"), "1 to create"));
}

TEST_F(SelectionEndToEnd, TheDetailedExitCodeIsAboutThePart) {
    EXPECT_EQ(shell().run("lb plan --detailed-exitcode").exit_code, 2);
    EXPECT_EQ(shell().run("lb plan --detailed-exitcode --only branch.c").exit_code, 2);
    // It is there and as it should be.
    ShellResult nothing = shell().run("lb plan --detailed-exitcode --only branch.main");
    EXPECT_EQ(nothing.exit_code, 0);
    EXPECT_TRUE(has(nothing.out, "No selected changes.")) << nothing.out;
    EXPECT_TRUE(has(nothing.out, ", 3 left out\n")) << nothing.out;
    // A refused change is one that the spec asks for.
    shell().must("lb apply --auto-approve");
    shell().write_spec(
        "[project]\nname = \"shop\"\n[branches.a]\nparent = \"main\"\n"
        "[branches.b]\nparent = \"main\"\n[branches.c]\nparent = \"main\"\n");
    ShellResult refused = shell().run("lb plan --detailed-exitcode");
    EXPECT_EQ(refused.exit_code, 2) << refused.out;
    EXPECT_TRUE(has(refused.out, "1 refused")) << refused.out;
    EXPECT_EQ(shell().run("lb plan").exit_code, 0);
    EXPECT_EQ(shell().run("lb plan --detailed-exitcode --except branch.b").exit_code, 0);
}

}  // namespace
}  // namespace lb::tests
