// The check of a store of which something was reclaimed: damage in cold segments and manifests is
// found and named, is never served, and costs no more than what it hit.
#include <atomic>
#include <fstream>
#include <thread>

#include "store/disk_forwarding.h"
#include "store/index.h"
#include "store/manifest.h"
#include "store/record_keys.h"
#include "store/scrub.h"
#include "store/store_dump.h"
#include "tests/store/check_fixture.h"

namespace lb::store {
namespace {

// Two cold segments, and a hot log that begins after them.
class CheckColdTest : public CheckTest {
protected:
    CheckColdTest() {
        reclaim();
        store_ = LB_MUST(open());
        for (size_t i = 0; i < 4; i++) write(files_[i], 0, std::string(2 * kBlockBytes, 'c'));
        LB_MUST(store_->commit({.notes = {{"note/cold", "of the base"}}}));
        fill_segments();
        close();
        reclaim();
        fs::copy(store_directory(), directory_ + "/whole", fs::copy_options::recursive);
    }

    // So that what was written before is in full segments. Leaves the store open.
    void fill_segments() {
        for (int i = 0; i < 40; i++) write(files_[5], 0, random_text(random_, kBlockBytes));
    }
    void reclaim() {
        store_ = LB_MUST(open());
        store_->set_restore_windows({.standard = std::chrono::seconds{0}});
        while (LB_MUST(store_->reclaim_step())) {
        }
        close();
    }
    void restore_whole() {
        fs::remove_all(store_directory());
        fs::copy(directory_ + "/whole", store_directory(), fs::copy_options::recursive);
    }
    std::vector<std::string> cold_paths() const {
        std::vector<std::string> paths;
        for (const auto& entry : fs::directory_iterator(store_directory() + "/cold")) {
            paths.push_back(entry.path().string());
        }
        std::ranges::sort(paths);
        return paths;
    }
    Manifest manifest() {
        Super super = LB_MUST(read_super(posix_disk(), store_directory())).value();
        return *newest_manifest(
            LB_MUST(read_manifest_copies(posix_disk(), store_directory(), super.store_id)));
    }
    // A block that is stored in the cold segment.
    FooterEntry block_in(const ColdFile& cold, size_t index) {
        Super super = LB_MUST(read_super(posix_disk(), store_directory())).value();
        auto file = LB_MUST(
            posix_disk().open(segment_path(store_directory(), cold.segment), OpenMode::kRead));
        Footer footer = LB_MUST(read_cold_footer(*file, super.store_id, cold));
        std::erase_if(footer.entries,
                      [](const FooterEntry& e) { return e.type != RecordType::kBlock; });
        return footer.entries.at(index);
    }
};

TEST_F(CheckColdTest, AReclaimedStoreIsClean) {
    ASSERT_EQ(cold_paths().size(), 2u);
    EXPECT_GT(manifest().base.first_segment, SegmentId{1});
    CheckReport report = check();
    EXPECT_EQ(text_of(report), "");
    EXPECT_EQ(report.counts.lines, 2u);
    EXPECT_GT(report.counts.index_entries, 100u);
    store_ = LB_MUST(open());
    CheckReport online = LB_MUST(store_->check(directory_ + "/scratch", {}));
    EXPECT_EQ(text_of(online), "");
    EXPECT_EQ(online.counts.records, report.counts.records);
    EXPECT_EQ(online.notes.size(), 2u);
    close();
    EXPECT_EQ(text_of(rebuild()), "");
    EXPECT_EQ(text_of(check()), "");
    store_ = LB_MUST(open());
    EXPECT_EQ(count_unreadable_blocks(), 0u);
}

TEST_F(CheckColdTest, EveryFlippedBitOfAColdSegmentIsFound) {
    std::vector<std::string> paths = cold_paths();
    for (int i = 0; i < 50; i++) {
        std::string path = paths[random_() % paths.size()];
        uint64_t size_bytes = fs::file_size(path);
        // Headers and footers are small: a third of the bits is for them.
        uint64_t offset = random_() % size_bytes;
        if (i % 6 == 0) offset = random_() % kSegmentHeaderBytes;
        if (i % 6 == 3) offset = size_bytes - 1 - random_() % 400;
        SCOPED_TRACE(cat(path, " offset ", offset));
        flip_bit(path, offset, static_cast<unsigned>(random_() % 8));
        CheckReport report = check();
        ASSERT_FALSE(report.problems.empty());
        SegmentId segment = *segment_from_name(fs::path(path).filename().string());
        for (const Problem& problem : report.problems) {
            EXPECT_EQ(problem.segment, segment) << text_of(report);
        }
        EXPECT_LE(report.problems.size(), 2u) << text_of(report);
        store_ = LB_MUST(open());
        EXPECT_LE(count_unreadable_blocks(), 2u);  // the same block of two lines
        CheckReport online = LB_MUST(store_->check("", {}));
        EXPECT_EQ(text_of(online), text_of(report));
        LB_MUST(store_->commit({.notes = {{"note/c", "still writable"}}}));
        close();
        restore_whole();
    }
    EXPECT_EQ(text_of(check()), "");
}

TEST_F(CheckColdTest, ADamagedBlockIsNamedAndTheIndexCanStillBeMade) {
    ColdFile cold = manifest().cold.front();
    FooterEntry entry = block_in(cold, 20);
    flip_bit(segment_path(store_directory(), cold.segment), entry.offset + kRecordHeaderBytes, 2);
    CheckReport report = check();
    ASSERT_EQ(report.problems.size(), 1u) << text_of(report);
    const Problem problem = report.problems[0];
    EXPECT_EQ(problem.code, ProblemCode::kRecord);
    EXPECT_EQ(problem.offset, entry.offset);
    EXPECT_EQ(problem.path.substr(0, 9), "base/file");
    EXPECT_FALSE(problem.lines.empty());
    EXPECT_EQ(problem.record->block, entry.block);

    store_ = LB_MUST(open());
    size_t unreadable = count_unreadable_blocks();
    EXPECT_EQ(unreadable, problem.lines.size());
    ASSERT_EQ(met_.size(), unreadable);
    EXPECT_EQ(LB_MUST(store_->path(met_[0].line, met_[0].inode)), problem.path);
    close();
    CheckReport rebuilt = rebuild();
    EXPECT_EQ(rebuilt.problem_count, 1u) << text_of(rebuilt);
    store_ = LB_MUST(open());
    EXPECT_EQ(count_unreadable_blocks(), unreadable);
    close();

    // Also if the record's header is gone, with or without the footer.
    restore_whole();
    std::string path = segment_path(store_directory(), cold.segment);
    flip_bit(path, entry.offset + 20, 1);
    report = check();
    ASSERT_EQ(report.problems.size(), 1u) << text_of(report);
    EXPECT_EQ(report.problems[0].path, problem.path);
    flip_bit(path, fs::file_size(path) - 10, 1);
    report = check();
    EXPECT_TRUE(has(report, ProblemCode::kFooter));
    EXPECT_TRUE(has(report, ProblemCode::kRecord));
    EXPECT_TRUE(has(report, ProblemCode::kIndexExtra));
    EXPECT_EQ(report.problems.size(), 3u) << text_of(report);
}

TEST_F(CheckColdTest, AColdSegmentThatIsMissingOrCutOrOfAnotherStoreIsFound) {
    const ColdFile cold = manifest().cold.front();
    const std::string path = segment_path(store_directory(), cold.segment);
    auto expect_damage = [&](ProblemCode code) {
        CheckReport report = check();
        EXPECT_TRUE(has(report, code)) << text_of(report);
        store_ = LB_MUST(open());  // the index is there
        size_t unreadable = count_unreadable_blocks();
        EXPECT_GT(unreadable, 10u);
        EXPECT_LT(unreadable, files_.size() * 7 / 2 * 2);
        EXPECT_GT(store_->statistics().damage_met_count, 0u);
        close();
        restore_whole();
    };
    fs::remove(path);
    expect_damage(ProblemCode::kSegmentMissing);
    fs::resize_file(path, fs::file_size(path) / 2);
    expect_damage(ProblemCode::kSegmentHeader);
    fs::resize_file(path, 100);
    expect_damage(ProblemCode::kSegmentHeader);
    fs::copy(segment_path(store_directory(), manifest().cold.back().segment), path,
             fs::copy_options::overwrite_existing);
    expect_damage(ProblemCode::kSegmentHeader);

    // All of it as it should be, but of another store.
    std::array<std::byte, kSegmentHeaderBytes> header;
    encode_segment_header(
        {.store_id = {std::byte{1}}, .segment = cold.segment, .segment_class = SegmentClass::kCold},
        header);
    std::fstream(path, std::ios::in | std::ios::out | std::ios::binary)
        .write(reinterpret_cast<const char*>(header.data()), header.size());
    CheckReport report = check();
    ASSERT_TRUE(has(report, ProblemCode::kSegmentHeader));
    EXPECT_EQ(report.problems[0].message, "it is of another store");
    EXPECT_FALSE(has(report, ProblemCode::kRecord));
    fs::remove_all(store_directory() + "/index");
    EXPECT_EQ(open().error().code, ErrorCode::kStoreDamaged);
}

TEST_F(CheckColdTest, EveryFlippedBitOfAManifestIsFoundAndMadeGood) {
    for (int i = 0; i < 40; i++) {
        std::string path = store_directory() + (i % 2 == 0 ? "/MANIFEST" : "/MANIFEST.copy");
        uint64_t offset = random_() % fs::file_size(path);
        SCOPED_TRACE(cat(path, " offset ", offset));
        flip_bit(path, offset, static_cast<unsigned>(random_() % 8));
        CheckReport report = check();
        ASSERT_EQ(report.problems.size(), 1u) << text_of(report);
        EXPECT_EQ(report.problems[0].code, ProblemCode::kManifest);
        EXPECT_TRUE(report.problems[0].message.starts_with(fs::path(path).filename().string()));
        met_.clear();
        store_ = LB_MUST(open());
        ASSERT_EQ(met_.size(), 1u);
        EXPECT_NE(met_[0].error.message.find("written anew"), std::string::npos);
        EXPECT_EQ(count_unreadable_blocks(), 0u);
        close();
        EXPECT_EQ(text_of(check()), "");
    }
}

TEST_F(CheckColdTest, MissingAndOldManifestsAreFound) {
    const std::string first = store_directory() + "/MANIFEST";
    const std::string second = store_directory() + "/MANIFEST.copy";
    for (const std::string& path : {first, second}) {
        fs::remove(path);
        CheckReport report = check();
        EXPECT_EQ(text_of(report).substr(0, 9), "manifest ");
        EXPECT_EQ(report.problem_count, 1u);
        store_ = LB_MUST(open());
        EXPECT_EQ(count_unreadable_blocks(), 0u);
        close();
        EXPECT_EQ(text_of(check()), "");
    }
    fs::copy(second, directory_ + "/old");
    store_ = LB_MUST(open());
    fill_segments();
    close();
    reclaim();
    for (const std::string& path : {first, second}) {
        fs::copy(directory_ + "/old", path, fs::copy_options::overwrite_existing);
        CheckReport report = check();
        EXPECT_EQ(report.problem_count, 1u) << text_of(report);
        EXPECT_NE(text_of(report).find("older than the other copy"), std::string::npos);
        store_ = LB_MUST(open());
        close();
        EXPECT_EQ(text_of(check()), "");
    }
    flip_bit(first, 20, 3);
    fs::remove(second);
    CheckReport report = check();
    EXPECT_EQ(report.problem_count, 1u) << text_of(report);
    EXPECT_NE(text_of(report).find("the store does not open"), std::string::npos);
    EXPECT_EQ(text_of(rebuild()), text_of(report));
    EXPECT_EQ(open().error().code, ErrorCode::kStoreDamaged);
}

TEST_F(CheckColdTest, WhatNothingNamesIsHarmless) {
    std::string left_over = segment_path(store_directory(), SegmentId{kFirstColdSegment + 1000});
    std::ofstream(left_over) << "x";
    std::ofstream(segment_path(store_directory(), SegmentId{1})) << "x";
    CheckReport report = check();
    EXPECT_TRUE(report.is_clean());
    EXPECT_EQ(report.problems.size(), 2u) << text_of(report);
    EXPECT_TRUE(has(report, ProblemCode::kLeftOver));
    store_ = LB_MUST(open());
    close();
    EXPECT_EQ(text_of(check()), "");
    EXPECT_FALSE(fs::exists(left_over));
}

// A disk that fails when the n-th manifest gets its name.
class NoManifestDisk final : public ForwardingDisk {
public:
    NoManifestDisk(Disk& disk, int n) : ForwardingDisk(disk), left_(n) {}
    Status rename(const std::string& from, const std::string& to) override {
        bool is_manifest = to.ends_with("/MANIFEST");
        if (is_manifest && left_-- <= 0) {
            return Error{.code = ErrorCode::kIo, .message = "injected"};
        }
        return ForwardingDisk::rename(from, to);
    }

private:
    int left_;
};

// Each look at it is a second later.
class SecondsClock final : public Clock {
public:
    WallTime now() override { return WallTime(std::chrono::seconds(1'700'000'000 + count_++)); }

private:
    std::atomic<int64_t> count_ = 0;
};

class SecondsDisk final : public ForwardingDisk {
public:
    using ForwardingDisk::ForwardingDisk;
    Clock& clock() override { return clock_; }

private:
    SecondsClock clock_;
};

// Of a step that was cut short the index has everything, nothing or something.
TEST_F(CheckColdTest, AStepThatWasCutShortIsLegal) {
    store_ = LB_MUST(open());
    for (size_t i = 6; i < 10; i++) write(files_[i], 0, std::string(5 * kBlockBytes, 'p'));
    fill_segments();
    close();
    fs::copy(store_directory() + "/index", directory_ + "/index", fs::copy_options::recursive);
    {
        NoManifestDisk disk(posix_disk(), 1);
        store_ = LB_MUST(open(&disk));
        store_->set_restore_windows({.standard = std::chrono::seconds{0}});
        EXPECT_FALSE(store_->reclaim_step().is_ok());
        CheckReport online = LB_MUST(store_->check("", {}));
        EXPECT_EQ(text_of(online), "");
        close();
    }
    Manifest cut_short = manifest();
    ASSERT_TRUE(cut_short.step.has_value());
    EXPECT_EQ(text_of(check()), "");
    fs::rename(store_directory() + "/index", directory_ + "/after");
    fs::copy(directory_ + "/index", store_directory() + "/index", fs::copy_options::recursive);
    EXPECT_EQ(text_of(check()), "");
    {
        std::unique_ptr<Index> index = LB_MUST(
            open_rocksdb_index({.directory = store_directory() + "/index", .before_flush = {}}));
        IndexBatch batch;
        ColdFile output = cut_short.step->output.value();
        auto file = LB_MUST(
            posix_disk().open(segment_path(store_directory(), output.segment), OpenMode::kRead));
        Super super = LB_MUST(read_super(posix_disk(), store_directory())).value();
        size_t count = 0;
        LB_MUST(visit_cold(*file, super.store_id, output, [&](const ReplayRecord& record) {
            return count++ % 2 == 0 ? put_record(batch, record) : ok();
        }));
        EXPECT_GT(count, 1u);
        LB_MUST(index->write(batch));
        LB_MUST(index->close());
    }
    EXPECT_EQ(text_of(check()), "");
    store_ = LB_MUST(open());
    EXPECT_EQ(count_unreadable_blocks(), 0u);
    close();
    EXPECT_FALSE(manifest().step.has_value());
    EXPECT_EQ(text_of(check()), "");
}

// The new base has the time of the last frame that went, for which the log has an entry as well.
TEST_F(CheckColdTest, ATimeThatAStepHasChangedIsLegal) {
    SecondsDisk seconds(posix_disk());
    NoManifestDisk disk(seconds, 1);
    store_ = LB_MUST(open(&disk));
    for (int i = 0; i < 4; i++) fill_segments();
    store_->set_restore_windows({.standard = std::chrono::seconds{0}});
    EXPECT_FALSE(store_->reclaim_step().is_ok());
    close();
    ASSERT_TRUE(manifest().step.has_value());
    EXPECT_EQ(text_of(check()), "");
}

TEST_F(CheckColdTest, ReclaimThatMeetsDamageSaysSoAndStops) {
    store_ = LB_MUST(open());
    for (int i = 0; i < 4; i++) fill_segments();  // recovery reads the newest ones
    close();
    flip_bit(segment_path(store_directory(), manifest().base.first_segment),
             kSegmentHeaderBytes + kFrameHeaderBytes + kRecordHeaderBytes + 50, 2);
    store_ = LB_MUST(open());
    store_->set_restore_windows({.standard = std::chrono::seconds{0}});
    EXPECT_EQ(store_->statistics().damage_met_count, 0u);
    EXPECT_EQ(store_->reclaim_step().error().code, ErrorCode::kStoreDamaged);
    EXPECT_EQ(store_->statistics().damage_met_count, 1u);
    EXPECT_FALSE(LB_MUST(store_->reclaim_step()));
    EXPECT_EQ(store_->statistics().damage_met_count, 1u);
    EXPECT_EQ(store_->statistics().write_pressure, 0);
    EXPECT_EQ(count_unreadable_blocks(), 0u);
}

// Such a step waits, and reclaim with it; all else can be used.
TEST_F(CheckColdTest, DamageInWhatACutStepWorksOnDoesNotKeepTheStoreShut) {
    store_ = LB_MUST(open());
    for (int i = 0; i < 4; i++) fill_segments();  // recovery reads the newest ones
    close();
    SegmentId input = manifest().base.first_segment;
    {
        NoManifestDisk disk(posix_disk(), 1);
        store_ = LB_MUST(open(&disk));
        store_->set_restore_windows({.standard = std::chrono::seconds{0}});
        EXPECT_FALSE(store_->reclaim_step().is_ok());
        close();
    }
    ASSERT_TRUE(manifest().step.has_value());
    flip_bit(segment_path(store_directory(), input),
             kSegmentHeaderBytes + kFrameHeaderBytes + kRecordHeaderBytes + 50, 2);
    store_ = LB_MUST(open());
    EXPECT_GT(store_->statistics().damage_met_count, 0u);
    write(files_[4], 0, std::string(kBlockBytes, 'w'));
    EXPECT_EQ(count_unreadable_blocks(), 0u);
    store_->set_restore_windows({.standard = std::chrono::seconds{0}});
    EXPECT_FALSE(LB_MUST(store_->reclaim_step()));
    close();
    EXPECT_TRUE(manifest().step.has_value());
}

TEST_F(CheckColdTest, AnOpenStoreCanBeCheckedWhileItReclaims) {
    store_ = LB_MUST(open());
    store_->set_restore_windows({.standard = std::chrono::seconds{0}});
    std::atomic<bool> is_over = false;
    std::thread reclaimer([&] {
        while (!is_over) LB_MUST(store_->reclaim_step());
    });
    std::thread writer([&] {
        std::mt19937_64 random(5);
        while (!is_over) {
            std::string text = random_text(random, kBlockBytes);
            LB_MUST(store_->write(files_[5].line, files_[5].inode, 0, as_bytes(text)));
        }
    });
    for (int i = 0; i < 6; i++) {
        uint64_t before = store_->statistics().reclaimed_bytes;
        EXPECT_EQ(text_of(LB_MUST(store_->check("", {}))), "");
        while (store_->statistics().reclaimed_bytes == before) {
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
    }
    is_over = true;
    reclaimer.join();
    writer.join();
}

TEST_F(CheckColdTest, TheScrubberReadsColdSegmentsToo) {
    ColdFile cold = manifest().cold.back();
    FooterEntry entry = block_in(cold, 1);
    flip_bit(segment_path(store_directory(), cold.segment), entry.offset + 60, 1);
    flip_bit(store_directory() + "/MANIFEST.copy", 33, 1);
    NoManifestDisk disk(posix_disk(), 1000);
    store_ = LB_MUST(open());
    flip_bit(store_directory() + "/MANIFEST.copy", 33, 1);  // open has made it good
    std::vector<Problem> problems;
    {
        std::unique_ptr<Scrubber> scrubber = Scrubber::start(
            *store_, {.directory = store_directory(),
                      .bytes_per_second = uint64_t{10} << 30,
                      .on_problem = [&](const Problem& problem) { problems.push_back(problem); }});
        while (scrubber->status().pass_count < 1 || scrubber->status().is_reading) {
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
        EXPECT_EQ(scrubber->status().segment_count,
                  manifest().cold.size() + store_->statistics().segment_count);
        EXPECT_GT(scrubber->status().read_bytes, cold.size_bytes);
        EXPECT_EQ(scrubber->status().problem_count, 2u);
    }
    ASSERT_EQ(problems.size(), 2u);
    EXPECT_EQ(problems[0].code, ProblemCode::kRecord);
    EXPECT_EQ(problems[0].segment, cold.segment);
    EXPECT_EQ(problems[0].record->block, entry.block);
    EXPECT_EQ(problems[1].code, ProblemCode::kManifest);
}

TEST_F(CheckColdTest, DumpersKnowReclaimedStores) {
    std::vector<Note> notes = LB_MUST(
        notes_of_log(posix_disk(), store_directory(), [](const Problem&) { ADD_FAILURE(); }));
    ASSERT_EQ(notes.size(), 2u);
    EXPECT_EQ(notes[1].key, "note/cold");
    ColdFile cold = manifest().cold.front();
    std::string path = segment_path(store_directory(), cold.segment);
    auto count_records = [&] {
        uint64_t count = 0;
        LB_MUST(dump_segment(posix_disk(), path, [&](std::string_view line) {
            if (line.find(" sequence=") != std::string_view::npos) count++;
        }));
        return count;
    };
    EXPECT_EQ(count_records(), cold.record_count);
    flip_bit(path, block_in(cold, 3).offset + 9, 1);
    EXPECT_EQ(count_records(), cold.record_count - 1);
}

}  // namespace
}  // namespace lb::store
