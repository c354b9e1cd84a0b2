// Many branches and deep ones: what they cost, and that they are right.
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>

#include "base/text.h"
#include "tests/store/store_fixture.h"

namespace lb::store {
namespace {

using LineScale = StoreFixture;
using Clock = std::chrono::steady_clock;

constexpr int kBranchCount = 1000;

uint64_t resident_bytes() {
    std::ifstream status("/proc/self/statm");
    uint64_t total = 0;
    uint64_t resident = 0;
    status >> total >> resident;
    return resident * 4096;
}

TEST_F(LineScale, AThousandBranchesAreAllOneRecord) {
    LineId main = new_root();
    put(main, "table", std::string(100 * kBlockBytes, 'x'));
    uint64_t log_bytes_before = store().statistics().log_bytes;
    for (int i = 0; i < kBranchCount; i++) {
        LineId line = new_child(main);
        ASSERT_LT(LB_MUST(store().line(line)).own_bytes, 200U) << i;
    }
    uint64_t log_bytes = store().statistics().log_bytes - log_bytes_before;
    EXPECT_LT(log_bytes / kBranchCount, 4096U);
    EXPECT_EQ(store().children(main).size(), size_t{kBranchCount});
    LineId last = store().children(main).back();
    EXPECT_EQ(content(last, "table"), std::string(100 * kBlockBytes, 'x'));
    put(last, "table", "own");
    EXPECT_EQ(content(main, "table"), std::string(100 * kBlockBytes, 'x'));
}

TEST_F(LineScale, TenThousandLinesInOneCommitAndAQuickOpen) {
    LineId main = new_root();
    put(main, "table", "x");
    Commit commit;
    for (int i = 0; i < 10'000; i++) {
        commit.create.push_back({.line = store().reserve_line(), .parent = main});
        commit.notes.push_back({cat("branch/", i), std::string(300, 'n')});
    }
    uint64_t resident_before = resident_bytes();
    LB_MUST(store().commit(commit));
    uint64_t resident = resident_bytes() - std::min(resident_before, resident_bytes());
    RecordProperty("bytes_per_line", cat(resident / 10'000));
    close();
    auto start = Clock::now();
    open();
    auto took = Clock::now() - start;
    RecordProperty("open_ms",
                   cat(std::chrono::duration_cast<std::chrono::milliseconds>(took).count()));
    EXPECT_LT(took, std::chrono::seconds(5));  // less than one on an idle machine
    EXPECT_EQ(store().lines().size(), 10'001U);
    EXPECT_EQ(LB_MUST(store().notes("branch/")).size(), 10'000U);
    EXPECT_EQ(content(commit.create.back().line, "table"), "x");
    LB_MUST(store().commit({.remove = {commit.create.front().line}}));
    EXPECT_EQ(store().lines().size(), 10'000U);
}

TEST_F(LineScale, ACommitThatDoesNotFitIsRefused) {
    Commit commit;
    for (uint32_t i = 0; i <= kFrameRecordsMax; i++) commit.notes.push_back({cat("k", i), "v"});
    EXPECT_EQ(store().commit(commit).error().code, ErrorCode::kStoreInvalid);
    Commit large{.notes = {{"k", std::string(kFrameBodyMaxBytes, 'v')}}};
    EXPECT_EQ(store().commit(large).error().code, ErrorCode::kStoreInvalid);
    EXPECT_EQ(store().commit({}).error().code, ErrorCode::kStoreInvalid);
    EXPECT_TRUE(LB_MUST(store().notes("")).empty());
}

TEST_F(LineScale, AChainOfFiftyBranchesReadsThrough) {
    LineId line = new_root();
    InodeId file = must_create(line, kRootInode, "table").inode;
    LB_MUST(store().write(line, file, 0, as_bytes(std::string(60 * kBlockBytes, '.'))));
    std::string expected(60 * kBlockBytes, '.');
    std::vector<LineId> chain{line};
    for (uint64_t depth = 1; depth <= 50; depth++) {
        line = new_child(line);
        chain.push_back(line);
        std::string mark(1, static_cast<char>('A' + depth % 26));
        LB_MUST(store().write(line, file, depth * kBlockBytes, as_bytes(mark)));
        must_create(line, kRootInode, cat("file", depth));
        expected[depth * kBlockBytes] = mark[0];
    }
    for (int round = 0; round < 2; round++) {
        EXPECT_EQ(LB_MUST(store().line(line)).depth, 50U);
        EXPECT_EQ(content(line, "table"), expected);
        EXPECT_EQ(LB_MUST(store().list(line, kRootInode, "", 100)).size(), 51U);
        reopen();
    }
    // All between the ends go; the leaf still reads through them.
    std::vector<LineId> middle(chain.begin() + 1, chain.end() - 1);
    LB_MUST(store().commit({.remove = middle}));
    EXPECT_EQ(content(line, "table"), expected);
    reopen();
    EXPECT_EQ(content(line, "table"), expected);
    EXPECT_EQ(store().lines().size(), 2U);
    LB_MUST(store().commit({.remove = {line}}));
    EXPECT_FALSE(store().line(middle.front()).is_ok());
    EXPECT_EQ(store().lines().size(), 1U);
}

}  // namespace
}  // namespace lb::store
