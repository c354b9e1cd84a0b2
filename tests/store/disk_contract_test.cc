// What every Disk promises, checked on the real one and on the one in memory.
#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "store/disk_memory.h"

namespace lb::store {
namespace {

enum class Kind { kPosix, kMemory };

class DiskContract : public testing::TestWithParam<Kind> {
protected:
    void SetUp() override {
        if (GetParam() == Kind::kMemory) {
            root_ = "root";
            LB_MUST(memory_.create_directory(root_));
            return;
        }
        std::string pattern = testing::TempDir() + "lb-disk-XXXXXX";
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        root_ = pattern;
    }
    void TearDown() override {
        if (GetParam() == Kind::kPosix && !root_.empty()) std::filesystem::remove_all(root_);
    }

    Disk& disk() { return GetParam() == Kind::kPosix ? posix_disk() : memory_; }
    std::string path(std::string_view name) { return root_ + "/" + std::string(name); }
    std::unique_ptr<File> create(std::string_view name) {
        return LB_MUST(disk().open(path(name), OpenMode::kCreate));
    }

    MemoryDisk memory_;
    std::string root_;
};

Status write(File& file, uint64_t offset, std::string_view text) {
    ByteView piece = as_bytes(text);
    return file.write_at(offset, {&piece, 1});
}

std::string read(File& file, uint64_t offset, size_t count) {
    std::string text(count, '?');
    LB_MUST(file.read_at(offset, std::as_writable_bytes(std::span(text))));
    return text;
}

TEST_P(DiskContract, WritesGatherPiecesAndLeaveHolesOfZeros) {
    auto file = create("a");
    // More pieces than one system call takes, empty ones among them.
    std::vector<std::string> texts;
    std::string expected;
    for (int i = 0; i < 3000; ++i) texts.push_back(i % 7 == 0 ? "" : std::to_string(i));
    std::vector<ByteView> pieces;
    for (const std::string& text : texts) {
        pieces.push_back(as_bytes(text));
        expected += text;
    }
    LB_MUST(file->write_at(10, pieces));
    EXPECT_EQ(LB_MUST(file->size_bytes()), 10 + expected.size());
    EXPECT_EQ(read(*file, 0, 10), std::string(10, '\0'));
    EXPECT_EQ(read(*file, 10, expected.size()), expected);
    LB_MUST(file->write_at(0, {}));
    LB_MUST(file->sync());
}

TEST_P(DiskContract, ReadingPastTheEndIsAnError) {
    auto file = create("a");
    LB_MUST(write(*file, 0, "12345"));
    std::array<std::byte, 6> out;
    Status status = file->read_at(0, out);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, ErrorCode::kIo);
    EXPECT_FALSE(file->read_at(100, std::span(out).first(1)));
}

TEST_P(DiskContract, OpenModes) {
    Result<std::unique_ptr<File>> absent = disk().open(path("a"), OpenMode::kReadWrite);
    ASSERT_FALSE(absent);
    EXPECT_EQ(absent.error().code, ErrorCode::kStoreNotFound);
    EXPECT_EQ(absent.error().system_errno, ENOENT);
    EXPECT_FALSE(disk().open(path("none/a"), OpenMode::kCreate));
    create("a");
    Result<std::unique_ptr<File>> again = disk().open(path("a"), OpenMode::kCreate);
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, ErrorCode::kIo);
    EXPECT_EQ(again.error().system_errno, EEXIST);
    LB_MUST(write(*LB_MUST(disk().open(path("a"), OpenMode::kReadWrite)), 0, "x"));
    EXPECT_EQ(read(*LB_MUST(disk().open(path("a"), OpenMode::kRead)), 0, 1), "x");
}

TEST_P(DiskContract, AllocatedBytesAreZeroAndKeepWhatWasThere) {
    auto file = create("a");
    LB_MUST(write(*file, 0, "head"));
    LB_MUST(file->allocate(100'000));
    EXPECT_EQ(LB_MUST(file->size_bytes()), 100'000u);
    EXPECT_EQ(read(*file, 0, 6), std::string("head\0\0", 6));
    EXPECT_EQ(read(*file, 99'990, 10), std::string(10, '\0'));
    LB_MUST(file->allocate(10));
    EXPECT_EQ(LB_MUST(file->size_bytes()), 100'000u);
    LB_MUST(file->truncate(3));
    LB_MUST(file->truncate(5));
    EXPECT_EQ(read(*file, 0, 5), std::string("hea\0\0", 5));
}

TEST_P(DiskContract, Directories) {
    LB_MUST(disk().create_directory(path("d")));
    LB_MUST(disk().create_directory(path("d")));
    create("d/two");
    create("d/one");
    EXPECT_EQ(LB_MUST(disk().list(path("d"))), (std::vector<std::string>{"one", "two"}));
    EXPECT_TRUE(LB_MUST(disk().exists(path("d/one"))));
    EXPECT_FALSE(LB_MUST(disk().exists(path("d/three"))));
    EXPECT_FALSE(LB_MUST(disk().exists(path("d/one/below"))));
    LB_MUST(disk().sync_directory(path("d")));
    EXPECT_FALSE(disk().create_directory(path("d/one")));
    EXPECT_FALSE(disk().remove(path("d")));
    EXPECT_FALSE(disk().list(path("none")));
    EXPECT_FALSE(disk().sync_directory(path("none")));
    EXPECT_FALSE(disk().remove(path("d/none")));
    LB_MUST(disk().remove(path("d/one")));
    LB_MUST(disk().remove(path("d/two")));
    LB_MUST(disk().remove(path("d")));
    EXPECT_FALSE(LB_MUST(disk().exists(path("d"))));
}

TEST_P(DiskContract, RenameReplacesAndOpenFilesStayUsable) {
    auto old = create("old");
    auto fresh = create("fresh");
    LB_MUST(write(*old, 0, "old"));
    LB_MUST(write(*fresh, 0, "new"));
    LB_MUST(disk().rename(path("fresh"), path("old")));
    EXPECT_FALSE(LB_MUST(disk().exists(path("fresh"))));
    EXPECT_EQ(read(*LB_MUST(disk().open(path("old"), OpenMode::kRead)), 0, 3), "new");
    EXPECT_EQ(read(*old, 0, 3), "old");
    LB_MUST(disk().rename(path("old"), path("old")));
    LB_MUST(disk().remove(path("old")));
    EXPECT_EQ(read(*fresh, 0, 3), "new");
    Status absent = disk().rename(path("none"), path("other"));
    ASSERT_FALSE(absent);
    EXPECT_EQ(absent.error().code, ErrorCode::kStoreNotFound);
}

TEST_P(DiskContract, FreeSpaceAndClock) {
    EXPECT_GT(LB_MUST(disk().free_bytes(root_)), 0u);
    EXPECT_FALSE(disk().free_bytes(path("none")));
    WallTime before = disk().clock().now();
    EXPECT_LE(before, disk().clock().now());
}

INSTANTIATE_TEST_SUITE_P(Disks, DiskContract, testing::Values(Kind::kPosix, Kind::kMemory),
                         [](const testing::TestParamInfo<Kind>& kind) {
                             return kind.param == Kind::kPosix ? "Posix" : "Memory";
                         });

}  // namespace
}  // namespace lb::store
