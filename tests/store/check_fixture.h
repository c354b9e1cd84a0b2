// A store of several small segments on the real disk, for tests that damage its files.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <random>

#include "base/text.h"
#include "store/check.h"
#include "store/cold_segment.h"
#include "store/disk.h"
#include "store/log_super.h"
#include "store/segment_files.h"
#include "store/segment_log.h"
#include "tests/support/flip_bit.h"

namespace lb::store {

namespace fs = std::filesystem;

inline constexpr uint64_t kSmallSegmentBytes = uint64_t{256} << 10;

inline std::string random_text(std::mt19937_64& random, size_t size) {
    std::string text(size, '\0');
    for (char& c : text) c = static_cast<char>(random() & 0xff);
    return text;
}

inline std::string text_of(const CheckReport& report) {
    std::string text;
    for (const Problem& problem : report.problems) {
        text += cat(problem_name(problem.code), " segment ", problem.segment.value(), " offset ",
                    problem.offset, " ", problem.path, ": ", problem.message, "\n");
    }
    return text;
}

inline bool has(const CheckReport& report, ProblemCode code) {
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

    Result<std::unique_ptr<Store>> open(Disk* disk = nullptr) {
        return Store::open(
            {.directory = store_directory(),
             .disk = disk,
             .spare_segments = 0,
             .segment_bytes = kSmallSegmentBytes,
             .on_damage = [this](const DamageMet& damage) { met_.push_back(damage); },
             .has_reclaim_thread = false});
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

}  // namespace lb::store
