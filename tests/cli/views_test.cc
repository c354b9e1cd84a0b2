// What people see: tables, the branch tree, bars; and reading logs.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <thread>

#include "base/text.h"
#include "cli/branch_view.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "cli/text_file.h"
#include "tests/cli/support.h"

namespace lb::cli {
namespace {

BranchState branch(std::string name, std::string parent = {}) {
    BranchState state;
    state.name = std::move(name);
    state.parent = std::move(parent);
    return state;
}

TEST(Table, AlignsColumns) {
    Table table({{"NAME"}, {"SIZE", Table::Align::kRight}, {"END"}});
    table.add_row({"└─ a", "1", ""});
    table.add_row({"longer", "1234567", "x"});
    EXPECT_EQ(table.to_text(),
              "NAME       SIZE  END\n"
              "└─ a          1\n"
              "longer  1234567  x\n");
}

TEST(BranchTree, ShowsChildrenBelowParents) {
    ProjectState live;
    live.branches = {branch("a", "main"), branch("a1", "a"), branch("a2", "a"),
                     branch("b", "main"), branch("b1", "b"), branch("main")};
    std::string text;
    for (const TreeRow& row : branch_tree(live)) text += row.label + "\n";
    EXPECT_EQ(text,
              "main\n"
              "├─ a\n"
              "│  ├─ a1\n"
              "│  └─ a2\n"
              "└─ b\n"
              "   └─ b1\n");
}

RC_GTEST_PROP(BranchTree, ShowsEveryBranchOnce, ()) {
    const auto parents = *rc::gen::container<std::vector<size_t>>(rc::gen::inRange<size_t>(0, 40));
    ProjectState live;
    for (size_t index = 0; index < parents.size(); ++index) {
        // Each branch's parent is an earlier one; names sort as numbers do.
        std::string parent = index == 0 ? "" : cat("b", 1000 + parents[index] % index);
        live.branches.push_back(branch(cat("b", 1000 + index), parent));
    }
    std::vector<std::string> names;
    for (const TreeRow& row : branch_tree(live)) names.push_back(row.branch->name);
    std::sort(names.begin(), names.end());
    RC_ASSERT(names.size() == live.branches.size());
    for (size_t index = 0; index < names.size(); ++index) {
        RC_ASSERT(names[index] == live.branches[index].name);
    }
}

TEST(BranchView, ComputeText) {
    ComputeState compute;
    EXPECT_EQ(compute_text(compute), "stopped");
    compute.status = ComputeStatus::kRunning;
    compute.active_port = 54321;
    EXPECT_EQ(compute_text(compute), "running :54321");
    compute.status = ComputeStatus::kFailed;
    compute.failure = "out of memory\nmore";
    EXPECT_EQ(compute_text(compute), "failed: out of memory");
}

TEST(Progress, Bar) {
    EXPECT_EQ(bar(0, 10, 4), "[----]");
    EXPECT_EQ(bar(5, 10, 4), "[##--]");
    EXPECT_EQ(bar(10, 10, 4), "[####]");
    EXPECT_EQ(bar(20, 10, 4), "[####]");
    EXPECT_EQ(bar(1, 0, 4), "[----]");
}

std::string tail(const std::string& path, size_t count) {
    return LB_MUST(last_lines(path, count)).text;
}

TEST(TextFile, LastLines) {
    tests::TemporaryDirectory directory;
    const std::string path = directory.path("log");
    tests::write_file(path, "one\ntwo\nthree\n");
    EXPECT_EQ(tail(path, 0), "");
    EXPECT_EQ(tail(path, 1), "three\n");
    EXPECT_EQ(tail(path, 2), "two\nthree\n");
    EXPECT_EQ(tail(path, 99), "one\ntwo\nthree\n");
    tests::write_file(path, "one\nunfinished");
    EXPECT_EQ(tail(path, 1), "unfinished");
    tests::write_file(path, "");
    EXPECT_EQ(tail(path, 5), "");
    EXPECT_EQ(last_lines(directory.path("absent"), 5).error().code, ErrorCode::kIo);
    EXPECT_EQ(last_lines(directory.path(), 5).error().code, ErrorCode::kIo);
}

TEST(TextFile, LastLinesOfALargeFile) {
    tests::TemporaryDirectory directory;
    const std::string path = directory.path("log");
    std::string text;
    for (int line = 0; line < 50'000; ++line) text += cat("this is line ", line, "\n");
    tests::write_file(path, text);
    const std::string last = tail(path, 20'000);
    EXPECT_EQ(last.substr(0, last.find('\n')), "this is line 30000");
    EXPECT_EQ(last, text.substr(text.size() - last.size()));
}

TEST(TextFile, FollowsWhatIsAppended) {
    tests::TemporaryDirectory directory;
    const std::string path = directory.path("log");
    tests::write_file(path, "old\n");
    std::string seen;
    std::thread writer([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        std::ofstream(path, std::ios::app) << "new\n";
    });
    LB_MUST(follow_file(
        path, 4,
        [&](std::string_view text) {
            seen += text;
            return ok();
        },
        [&] { return seen == "new\n"; }));
    writer.join();
    EXPECT_EQ(seen, "new\n");
}

TEST(TextFile, ReadsWithALimit) {
    tests::TemporaryDirectory directory;
    tests::write_file(directory.path("x"), std::string(1000, 'x'));
    EXPECT_EQ(LB_MUST(read_text_file(directory.path("x"), 1000)).size(), 1000u);
    EXPECT_EQ(read_text_file(directory.path("x"), 999).error().code, ErrorCode::kUsage);
    EXPECT_EQ(read_text_file(directory.path("absent"), 999).error().code, ErrorCode::kIo);
    EXPECT_EQ(read_text_file(directory.path(), 999).error().code, ErrorCode::kIo);
}

}  // namespace
}  // namespace lb::cli
