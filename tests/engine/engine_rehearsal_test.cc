// Rehearsals: what an apply's SQL would do, found out on copies that leave nothing behind.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/text.h"
#include "tests/engine/engine_fixture.h"

namespace lb::engine {
namespace {

class EngineRehearsalTest : public ::testing::Test {
protected:
    void SetUp() override {
        LB_NEEDS_ENGINE();
        home_.emplace();
        LB_MUST(home_->apply(
            new_project({create_role("main", "app"), create_database("main", "shop", "app"),
                         create_branch("staging")})));
    }

    Result<Rehearsal> rehearse(const ChangeSet& changes) {
        events_.clear();
        return home_->engine().rehearse(
            changes, [this](const ProgressEvent& event) { events_.push_back(event.step); });
    }
    // Nothing of a rehearsal is left: lines, servers, ports, roles.
    template <class Action>
    void expect_no_trace(Action action) {
        std::string before = essence(home_->state());
        size_t lines = home_->store().lines().size();
        action();
        EXPECT_EQ(essence(home_->state()), before);
        auto after = home_->store().lines();
        EXPECT_EQ(std::ranges::count(after, false, &store::LineInfo::is_deleted),
                  static_cast<ptrdiff_t>(lines));
        EXPECT_EQ(home_->sql("main", "SELECT count(*) FROM pg_prepared_xacts"), "0");
        EXPECT_EQ(home_->sql("main", "SELECT count(*) FROM pg_database WHERE datname ~ '^lb_'"),
                  "0");
    }

    std::optional<EngineHome> home_;
    std::vector<std::string> events_;
};

TEST_F(EngineRehearsalTest, SaysWhatAnApplyWouldMeet) {
    expect_no_trace([&] {
        Rehearsal rehearsal = LB_MUST(
            rehearse(change_set({create_role("main", "auditor"),
                                 update_role("main", "app", {.login = true, .create_role = true}),
                                 create_database("main", "archive", "auditor")})));
        ASSERT_EQ(rehearsal.branches.size(), 1u);
        const RehearsedBranch& main = rehearsal.branches[0];
        EXPECT_EQ(main.branch, "main");
        EXPECT_FALSE(main.failure.has_value()) << to_text(*main.failure);
        EXPECT_GT(main.sql_duration.count(), 0);
        EXPECT_GT(main.start_duration.count(), 0);
        EXPECT_GT(main.written_bytes, 1u << 20);  // a database is some megabytes
        EXPECT_TRUE(rehearsal.is_ok());
        for (const RehearsedLock& lock : main.locks) {
            EXPECT_EQ(lock.object.find("lb_new_"), std::string::npos) << lock.object;
        }
    });
    EXPECT_EQ(std::ranges::count(events_, "commit"), 0);
}

TEST_F(EngineRehearsalTest, SaysWhatWouldFailAndWhere) {
    home_->sql("main", "CREATE TABLE t (n int)", "shop");
    home_->sql("main", "ALTER TABLE t OWNER TO app", "shop");
    expect_no_trace([&] {
        // The owner of a table cannot go; the other branch is not in the way of that.
        Rehearsal rehearsal = LB_MUST(
            rehearse(change_set({delete_role("main", "app"), create_role("staging", "guest")})));
        ASSERT_EQ(rehearsal.branches.size(), 2u);
        EXPECT_FALSE(rehearsal.is_ok());
        for (const RehearsedBranch& branch : rehearsal.branches) {
            ASSERT_EQ(branch.failure.has_value(), branch.branch == "main") << branch.branch;
        }
        auto failed = std::ranges::find(rehearsal.branches, "main", &RehearsedBranch::branch);
        EXPECT_EQ(failed->failure->code, ErrorCode::kRefused);
        EXPECT_NE(to_text(*failed->failure).find("shop"), std::string::npos);
    });
}

TEST_F(EngineRehearsalTest, NewBranchesAreMadeAsAnApplyMakesThem) {
    expect_no_trace([&] {
        Rehearsal rehearsal = LB_MUST(rehearse(change_set(
            {create_branch("feature"), create_role("feature", "dev"),
             create_database("feature", "scratch", "dev"),
             create_branch("child", {.parent = "feature"}), create_role("child", "dev2")})));
        ASSERT_EQ(rehearsal.branches.size(), 2u);
        EXPECT_EQ(rehearsal.branches[0].branch, "feature");
        EXPECT_EQ(rehearsal.branches[1].branch, "child");
        EXPECT_TRUE(rehearsal.is_ok());
        rehearsal = LB_MUST(rehearse(change_set(
            {create_branch("feature"), create_role("feature", "app"),
             create_branch("child", {.parent = "feature"}), create_role("child", "dev2")})));
        ASSERT_EQ(rehearsal.branches.size(), 2u);
        EXPECT_EQ(rehearsal.branches[0].failure->code, ErrorCode::kSqlFailed);  // exists
        EXPECT_EQ(rehearsal.branches[1].failure->code, ErrorCode::kRehearsalFailed);
    });
}

TEST_F(EngineRehearsalTest, TellsWhichLocksOthersWouldWaitFor) {
    expect_no_trace([&] {
        Rehearsal rehearsal = LB_MUST(rehearse(change_set({delete_database("main", "shop")})));
        ASSERT_TRUE(rehearsal.is_ok()) << to_text(*rehearsal.branches[0].failure);
        const std::vector<RehearsedLock>& locks = rehearsal.branches[0].locks;
        EXPECT_TRUE(std::ranges::any_of(locks, [](const RehearsedLock& lock) {
            return lock.object.starts_with("database ") && lock.mode == "AccessExclusiveLock";
        })) << locks.size();
    });
    // Sessions of the real one were left alone.
    EXPECT_EQ(home_->sql("main", "SELECT 1", "shop"), "1");
}

TEST_F(EngineRehearsalTest, APlanThatIsNotToBeHasNoRehearsal) {
    expect_no_trace([&] {
        ChangeSet stale = change_set({create_role("main", "late")});
        stale.base_versions = {{.address = Address::of_branch("main"), .version = Generation{77}}};
        EXPECT_EQ(rehearse(stale).error().code, ErrorCode::kPlanStale);
        Rehearsal nothing = LB_MUST(rehearse(change_set({create_branch("plain")})));
        EXPECT_TRUE(nothing.branches.empty());
    });
}

}  // namespace
}  // namespace lb::engine
