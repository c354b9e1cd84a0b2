// Roles and databases as part of an apply: there with the generation, or not at all.
#include <gtest/gtest.h>

#include "base/text.h"
#include "tests/engine/engine_fixture.h"

namespace lb::engine {
namespace {

class EngineSqlTest : public ::testing::Test {
protected:
    void SetUp() override {
        LB_NEEDS_ENGINE();
        home_.emplace();
    }

    std::optional<EngineHome> home_;
};

TEST_F(EngineSqlTest, ANewProjectComesWithItsRolesAndDatabases) {
    LB_MUST(home_->apply(
        new_project({create_role("main", "app"), create_database("main", "shop", "app"),
                     create_branch("staging")})));
    ProjectState state = home_->state();
    const BranchState& main = *state.find_branch("main");
    ASSERT_EQ(main.roles.size(), 1u);
    EXPECT_EQ(main.roles[0].name, "app");
    EXPECT_EQ(main.roles[0].origin, Origin::kSpec);
    EXPECT_TRUE(main.roles[0].attributes.login);
    ASSERT_EQ(main.databases.size(), 1u);
    EXPECT_EQ(main.databases[0].owner, "app");
    // The child was made in the same frame.
    EXPECT_EQ(home_->sql("staging", "SELECT current_database()", "shop"), "shop");
    EXPECT_EQ(LB_MUST(home_->engine().connect("shop", "staging")).default_database, "shop");
    EXPECT_EQ(home_->sql("staging", "SELECT count(*) FROM pg_prepared_xacts"), "0");
}

TEST_F(EngineSqlTest, ChangesOfALiveBranch) {
    LB_MUST(home_->apply(
        new_project({create_role("main", "app"), create_role("main", "old"),
                     create_database("main", "shop", "app"), create_database("main", "attic")})));
    home_->sql("main", "CREATE TABLE t AS SELECT 1 AS n", "shop");
    LB_MUST(home_->apply(
        change_set({delete_role("main", "old"), delete_database("main", "attic"),
                    update_role("main", "app", {.login = false}), create_role("main", "reader"),
                    create_database("main", "reports", "reader"), create_branch("child")})));
    for (const char* branch : {"main", "child"}) {
        EXPECT_EQ(home_->sql(branch,
                             "SELECT rolname, rolcanlogin FROM pg_roles WHERE rolname !~ '^pg_' "
                             "AND rolname <> 'postgres' ORDER BY 1"),
                  "app|f\nreader|t")
            << branch;
        EXPECT_EQ(home_->sql(branch,
                             "SELECT datname FROM pg_database WHERE NOT datistemplate ORDER BY 1"),
                  "postgres\nreports\nshop")
            << branch;
        EXPECT_EQ(home_->sql(branch, "SELECT count(*) FROM pg_prepared_xacts"), "0") << branch;
    }
    EXPECT_EQ(home_->sql("child", "SELECT n FROM t", "shop"), "1");
    EXPECT_TRUE(home_->warnings.empty()) << home_->warnings.front();
    std::string before = essence(home_->state());
    home_->reopen();
    EXPECT_EQ(essence(home_->state()), before);
}

TEST_F(EngineSqlTest, SqlThatFailsLeavesNothing) {
    LB_MUST(home_->apply(
        new_project({create_role("main", "app"), create_database("main", "shop", "app")})));
    home_->sql("main", "CREATE TABLE t (n int); ALTER TABLE t OWNER TO app", "shop");
    std::string before = essence(home_->state());
    size_t lines = home_->store().lines().size();
    auto with = [](ResourceChange last) {
        return change_set({create_role("main", "other"), create_database("main", "more", "other"),
                           create_branch("child"), create_role("child", "inner"), std::move(last)});
    };
    // What came before the statement that fails must go too.
    Result<Applied> applied =
        home_->apply(with(create_role("main", "x", {.member_of = {"nobody"}})));
    ASSERT_FALSE(applied.is_ok());
    EXPECT_EQ(applied.error().code, ErrorCode::kSqlFailed) << to_text(applied.error());
    EXPECT_EQ(essence(home_->state()), before);
    // app owns a database and a table.
    applied = home_->apply(with(delete_role("main", "app")));
    ASSERT_FALSE(applied.is_ok());
    EXPECT_EQ(applied.error().code, ErrorCode::kRefused) << to_text(applied.error());
    EXPECT_EQ(essence(home_->state()), before);
    EXPECT_EQ(home_->store().lines().size(), lines);
    EXPECT_EQ(home_->sql("main", "SELECT count(*) FROM pg_database WHERE datname LIKE 'lb%'"), "0");
    EXPECT_EQ(home_->sql("main", "SELECT count(*) FROM pg_prepared_xacts"), "0");
    // The next apply gets the generation that the failed one had wanted.
    EXPECT_EQ(LB_MUST(home_->apply(change_set({create_branch("child")}))).generation,
              Generation{2});
}

TEST_F(EngineSqlTest, ANewProjectThatFailsLeavesOnlyTheTemplate) {
    Result<Applied> applied =
        home_->apply(new_project({create_branch("a"), create_database("main", "shop", "nobody")}));
    ASSERT_FALSE(applied.is_ok());
    EXPECT_TRUE(home_->engine().projects().empty());
    EXPECT_EQ(home_->store().lines().size(), 1u);
    LB_MUST(home_->apply(new_project({create_database("main", "shop")})));
}

TEST_F(EngineSqlTest, ANewBranchMayHaveItsOwnRoles) {
    LB_MUST(home_->apply(new_project()));
    LB_MUST(home_->apply(change_set({create_role("main", "app"), create_branch("child"),
                                     create_role("child", "guest"),
                                     create_branch("grandchild", {.parent = "child"})})));
    std::string roles =
        "SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_' AND rolname <> 'postgres' ORDER BY 1";
    EXPECT_EQ(home_->sql("main", roles), "app");
    EXPECT_EQ(home_->sql("child", roles), "app\nguest");
    EXPECT_EQ(home_->sql("grandchild", roles), "app\nguest");
}

TEST_F(EngineSqlTest, WhatPeopleMakeBySqlIsManual) {
    LB_MUST(home_->apply(new_project({create_role("main", "app")})));
    home_->sql("main", "CREATE ROLE byhand");
    ProjectState state = home_->state();
    const BranchState& main = *state.find_branch("main");
    ASSERT_EQ(main.roles.size(), 2u);
    EXPECT_EQ(main.roles[0].origin, Origin::kSpec);
    EXPECT_EQ(main.roles[1].name, "byhand");
    EXPECT_EQ(main.roles[1].origin, Origin::kManual);
    // Adopted by a spec that mentions it.
    LB_MUST(home_->apply(change_set({update_role("main", "byhand", {})})));
    state = home_->state();
    EXPECT_EQ(state.find_branch("main")->roles[1].origin, Origin::kSpec);
}

TEST_F(EngineSqlTest, AStoppedComputeIsNotWokenToBeObserved) {
    LB_MUST(home_->apply(new_project({create_role("main", "app")})));
    LB_MUST(home_->engine().stop_compute("shop", "main"));
    for (int round = 0; round < 2; ++round) {
        ProjectState state = home_->state();
        EXPECT_EQ(state.find_branch("main")->roles.size(), 1u);
        EXPECT_EQ(state.find_branch("main")->compute.status, ComputeStatus::kStopped);
        home_->reopen();
    }
    // A change after the wake-up is seen.
    home_->sql("main", "CREATE ROLE byhand");
    EXPECT_EQ(home_->state().find_branch("main")->roles.size(), 2u);
    LB_MUST(home_->engine().stop_compute("shop", "main"));
    EXPECT_EQ(home_->state().find_branch("main")->roles.size(), 2u);
}

TEST_F(EngineSqlTest, APreparedTransactionOfSomebodyElseIsLeftAlone) {
    LB_MUST(home_->apply(new_project()));
    home_->sql("main", "BEGIN; CREATE TABLE t (n int); PREPARE TRANSACTION 'theirs'");
    LB_MUST(home_->apply(change_set({create_role("main", "app"), create_branch("child")})));
    home_->reopen();
    for (const char* branch : {"main", "child"}) {
        EXPECT_EQ(home_->sql(branch, "SELECT gid FROM pg_prepared_xacts"), "theirs");
    }
    // With it pending, no observation is kept over a stop: it could commit unseen.
    LB_MUST(home_->engine().stop_compute("shop", "main"));
    EXPECT_EQ(home_->state().find_branch("main")->compute.status, ComputeStatus::kRunning);
    home_->sql("main", "ROLLBACK PREPARED 'theirs'");
    home_->sql("child", "ROLLBACK PREPARED 'theirs'");
}

TEST_F(EngineSqlTest, WhatCannotBeDroppedDoesNotLockTheBranch) {
    LB_MUST(home_->apply(new_project({create_database("main", "attic")})));
    home_->sql("main", "CREATE TABLE t (n int)", "attic");
    // A database with a prepared transaction cannot be dropped; the child inherits one in a
    // database that it then finds given up.
    LB_MUST(home_->apply(change_set({create_branch("child")})));
    home_->sql("child", "BEGIN; INSERT INTO public.t VALUES (1); PREPARE TRANSACTION 'theirs'",
               "attic");
    Result<Applied> applied = home_->apply(change_set({delete_database("child", "attic")}));
    // Refused or done, but never a branch that does not start any more.
    EXPECT_TRUE(applied.is_ok() || applied.error().code == ErrorCode::kRefused);
    EXPECT_EQ(home_->sql("child", "SELECT 1"), "1");
    home_->reopen();
    EXPECT_EQ(home_->sql("child", "SELECT 1"), "1");
}

}  // namespace
}  // namespace lb::engine
