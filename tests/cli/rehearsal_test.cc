// lb plan --rehearse, and applies that rehearse first.
#include <gtest/gtest.h>

#include "base/text.h"
#include "tests/cli/e2e_support.h"
#include "tests/cli/support.h"

namespace lb::tests {
namespace {

constexpr const char* kProtected = R"(
[project]
name = "shop"
[branches.main]
protected = true
)";

bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

class RehearsalEndToEnd : public ShellTest {
protected:
    void SetUp() override {
        ShellTest::SetUp();
        if (IsSkipped()) return;
        write("[roles.app]\n[databases.shop]\nowner = \"app\"\n");
        shell().must("lb apply --auto-approve");
        shell().sql("main", "shop", "CREATE TABLE t (n int)");
        shell().sql("main", "shop", "ALTER TABLE t OWNER TO app");
    }
    void write(const std::string& more) { shell().write_spec(cat(kProtected, more)); }
};

TEST_F(RehearsalEndToEnd, SaysBeforehandWhatFails) {
    // The role owns a table, and the plan does not know.
    write("[databases.shop]\n");
    EXPECT_EQ(shell().run("lb plan").exit_code, 0);
    ShellResult plan = shell().run("lb plan --rehearse");
    EXPECT_EQ(plan.exit_code, 7);
    EXPECT_TRUE(has(plan.out, "rehearsal: FAILED on 1 of 1 branch")) << plan.out;
    EXPECT_TRUE(has(plan.out, "  x main")) << plan.out;
    Json document = LB_MUST(Json::parse(shell().run("lb plan --rehearse --json").out));
    EXPECT_FALSE(LB_MUST((*LB_MUST(document.object_at("rehearsal"))).bool_at("ok")));

    std::string error =
        shell().refused("lb apply --auto-approve --allow-destroy role.main.app", 7, "LB0507");
    EXPECT_TRUE(has(error, "nothing was changed")) << error;
    EXPECT_TRUE(has(error, "shop")) << error;
    EXPECT_EQ(shell().sql("main", "shop", "SELECT count(*) FROM pg_roles WHERE rolname = 'app'"),
              "1");
    // Told not to, it finds out in the apply, and again nothing has changed.
    shell().refused("lb apply --auto-approve --no-rehearse --allow-destroy role.main.app", 5,
                    "LB0501");
    shell().must("lb fsck");
}

TEST_F(RehearsalEndToEnd, IsDoneOnProtectedBranchesWithoutAWord) {
    write("[roles.app]\n[roles.reader]\n[databases.shop]\nowner = \"app\"\n[databases.logs]\n");
    std::string plan = shell().must("lb plan --rehearse");
    EXPECT_TRUE(has(plan, "rehearsal: ok on 1 branch")) << plan;
    EXPECT_EQ(shell().sql("main", "shop", "SELECT count(*) FROM pg_database"), "4");
    std::string applied = shell().must("lb apply --auto-approve");
    EXPECT_TRUE(has(applied, "rehearsal: ok on 1 branch")) << applied;
    EXPECT_EQ(shell().sql("main", "shop", "SELECT count(*) FROM pg_database"), "5");
    EXPECT_TRUE(has(shell().must("lb plan --rehearse"), "nothing to do"));

    // What is in no protected branch is not rehearsed unless that is asked for.
    shell().write_spec(
        "[project]\nname = \"shop\"\n[roles.app]\n[roles.reader]\n[databases.shop]\nowner = "
        "\"app\"\n[databases.logs]\n");
    shell().must("lb apply --auto-approve");
    shell().write_spec(
        "[project]\nname = \"shop\"\n[roles.app]\n[roles.reader]\nlogin = true\n[databases.shop]\n"
        "owner = \"app\"\n[databases.logs]\n");
    Json lines = Json::array();
    for (const std::string& line : split(shell().must("lb apply --auto-approve --json"), '\n')) {
        if (!line.empty()) lines.push(LB_MUST(Json::parse(line)));
    }
    for (const Json& line : *lines.if_array()) EXPECT_EQ(line.find("rehearsal"), nullptr);
    shell().must("lb stop");
}

}  // namespace
}  // namespace lb::tests
