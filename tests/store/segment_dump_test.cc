// lb debug segment: what the dump says about a whole, an open and a damaged segment.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/store/log_support.h"

namespace lb::store {
namespace {

std::vector<std::string> dump(Disk& disk, const std::string& path, Status& status) {
    std::vector<std::string> lines;
    status = dump_segment(disk, path, [&](std::string_view line) { lines.emplace_back(line); });
    return lines;
}

size_t count(const std::vector<std::string>& lines, std::string_view part) {
    return static_cast<size_t>(std::ranges::count_if(
        lines, [&](const std::string& line) { return line.find(part) != std::string::npos; }));
}

class SegmentDump : public testing::Test {
protected:
    void SetUp() override {
        auto log = LB_MUST(open_log(disk_));
        for (uint32_t i = 0; i < 40; ++i) {
            TestFrame frame{filled_block(i, i, 1000)};
            if (i == 0) {
                for (uint8_t type = 2; type <= 7; ++type) {
                    frame.push_back({.type = static_cast<RecordType>(type), .payload = Bytes(3)});
                }
            }
            LB_MUST(append(*log, frame));
            ends_.push_back(log->end());
        }
    }

    MemoryDisk disk_;
    std::vector<LogPlace> ends_;
    Status status_;
};

TEST_F(SegmentDump, ASealedSegment) {
    std::vector<std::string> lines = dump(disk_, segment_file(1), status_);
    ASSERT_TRUE(status_);
    auto frames = static_cast<size_t>(std::ranges::count(
        ends_, SegmentId{1}, [](const LogPlace& place) { return place.segment; }));
    EXPECT_EQ(lines[0].rfind("segment 1 of store ", 0), 0u) << lines[0];
    EXPECT_EQ(count(lines, "sealed: segment=1 last-sequence=" + std::to_string(frames)), 1u);
    EXPECT_EQ(count(lines, " frame sequence="), frames);
    EXPECT_EQ(count(lines, " block line=1 object=1 "), frames);
    for (const char* type : {"truncate", "inode", "dirent", "line-create", "line-delete", "note"}) {
        EXPECT_EQ(count(lines, std::string("   ") + type + " "), 1u) << type;
    }
    EXPECT_EQ(lines.back(),
              "offset " + std::to_string(ends_[frames - 1].offset) + " end of frames");
}

TEST_F(SegmentDump, AnOpenSegment) {
    uint64_t last = ends_.back().segment.value();
    std::vector<std::string> lines = dump(disk_, segment_file(last), status_);
    ASSERT_TRUE(status_);
    EXPECT_EQ(count(lines, "not sealed: "), 1u);
    EXPECT_EQ(lines.back(), "offset " + std::to_string(ends_.back().offset) + " end of frames");
}

TEST_F(SegmentDump, GoesOnBehindDamage) {
    std::vector<std::string> whole = dump(disk_, segment_file(1), status_);
    flip_bit(disk_, segment_file(1), ends_[2].offset + 100);
    flip_bit(disk_, segment_file(1), ends_[5].offset + 10);
    std::vector<std::string> lines = dump(disk_, segment_file(1), status_);
    ASSERT_TRUE(status_);
    EXPECT_EQ(count(lines, " no frame: "), 2u);
    EXPECT_EQ(count(lines, " goes on here"), 2u);
    EXPECT_EQ(count(lines, " frame sequence="), count(whole, " frame sequence=") - 2);
    flip_bit(disk_, segment_file(1), kTestSegmentBytes - 70);
    lines = dump(disk_, segment_file(1), status_);
    EXPECT_EQ(count(lines, "footer: "), 1u);
}

TEST_F(SegmentDump, NoSegmentAtAll) {
    flip_bit(disk_, segment_file(1), 30);
    EXPECT_EQ(count(dump(disk_, segment_file(1), status_), "no segment: "), 1u);
    EXPECT_FALSE(status_);
    dump(disk_, "store/SUPER", status_);
    EXPECT_FALSE(status_);
    dump(disk_, "store/absent", status_);
    ASSERT_FALSE(status_);
    EXPECT_EQ(status_.error().code, ErrorCode::kStoreNotFound);
}

}  // namespace
}  // namespace lb::store
