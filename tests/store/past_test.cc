// Looking for a moment: times, names and blocks of the past, after restarts and without the index.
#include <array>

#include "base/text.h"
#include "store/time_index.h"
#include "tests/store/store_fixture.h"

namespace lb::store {
namespace {

using PastTest = StoreFixture;

struct Written {
    uint64_t sequence;
    WallTime at;
};

// A write that does not make the file longer gives it its frame's time.
std::vector<Written> write_some(Store& store, LineId line, InodeId file, int count) {
    constexpr size_t kTextBytes = 16;
    LB_MUST(store.allocate(line, file, 0, kTextBytes));
    std::vector<Written> written;
    for (int i = 0; i < count; ++i) {
        std::string text = cat("write ", i);
        text.resize(kTextBytes);
        FileAttributes attributes = LB_MUST(store.write(line, file, 0, as_bytes(text)));
        written.push_back({attributes.last_sequence, attributes.modified_at});
    }
    return written;
}

void expect_times(Store& store, const std::vector<Written>& written) {
    for (size_t i = 0; i < written.size(); ++i) {
        const Written& one = written[i];
        EXPECT_EQ(LB_MUST(store.position_at(one.at)), Position{one.sequence});
        if (i == 0) continue;
        WallTime before = one.at - std::chrono::nanoseconds(1);
        EXPECT_EQ(LB_MUST(store.position_at(before)), Position{one.sequence - 1});
    }
    EXPECT_EQ(LB_MUST(store.position_at(written.back().at + std::chrono::hours(1))),
              store.position());
}

TEST_F(PastTest, ATimeBetweenTwoFramesIsTheFirst) {
    LineId line = new_root();
    InodeId file = must_create(line, kRootInode, "f").inode;
    std::vector<Written> written = write_some(store(), line, file, 300);
    expect_times(store(), written);
    reopen();
    std::vector<Written> later = write_some(store(), line, file, 100);
    expect_times(store(), later);
    EXPECT_EQ(LB_MUST(store().position_at(written[77].at)), Position{written[77].sequence});
    lose_index();
    EXPECT_EQ(LB_MUST(store().position_at(written[77].at)), Position{written[77].sequence});
    EXPECT_EQ(LB_MUST(store().position_at(later[50].at)), Position{later[50].sequence});
}

TEST_F(PastTest, BeforeTheFirstFrameThereIsNothing) {
    new_root();
    auto found = store().position_at(WallTime(std::chrono::hours(1)));
    ASSERT_FALSE(found.is_ok());
    EXPECT_EQ(found.error().code, ErrorCode::kStoreNotFound);
}

TEST_F(PastTest, ManySegmentsAreWalked) {
    LineId line = new_root();
    InodeId file = must_create(line, kRootInode, "f").inode;
    std::vector<Written> written;
    std::string big(uint64_t{1} << 20, 'x');
    LB_MUST(store().allocate(line, file, 0, big.size()));
    for (int i = 0; i < 40; ++i) {
        FileAttributes attributes = LB_MUST(store().write(line, file, 0, as_bytes(big)));
        written.push_back({attributes.last_sequence, attributes.modified_at});
    }
    expect_times(store(), written);
}

TEST_F(PastTest, NamesRememberFilesThatAreGone) {
    LineId line = new_root();
    InodeId first = must_create(line, kRootInode, "name").inode;
    LB_MUST(store().remove(line, kRootInode, "name", FileType::kFile));
    InodeId second = must_create(line, kRootInode, "name").inode;
    must_create(line, kRootInode, "name2");
    LineId child = new_child(line);
    LB_MUST(store().remove(child, kRootInode, "name", FileType::kFile));
    LB_MUST(store().remove(line, kRootInode, "name", FileType::kFile));
    InodeId third = must_create(line, kRootInode, "name").inode;
    for (int round = 0; round < 2; ++round) {
        EXPECT_EQ(LB_MUST(store().inodes_of_name(line, kRootInode, "name")),
                  (std::vector{third, second, first}));
        EXPECT_EQ(LB_MUST(store().inodes_of_name(child, kRootInode, "name")),
                  (std::vector{second, first}));
        lose_index();
    }
}

TEST_F(PastTest, BlocksAreReadAsTheyWere) {
    LineId line = new_root();
    InodeId file = must_create(line, kRootInode, "f").inode;
    std::vector<Written> written = write_some(store(), line, file, 5);
    LineId child = new_child(line);
    std::vector<Written> of_child = write_some(store(), child, file, 2);
    LB_MUST(store().remove(line, kRootInode, "f", FileType::kFile));

    std::vector<Position> expected;
    for (const Written& one : written) expected.push_back(Position{one.sequence});
    EXPECT_EQ(LB_MUST(store().block_positions(line, file, 0)), expected);
    EXPECT_EQ(LB_MUST(store().block_positions(child, file, 0)).size(), of_child.size());
    std::array<std::byte, kBlockBytes> block;
    for (size_t i = 0; i < written.size(); ++i) {
        LB_MUST(store().read_block_at(line, expected[i], file, 0, block));
        EXPECT_TRUE(as_text(block).starts_with(cat("write ", i)));
    }
    LB_MUST(store().read_block_at(child, expected[3], file, 0, block));
    EXPECT_TRUE(as_text(block).starts_with("write 3"));
    std::vector<DirectoryEntry> entries = LB_MUST(store().list_at(line, expected[0], kRootInode));
    ASSERT_EQ(entries.size(), 1U);
    EXPECT_EQ(entries[0].name, "f");
    EXPECT_TRUE(LB_MUST(store().list_at(line, store().position(), kRootInode)).empty());
}

TEST(TimeEntry, GoesThroughTheIndex) {
    TimeEntry entry{.written_at = WallTime(std::chrono::nanoseconds(1'700'000'000'123'456'789)),
                    .before = {.segment = SegmentId{7}, .offset = 4096, .sequence = 41}};
    IndexKey key = time_key(entry.written_at);
    IndexBatch batch;
    put_time(batch, entry);
    batch.for_each([&](std::string_view put_key, std::string_view value, bool) {
        EXPECT_EQ(put_key, std::string_view(key));
        EXPECT_EQ(decode_time_entry(key, value), entry);
        EXPECT_FALSE(decode_time_entry(key, "short"));
        EXPECT_FALSE(decode_time_entry("N", value));
    });
    EXPECT_LT(std::string_view(time_key(entry.written_at + std::chrono::nanoseconds(1))),
              std::string_view(key));
}

}  // namespace
}  // namespace lb::store
