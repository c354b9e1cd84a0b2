#include "store/scrub.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/json.h"
#include "base/text.h"
#include "store/cold_survey.h"
#include "store/disk_forwarding.h"
#include "store/log_super.h"
#include "store/manifest.h"
#include "store/scrub_state.h"
#include "store/segment_survey.h"

namespace lb::store {

namespace {

// After an error that is no damage, such as a disk that fails for a moment.
constexpr std::chrono::minutes kPauseAfterFailure{10};

// Files of the disk, read at a limited rate. `pace` gets the bytes of each read and waits.
class PacedFile final : public File {
public:
    using Pace = std::function<Status(uint64_t bytes)>;
    PacedFile(std::unique_ptr<File> file, const Pace& pace) : file_(std::move(file)), pace_(pace) {}

    Status read_at(uint64_t offset, std::span<std::byte> out) override {
        LB_TRY(pace_(out.size()));
        return file_->read_at(offset, out);
    }
    Result<uint64_t> size_bytes() override { return file_->size_bytes(); }
    Status write_at(uint64_t, std::span<const ByteView>) override { return read_only(); }
    Status allocate(uint64_t) override { return read_only(); }
    Status truncate(uint64_t) override { return read_only(); }
    Status sync() override { return read_only(); }

private:
    static Error read_only() {
        return {.code = ErrorCode::kStoreReadOnly, .message = "a scrubber changes nothing"};
    }

    std::unique_ptr<File> file_;
    const Pace& pace_;
};

class PacedDisk final : public ForwardingDisk {
public:
    PacedDisk(Disk& disk, PacedFile::Pace pace) : ForwardingDisk(disk), pace_(std::move(pace)) {}

    Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
        return std::unique_ptr<File>(
            std::make_unique<PacedFile>(LB_TRY(ForwardingDisk::open(path, mode)), pace_));
    }

private:
    const PacedFile::Pace pace_;
};

class BackgroundScrubber final : public Scrubber {
public:
    BackgroundScrubber(Store& store, ScrubOptions options)
        : store_(store),
          options_(std::move(options)),
          disk_(options_.disk != nullptr ? *options_.disk : posix_disk()),
          paced_disk_(disk_, [this](uint64_t bytes) { return pace(bytes); }),
          state_(read_scrub_state(disk_, options_.directory)),
          thread_([this] { run(); }) {}
    ~BackgroundScrubber() override {
        {
            std::lock_guard lock(mutex_);
            is_stopping_ = true;
        }
        stopping_.notify_all();
        thread_.join();
    }

    ScrubStatus status() const override {
        std::lock_guard lock(mutex_);
        return {.is_reading = is_reading_,
                .pass_count = state_.pass_count,
                .segment = state_.next_segment,
                .segment_count = segment_count_,
                .read_bytes = read_bytes_,
                .problem_count = state_.last_problem_count + state_.problem_count,
                .completed_at = state_.completed_at};
    }

private:
    void run() {
        while (wait_until_due()) {
            Status read = read_next_segment();
            if (!read) wait_for(kPauseAfterFailure);
        }
    }

    // False: stop.
    bool wait_until_due() {
        std::chrono::nanoseconds left{0};
        {
            std::lock_guard lock(mutex_);
            if (state_.next_segment == kFirst && state_.completed_at) {
                left = *state_.completed_at + options_.interval - disk_.clock().now();
            }
            is_reading_ = left <= std::chrono::nanoseconds{0};
        }
        return wait_for(std::min<std::chrono::nanoseconds>(left, options_.interval));
    }

    bool wait_for(std::chrono::nanoseconds duration) {
        std::unique_lock lock(mutex_);
        if (duration.count() > 0) {
            stopping_.wait_for(lock, duration, [this] { return is_stopping_; });
        }
        return !is_stopping_;
    }

    Status pace(uint64_t bytes) {
        auto seconds = static_cast<double>(bytes) / static_cast<double>(options_.bytes_per_second);
        auto pause = std::chrono::duration_cast<std::chrono::nanoseconds>(
            std::chrono::duration<double>(seconds));
        if (!wait_for(pause)) {
            return Error{.code = ErrorCode::kInterrupted, .message = "the scrubber was stopped"};
        }
        std::lock_guard lock(mutex_);
        read_bytes_ += bytes;
        return ok();
    }

    Status read_next_segment() {
        LogPlace end = store_.log_end();
        Result<std::optional<Super>> super = read_super(disk_, options_.directory);
        if (!super || !*super) {
            Error error =
                super ? Error{.code = ErrorCode::kStoreDamaged, .message = "SUPER is missing"}
                      : std::move(super).error();
            met({.code = ProblemCode::kSuper, .message = error.message});
            return error;
        }
        Manifest manifest = LB_TRY(read_manifest((*super)->store_id));
        std::vector<SurveyedSegment> hot =
            LB_TRY(list_segments(disk_, options_.directory, manifest.base.first_segment, end));
        SegmentId next;
        {
            std::lock_guard lock(mutex_);
            next = state_.next_segment;
            segment_count_ = hot.size() + manifest.cold.size();
        }
        std::vector<Problem> problems;
        auto report = [&](Problem problem) { problems.push_back(std::move(problem)); };
        // Cold segments have the higher ids.
        auto segment = std::ranges::lower_bound(hot, next, {}, &SurveyedSegment::segment);
        auto cold = std::ranges::lower_bound(manifest.cold, next, {}, &ColdFile::segment);
        if (segment != hot.end()) {
            next = segment->segment;
            SurveyChain chain{.is_known = false};
            LB_TRY(survey_segment(
                paced_disk_, options_.directory, **super, *segment, chain,
                {.frame = [](const ReplayFrame&) { return ok(); }, .problem = report}));
        } else if (cold != manifest.cold.end()) {
            next = cold->segment;
            LB_TRY(survey_cold_segment(
                paced_disk_, options_.directory, (*super)->store_id, *cold,
                {.record = [](const ReplayRecord&) { return ok(); }, .problem = report}));
        } else {
            return end_pass((*super)->store_id);
        }
        // What was reclaimed meanwhile is not missing.
        bool is_there = problems.empty() || LB_TRY(is_part_of_store(next, (*super)->store_id));
        for (size_t i = 0; is_there && i < problems.size(); i++) met(problems[i]);
        return move_on([&] { state_.next_segment = SegmentId{next.value() + 1}; });
    }

    // The store's own, as far as it can be read.
    Result<Manifest> read_manifest(const StoreId& store_id) {
        ManifestCopies copies = LB_TRY(read_manifest_copies(disk_, options_.directory, store_id));
        const Manifest* newest = newest_manifest(copies);
        return newest != nullptr ? *newest : first_manifest(store_id);
    }

    Result<bool> is_part_of_store(SegmentId segment, const StoreId& store_id) {
        Manifest manifest = LB_TRY(read_manifest(store_id));
        return is_cold(segment) ? is_named(manifest, segment)
                                : segment >= manifest.base.first_segment;
    }

    // Reclaim may replace the copies just now: what is wrong must be so at a second look, too.
    Status check_manifest_copies(const StoreId& store_id) {
        for (bool is_second_look : {false, true}) {
            std::vector<ManifestProblem> problems =
                problems_of(LB_TRY(read_manifest_copies(disk_, options_.directory, store_id)));
            std::erase_if(problems, [](const ManifestProblem& p) { return !p.is_damage; });
            if (problems.empty()) return ok();
            for (size_t i = 0; is_second_look && i < problems.size(); i++) {
                met({.code = ProblemCode::kManifest, .message = problems[i].message});
            }
        }
        return ok();
    }

    Status end_pass(const StoreId& store_id) {
        LB_TRY(check_manifest_copies(store_id));
        Status index = store_.verify_index();
        if (!index && index.error().code == ErrorCode::kStoreDamaged) {
            met({.code = ProblemCode::kIndexUnreadable, .message = index.error().message});
        }
        return move_on([this] {
            state_.next_segment = kFirst;
            state_.pass_count++;
            state_.completed_at = disk_.clock().now();
            state_.last_problem_count = std::exchange(state_.problem_count, 0);
        });
    }

    template <class Change>
    Status move_on(const Change& change) {
        ScrubState state;
        {
            std::lock_guard lock(mutex_);
            change();
            state = state_;
        }
        return write_scrub_state(disk_, options_.directory, state);
    }

    void met(const Problem& problem) {
        if (is_damage(problem.code)) {
            std::lock_guard lock(mutex_);
            state_.problem_count++;
        }
        if (options_.on_problem) options_.on_problem(problem);
    }

    static constexpr SegmentId kFirst{1};

    Store& store_;
    const ScrubOptions options_;
    Disk& disk_;
    PacedDisk paced_disk_;
    mutable std::mutex mutex_;
    std::condition_variable stopping_;
    ScrubState state_;
    uint64_t segment_count_ = 0;
    uint64_t read_bytes_ = 0;
    bool is_reading_ = false;
    bool is_stopping_ = false;
    std::thread thread_;  // last: it uses the others
};

}  // namespace

std::unique_ptr<Scrubber> Scrubber::start(Store& store, ScrubOptions options) {
    LB_ASSERT(options.bytes_per_second > 0);
    return std::make_unique<BackgroundScrubber>(store, std::move(options));
}

}  // namespace lb::store
