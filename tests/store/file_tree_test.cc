// The file semantics PostgreSQL depends on: sizes, holes and truncation at every boundary, rename,
// links, symbolic links, open files, hidden names.
#include <gtest/gtest.h>

#include "tests/store/store_fixture.h"

namespace lb::store {
namespace {

using FileTreeTest = StoreFixture;

constexpr size_t kWriteBytes = size_t{1} << 20;
constexpr std::array<uint64_t, 9> kBoundaries{0,
                                              1,
                                              kBlockBytes - 1,
                                              kBlockBytes,
                                              kBlockBytes + 1,
                                              63 * kBlockBytes,
                                              64 * kBlockBytes,
                                              64 * kBlockBytes + 1,
                                              130 * kBlockBytes + 77};

TEST_F(FileTreeTest, ShrinkAndGrowReadsZerosAtEveryBoundary) {
    LineId main = new_root();
    for (uint64_t written : kBoundaries) {
        for (uint64_t cut : kBoundaries) {
            InodeId file = must_create(main, kRootInode, "f").inode;
            std::string expected(written, 'x');
            for (uint64_t at = 0; at < written; at += kWriteBytes) {
                std::string piece = expected.substr(at, kWriteBytes);
                LB_MUST(store().write(main, file, at, as_bytes(piece)));
            }
            LB_MUST(store().set_attributes(main, file, {.size_bytes = cut}));
            expected.resize(cut);
            EXPECT_EQ(bytes_of(main, file), expected) << written << " cut to " << cut;
            LB_MUST(store().set_attributes(main, file, {.size_bytes = 200 * kBlockBytes}));
            expected.resize(200 * kBlockBytes);
            LineId child = new_child(main);
            EXPECT_EQ(bytes_of(main, file), expected) << written << " cut to " << cut;
            EXPECT_EQ(bytes_of(child, file), expected) << written << " cut to " << cut;
            LB_MUST(store().remove(main, kRootInode, "f", FileType::kFile));
        }
    }
}

TEST_F(FileTreeTest, ATruncationOnAChildHidesTheParentsBlocksOnly) {
    LineId main = new_root();
    InodeId file = must_create(main, kRootInode, "f").inode;
    LB_MUST(store().write(main, file, 0, as_bytes(std::string(10 * kBlockBytes, 'p'))));
    LineId child = new_child(main);
    LB_MUST(store().set_attributes(child, file, {.size_bytes = 3 * kBlockBytes}));
    LB_MUST(store().write(child, file, 5 * kBlockBytes, as_bytes(std::string(kBlockBytes, 'c'))));
    LineId grandchild = new_child(child);
    std::string expected = std::string(3 * kBlockBytes, 'p') + std::string(2 * kBlockBytes, '\0') +
                           std::string(kBlockBytes, 'c');
    for (int round = 0; round < 2; round++) {
        EXPECT_EQ(bytes_of(child, file), expected);
        EXPECT_EQ(bytes_of(grandchild, file), expected);
        EXPECT_EQ(bytes_of(main, file), std::string(10 * kBlockBytes, 'p'));
        reopen();
    }
}

TEST_F(FileTreeTest, AnEmptiedFileGetsNewContentsAndTheParentKeepsItsOwn) {
    LineId main = new_root();
    put(main, "f", "parent");
    LineId child = new_child(main);
    InodeId file = inode_of_name(child, "f");
    LB_MUST(store().set_attributes(child, file, {.size_bytes = 0}));
    LB_MUST(store().write(child, file, 10, as_bytes("x")));
    reopen();
    EXPECT_EQ(bytes_of(child, file), std::string(10, '\0') + "x");
    EXPECT_EQ(content(main, "f"), "parent");
}

TEST_F(FileTreeTest, ZeroBlocksAndHolesTakeNoSpace) {
    LineId main = new_root();
    InodeId file = must_create(main, kRootInode, "f").inode;
    uint64_t before = LB_MUST(store().line(main)).own_bytes;
    LB_MUST(store().write(main, file, 0, as_bytes(std::string(64 * kBlockBytes, '\0'))));
    LB_MUST(store().allocate(main, file, 0, uint64_t{1} << 30));
    EXPECT_LT(LB_MUST(store().line(main)).own_bytes - before, 64U * 60U);
    EXPECT_EQ(LB_MUST(store().attributes(main, file)).size_bytes, uint64_t{1} << 30);
    std::string tail(kBlockBytes, 'x');
    size_t count = LB_MUST(store().read(main, file, (uint64_t{1} << 30) - 100,
                                        std::as_writable_bytes(std::span(tail))));
    EXPECT_EQ(count, 100U);
    EXPECT_EQ(tail.substr(0, 100), std::string(100, '\0'));
}

TEST_F(FileTreeTest, ZeroingKeepsTheSizeAndWhatIsAround) {
    LineId main = new_root();
    put(main, "f", std::string(5 * kBlockBytes, 'x'));
    InodeId file = inode_of_name(main, "f");
    LB_MUST(store().zero(main, file, 100, 3 * kBlockBytes));
    LB_MUST(store().zero(main, file, 5 * kBlockBytes - 10, 1000));
    std::string expected(5 * kBlockBytes, 'x');
    expected.replace(100, 3 * kBlockBytes, 3 * kBlockBytes, '\0');
    expected.replace(5 * kBlockBytes - 10, 10, 10, '\0');
    EXPECT_EQ(content(main, "f"), expected);
    Position before = store().position();
    LB_MUST(store().zero(main, file, kBlockBytes, kBlockBytes));  // zeros already
    EXPECT_EQ(store().position(), before);
}

TEST_F(FileTreeTest, LimitsAreRefused) {
    LineId main = new_root();
    InodeId file = must_create(main, kRootInode, "f").inode;
    auto is_invalid = [](const auto& result) {
        return !result.is_ok() && result.error().code == ErrorCode::kStoreInvalid;
    };
    EXPECT_TRUE(is_invalid(store().write(main, file, kFileMaxBytes, as_bytes("x"))));
    EXPECT_TRUE(is_invalid(store().write(main, file, UINT64_MAX, as_bytes("x"))));
    std::string large(kWriteBytes + 1, 'x');
    EXPECT_TRUE(is_invalid(store().write(main, file, 0, as_bytes(large))));
    EXPECT_TRUE(is_invalid(store().set_attributes(main, file, {.size_bytes = kFileMaxBytes + 1})));
    EXPECT_TRUE(is_invalid(store().allocate(main, file, 1, kFileMaxBytes)));
    LB_MUST(store().write(main, file, kFileMaxBytes - 1, as_bytes("x")));
    EXPECT_EQ(LB_MUST(store().attributes(main, file)).size_bytes, kFileMaxBytes);
    EXPECT_TRUE(is_invalid(store().create(main, kRootInode, std::string(256, 'x'), {})));
    EXPECT_TRUE(is_invalid(store().create(main, kRootInode, "..", {})));
    EXPECT_EQ(store().write(main, kRootInode, 0, as_bytes("x")).error().code,
              ErrorCode::kStoreIsDirectory);
    EXPECT_EQ(store().lookup(main, file, "x").error().code, ErrorCode::kStoreNotDirectory);
    EXPECT_EQ(store().lookup(LineId{99}, kRootInode, "x").error().code, ErrorCode::kStoreNotFound);
}

TEST_F(FileTreeTest, ADirectoryCannotMoveIntoItself) {
    LineId main = new_root();
    InodeId a = must_create(main, kRootInode, "a", FileType::kDirectory).inode;
    InodeId b = must_create(main, a, "b", FileType::kDirectory).inode;
    for (InodeId target : {a, b}) {
        Status moved = store().rename(main, kRootInode, "a", target, "x", RenameMode::kReplace);
        EXPECT_EQ(moved.error().code, ErrorCode::kStoreInvalid);
    }
    LB_MUST(store().rename(main, a, "b", kRootInode, "b", RenameMode::kReplace));
    LB_MUST(store().rename(main, kRootInode, "a", b, "a", RenameMode::kReplace));
    Status back = store().rename(main, kRootInode, "b", a, "x", RenameMode::kReplace);
    EXPECT_EQ(back.error().code, ErrorCode::kStoreInvalid);
}

TEST_F(FileTreeTest, RenameReplacesFilesAndEmptyDirectories) {
    LineId main = new_root();
    put(main, "new", "new");
    put(main, "old", "old");
    InodeId old = inode_of_name(main, "old");
    store().retain(main, old);
    LB_MUST(store().rename(main, kRootInode, "new", kRootInode, "old", RenameMode::kReplace));
    EXPECT_EQ(content(main, "old"), "new");
    EXPECT_FALSE(has(main, "new"));
    EXPECT_EQ(bytes_of(main, old), "old");
    store().release(main, old);
    must_create(main, kRootInode, "slot.tmp", FileType::kDirectory);
    InodeId slot = must_create(main, kRootInode, "slot", FileType::kDirectory).inode;
    must_create(main, slot, "state");
    auto rename_slot = [&] {
        return store().rename(main, kRootInode, "slot.tmp", kRootInode, "slot",
                              RenameMode::kReplace);
    };
    EXPECT_EQ(rename_slot().error().code, ErrorCode::kStoreNotEmpty);
    LB_MUST(store().remove(main, slot, "state", FileType::kFile));
    LB_MUST(rename_slot());
    EXPECT_FALSE(store().attributes(main, slot).is_ok());
    Status kept =
        store().rename(main, kRootInode, "slot", kRootInode, "old", RenameMode::kNoReplace);
    EXPECT_EQ(kept.error().code, ErrorCode::kStoreExists);
}

TEST_F(FileTreeTest, HardLinksShareContents) {
    LineId main = new_root();
    put(main, "a", "shared");
    InodeId file = inode_of_name(main, "a");
    EXPECT_EQ(LB_MUST(store().link(main, file, kRootInode, "b")).link_count, 2U);
    LB_MUST(store().write(main, inode_of_name(main, "b"), 0, as_bytes("S")));
    EXPECT_EQ(content(main, "a"), "Shared");
    LB_MUST(store().remove(main, kRootInode, "a", FileType::kFile));
    EXPECT_EQ(content(main, "b"), "Shared");
    EXPECT_EQ(LB_MUST(store().line(main)).logical_bytes, 6U);
    EXPECT_EQ(store().link(main, kRootInode, kRootInode, "c").error().code,
              ErrorCode::kStoreIsDirectory);
}

TEST_F(FileTreeTest, SymbolicLinksStayInside) {
    LineId main = new_root();
    InodeId a = must_create(main, kRootInode, "a", FileType::kDirectory).inode;
    auto link = [&](InodeId directory, const std::string& target) {
        NewFile file{.type = FileType::kSymlink, .symlink_target = target};
        return store().create(main, directory, "link", file);
    };
    for (const char* outside : {"/etc/passwd", "..", "../x", "a/../..", "a/../b"}) {
        EXPECT_EQ(link(kRootInode, outside).error().code, ErrorCode::kStoreNotSupported) << outside;
    }
    EXPECT_EQ(link(kRootInode, "").error().code, ErrorCode::kStoreInvalid);
    InodeId inode = LB_MUST(link(a, "../a/file")).inode;
    EXPECT_EQ(LB_MUST(store().symlink_target(main, inode)), "../a/file");
    Status up = store().rename(main, a, "link", kRootInode, "link", RenameMode::kReplace);
    EXPECT_EQ(up.error().code, ErrorCode::kStoreNotSupported);
    EXPECT_FALSE(store().symlink_target(main, a).is_ok());
}

TEST_F(FileTreeTest, ListingGoesOnAfterAName) {
    LineId main = new_root();
    for (const char* name : {"a", "a.b", "ab", "b", "c"}) must_create(main, kRootInode, name);
    auto names_after = [&](const std::string& after, size_t limit) {
        std::string names;
        for (const auto& entry : LB_MUST(store().list(main, kRootInode, after, limit))) {
            names += entry.name + " ";
        }
        return names;
    };
    EXPECT_EQ(names_after("", 100), "a a.b ab b c ");
    EXPECT_EQ(names_after("a.b", 2), "ab b ");
    EXPECT_EQ(names_after("aaa", 1), "ab ");
    EXPECT_EQ(names_after("c", 100), "");
}

TEST_F(FileTreeTest, ServerFilesAreNotInherited) {
    LineId main = new_root();
    put(main, "postmaster.pid", "4711");
    put(main, "postmaster.opts", "x");
    InodeId base = must_create(main, kRootInode, "base", FileType::kDirectory).inode;
    InodeId temporary = must_create(main, base, "pgsql_tmp", FileType::kDirectory).inode;
    must_create(main, temporary, "pgsql_tmp1.0");
    must_create(main, base, "postmaster.pid");
    InodeId statistics = must_create(main, kRootInode, "pg_stat_tmp", FileType::kDirectory).inode;
    must_create(main, statistics, "global.stat");
    LineId child = new_child(main);
    for (int round = 0; round < 2; round++) {
        EXPECT_FALSE(has(child, "postmaster.pid"));
        EXPECT_FALSE(has(child, "postmaster.opts"));
        EXPECT_FALSE(has(child, "pgsql_tmp", base));
        EXPECT_TRUE(has(child, "postmaster.pid", base));
        EXPECT_TRUE(has(child, "pg_stat_tmp"));
        EXPECT_TRUE(LB_MUST(store().list(child, statistics, "", 100)).empty());
        EXPECT_TRUE(has(main, "postmaster.pid"));
        EXPECT_TRUE(has(main, "global.stat", statistics));
        reopen();
    }
    // Its own are ordinary files, and hidden from its children in turn.
    put(child, "postmaster.pid", "4712");
    EXPECT_EQ(content(child, "postmaster.pid"), "4712");
    must_create(child, base, "pgsql_tmp", FileType::kDirectory);
    LineId grandchild = new_child(child);
    EXPECT_FALSE(has(grandchild, "postmaster.pid"));
    EXPECT_FALSE(has(grandchild, "pgsql_tmp", base));
    LB_MUST(store().remove(child, kRootInode, "pg_stat_tmp", FileType::kDirectory));
}

TEST_F(FileTreeTest, WhatIsHiddenIsDecidedAtTheFork) {
    LineId main = new_root();
    InodeId other = must_create(main, kRootInode, "other", FileType::kDirectory).inode;
    must_create(main, other, "kept");
    InodeId statistics = must_create(main, kRootInode, "pg_stat_tmp", FileType::kDirectory).inode;
    must_create(main, statistics, "hidden");
    LineId child = new_child(main);
    auto rename = [&](const std::string& from, const std::string& to) {
        LB_MUST(store().rename(child, kRootInode, from, kRootInode, to, RenameMode::kReplace));
    };
    rename("pg_stat_tmp", "was_stat_tmp");
    rename("other", "pg_stat_tmp");
    EXPECT_FALSE(has(child, "hidden", statistics));
    EXPECT_TRUE(has(child, "kept", other));
    LineId grandchild = new_child(child);
    EXPECT_FALSE(has(grandchild, "hidden", statistics));
    EXPECT_FALSE(has(grandchild, "kept", other));
}

TEST_F(FileTreeTest, TimesFollowWritesAndSurviveAReopen) {
    LineId main = new_root();
    put(main, "f", std::string(kBlockBytes, 'x'));
    InodeId file = inode_of_name(main, "f");
    WallTime long_ago{std::chrono::seconds(1000)};
    LB_MUST(store().set_attributes(main, file, {.modified_at = long_ago}));
    EXPECT_EQ(LB_MUST(store().attributes(main, file)).modified_at, long_ago);
    // Overwrites in place, without a change of size.
    LB_MUST(store().write(main, file, 0, as_bytes("y")));
    FileAttributes written = LB_MUST(store().attributes(main, file));
    EXPECT_GT(written.modified_at, long_ago);
    WallTime directory = LB_MUST(store().attributes(main, kRootInode)).modified_at;
    lose_index();
    EXPECT_EQ(LB_MUST(store().attributes(main, file)).modified_at, written.modified_at);
    EXPECT_EQ(LB_MUST(store().attributes(main, kRootInode)).modified_at, directory);
    reopen();
    EXPECT_EQ(LB_MUST(store().attributes(main, file)).modified_at, written.modified_at);
    EXPECT_TRUE(store().is_durable(written.last_sequence));
}

}  // namespace
}  // namespace lb::store
