// The store as its users see it: lines, files, notes, and what a reopen keeps.
#include "store/store.h"

#include <gtest/gtest.h>

#include "tests/store/store_fixture.h"

namespace lb::store {
namespace {

TEST_F(StoreFixture, AFileIsThereAfterItWasWritten) {
    LineId main = new_root();
    FileAttributes file = must_create(main, kRootInode, "PG_VERSION");
    LB_MUST(store().write(main, file.inode, 0, as_bytes("15\n")));
    EXPECT_EQ(content(main, "PG_VERSION"), "15\n");
    reopen();
    EXPECT_EQ(content(main, "PG_VERSION"), "15\n");
}

TEST_F(StoreFixture, AChildSeesItsParentAsOfTheFork) {
    LineId main = new_root();
    put(main, "a", "first");
    Position past = store().position();
    put(main, "a", "second");
    LineId child = new_child(main);
    LineId old = new_child(main, past);
    put(main, "a", "third");
    put(child, "b", "own");
    for (int round = 0; round < 2; round++) {
        EXPECT_EQ(content(main, "a"), "third");
        EXPECT_EQ(content(child, "a"), "second");
        EXPECT_EQ(content(old, "a"), "first");
        EXPECT_EQ(content(child, "b"), "own");
        EXPECT_FALSE(has(main, "b"));
        reopen();
    }
}

TEST_F(StoreFixture, AFreshBranchIsSmall) {
    LineId main = new_root();
    for (int i = 0; i < 100; i++) put(main, "file" + std::to_string(i), std::string(20000, 'x'));
    LineId child = new_child(main);
    LineInfo info = LB_MUST(store().line(child));
    EXPECT_LT(info.own_bytes, 200U);
    EXPECT_EQ(info.logical_bytes, 100U * 20000U);
    EXPECT_EQ(info.depth, 1U);
}

TEST_F(StoreFixture, StatisticsAreTheSameAfterAReopen) {
    LineId main = new_root();
    put(main, "a", std::string(100000, 'x'));
    LineId child = new_child(main);
    put(child, "a", std::string(10, 'y'));
    LineInfo before = LB_MUST(store().line(child));
    reopen();
    LineInfo after = LB_MUST(store().line(child));
    EXPECT_EQ(before.logical_bytes, after.logical_bytes);
    EXPECT_EQ(before.own_bytes, after.own_bytes);
    EXPECT_EQ(before.head, after.head);
    lose_index();
    LineInfo rebuilt = LB_MUST(store().line(child));
    EXPECT_EQ(before.logical_bytes, rebuilt.logical_bytes);
    EXPECT_EQ(before.own_bytes, rebuilt.own_bytes);
    EXPECT_EQ(before.head, rebuilt.head);
}

TEST_F(StoreFixture, LogicalBytesOfAPastPositionAreExact) {
    LineId main = new_root();
    put(main, "a", std::string(1000, 'x'));
    Position past = store().position();
    put(main, "b", std::string(500, 'x'));
    EXPECT_EQ(LB_MUST(store().line(new_child(main, past))).logical_bytes, 1000U);
    EXPECT_EQ(LB_MUST(store().line(new_child(main))).logical_bytes, 1500U);
}

TEST_F(StoreFixture, NotesAreKeptInTheSameFrameAsLines) {
    LineId main = store().reserve_line();
    LB_MUST(store().commit({.create = {{.line = main}},
                            .notes = {{"branch/main", "1"}, {"branch/other", "2"}, {"x", "3"}}}));
    reopen();
    EXPECT_EQ(LB_MUST(store().note("branch/main")), "1");
    EXPECT_EQ(LB_MUST(store().note("branch/none")), std::nullopt);
    EXPECT_EQ(LB_MUST(store().notes("branch/")).size(), 2U);
    EXPECT_EQ(LB_MUST(store().notes("")).size(), 3U);
    LB_MUST(store().commit({.notes = {{"branch/main", std::nullopt}}}));
    EXPECT_EQ(LB_MUST(store().notes("branch/")).size(), 1U);
}

TEST_F(StoreFixture, ACommitIsRefusedWhole) {
    LineId main = new_root();
    LineId child = store().reserve_line();
    auto refused = store().commit({.create = {{.line = child, .parent = main}},
                                   .remove = {LineId{999}},
                                   .notes = {{"key", "value"}}});
    EXPECT_EQ(refused.error().code, ErrorCode::kStoreNotFound);
    EXPECT_EQ(LB_MUST(store().note("key")), std::nullopt);
    EXPECT_FALSE(store().line(child).is_ok());
    auto future =
        store().commit({.create = {{.line = child, .parent = main, .at = Position{1'000'000}}}});
    EXPECT_EQ(future.error().code, ErrorCode::kStoreInvalid);
    auto unreserved = store().commit({.create = {{.line = LineId{500}}}});
    EXPECT_EQ(unreserved.error().code, ErrorCode::kStoreInvalid);
}

TEST_F(StoreFixture, ParentAndChildInOneCommit) {
    LineId main = store().reserve_line();
    LineId child = store().reserve_line();
    LB_MUST(store().commit({.create = {{.line = main}, {.line = child, .parent = main}}}));
    put(child, "a", "x");
    EXPECT_EQ(content(child, "a"), "x");
    EXPECT_FALSE(has(main, "a"));
}

TEST_F(StoreFixture, ADeletedLineIsGoneButItsChildrenStay) {
    LineId main = new_root();
    put(main, "a", "kept");
    LineId middle = new_child(main);
    put(middle, "b", "kept too");
    LineId leaf = new_child(middle);
    LB_MUST(store().commit({.remove = {middle}}));
    for (int round = 0; round < 2; round++) {
        EXPECT_EQ(store().lookup(middle, kRootInode, "a").error().code, ErrorCode::kStoreNotFound);
        EXPECT_EQ(content(leaf, "a"), "kept");
        EXPECT_EQ(content(leaf, "b"), "kept too");
        EXPECT_TRUE(LB_MUST(store().line(middle)).is_deleted);
        EXPECT_EQ(store().lines().size(), 2U);
        EXPECT_TRUE(store().children(main).empty());
        reopen();
    }
    LB_MUST(store().commit({.remove = {leaf}}));
    EXPECT_FALSE(store().line(middle).is_ok());
    EXPECT_FALSE(store().line(leaf).is_ok());
    LineId next = store().reserve_line();
    EXPECT_GT(next, leaf);
    reopen();
    EXPECT_GT(store().reserve_line(), leaf);
}

TEST_F(StoreFixture, AnUnlinkedFileStaysWhileItIsOpen) {
    LineId main = new_root();
    FileAttributes file = must_create(main, kRootInode, "a");
    LB_MUST(store().write(main, file.inode, 0, as_bytes("still here")));
    store().retain(main, file.inode);
    LB_MUST(store().remove(main, kRootInode, "a", FileType::kFile));
    EXPECT_EQ(LB_MUST(store().line(main)).logical_bytes, 0U);
    EXPECT_FALSE(has(main, "a"));
    LB_MUST(store().write(main, file.inode, 0, as_bytes("S")));
    EXPECT_EQ(bytes_of(main, file.inode), "Still here");
    store().release(main, file.inode);
    EXPECT_EQ(store().attributes(main, file.inode).error().code, ErrorCode::kStoreNotFound);
}

}  // namespace
}  // namespace lb::store
