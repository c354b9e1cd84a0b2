// The crash matrix: one apply with everything in it, killed with SIGKILL at every point that a
// first run has counted. After a restart the state is exactly before or exactly after, and an apply
// that had not happened can be made again.
//
// LB_APPLY_POINTS: at how many points, evenly spread; "all" for every one; without it, one of each
// kind.
// LB_APPLY_TABLE: a file for the table of docs/testing.md.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>

#include "base/text.h"
#include "tests/engine/crash_child.h"
#include "tests/engine/crash_matrix_script.h"
#include "tests/engine/crash_picture.h"
#include "tests/engine/crash_points.h"

namespace lb::engine {
namespace {

constexpr CrashPoint kKinds[] = {CrashPoint::kStep, CrashPoint::kSync, CrashPoint::kCommitWrite,
                                 CrashPoint::kStatement, CrashPoint::kStatementSent};

RegisterCrashScenario kMatrix("matrix", [](const std::string& directory, const ProgressSink&) {
    EngineHome home(directory);
    begin_crash_points();
    LB_MUST(home.engine().apply(matrix_changes(),
                                [](const ProgressEvent&) { pass_crash_point(CrashPoint::kStep); }));
    end_crash_points(directory);
});

struct Tally {
    int point_count = 0;
    int killed = 0;
    int before = 0;
    int after = 0;
};

// One of each kind at least.
int wanted_points(int of_kind, int all) {
    const char* text = std::getenv("LB_APPLY_POINTS");
    if (text == nullptr) return 1;
    if (std::string_view(text) == "all") return of_kind;
    return std::clamp(std::atoi(text) * of_kind / all, 1, of_kind);
}

class CrashMatrix : public ::testing::Test {
protected:
    void SetUp() override {
        LB_NEEDS_ENGINE();
        start_.emplace();
        {
            EngineHome home(start_->path());
            LB_MUST(home.apply(matrix_start()));
            before_ = picture(home);
        }
        CrashDirectory reference;
        reference.copy_store_from(*start_);
        kill_children_at(CrashPoint::kStep, 0);
        ASSERT_EQ(run_until_step("matrix", reference.path(), 0), ChildEnd::kCompleted);
        counts_ = counts_in(reference.path());
        EngineHome home(reference.path());
        after_ = picture(home);
        ASSERT_NE(before_, after_);
    }

    void kill_at(CrashPoint kind, int number, Tally& tally) {
        SCOPED_TRACE(cat("killed at ", to_text(kind), " ", number));
        CrashDirectory directory;
        directory.copy_store_from(*start_);
        kill_children_at(kind, number);
        ChildEnd end = run_until_step("matrix", directory.path(), 0);
        ASSERT_NE(end, ChildEnd::kFailed);
        EngineHome home(directory.path());
        std::string found = picture(home);
        EXPECT_EQ(home.store().lines().size(), named_lines(home));
        bool is_after = found == after_;
        // How many syncs there are differs a little from run to run.
        if (end == ChildEnd::kCompleted) {
            EXPECT_TRUE(is_after) << found;
        } else {
            ++tally.killed;
            ++(is_after ? tally.after : tally.before);
        }
        if (is_after) return;
        EXPECT_EQ(found, before_);
        kill_children_at(kind, 0);
        LB_MUST(home.apply(matrix_changes()));
        EXPECT_EQ(picture(home), after_);
    }

    std::string table(const std::array<Tally, kCrashPointKinds>& tallies) const {
        std::string text =
            "| point | in the apply | killed at | before | after |\n|---|---|---|---|---|\n";
        Tally sum;
        auto row = [&](std::string_view name, const Tally& tally) {
            text += cat("| ", name, " | ", tally.point_count, " | ", tally.killed, " | ",
                        tally.before, " | ", tally.after, " |\n");
        };
        for (CrashPoint kind : kKinds) {
            const Tally& tally = tallies[static_cast<size_t>(kind)];
            row(to_text(kind), tally);
            sum.point_count += tally.point_count;
            sum.killed += tally.killed;
            sum.before += tally.before;
            sum.after += tally.after;
        }
        row("all", sum);
        return text;
    }

    std::optional<CrashDirectory> start_;
    std::string before_;
    std::string after_;
    CrashPointCounts counts_{};
};

TEST_F(CrashMatrix, KilledAnywhereItIsBeforeOrAfter) {
    int all = 0;
    for (int count : counts_) {
        EXPECT_GT(count, 0);
        all += count;
    }
    std::array<Tally, kCrashPointKinds> tallies{};
    for (CrashPoint kind : kKinds) {
        int count = counts_[static_cast<size_t>(kind)];
        int wanted = wanted_points(count, all);
        Tally& tally = tallies[static_cast<size_t>(kind)];
        tally.point_count = count;
        // Evenly spread: the middles of `wanted` equal parts.
        for (int i = 0; i < wanted; ++i) {
            kill_at(kind, (2 * i + 1) * count / (2 * wanted) + 1, tally);
            if (HasFatalFailure()) return;
        }
    }
    std::string text = table(tallies);
    std::cout << text;
    if (const char* file = std::getenv("LB_APPLY_TABLE")) std::ofstream(file) << text;
}

}  // namespace
}  // namespace lb::engine
