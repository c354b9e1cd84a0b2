// The check of a store: clean stores are clean, and every flipped bit is found, is never served,
// and costs no more than what it hit.
#include "store/check.h"

#include <fstream>

#include "tests/store/check_fixture.h"

namespace lb::store {
namespace {

TEST_F(CheckTest, ACleanStoreIsClean) {
    CheckReport report = check();
    EXPECT_EQ(text_of(report), "");
    EXPECT_GE(report.counts.segments, 3u);
    EXPECT_EQ(report.counts.lines, 2u);
    EXPECT_GT(report.counts.index_entries, 100u);
    EXPECT_EQ(report.counts.position, report.counts.index_position);
    ASSERT_EQ(report.notes.size(), 1u);
    EXPECT_EQ(report.notes[0].key, "note/b");
    EXPECT_FALSE(fs::exists(directory_ + "/scratch"));

    store_ = LB_MUST(open());
    CheckReport online = LB_MUST(store_->check(directory_ + "/scratch", {}));
    EXPECT_EQ(text_of(online), "");
    EXPECT_EQ(online.counts.records, report.counts.records);
}

TEST_F(CheckTest, ACheckCanBeStopped) {
    CheckSink sink{.is_cancelled = [] { return true; }};
    Result<CheckReport> report = check_store({.directory = store_directory()}, sink);
    ASSERT_FALSE(report.is_ok());
    EXPECT_EQ(report.error().code, ErrorCode::kInterrupted);
}

// Wherever it is: found by the check, never served, and what is not hit can be read.
TEST_F(CheckTest, EveryFlippedBitOfTheLogIsFound) {
    uint64_t last = segment_count();
    uint64_t end_offset = log_end_offset();
    size_t opened = 0;
    for (int i = 0; i < 60; i++) {
        uint64_t segment = 1 + random_() % last;
        uint64_t offset = random_() % (segment == last ? end_offset : kSmallSegmentBytes);
        auto bit = static_cast<unsigned>(random_() % 8);
        std::string path = segment_path(store_directory(), SegmentId{segment});
        SCOPED_TRACE(cat("segment ", segment, " offset ", offset, " bit ", bit));
        fs::copy(store_directory(), directory_ + "/kept", fs::copy_options::recursive);
        flip_bit(path, offset, bit);
        CheckReport report = check();
        EXPECT_FALSE(report.problems.empty());
        bool is_named = std::ranges::any_of(report.problems, [&](const Problem& problem) {
            return problem.segment.value() == segment || problem.code == ProblemCode::kLogEnd;
        });
        EXPECT_TRUE(is_named) << text_of(report);
        Result<std::unique_ptr<Store>> opened_store = open();
        if (opened_store) {
            opened++;
            store_ = *std::move(opened_store);
            EXPECT_LE(count_unreadable_blocks(), 2u);  // the same block of two lines
            LB_MUST(store_->commit({.notes = {{"note/c", "still writable"}}}));
            close();
        } else {
            EXPECT_EQ(opened_store.error().code, ErrorCode::kStoreDamaged);
            EXPECT_TRUE(has(report, ProblemCode::kLogEnd)) << text_of(report);
        }
        fs::remove_all(store_directory());
        fs::rename(directory_ + "/kept", store_directory());
    }
    EXPECT_GT(opened, 10u);
    EXPECT_EQ(text_of(check()), "");
}

TEST_F(CheckTest, ADamagedBlockIsNamedWithLinesAndPath) {
    store_ = LB_MUST(open());
    const File& file = files_.back();  // its last block is its parent's
    uint64_t offset = 6 * kBlockBytes;
    close();
    // Find the record: damage every block until the file's block fails.
    std::string path = segment_path(store_directory(), SegmentId{1});
    CheckReport before = check();
    ASSERT_TRUE(before.is_clean());
    std::string content = file.content.substr(offset);
    for (uint64_t segment = 1; segment <= segment_count(); segment++) {
        path = segment_path(store_directory(), SegmentId{segment});
        std::ifstream in(path, std::ios::binary);
        std::string bytes((std::istreambuf_iterator<char>(in)), {});
        size_t at = bytes.find(content);
        if (at == std::string::npos) continue;
        flip_bit(path, at + 10, 3);
        break;
    }
    CheckReport report = check();
    if (has(report, ProblemCode::kLogEnd)) GTEST_SKIP() << "in the last segments";
    ASSERT_EQ(report.problems.size(), 1u) << text_of(report);
    const Problem& problem = report.problems[0];
    EXPECT_EQ(problem.code, ProblemCode::kRecord);
    EXPECT_EQ(problem.path, file.path);
    EXPECT_EQ(problem.lines, (std::vector<LineId>{LineId{1}, LineId{2}}));
    ASSERT_TRUE(problem.record.has_value());
    EXPECT_EQ(problem.record->block, 6u);

    store_ = LB_MUST(open());
    EXPECT_EQ(count_unreadable_blocks(), 2u);
    ASSERT_EQ(met_.size(), 2u);
    EXPECT_EQ(met_[1].inode, file.inode);
    EXPECT_EQ(met_[1].offset, offset);
    EXPECT_EQ(LB_MUST(store_->path(met_[1].line, met_[1].inode)), file.path);
    EXPECT_EQ(store_->statistics().damage_met_count, 2u);
    // Online sees the same.
    CheckReport online = LB_MUST(store_->check("", {}));
    ASSERT_EQ(online.problems.size(), 1u) << text_of(online);
    EXPECT_EQ(online.problems[0].path, file.path);
    // Writing the block anew heals the file; history keeps the damage.
    LB_MUST(store_->write(file.line, file.inode, offset, as_bytes(content)));
    close();

    // The index can be made anew although a block is damaged.
    fs::remove_all(store_directory() + "/index");
    Result<std::unique_ptr<Store>> without_index = open();
    EXPECT_FALSE(without_index.is_ok());
    CheckReport rebuilt = rebuild();
    EXPECT_EQ(rebuilt.problem_count, 1u) << text_of(rebuilt);
    store_ = LB_MUST(open());
    EXPECT_EQ(count_unreadable_blocks(), 1u);
}

TEST_F(CheckTest, ADamagedIndexIsFoundAndRebuilt) {
    int found = 0;
    int tried = 0;
    for (int round = 0; round < 16; round++) {
        std::vector<std::string> paths;
        for (const auto& entry : fs::directory_iterator(store_directory() + "/index")) {
            std::string name = entry.path().filename().string();
            if (name.ends_with(".sst") || name.starts_with("MANIFEST")) {
                paths.push_back(entry.path().string());
            }
        }
        ASSERT_FALSE(paths.empty());
        std::string path = paths[random_() % paths.size()];
        uint64_t size_bytes = fs::file_size(path);
        if (size_bytes == 0) continue;
        uint64_t offset = random_() % size_bytes;
        auto bit = static_cast<unsigned>(random_() % 8);
        SCOPED_TRACE(cat(path, " offset ", offset));
        fs::copy(store_directory(), directory_ + "/kept", fs::copy_options::recursive);
        flip_bit(path, offset, bit);
        tried++;
        CheckReport report = check();
        if (!report.is_clean()) found++;
        // Not found: it hit what does not matter. Then everything must be right.
        Result<std::unique_ptr<Store>> opened = open();
        ASSERT_TRUE(opened.is_ok());  // made anew if it cannot be opened
        store_ = *std::move(opened);
        size_t unreadable = count_unreadable_blocks();
        EXPECT_TRUE(unreadable == 0 || !report.is_clean());
        static_cast<void>(store_->close());
        store_.reset();
        CheckReport rebuilt = rebuild();
        EXPECT_EQ(text_of(rebuilt), "");
        EXPECT_EQ(text_of(check()), "");
        store_ = LB_MUST(open());
        EXPECT_EQ(count_unreadable_blocks(), 0u);
        close();
        fs::remove_all(store_directory());
        fs::rename(directory_ + "/kept", store_directory());
    }
    EXPECT_GT(found, tried / 2) << "of " << tried;
}

TEST_F(CheckTest, ADamagedSuperIsFound) {
    flip_bit(store_directory() + "/SUPER", 1000, 1);
    EXPECT_FALSE(open().is_ok());
    CheckReport report = check();
    EXPECT_TRUE(has(report, ProblemCode::kSuper)) << text_of(report);
    EXPECT_EQ(report.problem_count, 1u) << text_of(report);
    fs::remove(store_directory() + "/SUPER");
    EXPECT_TRUE(has(check(), ProblemCode::kSuper));
    EXPECT_TRUE(has(rebuild(), ProblemCode::kSuper));
}

TEST_F(CheckTest, AMissingSegmentIsFound) {
    fs::remove(segment_path(store_directory(), SegmentId{2}));
    CheckReport report = check();
    EXPECT_TRUE(has(report, ProblemCode::kSegmentMissing)) << text_of(report);
    EXPECT_TRUE(has(report, ProblemCode::kLogEnd)) << text_of(report);
    EXPECT_FALSE(open().is_ok());
}

TEST_F(CheckTest, NoStoreIsAnError) {
    Result<CheckReport> report = check_store({.directory = directory_ + "/nothing"}, {});
    ASSERT_FALSE(report.is_ok());
    EXPECT_EQ(report.error().code, ErrorCode::kStoreNotFound);
}

}  // namespace
}  // namespace lb::store
