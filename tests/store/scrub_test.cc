// The scrubber finds damage, goes on where it was, and rests between passes.
#include "store/scrub.h"

#include <mutex>
#include <thread>

#include "base/text.h"
#include "store/disk.h"
#include "store/scrub_state.h"
#include "store/segment_files.h"
#include "tests/store/store_fixture.h"

namespace lb::store {
namespace {

class ScrubTest : public StoreFixture {
protected:
    std::string store_directory() const { return directory() + "/store"; }

    std::unique_ptr<Scrubber> start(uint64_t bytes_per_second = uint64_t{10} << 30) {
        return Scrubber::start(store(), {.directory = store_directory(),
                                         .bytes_per_second = bytes_per_second,
                                         .on_problem = [this](const Problem& problem) {
                                             std::lock_guard lock(mutex_);
                                             problems_.push_back(problem);
                                         }});
    }
    static void wait_for_passes(const Scrubber& scrubber, uint64_t count) {
        while (scrubber.status().pass_count < count || scrubber.status().is_reading) {
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
    }

    std::mutex mutex_;
    std::vector<Problem> problems_;
};

TEST_F(ScrubTest, FindsADamagedRecordAndRemembersItsPasses) {
    LineId line = new_root();
    put(line, "file", std::string(50 * kBlockBytes, 'x'));
    {
        std::unique_ptr<Scrubber> scrubber = start();
        wait_for_passes(*scrubber, 1);
        ScrubStatus status = scrubber->status();
        EXPECT_EQ(status.problem_count, 0u);
        EXPECT_GT(status.read_bytes, 50u * kBlockBytes);
        EXPECT_TRUE(status.completed_at.has_value());
    }
    EXPECT_TRUE(problems_.empty());
    // The next pass is not due: nothing is read.
    {
        std::unique_ptr<Scrubber> scrubber = start();
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        EXPECT_EQ(scrubber->status().read_bytes, 0u);
        EXPECT_EQ(scrubber->status().pass_count, 1u);
    }
    std::unique_ptr<File> file = LB_MUST(
        posix_disk().open(segment_path(store_directory(), SegmentId{1}), OpenMode::kReadWrite));
    Bytes byte(1, std::byte{0x55});
    ByteView piece = byte;
    LB_MUST(file->write_at(100'000, {&piece, 1}));
    LB_MUST(write_scrub_state(posix_disk(), store_directory(), {.pass_count = 1}));
    std::unique_ptr<Scrubber> scrubber = start();
    wait_for_passes(*scrubber, 2);
    EXPECT_EQ(scrubber->status().problem_count, 1u);
    ASSERT_EQ(problems_.size(), 1u);
    EXPECT_EQ(problems_[0].code, ProblemCode::kRecord);
    EXPECT_EQ(problems_[0].record->line, line.value());
}

TEST_F(ScrubTest, ReadsNoFasterThanItMayAndStopsAtOnce) {
    LineId line = new_root();
    put(line, "file", std::string(50 * kBlockBytes, 'x'));
    std::unique_ptr<Scrubber> scrubber = start(1);  // a byte per second
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_EQ(scrubber->status().read_bytes, 0u);
    scrubber.reset();  // does not wait for hours
}

TEST(ScrubState, SurvivesARoundTripAndRefusesTheRest) {
    ScrubState state{.next_segment = SegmentId{7},
                     .pass_count = 3,
                     .problem_count = 1,
                     .last_problem_count = 2,
                     .completed_at = WallTime(std::chrono::nanoseconds(5))};
    EXPECT_EQ(decode_scrub_state(encode_scrub_state(state)), state);
    EXPECT_FALSE(decode_scrub_state("").has_value());
    EXPECT_FALSE(decode_scrub_state("{\"version\":2}").has_value());
    EXPECT_FALSE(decode_scrub_state("[1]").has_value());
}

}  // namespace
}  // namespace lb::store
