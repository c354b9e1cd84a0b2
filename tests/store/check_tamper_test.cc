// The check notices an index that does not say what the log says, and frames that do not fit what
// was before them although all their checksums are right.
#include <filesystem>

#include "base/text.h"
#include "store/check.h"
#include "store/disk_memory.h"
#include "store/frame_records.h"
#include "store/index.h"
#include "store/index_keys.h"
#include "store/index_text.h"
#include "store/line_table.h"
#include "tests/store/store_fixture.h"

namespace lb::store {
namespace {

std::string names_of(const CheckReport& report) {
    std::string text;
    for (const Problem& problem : report.problems) {
        if (!text.empty()) text += ' ';
        text += problem_name(problem.code);
    }
    return text;
}

// ---- An index that was tampered with -----------------------------------------------------------

class CheckIndexTest : public StoreFixture {
protected:
    CheckIndexTest() {
        line_ = new_root();
        put(line_, "file", std::string(3 * kBlockBytes, 'x'));
        put(line_, "other", "text");
        LB_MUST(store().commit({.notes = {{"note/a", "value"}}}));
        inode_ = inode_of_name(line_, "file");
    }
    // Closes the store, changes its index, and opens it again after the check.
    CheckReport check_after(const std::function<void(Index&, IndexBatch&)>& change) {
        close();
        {
            std::unique_ptr<Index> index = LB_MUST(open_rocksdb_index(
                {.directory = directory() + "/store/index", .before_flush = {}}));
            IndexBatch batch;
            change(*index, batch);
            LB_MUST(index->write(batch));
            LB_MUST(index->close());
        }
        CheckReport report = LB_MUST(check_store({.directory = directory() + "/store",
                                                  .disk = nullptr,
                                                  .scratch_directory = directory() + "/scratch"},
                                                 {}));
        open();
        return report;
    }
    // The last entry of the space: the oldest version of something.
    static std::pair<std::string, std::string> last_of(Index& index, KeySpace space) {
        std::pair<std::string, std::string> last;
        std::unique_ptr<IndexCursor> cursor = index.cursor();
        for (bool is_valid = LB_MUST(cursor->seek("")); is_valid;
             is_valid = LB_MUST(cursor->next())) {
            if (cursor->key()[0] != static_cast<char>(space)) continue;
            last = {std::string(cursor->key()), std::string(cursor->value())};
        }
        EXPECT_FALSE(last.first.empty());
        return last;
    }

    LineId line_;
    InodeId inode_;
};

TEST_F(CheckIndexTest, EveryKindOfEntryIsMissed) {
    for (KeySpace space : {KeySpace::kBlock, KeySpace::kInode, KeySpace::kDirent,
                           KeySpace::kLogicalBytes, KeySpace::kLine, KeySpace::kNote}) {
        CheckReport report = check_after(
            [&](Index& index, IndexBatch& batch) { batch.erase(last_of(index, space).first); });
        EXPECT_EQ(names_of(report), "index-missing") << static_cast<char>(space);
        lose_index();
    }
}

TEST_F(CheckIndexTest, EveryKindOfEntryIsTooMuch) {
    for (const std::string& key :
         {std::string(block_key(line_, first_data(inode_), 77, 3)),
          std::string(truncate_key(line_, first_data(inode_), 3)),
          std::string(dirent_key(line_, kRootInode, "ghost", 3)),
          std::string(inode_key(line_, InodeId{99}, 3)),
          std::string(logical_bytes_key(LineId{9}, 1)), std::string(line_key(LineId{9})),
          std::string(note_key("note/ghost")), std::string("unknown")}) {
        CheckReport report =
            check_after([&](Index&, IndexBatch& batch) { batch.put(key, "0123456789"); });
        EXPECT_EQ(names_of(report), "index-extra") << key;
        lose_index();
    }
}

TEST_F(CheckIndexTest, WrongValuesAndWrongCountsAreTold) {
    CheckReport report = check_after([&](Index& index, IndexBatch& batch) {
        auto [key, value] = last_of(index, KeySpace::kBlock);
        value[5] = static_cast<char>(value[5] + 1);
        batch.put(key, value);
    });
    EXPECT_EQ(names_of(report), "index-wrong");
    ASSERT_TRUE(report.problems[0].record.has_value());
    EXPECT_EQ(report.problems[0].path, "other");
    EXPECT_EQ(report.problems[0].lines, std::vector<LineId>{line_});
    lose_index();

    report = check_after([&](Index& index, IndexBatch& batch) {
        auto [key, value] = last_of(index, KeySpace::kLine);
        LineInfo info = *decode_line_info(line_, value);
        info.own_bytes -= 1;
        batch.put(key, encode_line_info(info));
    });
    EXPECT_EQ(names_of(report), "statistics");
    lose_index();

    report = check_after([&](Index& index, IndexBatch& batch) {
        auto [key, value] = last_of(index, KeySpace::kInode);
        value[1] = static_cast<char>(value[1] ^ 1);  // the mode
        batch.put(key, value);
    });
    EXPECT_EQ(names_of(report), "index-wrong");
    lose_index();

    // What a replay that was cut off has left is newer than the index's place, and no damage.
    report = check_after([&](Index&, IndexBatch& batch) {
        batch.put(block_key(line_, first_data(inode_), 0, 1'000'000), "0123456789");
    });
    EXPECT_EQ(names_of(report), "");
}

TEST_F(CheckIndexTest, AnAbsentIndexIsNoDamage) {
    close();
    std::filesystem::remove_all(directory() + "/store/index");
    CheckReport report = LB_MUST(check_store({.directory = directory() + "/store",
                                              .disk = nullptr,
                                              .scratch_directory = directory() + "/scratch"},
                                             {}));
    EXPECT_EQ(names_of(report), "");
    EXPECT_EQ(report.counts.index_position, Position{0});
    EXPECT_FALSE(std::filesystem::exists(directory() + "/store/index"));
    open();
}

// ---- Frames that lb would not write ------------------------------------------------------------

class CheckFramesTest : public ::testing::Test {
protected:
    CheckFramesTest() {
        log_ = LB_MUST(SegmentLog::open({.disk = &disk_,
                                         .directory = "store",
                                         .spare_segments = 0,
                                         .segment_bytes = uint64_t{1} << 20}));
        FrameRecords frame;
        frame.line_create(LineId{1}, {});
        frame.inode(LineId{1}, directory(kRootInode));
        append(frame);
        FrameRecords file_frame;
        file_frame.inode(LineId{1}, file(2, 1, kBlockBytes));
        file_frame.dirent(LineId{1}, kRootInode, {InodeId{2}, FileType::kFile, "file"});
        append(file_frame);
    }
    void append(const FrameRecords& frame) { LB_MUST(log_->append(frame.records())); }

    static InodeRecord directory(InodeId inode) {
        InodeRecord record{.data = first_data(inode), .parent = kRootInode};
        record.attributes = {.inode = inode, .type = FileType::kDirectory, .mode = 0700};
        return record;
    }
    static InodeRecord file(uint64_t inode, uint32_t links, uint64_t size_bytes) {
        InodeRecord record{.data = first_data(InodeId{inode})};
        record.attributes = {
            .inode = InodeId{inode}, .link_count = links, .size_bytes = size_bytes};
        return record;
    }
    std::string found() {
        LB_MUST(log_->close());
        return names_of(LB_MUST(check_store({.directory = "store", .disk = &disk_}, {})));
    }

    MemoryDisk disk_;
    std::unique_ptr<SegmentLog> log_;
    const LineId line_{1};
    const Bytes block_ = Bytes(kBlockBytes, std::byte{7});
};

TEST_F(CheckFramesTest, SoundFramesAreSound) {
    FrameRecords frame;
    frame.block(line_, first_data(InodeId{2}), 0, block_);
    append(frame);
    FrameRecords fork;
    fork.line_create(LineId{2}, {line_, Position{3}});
    append(fork);
    EXPECT_EQ(found(), "");
}

TEST_F(CheckFramesTest, ANameThatLeadsNowhere) {
    FrameRecords frame;
    frame.dirent(line_, kRootInode, {InodeId{77}, FileType::kFile, "ghost"});
    append(frame);
    EXPECT_EQ(found(), "directory");
}

TEST_F(CheckFramesTest, ANameOfAnotherType) {
    FrameRecords frame;
    frame.inode(line_, file(3, 1, 0));
    frame.dirent(line_, kRootInode, {InodeId{3}, FileType::kDirectory, "sub"});
    append(frame);
    EXPECT_EQ(found(), "directory");
}

TEST_F(CheckFramesTest, ANameInAFile) {
    FrameRecords frame;
    frame.inode(line_, file(3, 1, 0));
    frame.dirent(line_, InodeId{2}, {InodeId{3}, FileType::kFile, "inner"});
    append(frame);
    EXPECT_EQ(found(), "directory");
}

TEST_F(CheckFramesTest, LinkCountsThatAreNotTheNames) {
    FrameRecords frame;
    frame.dirent(line_, kRootInode, {InodeId{2}, FileType::kFile, "second name"});
    append(frame);
    FrameRecords removed;
    removed.dirent(line_, kRootInode, {InodeId{}, FileType::kFile, "file"});
    append(removed);
    EXPECT_EQ(found(), "link-count link-count");
}

TEST_F(CheckFramesTest, ContentsOfNoFile) {
    FrameRecords frame;
    frame.block(line_, DataId{first_data(InodeId{2}).value() + 1}, 0, block_);
    append(frame);
    FrameRecords behind;
    behind.block(line_, first_data(InodeId{2}), 1, block_);
    append(behind);
    FrameRecords nowhere;
    nowhere.block(line_, first_data(InodeId{50}), 0, block_);
    append(nowhere);
    EXPECT_EQ(found(), "data data inconsistent");
}

TEST_F(CheckFramesTest, LinesWithoutParentOrFromTheFuture) {
    FrameRecords future;
    future.line_create(LineId{2}, {line_, Position{1000}});
    append(future);
    FrameRecords orphan;
    orphan.line_create(LineId{4}, {LineId{3}, Position{1}});
    append(orphan);
    FrameRecords twice;
    twice.line_delete(LineId{4});
    append(twice);
    EXPECT_EQ(found(), "line inconsistent inconsistent");
}

TEST(IndexText, ShowsKeysOfAllKinds) {
    EXPECT_EQ(index_entry_text(truncate_key(LineId{1}, DataId{5}, 9), std::string("\3\0\0\0", 4)),
              "truncate line=1 data=5 sequence=9 first_gone=3");
    EXPECT_EQ(index_entry_text(note_key("note/a"), "two words"),
              "note name=note/a value=\"two words\"");
    EXPECT_EQ(index_entry_text("?", "x"), "key=3f bytes=78 unreadable=true");
    EXPECT_EQ(decode_key(dirent_key(LineId{1}, InodeId{2}, "name", 3))->name, "name");
    EXPECT_EQ(decode_key(block_key(LineId{1}, DataId{2}, 130, 3))->block, 130u);
}

}  // namespace
}  // namespace lb::store
