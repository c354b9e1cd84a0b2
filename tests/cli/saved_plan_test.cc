// Saved plans as a user types them.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/text.h"
#include "tests/cli/e2e_support.h"
#include "tests/cli/support.h"

namespace lb::tests {
namespace {

constexpr const char* kProject = "[project]\nname = \"shop\"\n";

bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

class SavedPlan : public ShellTest {
protected:
    void SetUp() override {
        ShellTest::SetUp();
        if (IsSkipped()) return;
        shell().write_spec(kProject);
        shell().must("lb apply --auto-approve");
    }
    void write(const std::string& more) { shell().write_spec(cat(kProject, more)); }
    std::string branches() { return shell().must("lb branch list"); }
};

TEST_F(SavedPlan, IsAppliedAsItIsWhateverTheSpecSaysNow) {
    write("[branches.feature]\nparent = \"main\"\n");
    std::string plan = shell().must("lb plan --out shop.plan");
    EXPECT_TRUE(has(plan, "+ branch.feature"));
    struct stat file {};
    ASSERT_EQ(stat(shell().path("shop.plan").c_str(), &file), 0);
    EXPECT_EQ(file.st_mode & 0777, 0600U);
    EXPECT_EQ(shell().must("lb show shop.plan"), plan);
    EXPECT_TRUE(has(shell().must("lb show shop.plan --markdown"), "branch.feature"));
    EXPECT_TRUE(LB_MUST(shell().json("lb show shop.plan --json").bool_at("applyable")));
    write("[branches.other]\nparent = \"main\"\n");
    shell().must("lb apply shop.plan --auto-approve");
    EXPECT_TRUE(has(branches(), "feature"));
    EXPECT_FALSE(has(branches(), "other"));
}

TEST_F(SavedPlan, ThatIsStaleSaysWhatChangedAndIsRebased) {
    write("[branches.feature]\nparent = \"main\"\n");
    shell().must("lb plan --out shop.plan");
    shell().must("lb branch create feature");
    std::string error = shell().refused("lb apply shop.plan --auto-approve", 4, "LB0500");
    EXPECT_TRUE(has(error, "feature")) << error;
    EXPECT_TRUE(has(error, "lb plan --rebase shop.plan")) << error;
    std::string rebased = shell().must("lb plan --rebase shop.plan --out shop.plan");
    EXPECT_TRUE(has(rebased, "other: update branch.feature")) << rebased;
    shell().must("lb apply shop.plan --auto-approve");
    EXPECT_EQ(shell().run("lb plan --detailed-exitcode").exit_code, 0);
    write("");
    shell().refused("lb plan --rebase shop.plan", 5, "LB0501");
}

TEST_F(SavedPlan, HoldsNoPasswordAndNeedsItAgain) {
    write("[roles.app]\nlogin = true\npassword = { env = \"APP_PASSWORD\" }\n");
    shell().must("APP_PASSWORD=geheim lb plan --out shop.plan");
    std::string text = tests::read_file(shell().path("shop.plan"));
    EXPECT_FALSE(has(text, "SCRAM") || has(text, "geheim"));
    EXPECT_TRUE(has(text, "APP_PASSWORD"));
    shell().refused("lb apply shop.plan --auto-approve", 1, "LB0505");
    shell().must("APP_PASSWORD=geheim lb apply shop.plan --auto-approve");
    EXPECT_EQ(shell().run("APP_PASSWORD=geheim lb plan --detailed-exitcode").exit_code, 0);
}

TEST_F(SavedPlan, ThatCannotBeTrustedChangesNothing) {
    write("[branches.feature]\nparent = \"main\"\n");
    shell().must("lb plan --out shop.plan");
    shell().must(
        "head -c 500 shop.plan > cut.plan; sed s/feature/futures/ shop.plan > edited.plan; "
        "sed 's/\"lb_plan_file\": 1/\"lb_plan_file\": 9/' shop.plan > newer.plan");
    for (const char* file : {"cut.plan", "edited.plan", "lb.toml"}) {
        shell().refused(cat("lb apply ", file, " --auto-approve"), 1, "LB0606");
        shell().refused(cat("lb show ", file), 1, "LB0606");
    }
    shell().refused("lb apply newer.plan --auto-approve", 1, "LB0607");
    shell().refused("lb apply shop.plan --auto-approve --project other", 5, "LB0501");
    // Another project of the same name.
    shell().write_spec(kProject);
    shell().must("lb destroy shop --confirm shop && lb apply --auto-approve");
    shell().refused("lb apply shop.plan --auto-approve", 5, "LB0501");
    EXPECT_FALSE(has(branches(), "feature"));
}

TEST_F(SavedPlan, AppliesTellWhatHappensLineByLine) {
    write("[branches.feature]\nparent = \"main\"\n[roles.app]\n");
    shell().must("lb plan --out shop.plan");
    std::string text = shell().must("lb apply shop.plan --auto-approve --json | tee events");
    std::vector<std::string> events;
    for (const std::string& line : split(text, '\n')) {
        if (!line.empty()) events.push_back(LB_MUST(LB_MUST(Json::parse(line)).text_at("event")));
    }
    ASSERT_GE(events.size(), 3U) << text;
    EXPECT_EQ(events[0], "planned");
    EXPECT_EQ(events[1], "started");
    EXPECT_EQ(events.back(), "finished");
    shell().must(cat("python3 ", LB_SOURCE_DIRECTORY, "/tests/planner/schema_test.py ",
                     LB_SOURCE_DIRECTORY, " apply-events.schema.json events"));
}

TEST_F(SavedPlan, ShowTellsLiveResourcesToo) {
    write("[branches.feature]\nparent = \"main\"\n[roles.app]\nlogin = true\n");
    shell().must("lb apply --auto-approve");
    shell().must("lb branch create scratch");
    std::string text = shell().must("lb show branch.feature");
    EXPECT_TRUE(has(text, "declared in  lb.toml:3")) << text;
    EXPECT_TRUE(has(text, "generation 2")) << text;
    Json role = shell().json("lb show role.main.app --json");
    EXPECT_EQ(LB_MUST(role.text_at("origin")), "spec");
    EXPECT_EQ(LB_MUST((*LB_MUST(role.object_at("attributes"))).text_at("login")), "true");
    EXPECT_TRUE(has(shell().must("lb show branch.scratch"), "no place of the spec"));
    EXPECT_TRUE(has(shell().must("lb show project"), "pg_version"));
    EXPECT_TRUE(has(shell().refused("lb show branch.featur", 1, "LB0300"), "branch.feature?"));
    shell().refused("lb show role.scratch.app", 64, "LB0600");
    shell().refused("lb show absent.plan", 1, "LB0200");
    shell().refused("lb show project --markdown", 64, "LB0600");
}

}  // namespace
}  // namespace lb::tests
