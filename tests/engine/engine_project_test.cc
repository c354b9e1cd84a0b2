// Projects and branches on a real store, mount and PostgreSQL.
#include <gtest/gtest.h>

#include <thread>

#include "base/text.h"
#include "tests/engine/engine_fixture.h"

namespace lb::engine {
namespace {

class EngineProjectTest : public ::testing::Test {
protected:
    void SetUp() override {
        LB_NEEDS_ENGINE();
        home_.emplace();
    }
    void expect_error(const ChangeSet& changes, ErrorCode code) {
        std::string before = essence(home_->state("shop", Observe::kNo));
        Result<Applied> applied = home_->apply(changes);
        ASSERT_FALSE(applied.is_ok());
        EXPECT_EQ(code_name(applied.error().code), code_name(code)) << to_text(applied.error());
        EXPECT_EQ(essence(home_->state("shop", Observe::kNo)), before);
    }

    std::optional<EngineHome> home_;
};

TEST_F(EngineProjectTest, AnUnknownProjectIsNoError) {
    EXPECT_TRUE(home_->engine().projects().empty());
    ProjectState state = home_->state("nix");
    EXPECT_FALSE(state.exists);
    EXPECT_EQ(state.generation, Generation{});
    auto connection = home_->engine().connect("nix", "main");
    ASSERT_FALSE(connection.is_ok());
    EXPECT_EQ(connection.error().code, ErrorCode::kNotFound);
}

TEST_F(EngineProjectTest, ANewProjectIsThereAndStaysAfterAReopen) {
    Applied applied = LB_MUST(home_->apply(new_project({create_branch("staging")})));
    EXPECT_EQ(applied.generation, Generation{1});
    ProjectState state = home_->state();
    EXPECT_TRUE(state.exists);
    EXPECT_EQ(state.generation, Generation{1});
    EXPECT_EQ(state.pg_version, 15u);
    EXPECT_EQ(state.default_branch, "main");
    ASSERT_EQ(state.branches.size(), 2u);
    EXPECT_EQ(state.branches[0].name, "main");
    EXPECT_TRUE(state.branches[0].is_observed);
    EXPECT_EQ(state.branches[1].name, "staging");
    EXPECT_EQ(state.branches[1].parent, "main");
    EXPECT_EQ(state.branches[1].branch_point, applied.position);
    EXPECT_EQ(home_->sql("main", "SELECT 1"), "1");
    EXPECT_EQ(home_->sql("staging", "SHOW data_checksums"), "on");
    std::string before = essence(home_->state());
    home_->reopen();
    EXPECT_EQ(essence(home_->state()), before);
    EXPECT_EQ(home_->sql("staging", "SELECT 2"), "2");
    EXPECT_TRUE(home_->warnings.empty());
}

TEST_F(EngineProjectTest, AProjectWithoutRolesStartsNoCompute) {
    LB_MUST(home_->apply(new_project({create_branch("staging")})));
    for (const BranchState& branch : home_->state("shop", Observe::kNo).branches) {
        EXPECT_EQ(branch.compute.status, ComputeStatus::kStopped);
        EXPECT_EQ(branch.compute.active_port, 0);
        EXPECT_LT(branch.own_bytes, 64u * 1024);
    }
}

TEST_F(EngineProjectTest, BranchesAreIsolated) {
    LB_MUST(home_->apply(new_project()));
    home_->sql("main", "CREATE TABLE t AS SELECT generate_series(1, 1000) AS n");
    LB_MUST(home_->apply(change_set({create_branch("a"), create_branch("b", {.parent = "a"})})));
    EXPECT_EQ(home_->sql("a", "SELECT count(*) FROM t"), "1000");
    home_->sql("a", "DELETE FROM t WHERE n > 10");
    home_->sql("main", "INSERT INTO t VALUES (1001)");
    EXPECT_EQ(home_->sql("main", "SELECT count(*) FROM t"), "1001");
    EXPECT_EQ(home_->sql("a", "SELECT count(*) FROM t"), "10");
    EXPECT_EQ(home_->sql("b", "SELECT count(*) FROM t"), "1000");
}

TEST_F(EngineProjectTest, ABranchOfAPastPositionHasThePast) {
    LB_MUST(home_->apply(new_project()));
    home_->sql("main", "CREATE TABLE t AS SELECT 1 AS n");
    Position past = home_->branch("main").head;
    home_->sql("main", "DROP TABLE t");
    BranchValue value{.parent = "main", .requested_at = cat("position:", past.value())};
    LB_MUST(home_->apply(change_set({create_branch("rescue", value)})));
    EXPECT_EQ(home_->sql("rescue", "SELECT n FROM t"), "1");
    EXPECT_FALSE(home_->query("main", "SELECT n FROM t").is_ok());
    BranchState rescue = home_->branch("rescue");
    EXPECT_EQ(rescue.branch_point, past);
    EXPECT_EQ(rescue.requested_at, value.requested_at);
    expect_error(change_set({create_branch(
                     "future", {.parent = "main", .requested_at = "position:999999999999"})}),
                 ErrorCode::kNotInHistory);
}

TEST_F(EngineProjectTest, DeletedBranchesAreGone) {
    LB_MUST(home_->apply(new_project({create_branch("a"), create_branch("b", {.parent = "a"})})));
    EXPECT_EQ(home_->sql("a", "SELECT 1"), "1");
    expect_error(change_set({delete_branch("a")}), ErrorCode::kHasChildren);
    LB_MUST(home_->apply(change_set({delete_branch("b"), delete_branch("a")})));
    EXPECT_EQ(home_->state("shop", Observe::kNo).branches.size(), 1u);
    EXPECT_FALSE(home_->query("a", "SELECT 1").is_ok());
    EXPECT_EQ(home_->state("shop", Observe::kNo).deleted_branches.size(), 2u);
    LB_MUST(home_->apply(change_set({purge_branch("a"), purge_branch("b")})));
    EXPECT_TRUE(home_->state("shop", Observe::kNo).deleted_branches.empty());
    // main and the template.
    EXPECT_EQ(home_->store().lines().size(), 2u);
    LB_MUST(home_->apply(change_set({create_branch("a")})));
    EXPECT_EQ(home_->sql("a", "SELECT 1"), "1");
    LB_MUST(home_->apply(change_set({purge_branch("a")})));
    EXPECT_EQ(home_->store().lines().size(), 2u);
}

TEST_F(EngineProjectTest, ADeletedBranchComesBackAsItWas) {
    LB_MUST(home_->apply(new_project(
        {create_branch("a"), create_role("a", "of_a"), set_compute("a", {.always_on = true})})));
    home_->sql("a", "CREATE TABLE t AS SELECT 7 AS n");
    LB_MUST(home_->apply(change_set({create_branch("b", {.parent = "a"})})));
    BranchState before = home_->branch("a");
    LB_MUST(home_->apply(change_set({delete_branch("b"), delete_branch("a")})));
    home_->reopen();
    ProjectState state = home_->state("shop", Observe::kNo);
    EXPECT_EQ(state.find_deleted("b")->parent, "main");
    LB_MUST(home_->apply(change_set({undelete_branch(state, "a")})));
    EXPECT_EQ(home_->sql("a", "SELECT n FROM t"), "7");
    BranchState after = home_->branch("a");
    EXPECT_EQ(after.line, before.line);
    EXPECT_EQ(after.created_in, before.created_in);
    EXPECT_FALSE(after.compute.settings.always_on);
    EXPECT_EQ(home_->sql("a", "SELECT count(*) FROM pg_roles WHERE rolname = 'of_a'"), "1");
    // Its parent is there again.
    state = home_->state("shop", Observe::kNo);
    EXPECT_EQ(state.find_deleted("b")->parent, "a");
    LB_MUST(home_->apply(change_set({undelete_branch(state, "b")})));
    EXPECT_EQ(home_->branch("b").parent, "a");
    EXPECT_EQ(home_->sql("b", "SELECT n FROM t"), "7");
    expect_error(change_set({undelete_branch(state, "b")}), ErrorCode::kAlreadyExists);
    ResourceChange other = undelete_branch(state, "b");
    other.address = Address::of_branch("c");
    expect_error(change_set({other}), ErrorCode::kNotFound);
}

TEST_F(EngineProjectTest, ProtectionHolds) {
    LB_MUST(
        home_->apply(new_project({create_branch("a", {.parent = "main", .is_protected = true})})));
    expect_error(change_set({delete_branch("a")}), ErrorCode::kRefused);
    expect_error(destroy_project(home_->state()), ErrorCode::kRefused);
    home_->reopen();
    expect_error(change_set({delete_branch("a")}), ErrorCode::kRefused);
    LB_MUST(home_->apply(change_set({update_branch("a", {.parent = "main"})})));
    LB_MUST(home_->apply(change_set({delete_branch("a")})));
}

TEST_F(EngineProjectTest, ADestroyedProjectIsGoneAndCanBeMadeAnew) {
    LB_MUST(home_->apply(new_project({create_branch("a"), create_database("main", "shop")})));
    LB_MUST(home_->apply(new_project({}, "other")));
    EXPECT_EQ(home_->engine().projects(), (std::vector<std::string>{"other", "shop"}));
    ProjectState old = home_->state();
    Applied destroyed = LB_MUST(home_->apply(destroy_project(old)));
    EXPECT_EQ(destroyed.generation, Generation{2});
    EXPECT_EQ(home_->engine().projects(), std::vector<std::string>{"other"});
    EXPECT_FALSE(home_->state().exists);
    home_->reopen();
    EXPECT_FALSE(home_->state().exists);
    EXPECT_EQ(home_->sql("main", "SELECT 1", "postgres", "other"), "1");

    EXPECT_EQ(LB_MUST(home_->apply(new_project())).generation, Generation{3});
    // A plan of the old project does not fit the new one.
    ChangeSet stale = change_set({create_branch("x")});
    stale.base_versions = {
        {.address = Address::of_branch("main"), .version = old.find_branch("main")->version}};
    expect_error(stale, ErrorCode::kPlanStale);
}

TEST_F(EngineProjectTest, AStalePlanIsRefusedAndADisjointOneIsNot) {
    LB_MUST(home_->apply(new_project({create_branch("a"), create_branch("b")})));
    ProjectState seen = home_->state();
    auto bound = [&](const std::string& name, ResourceChange change) {
        ChangeSet changes = change_set({std::move(change)});
        changes.base_versions = {
            {.address = Address::of_branch(name), .version = seen.find_branch(name)->version}};
        return changes;
    };
    BranchValue kept{.parent = "main", .is_protected = true};
    LB_MUST(home_->apply(bound("a", update_branch("a", kept))));
    expect_error(bound("a", delete_branch("a")), ErrorCode::kPlanStale);
    LB_MUST(home_->apply(bound("b", delete_branch("b"))));
    ChangeSet again = new_project();
    expect_error(again, ErrorCode::kPlanStale);
}

TEST_F(EngineProjectTest, AppliesOfSeveralThreadsQueue) {
    LB_MUST(home_->apply(new_project()));
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
        threads.emplace_back([&, i] {
            Result<Applied> applied =
                home_->engine().apply(change_set({create_branch(cat("b", i))}), nullptr);
            EXPECT_TRUE(applied.is_ok());
        });
    }
    for (std::thread& thread : threads) thread.join();
    ProjectState state = home_->state("shop", Observe::kNo);
    EXPECT_EQ(state.branches.size(), 9u);
    EXPECT_EQ(state.generation, Generation{9});
}

TEST_F(EngineProjectTest, AnUnsupportedVersionChangesNothing) {
    ChangeSet changes = new_project();
    changes.changes[0].value = ProjectValue{.pg_version = 9, .default_branch = "main"};
    Result<Applied> applied = home_->apply(changes);
    ASSERT_FALSE(applied.is_ok());
    EXPECT_EQ(applied.error().code, ErrorCode::kPostgresVersion);
    EXPECT_TRUE(home_->engine().projects().empty());
    EXPECT_TRUE(home_->store().lines().empty());
}

}  // namespace
}  // namespace lb::engine
