// An apply that is killed leaves the state before it or the state after it.
//
// The step of an apply at which the process dies is each of its progress events in turn, and, in
// the second half, any moment at all.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <random>

#include "base/text.h"
#include "engine/compute.h"
#include "tests/engine/crash_child.h"
#include "tests/engine/crash_picture.h"
#include "tests/engine/engine_fixture.h"

namespace lb::engine {
namespace {

// -- An apply with everything in it -----------------------------------------------------------

ChangeSet first_changes() {
    return new_project({create_role("main", "app"), create_role("main", "old"),
                        create_database("main", "shop", "app"), create_database("main", "attic"),
                        create_schema("main", "shop", "going", "old"),
                        create_extension("main", "shop", "hstore", {.schema = "public"}),
                        create_branch("a"), create_branch("b", {.parent = "a"}),
                        set_compute("a", {.always_on = true})});
}

ChangeSet second_changes() {
    return change_set({delete_role("main", "old"), delete_database("main", "attic"),
                       update_role("main", "app", {.login = false}), create_role("main", "reader"),
                       create_database("main", "reports", "reader"), create_role("a", "guest"),
                       create_schema("main", "shop", "api", "reader"),
                       delete_content(Address::of_schema("main", "shop", "going")),
                       create_extension("main", "shop", "citext", {.schema = "api"}),
                       create_schema("main", "reports", "inner", "reader"), create_branch("child"),
                       create_branch("grandchild", {.parent = "child"}),
                       create_role("grandchild", "inner"), delete_branch("b"),
                       update_branch("a", {.parent = "main", .is_protected = true}),
                       set_compute("a", {.size_centi_cu = 50, .always_on = true})});
}

RegisterCrashScenario kCreate("create", [](const std::string& directory, const ProgressSink& sink) {
    EngineHome home(directory);
    LB_MUST(home.engine().apply(first_changes(), sink));
});
RegisterCrashScenario kChange("change", [](const std::string& directory, const ProgressSink& sink) {
    EngineHome home(directory);
    LB_MUST(home.engine().apply(second_changes(), sink));
});
// Main goes back to where the branch "mark" was made; "a" takes main's state.
RegisterCrashScenario kMove("move", [](const std::string& directory, const ProgressSink& sink) {
    EngineHome home(directory);
    ProjectState state = home.state("shop", Observe::kNo);
    Position mark = state.find_branch("mark")->branch_point;
    ResourceChange restore{.address = Address::of_branch("main"), .kind = ChangeKind::kRestore};
    restore.value = BranchValue{
        .restore = RestoreValue{.to = cat("position:", mark.value()), .backup = "main-before"}};
    ResourceChange reset{.address = Address::of_branch("a"), .kind = ChangeKind::kReset};
    reset.value = BranchValue{.parent = "main"};
    LB_MUST(home.engine().apply(change_set({restore, reset}), sink));
});
// One comes back, one goes for good, one that is live is deleted.
RegisterCrashScenario kUndelete("undelete", [](const std::string& directory,
                                               const ProgressSink& sink) {
    EngineHome home(directory);
    ResourceChange undelete = undelete_branch(home.state("shop", Observe::kNo), "b");
    LB_MUST(home.engine().apply(
        change_set({undelete, purge_branch("attic"), delete_branch("c"), create_role("a", "late")}),
        sink));
});
RegisterCrashScenario kDestroy("destroy", [](const std::string& directory,
                                             const ProgressSink& sink) {
    EngineHome home(directory);
    LB_MUST(home.engine().apply(destroy_project(home.state("shop", Observe::kNo)), sink));
});

RegisterCrashScenario kRehearse("rehearse", [](const std::string& directory,
                                               const ProgressSink& sink) {
    EngineHome home(directory);
    LB_ASSERT(LB_MUST(home.engine().rehearse(second_changes(), sink)).is_ok());
});

// Kills `scenario` at each of its steps, each time on a copy of `start`.
void expect_before_or_after(const std::string& scenario, const CrashDirectory& start) {
    std::string before;
    std::string after;
    {
        CrashDirectory reference;
        reference.copy_store_from(start);
        {
            EngineHome home(reference.path());
            before = picture(home);
        }
        ASSERT_EQ(run_until_step(scenario, reference.path(), 0), ChildEnd::kCompleted);
        EngineHome home(reference.path());
        after = picture(home);
    }
    ASSERT_NE(before, after);
    bool is_committed = false;
    int step = 1;
    for (;; ++step) {
        SCOPED_TRACE(cat(scenario, " killed at step ", step));
        CrashDirectory directory;
        directory.copy_store_from(start);
        ChildEnd end = run_until_step(scenario, directory.path(), step);
        ASSERT_NE(end, ChildEnd::kFailed);
        EngineHome home(directory.path());
        std::string found = picture(home);
        if (is_committed || found == after) {
            EXPECT_EQ(found, after);
            is_committed = true;
        } else {
            EXPECT_EQ(found, before);
        }
        EXPECT_EQ(home.store().lines().size(), named_lines(home));
        if (end == ChildEnd::kCompleted) break;
    }
    EXPECT_TRUE(is_committed);
    EXPECT_GT(step, 3);
}

TEST(CrashApply, ANewProjectIsThereOrNot) {
    LB_NEEDS_ENGINE();
    CrashDirectory start;
    // With the template, so that each step is not an initdb.
    {
        EngineHome home(start.path());
        LB_MUST(home.apply(new_project({}, "other")));
    }
    expect_before_or_after("create", start);
}

TEST(CrashApply, ChangesAreThereOrNot) {
    LB_NEEDS_ENGINE();
    CrashDirectory start;
    {
        EngineHome home(start.path());
        LB_MUST(home.apply(first_changes()));
    }
    expect_before_or_after("change", start);
}

TEST(CrashApply, ARehearsalHasNeverBeen) {
    LB_NEEDS_ENGINE();
    CrashDirectory start;
    std::string before;
    {
        EngineHome home(start.path());
        LB_MUST(home.apply(first_changes()));
        before = picture(home);
    }
    int step = 1;
    for (bool is_over = false; !is_over; ++step) {
        SCOPED_TRACE(cat("killed at step ", step));
        CrashDirectory directory;
        directory.copy_store_from(start);
        ChildEnd end = run_until_step("rehearse", directory.path(), step);
        ASSERT_NE(end, ChildEnd::kFailed);
        is_over = end == ChildEnd::kCompleted;
        EngineHome home(directory.path());
        EXPECT_EQ(picture(home), before);
        EXPECT_EQ(home.store().lines().size(), named_lines(home));
    }
    EXPECT_GT(step, 8);
}

TEST(CrashApply, ABranchIsRestoredOrNot) {
    LB_NEEDS_ENGINE();
    CrashDirectory start;
    {
        EngineHome home(start.path());
        LB_MUST(home.apply(first_changes()));
        home.sql("a", "CREATE ROLE of_a");
        LB_MUST(home.apply(change_set({create_branch("mark")})));
        home.sql("main", "CREATE ROLE late");
        LB_MUST(home.apply(change_set({create_role("main", "later")})));
    }
    expect_before_or_after("move", start);
}

TEST(CrashApply, ADeletedBranchIsBackOrNot) {
    LB_NEEDS_ENGINE();
    CrashDirectory start;
    {
        EngineHome home(start.path());
        LB_MUST(home.apply(first_changes()));
        LB_MUST(home.apply(
            change_set({create_role("b", "of_b"), create_branch("attic"), create_branch("c")})));
        LB_MUST(home.apply(change_set({delete_branch("b"), delete_branch("attic")})));
    }
    expect_before_or_after("undelete", start);
}

TEST(CrashApply, ADestroyedProjectIsGoneOrNot) {
    LB_NEEDS_ENGINE();
    CrashDirectory start;
    {
        EngineHome home(start.path());
        LB_MUST(home.apply(first_changes()));
    }
    expect_before_or_after("destroy", start);
}

TEST(CrashApply, AHalfMadeTemplateIsRemoved) {
    LB_NEEDS_ENGINE();
    CrashDirectory directory;
    // initdb makes its directories first, and is at work for a while after that.
    auto initdb_has_begun = [&] {
        std::error_code failure;
        std::filesystem::directory_iterator line(directory.path() + "/mnt", failure);
        return line != std::filesystem::directory_iterator() &&
               std::filesystem::exists(line->path() / "pg_wal", failure);
    };
    EXPECT_EQ(run_until("create", directory.path(), initdb_has_begun), ChildEnd::kKilled);
    EngineHome home(directory.path());
    EXPECT_TRUE(home.engine().projects().empty());
    LB_MUST(home.apply(first_changes()));
    EXPECT_EQ(home.store().lines().size(), named_lines(home));
}

// -- Killed at any moment ---------------------------------------------------------------------

// Generation g of "shop" has the role r<g> on main and the branch b<g>, and neither any other.
RegisterCrashScenario kRing("ring", [](const std::string& directory, const ProgressSink& sink) {
    EngineHome home(directory);
    while (true) {
        uint64_t now = home.state("shop", Observe::kNo).generation.value();
        std::vector<ResourceChange> changes = {
            create_role("main", cat("r", now + 1)), delete_role("main", cat("r", now)),
            create_branch(cat("b", now + 1)), delete_branch(cat("b", now))};
        LB_MUST(home.engine().apply(change_set(std::move(changes)), sink));
    }
});

TEST(CrashApply, KilledAtAnyMoment) {
    LB_NEEDS_ENGINE();
    CrashDirectory directory;
    {
        EngineHome home(directory.path());
        LB_MUST(home.apply(new_project({create_role("main", "r1"), create_branch("b1")})));
    }
    uint64_t generation = 1;
    std::mt19937 random(20);  // NOLINT: the same moments in each run
    for (int trial = 0; trial < 20; ++trial) {
        std::chrono::milliseconds delay{300 + random() % 2500};
        SCOPED_TRACE(cat("trial ", trial, ", killed after ", delay.count(), " ms"));
        ASSERT_EQ(run_until_killed("ring", directory.path(), delay), ChildEnd::kKilled);
        EngineHome home(directory.path());
        ProjectState state = home.state();
        EXPECT_GE(state.generation.value(), generation);
        generation = state.generation.value();
        ASSERT_EQ(state.branches.size(), 2u);
        EXPECT_EQ(state.branches[0].name, cat("b", generation));
        EXPECT_EQ(home.sql("main", kRoles), cat("r", generation, "|t"));
        // The branch was made while the role's transaction was prepared and not committed.
        EXPECT_EQ(home.sql(cat("b", generation), kRoles), cat("r", generation, "|t"));
        EXPECT_EQ(home.sql("main", "SELECT count(*) FROM pg_prepared_xacts"), "0");
        EXPECT_EQ(home.store().lines().size(), named_lines(home));
    }
    EXPECT_GT(generation, 10u) << "hardly an apply got through";
}

}  // namespace
}  // namespace lb::engine
