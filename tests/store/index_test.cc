// Both implementations of the index, by the same tests; and the keys.
#include "store/index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "store/index_keys.h"
#include "store/store.h"

namespace lb::store {
namespace {

namespace fs = std::filesystem;

enum class Kind { kMemory, kRocksdb };

class IndexTest : public ::testing::TestWithParam<Kind> {
protected:
    IndexTest() {
        std::string name = (fs::temp_directory_path() / "lb-index-XXXXXX").string();
        directory_ = ::mkdtemp(name.data());
        index_ = GetParam() == Kind::kMemory ? make_memory_index() : open();
    }
    ~IndexTest() override {
        index_.reset();
        fs::remove_all(directory_);
    }

    std::unique_ptr<Index> open() {
        return LB_MUST(open_rocksdb_index({.directory = directory_ + "/index",
                                           .before_flush = [this] { return ++flush_count_ > 0; }}));
    }
    void put(std::string_view key, std::string_view value) {
        IndexBatch batch;
        batch.put(key, value);
        LB_MUST(index_->write(batch));
    }

    std::string directory_;
    std::atomic<int> flush_count_ = 0;
    std::unique_ptr<Index> index_;
};

TEST_P(IndexTest, ACursorStaysWithinThePrefix) {
    LineId line{1};
    DataId data{7};
    for (uint32_t block : {0U, 1U, 63U, 64U}) put(block_key(line, data, block, 5), "x");
    put(block_key(LineId{2}, data, 0, 5), "x");
    auto cursor = index_->cursor();
    std::vector<uint32_t> blocks;
    for (bool valid = LB_MUST(cursor->seek(block_key(line, data, 1, kNewest))); valid;
         valid = LB_MUST(cursor->next())) {
        blocks.push_back(block_in_key(cursor->key()));
    }
    EXPECT_EQ(blocks, (std::vector<uint32_t>{1, 63}));  // block 64 is in another chunk
}

TEST_P(IndexTest, SeekFindsTheNewestVersionUpToASequence) {
    LineId line{1};
    for (uint64_t sequence : {3U, 5U, 9U}) {
        put(inode_key(line, InodeId{2}, sequence), std::to_string(sequence));
    }
    put(inode_key(line, InodeId{3}, 1), "other");
    auto cursor = index_->cursor();
    ASSERT_TRUE(LB_MUST(cursor->seek(inode_key(line, InodeId{2}, 8))));
    EXPECT_EQ(cursor->value(), "5");
    EXPECT_EQ(sequence_in_key(cursor->key()), 5U);
    ASSERT_TRUE(LB_MUST(cursor->seek(inode_key(line, InodeId{2}, kNewest))));
    EXPECT_EQ(cursor->value(), "9");
    EXPECT_FALSE(LB_MUST(cursor->seek(inode_key(line, InodeId{2}, 2))));
}

TEST_P(IndexTest, NamesDoNotMix) {
    LineId line{1};
    for (std::string_view name : {"a", "a.b", "ab", "b"}) {
        for (uint64_t sequence : {1U, 2U}) put(dirent_key(line, kRootInode, name, sequence), "x");
    }
    auto cursor = index_->cursor();
    std::vector<std::string> names;
    bool valid = LB_MUST(cursor->seek(directory_start_key(line, kRootInode)));
    while (valid) {
        EXPECT_EQ(sequence_in_key(cursor->key()), 2U);
        names.emplace_back(name_in_key(cursor->key()));
        valid = LB_MUST(advance(*cursor, after_name_key(line, kRootInode, names.back())));
    }
    EXPECT_EQ(names, (std::vector<std::string>{"a", "a.b", "ab", "b"}));
}

TEST_P(IndexTest, AdvanceStepsAndSeeks) {
    LineId line{1};
    for (uint64_t sequence = 1; sequence <= 100; sequence++) {
        put(inode_key(line, InodeId{2}, sequence), std::to_string(sequence));
    }
    auto cursor = index_->cursor();
    ASSERT_TRUE(LB_MUST(cursor->seek(inode_key(line, InodeId{2}, kNewest))));
    ASSERT_TRUE(LB_MUST(advance(*cursor, inode_key(line, InodeId{2}, 98))));
    EXPECT_EQ(cursor->value(), "98");
    ASSERT_TRUE(LB_MUST(advance(*cursor, inode_key(line, InodeId{2}, 7))));
    EXPECT_EQ(cursor->value(), "7");
    EXPECT_FALSE(LB_MUST(advance(*cursor, inode_key(line, InodeId{2}, 0))));
}

TEST_P(IndexTest, NotesAreScannedInOrderAndErased) {
    IndexBatch batch;
    batch.put(note_key("b"), "2");
    batch.put(note_key("a"), "1");
    batch.put(meta_key(), "meta");
    batch.put(note_key("c"), "3");
    batch.erase(note_key("b"));
    EXPECT_EQ(batch.entry_count(), 5U);
    LB_MUST(index_->write(batch));
    auto cursor = index_->cursor();
    std::string found;
    for (bool valid = LB_MUST(cursor->seek(note_key(""))); valid; valid = LB_MUST(cursor->next())) {
        found += note_in_key(cursor->key());
    }
    EXPECT_EQ(found, "ac");
    cursor.reset();
    EXPECT_EQ(LB_MUST(index_->get(meta_key())), "meta");
    EXPECT_EQ(LB_MUST(index_->get(note_key("b"))), std::nullopt);
    LB_MUST(index_->clear());
    EXPECT_EQ(LB_MUST(index_->get(meta_key())), std::nullopt);
}

INSTANTIATE_TEST_SUITE_P(Kinds, IndexTest, ::testing::Values(Kind::kMemory, Kind::kRocksdb));

using RocksdbIndexTest = IndexTest;
INSTANTIATE_TEST_SUITE_P(Rocksdb, RocksdbIndexTest, ::testing::Values(Kind::kRocksdb));

TEST_P(RocksdbIndexTest, TheLogIsSyncedBeforeAnythingIsFlushed) {
    put(meta_key(), "1");
    EXPECT_EQ(flush_count_, 0);
    LB_MUST(index_->close());
    EXPECT_GE(flush_count_, 1);
    index_ = open();
    EXPECT_EQ(LB_MUST(index_->get(meta_key())), "1");
}

TEST_P(RocksdbIndexTest, ADamagedDirectoryIsReplacedByAnEmptyIndex) {
    put(meta_key(), "1");
    LB_MUST(index_->close());
    index_.reset();
    std::ofstream(directory_ + "/index/CURRENT", std::ios::trunc) << "nonsense\n";
    index_ = open();
    EXPECT_EQ(LB_MUST(index_->get(meta_key())), std::nullopt);
    EXPECT_FALSE(fs::exists(directory_ + "/index.discarded"));
}

TEST_P(RocksdbIndexTest, FlippedBitsAreReportedAndCuredByTheNextOpen) {
    for (uint64_t i = 0; i < 1000; i++) put(inode_key(LineId{1}, InodeId{i}, 1), "attributes");
    LB_MUST(index_->close());
    index_.reset();
    for (const auto& entry : fs::directory_iterator(directory_ + "/index")) {
        if (entry.path().extension() != ".sst") continue;
        std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(100);
        file.write("\xff\xff\xff\xff", 4);
    }
    index_ = open();
    auto cursor = index_->cursor();
    auto found = cursor->seek(inode_key(LineId{1}, InodeId{0}, kNewest));
    ASSERT_FALSE(found.is_ok());
    EXPECT_EQ(found.error().code, ErrorCode::kStoreDamaged);
    cursor.reset();
    index_.reset();
    index_ = open();
    EXPECT_FALSE(LB_MUST(index_->cursor()->seek(inode_key(LineId{1}, InodeId{0}, kNewest))));
}

TEST_P(RocksdbIndexTest, ASecondUserIsRefusedAndHarmsNothing) {
    put(meta_key(), "1");
    auto second = open_rocksdb_index({.directory = directory_ + "/index", .before_flush = {}});
    ASSERT_FALSE(second.is_ok());
    EXPECT_EQ(second.error().code, ErrorCode::kIo);
    EXPECT_EQ(LB_MUST(index_->get(meta_key())), "1");
}

TEST(IndexKeys, OrderIsLineThenObjectThenNewestFirst) {
    std::vector<std::string> keys;
    for (uint64_t line : {1U, 2U, 256U}) {
        for (uint64_t inode : {1U, 255U, 65536U}) {
            for (uint64_t sequence : {900U, 300U, 2U}) {
                keys.emplace_back(
                    std::string_view(inode_key(LineId{line}, InodeId{inode}, sequence)));
            }
        }
    }
    EXPECT_TRUE(std::ranges::is_sorted(keys));
}

TEST(IndexKeys, LocationsSurviveEncoding) {
    RecordLocation location{SegmentId{0xFFFFFFFF}, 0x03FFFFFF, 8192};
    auto value = encode_location(location);
    EXPECT_EQ(decode_location({value.data(), value.size()}), location);
    EXPECT_EQ(decode_location("short"), std::nullopt);
}

}  // namespace
}  // namespace lb::store
