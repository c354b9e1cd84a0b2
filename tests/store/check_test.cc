// The check of a store: clean stores are clean, and every flipped bit is found, is never served,
// and costs no more than what it hit.
#include "store/check.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <random>

#include "base/text.h"
#include "store/disk.h"
#include "store/segment_files.h"
#include "store/segment_log.h"
#include "tests/store/store_fixture.h"

namespace lb::store {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kSmallSegmentBytes = uint64_t{256} << 10;

std::string random_text(std::mt19937_64& random, size_t size) {
    std::string text(size, '\0');
    for (char& c : text) c = static_cast<char>(random() & 0xff);
    return text;
}

void flip_bit(const std::string& path, uint64_t offset, unsigned bit) {
    int descriptor = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
    ASSERT_GE(descriptor, 0) << path;
    unsigned char byte = 0;
    ASSERT_EQ(::pread(descriptor, &byte, 1, static_cast<off_t>(offset)), 1);
    byte = static_cast<unsigned char>(byte ^ (1U << bit));
    ASSERT_EQ(::pwrite(descriptor, &byte, 1, static_cast<off_t>(offset)), 1);
    ::close(descriptor);
}

std::string text_of(const CheckReport& report) {
    std::string text;
    for (const Problem& problem : report.problems) {
        text += cat(problem_name(problem.code), " segment ", problem.segment.value(), " offset ",
                    problem.offset, " ", problem.path, ": ", problem.message, "\n");
    }
    return text;
}

bool has(const CheckReport& report, ProblemCode code) {
    return std::ranges::any_of(report.problems,
                               [code](const Problem& problem) { return problem.code == code; });
}

// A store of several small segments with lines, files and history.
class CheckTest : public ::testing::Test {
protected:
    struct File {
        LineId line;
        InodeId inode;
        std::string path;
        std::string content;
    };

    CheckTest() {
        std::string pattern = (fs::temp_directory_path() / "lb-check-XXXXXX").string();
        directory_ = ::mkdtemp(pattern.data());
        fill();
    }
    ~CheckTest() override {
        if (store_) static_cast<void>(store_->close());
        store_.reset();
        fs::remove_all(directory_);
    }

    std::string store_directory() const { return directory_ + "/store"; }

    Result<std::unique_ptr<Store>> open() {
        return Store::open(
            {.directory = store_directory(),
             .spare_segments = 0,
             .segment_bytes = kSmallSegmentBytes,
             .on_damage = [this](const DamageMet& damage) { met_.push_back(damage); }});
    }
    void close() {
        LB_MUST(store_->close());
        store_.reset();
    }

    CheckReport check() {
        return LB_MUST(check_store({.directory = store_directory(),
                                    .disk = nullptr,
                                    .scratch_directory = directory_ + "/scratch"},
                                   {}));
    }
    CheckReport rebuild() { return LB_MUST(rebuild_index({.directory = store_directory()}, {})); }

    // Leaves the store closed.
    void fill() {
        store_ = LB_MUST(open());
        LineId main = store_->reserve_line();
        LB_MUST(store_->commit({.create = {{.line = main}}, .notes = {{"note/a", "first"}}}));
        InodeId base =
            LB_MUST(store_->create(main, kRootInode, "base", {.type = FileType::kDirectory})).inode;
        for (int i = 0; i < 12; i++) {
            std::string name = cat("file", i);
            InodeId inode = LB_MUST(store_->create(main, base, name, {})).inode;
            files_.push_back({main, inode, cat("base/", name), ""});
            write(files_.back(), 0, random_text(random_, 7 * kBlockBytes));
        }
        for (int i = 0; i < 100; i++) write(files_[0], 0, random_text(random_, kBlockBytes));
        LineId child = store_->reserve_line();
        LB_MUST(store_->commit(
            {.create = {{.line = child, .parent = main}}, .notes = {{"note/b", "second"}}}));
        size_t count = files_.size();
        for (size_t i = 0; i < count; i++) {
            File copy = files_[i];
            copy.line = child;
            write(files_[i], kBlockBytes * (i % 5), random_text(random_, kBlockBytes));
            if (i % 2 == 0) write(copy, kBlockBytes, random_text(random_, kBlockBytes));
            files_.push_back(copy);
        }
        InodeId gone = LB_MUST(store_->create(child, base, "gone", {})).inode;
        LB_MUST(store_->write(child, gone, 0, as_bytes("x")));
        LB_MUST(store_->rename(child, base, "gone", kRootInode, "moved", RenameMode::kReplace));
        LB_MUST(store_->link(child, gone, base, "linked"));
        LB_MUST(store_->remove(child, kRootInode, "moved", FileType::kFile));
        LB_MUST(store_->commit({.notes = {{"note/a", std::nullopt}}}));
        close();
    }
    void write(File& file, uint64_t offset, const std::string& text) {
        LB_MUST(store_->write(file.line, file.inode, offset, as_bytes(text)));
        LB_MUST(store_->sync(store_->position().value()));
        if (file.content.size() < offset + text.size()) file.content.resize(offset + text.size());
        file.content.replace(offset, text.size(), text);
    }

    // Reads all files by the block. What is read is right; returns how many blocks cannot be.
    size_t count_unreadable_blocks() {
        size_t unreadable = 0;
        for (const File& file : files_) {
            for (uint64_t offset = 0; offset < file.content.size(); offset += kBlockBytes) {
                Bytes bytes(kBlockBytes);
                Result<size_t> count = store_->read(file.line, file.inode, offset, bytes);
                if (!count) {
                    EXPECT_EQ(count.error().code, ErrorCode::kStoreDamaged);
                    unreadable++;
                    continue;
                }
                EXPECT_TRUE(as_text(bytes).substr(0, *count) ==
                            std::string_view(file.content).substr(offset, kBlockBytes))
                    << file.path << " at " << offset;
            }
        }
        return unreadable;
    }

    uint64_t segment_count() const {
        uint64_t count = 0;
        while (fs::exists(segment_path(store_directory(), SegmentId{count + 1}))) count++;
        return count;
    }
    uint64_t log_end_offset() {
        store_ = LB_MUST(open());
        LogPlace end = store_->log_end();
        close();
        return end.offset;
    }

    std::string directory_;
    std::mt19937_64 random_{7};
    std::unique_ptr<Store> store_;
    std::vector<File> files_;
    std::vector<DamageMet> met_;
};

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
