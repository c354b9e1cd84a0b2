// Stores that an older lb wrote: data/version1 was made by the last one that wrote format version
// 1, with segments of 16 KiB. They open, are rewritten to the present version, and show what they
// did.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/text.h"
#include "store/check.h"
#include "store/disk_memory.h"
#include "store/log_super.h"
#include "store/segment_files.h"
#include "store/store.h"

namespace lb::store {
namespace {

namespace fs = std::filesystem;

class FormatUpgrade : public ::testing::Test {
protected:
    FormatUpgrade() {
        for (const char* directory : {"store", "store/seg"}) {
            LB_MUST(disk_.create_directory(directory));
        }
        for (const auto& entry : fs::recursive_directory_iterator(LB_TEST_DATA "/version1")) {
            if (!entry.is_regular_file()) continue;
            std::ifstream in(entry.path(), std::ios::binary);
            std::string text((std::istreambuf_iterator<char>(in)), {});
            std::string name = fs::relative(entry.path(), LB_TEST_DATA "/version1").string();
            auto file = LB_MUST(disk_.open(cat("store/", name), OpenMode::kCreate));
            ByteView piece = as_bytes(text);
            LB_MUST(file->write_at(0, {&piece, 1}));
            LB_MUST(file->sync());
        }
    }
    std::unique_ptr<Store> open() {
        return LB_MUST(Store::open({.directory = "store",
                                    .disk = &disk_,
                                    .spare_segments = 0,
                                    .is_index_in_memory = true,
                                    .has_reclaim_thread = false}));
    }
    uint32_t version_of(const std::string& path) {
        auto file = LB_MUST(disk_.open(path, OpenMode::kRead));
        Bytes bytes(12);
        LB_MUST(file->read_at(0, bytes));
        return load_little_endian<uint32_t>(bytes.data() + 8);
    }
    void expect_clean() {
        CheckReport report = LB_MUST(check_store({.directory = "store", .disk = &disk_}, {}));
        for (const Problem& problem : report.problems) {
            ADD_FAILURE() << problem_name(problem.code) << ": " << problem.message;
        }
        EXPECT_EQ(report.counts.lines, 3u);
    }

    MemoryDisk disk_;
};

std::string text_of(Store& store, LineId line, InodeId inode) {
    Bytes bytes(LB_MUST(store.attributes(line, inode)).size_bytes);
    EXPECT_EQ(LB_MUST(store.read(line, inode, 0, bytes)), bytes.size());
    return std::string(as_text(bytes));
}

std::string blocks(std::string_view letters) {
    std::string text;
    for (char letter : letters)
        text += std::string(2000, letter) + std::string(kBlockBytes - 2000, '\0');
    return text;
}

// What the older lb showed.
void expect_contents(Store& store) {
    const LineId main{1};
    const LineId child{2};
    const LineId old{3};
    std::vector<LineInfo> lines = store.lines();
    ASSERT_EQ(lines.size(), 3u);
    EXPECT_EQ(lines[0].head, Position{19});
    EXPECT_EQ(lines[0].logical_bytes, 16485u);
    EXPECT_EQ(lines[0].own_bytes, 20089u);
    EXPECT_EQ(lines[1].fork_position, Position{12});
    EXPECT_EQ(lines[1].logical_bytes, 18384u);
    EXPECT_EQ(lines[1].own_bytes, 2120u);
    EXPECT_EQ(lines[2].fork_position, Position{12});
    EXPECT_EQ(lines[2].logical_bytes, 0u);
    InodeId base = LB_MUST(store.lookup(main, kRootInode, "base")).inode;
    InodeId table = LB_MUST(store.lookup(main, base, "table")).inode;
    EXPECT_EQ(text_of(store, main, table), blocks("cfi").substr(0, 2 * kBlockBytes + 100));
    std::string on_child = blocks("cfi").substr(0, 2 * kBlockBytes + 2000);
    on_child.replace(kBlockBytes, 17, "only on the child");
    EXPECT_EQ(text_of(store, child, table), on_child);
    EXPECT_EQ(store.lookup(old, base, "table").error().code, ErrorCode::kStoreNotFound);
    EXPECT_EQ(text_of(store, main, LB_MUST(store.lookup(main, kRootInode, "moved")).inode), "x");
    InodeId link = LB_MUST(store.lookup(main, kRootInode, "link")).inode;
    EXPECT_EQ(LB_MUST(store.symlink_target(main, link)), "base/table");
    EXPECT_EQ(LB_MUST(store.note("note/a")), "first");
    EXPECT_EQ(LB_MUST(store.note("note/b")), "second");
    EXPECT_EQ(LB_MUST(store.note("note/gone")), std::nullopt);
}

TEST_F(FormatUpgrade, AStoreOfVersion1OpensAndBecomesOneOfVersion2) {
    EXPECT_EQ(version_of("store/SUPER"), 1u);
    expect_clean();
    EXPECT_EQ(version_of("store/SUPER"), 1u);  // a check changes nothing
    auto store = open();
    EXPECT_EQ(store->position(), Position{23});
    expect_contents(*store);
    LB_MUST(store->close());
    EXPECT_EQ(version_of("store/SUPER"), 2u);
    expect_clean();
    store = open();
    expect_contents(*store);
    LB_MUST(store->close());
}

// Old and new segments together, and then only new ones.
TEST_F(FormatUpgrade, ItGoesOnAndIsReclaimed) {
    auto store = open();
    LineId main{1};
    InodeId file = LB_MUST(store->create(main, kRootInode, "new", {})).inode;
    for (int i = 0; i < 8; i++) {
        LB_MUST(store->write(main, file, 0, as_bytes(std::string(kBlockBytes, 'n'))));
    }
    LB_MUST(store->remove(main, kRootInode, "new", FileType::kFile));
    LB_MUST(store->close());
    EXPECT_EQ(version_of(segment_path("store", SegmentId{1})), 1u);
    EXPECT_EQ(version_of(segment_path("store", SegmentId{5})), 2u);
    expect_clean();
    store = open();
    store->set_restore_windows({.standard = std::chrono::seconds{0}});
    while (LB_MUST(store->reclaim_step())) {
    }
    LB_MUST(store->close());
    EXPECT_FALSE(LB_MUST(disk_.exists(segment_path("store", SegmentId{1}))));
    expect_clean();
    store = open();
    InodeId base = LB_MUST(store->lookup(main, kRootInode, "base")).inode;
    InodeId table = LB_MUST(store->lookup(main, base, "table")).inode;
    EXPECT_EQ(text_of(*store, main, table), blocks("cfi").substr(0, 2 * kBlockBytes + 100));
    LB_MUST(store->close());
}

}  // namespace
}  // namespace lb::store
