// Many branches: one frame, no compute, little space. How fast is the benchmarks' business.
#include <gtest/gtest.h>

#include "base/text.h"
#include "tests/engine/engine_fixture.h"

namespace lb::engine {
namespace {

constexpr int kBranchCount = 1000;

TEST(EngineScale, AThousandBranchesAreOneFrame) {
    LB_NEEDS_ENGINE();
    EngineHome home;
    LB_MUST(home.apply(new_project()));
    home.sql("main", "CREATE TABLE t AS SELECT 7 AS n");
    LB_MUST(home.engine().stop_compute("shop", "main"));
    std::vector<ResourceChange> creates;
    std::vector<ResourceChange> deletes;
    for (int i = 0; i < kBranchCount; ++i) {
        // A third hangs from main, a third from those, a third from those.
        std::string parent = i % 3 == 0 ? "main" : cat("b", i - 1);
        creates.push_back(create_branch(cat("b", i), {.parent = parent}));
        deletes.push_back(purge_branch(cat("b", i)));
    }
    Position before = home.store().position();
    LB_MUST(home.apply(change_set(creates)));
    EXPECT_EQ(home.store().position().value(), before.value() + 1);
    ProjectState state = home.state("shop", Observe::kNo);
    ASSERT_EQ(state.branches.size(), kBranchCount + 1u);
    for (const BranchState& branch : state.branches) {
        EXPECT_EQ(branch.compute.status, ComputeStatus::kStopped);
        EXPECT_TRUE(branch.name == "main" || branch.own_bytes <= 64u * 1024) << branch.own_bytes;
    }
    EXPECT_EQ(home.sql("b998", "SELECT n FROM t"), "7");
    home.reopen();
    EXPECT_EQ(home.state("shop", Observe::kNo).branches.size(), kBranchCount + 1u);
    LB_MUST(home.engine().stop_compute("shop", "b998"));
    before = home.store().position();
    LB_MUST(home.apply(change_set(deletes)));
    EXPECT_EQ(home.store().position().value(), before.value() + 1);
    EXPECT_EQ(home.store().lines().size(), 2u);
}

}  // namespace
}  // namespace lb::engine
