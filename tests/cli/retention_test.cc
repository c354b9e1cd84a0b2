// Restore windows and deleted branches, through the real binary: moments outside are refused,
// shorter windows are planned with what they give up, deleted branches come back or are gone.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "base/text.h"
#include "tests/cli/e2e_support.h"

namespace lb::tests {
namespace {

bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

class Retention : public ShellTest {
protected:
    void apply(const std::string& project_keys, const std::string& tables = {},
               const std::string& options = {}) {
        write(project_keys, tables);
        shell().must(cat("lb apply --auto-approve ", options));
    }
    void write(const std::string& project_keys, const std::string& tables) {
        shell().write_spec(cat("[project]\nname = \"shop\"\n", project_keys,
                               "\n[roles.app]\nlogin = true\n[databases.shop]\nowner = \"app\"\n",
                               tables));
    }
    static void wait(int seconds) { std::this_thread::sleep_for(std::chrono::seconds(seconds)); }
    std::string now() { return shell().must("date -u +%Y-%m-%dT%H:%M:%S.%NZ | tr -d '\\n'"); }
    std::string deleted() { return shell().must("lb branch list --deleted --json"); }
    std::string rows(const std::string& branch) {
        return shell().sql(branch, "shop", "SELECT count(*) FROM t");
    }
    // Until it is so, for at most ten seconds.
    template <class Condition>
    bool eventually(Condition condition) {
        for (int i = 0; i < 50; ++i) {
            if (condition()) return true;
            std::this_thread::sleep_for(std::chrono::milliseconds(200));
        }
        return false;
    }
};

TEST_F(Retention, AShorterWindowIsPlannedWithWhatItGivesUp) {
    apply("");
    shell().sql("main", "shop", "CREATE TABLE t (n int); INSERT INTO t VALUES (1)");
    std::string early = now();
    wait(1);
    shell().sql("main", "shop", "INSERT INTO t VALUES (2)");
    wait(3);
    EXPECT_TRUE(has(shell().must("lb status"), "restore window 7d"));
    EXPECT_TRUE(has(shell().must("lb branch show main"), "7d (the project's)"));

    write("history_retention = \"2s\"", "");
    std::string plan = shell().must("lb plan");
    EXPECT_TRUE(has(plan, "history_retention: 7d -> 2s")) << plan;
    EXPECT_TRUE(has(plan, "branch main: restorable from ")) << plan;
    EXPECT_TRUE(has(plan, "until now, afterwards from ")) << plan;
    EXPECT_TRUE(has(plan, "needs --allow-destroy project")) << plan;
    std::string document = shell().must("lb plan --json");
    EXPECT_TRUE(has(document, "\"deletes_history\"")) << document;
    EXPECT_TRUE(has(document, "\"afterwards_from\"")) << document;
    std::string refused = shell().refused("lb apply --auto-approve", 5, "gives up history");
    EXPECT_TRUE(has(refused, "--allow-destroy project")) << refused;

    // Not while the same spec asks for what would be given up.
    write("history_retention = \"2s\"",
          cat("[branches.early]\nparent = \"main\"\nat = \"", early, "\"\n"));
    refused = shell().refused("lb apply --auto-approve --allow-destroy project", 1, "LB0305");
    EXPECT_TRUE(has(refused, "is restorable from ")) << refused;
    EXPECT_TRUE(has(shell().must("lb status"), "restore window 7d"));

    apply("history_retention = \"2s\"", "", "--allow-destroy project");
    EXPECT_TRUE(has(shell().must("lb status"), "restore window 2s"));
    EXPECT_TRUE(has(shell().must("lb history main"), "window     2s"));
    std::string create = cat("lb branch create x --at ", early);
    ASSERT_TRUE(eventually([&] {
        ShellResult result = shell().run(create);
        if (result.exit_code != 0) return has(result.err, "restorable from");
        shell().must("lb branch delete x --purge --yes");
        return false;
    }));
    shell().refused(create, 1, "LB0305");
    shell().refused(cat("lb restore main --to ", early), 1, "LB0305");
    EXPECT_EQ(rows("main"), "2");
    shell().must("lb branch create head --at -0s");
    EXPECT_EQ(rows("head"), "2");

    write("history_retention = \"1d\"", "");
    plan = shell().must("lb plan");
    EXPECT_TRUE(has(plan, "does not come back")) << plan;
    shell().must("lb apply --auto-approve");
    shell().refused(cat("lb branch create y --at ", early), 1, "LB0305");
    EXPECT_EQ(shell().run("lb plan --detailed-exitcode").exit_code, 0);
}

TEST_F(Retention, StatusTellsWhatABranchUses) {
    apply("");
    shell().sql("main", "shop", "CREATE TABLE t AS SELECT n FROM generate_series(1, 200000) n");
    shell().must("lb branch create dev");
    shell().sql("dev", "shop", "UPDATE t SET n = n + 1");
    shell().sql("dev", "shop", "CHECKPOINT");
    auto of = [&](const std::string& branch, std::string_view key) {
        Json document = shell().json(cat("lb branch show ", branch, " --json"));
        return LB_MUST(document.find("usage")->unsigned_at(key));
    };
    EXPECT_EQ(of("main", "shared_bytes") + of("main", "own_bytes") > uint64_t{7} << 20, true);
    EXPECT_GT(of("dev", "shared_bytes"), uint64_t{20} << 20);
    EXPECT_GT(of("dev", "own_bytes"), uint64_t{7} << 20);
    EXPECT_GT(of("dev", "freed_by_delete_bytes"), uint64_t{7} << 20);
    // What the table was before is read by dev.
    shell().sql("dev", "shop", "UPDATE t SET n = n + 1");
    std::string status = shell().must("lb status");
    EXPECT_TRUE(has(status, "HISTORY")) << status;
    EXPECT_TRUE(has(shell().must("lb branch show dev"), "delete frees")) << status;
    EXPECT_TRUE(has(shell().must("lb status --json"), "\"freed_by_delete_bytes\""));
}

TEST_F(Retention, ADeletedBranchComesBack) {
    apply("", "[branches.dev]\n[branches.child]\nparent = \"dev\"\n");
    shell().sql("dev", "shop", "CREATE TABLE t (n int); INSERT INTO t VALUES (1)");
    shell().sql("dev", "shop", "CREATE ROLE extra");
    shell().must("lb branch create twig --parent child");
    shell().sql("twig", "shop", "CREATE TABLE t (n int)");
    std::string out = shell().run("lb branch delete twig --yes").err;
    EXPECT_TRUE(has(out, "lb branch undelete twig")) << out;
    apply("", "", "--allow-destroy branch.dev --allow-destroy branch.child");
    EXPECT_FALSE(has(shell().must("lb branch list"), "dev"));
    std::string list = shell().must("lb branch list --deleted");
    for (const char* name : {"dev", "child", "twig"}) EXPECT_TRUE(has(list, name)) << list;
    shell().must("lb stop");

    // Its parents are not there: it hangs under main until they are, and reads through them.
    shell().must("lb branch undelete twig");
    EXPECT_TRUE(has(shell().must("lb branch show twig"), "parent          main"));
    EXPECT_EQ(rows("twig"), "0");
    shell().must("lb branch undelete dev");
    EXPECT_EQ(rows("dev"), "1");
    EXPECT_EQ(shell().sql("dev", "shop", "SELECT count(*) FROM pg_roles WHERE rolname = 'extra'"),
              "1");
    EXPECT_TRUE(has(shell().must("lb branch list --deleted"), "child"));
    EXPECT_TRUE(has(shell().must("lb plan"), "- branch.dev")) << shell().must("lb plan");
    shell().refused("lb branch undelete dev", 1, "no deleted branch");
    shell().refused("lb branch undelete nix", 1, "--deleted");

    // A taken name.
    shell().must("lb branch delete dev --yes");
    shell().must("lb branch create dev");
    shell().refused("lb branch undelete dev", 1, "--as");
    shell().must("lb branch undelete dev --as dev-before");
    EXPECT_EQ(rows("dev-before"), "1");
    shell().must("lb branch create leaf --parent dev-before; lb branch delete leaf --yes");
    shell().must("lb branch undelete leaf --as leaf-again");
    EXPECT_EQ(rows("leaf-again"), "1");
    shell().must("lb branch delete leaf-again --purge --yes");
    shell().must("lb branch create grown --parent dev-before");
    EXPECT_EQ(rows("grown"), "1");

    // For good, of a live one and of a deleted one.
    shell().must("lb branch delete twig --purge --yes");
    shell().must("lb branch delete child --purge --yes");
    EXPECT_EQ(shell().json("lb branch list --deleted --json").find("deleted_branches")->dump(),
              "[]");
    shell().refused("lb branch undelete child", 1, "no deleted branch");
    shell().must("lb stop; lb status");
    EXPECT_EQ(rows("grown"), "1");
}

TEST_F(Retention, ADeletedBranchIsGoneWhenItsWindowHasPassed) {
    apply("",
          "[branches.none]\nhistory_retention = \"0\"\n"
          "[branches.short]\nhistory_retention = \"2s\"\n");
    EXPECT_TRUE(has(shell().must("lb branch list"), "0s"));
    shell().sql("short", "shop", "CREATE TABLE t (n int)");
    auto line_count = [&] {
        Json statistics = shell().json("lb statistics --json");
        return LB_MUST(statistics.find("store")->unsigned_at("line_count"));
    };
    uint64_t before = line_count();
    apply("", "", "--allow-destroy branch.none --allow-destroy branch.short");
    EXPECT_FALSE(has(deleted(), "\"none\""));
    EXPECT_EQ(line_count(), before - 1);
    EXPECT_TRUE(has(deleted(), "\"short\""));
    EXPECT_TRUE(eventually([&] { return line_count() == before - 2; }));
    EXPECT_FALSE(has(deleted(), "\"short\""));
    shell().refused("lb branch undelete short", 1, "no deleted branch");
}

TEST_F(Retention, KillsAroundTheEndLeaveItThereOrGone) {
    apply("history_retention = \"1s\"");
    shell().must("lb branch create keep --at -0s");
    for (int i = 0; i < 5; ++i) {
        shell().must("lb branch create gone");
        shell().must("lb branch delete gone --yes");
        std::this_thread::sleep_for(std::chrono::milliseconds(700 + 200 * i));
        shell().home().kill_everything();
        EXPECT_TRUE(eventually([&] { return !has(deleted(), "\"gone\""); }));
    }
    shell().must("lb status");
    EXPECT_TRUE(has(shell().must("lb branch list"), "keep"));
}

}  // namespace
}  // namespace lb::tests
