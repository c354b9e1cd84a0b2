// lb rollback through the real binary.
#include <gtest/gtest.h>

#include "tests/cli/apply_fixture.h"

namespace lb::tests {
namespace {

using Rollback = ApplyTest;

constexpr const char* kFirst = R"(
[branches.main]
[branches.old]
parent = "main"
[branches.older]
parent = "old"
compute = { min_cu = 0.5, max_cu = 0.5 }
[roles.app]
login = true
password = { env = "PW" }
[roles.gone]
[databases.shop]
owner = "app"
)";

constexpr const char* kSecond = R"(
history_retention = "3d"
[branches.main]
protected = true
[branches.new]
parent = "main"
[roles.app]
connection_limit = 7
[roles.fresh]
[databases.shop]
owner = "fresh"
)";

constexpr const char* kRoles =
    "SELECT string_agg(concat(rolname, rolcanlogin, rolconnlimit, rolpassword), ',' ORDER BY "
    "rolname) "
    "FROM pg_authid WHERE rolname !~ '^pg_' AND rolname <> 'postgres'";

// All that a rollback is about.
std::string picture(const Shell& shell) {
    return shell.must(
        "lb status --json | sed '/\"deleted_branches\"/,$d' | grep -vE "
        "'generation|position|bytes|version|head|status|time|at\"|line|active_port|restorable'");
}

TEST_F(Rollback, TakesBackWhatTheLastApplyDid) {
    apply(kFirst);
    shell().sql("older", "shop", "CREATE TABLE kept AS SELECT 42 AS n");
    std::string status = picture(shell());
    std::string roles = shell().sql("main", "postgres", kRoles);
    apply(kSecond,
          "--allow-destroy project --allow-destroy branch.old "
          "--allow-destroy branch.older");
    EXPECT_NE(picture(shell()), status);

    std::string plan = shell().must("lb rollback --dry-run");
    EXPECT_TRUE(has(plan, "undelete, a child of old")) << plan;
    EXPECT_TRUE(has(plan, "needs --allow-destroy branch.new")) << plan;
    EXPECT_EQ(shell().run("lb rollback --dry-run --detailed-exitcode").exit_code, 2);
    EXPECT_EQ(*shell().json("lb rollback --dry-run --json").find("applyable")->if_bool(), true);
    shell().refused("lb rollback", 5, "--allow-destroy branch.new");
    shell().refused("lb rollback --allow-destroy branch.new", 64, "--auto-approve");
    EXPECT_TRUE(has(shell().must("lb generations --limit 1"), "update project"));

    std::string out =
        shell().must("lb rollback --auto-approve --allow-destroy branch.new --json | tail -1");
    EXPECT_TRUE(has(out, "\"result\"")) << out;
    EXPECT_EQ(picture(shell()), status);
    EXPECT_EQ(shell().sql("main", "postgres", kRoles), roles);
    EXPECT_EQ(shell().sql("older", "shop", "SELECT n FROM kept"), "42");
    // As the first spec says, but for the password, whose verifier is the old one.
    write(kFirst);
    EXPECT_TRUE(has(shell().must("PW=secret-word lb plan"), "No changes"));

    // And forward again.
    shell().must(
        "lb rollback --auto-approve --allow-destroy branch.old --allow-destroy "
        "branch.older --allow-destroy project");
    write(kSecond);
    EXPECT_TRUE(has(shell().must("lb plan"), "No changes"));
    EXPECT_TRUE(has(shell().must("lb rollback 4"), "No changes"));
}

TEST_F(Rollback, ADroppedDatabaseIsRefusedWithTheWayToItsRows) {
    apply("[databases.shop]\n[databases.attic]\n");
    shell().sql("main", "attic", "CREATE TABLE t AS SELECT 7 AS n");
    apply("[databases.shop]\n", "--allow-destroy database.main.attic");
    shell().refused("lb rollback --auto-approve", 1, "LB0305");
    std::string plan = shell().must("lb rollback --dry-run");
    EXPECT_TRUE(has(plan, "does not bring rows back")) << plan;
    std::string way = plan.substr(plan.find("--at position:") + 5);
    way = way.substr(0, way.find(';'));
    shell().must("lb branch create rescue --at " + way);
    EXPECT_EQ(shell().sql("rescue", "attic", "SELECT n FROM t"), "7");
}

TEST_F(Rollback, BadGenerations) {
    apply("");
    shell().refused("lb rollback", 1, "LB0300");
    shell().refused("lb rollback 9", 1, "has no generation 9");
    shell().refused("lb rollback x", 64, "GENERATION cannot be");
    shell().refused("lb rollback --project none", 1, "LB0300");
}

}  // namespace
}  // namespace lb::tests
