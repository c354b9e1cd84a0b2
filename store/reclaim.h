// Reclaim: gives back the space of what nobody can read any more, and moves what is needed of the
// log's oldest segments into cold ones.
//
// One step has inputs (the oldest hot segments, or some cold ones) and at most one output:
//   1. decide for each record of the inputs whether it is needed (liveness.h),
//   2. write those that are into a cold segment, durably,
//   3. write a manifest that names the step: from here on it will be finished, also by another
//      process after a crash,
//   4. change the index: needed blocks point to the output, what is not needed goes; durably,
//   5. write a manifest with the output and without the inputs; then their files are removed.
// What is needed only ever gets less (history.h is durable before anything goes, new branches are
// checked against it), so what step 1 decided holds in step 4.
//
// Decisions and changes of the index are made in small pieces under the store's lock; the disk is
// read and written outside of it.
//
// Threads: step() and resume() from one thread at a time; the rest from any.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <set>

#include "store/history.h"
#include "store/projection.h"
#include "store/segment_log.h"

namespace lb::store {

struct ReclaimOptions {
    // Hot segments that one step takes, and bytes of cold ones.
    uint64_t step_bytes = uint64_t{128} << 20;
    // A cold segment is written anew when this share of it is not needed any more.
    double cold_garbage_share = 0.25;
    // A cold segment is looked at again after this time.
    std::chrono::nanoseconds cold_check_interval = std::chrono::minutes{2};
    // Called between pieces of work, without any lock: to pause, or to end the step (false).
    std::function<bool()> may_go_on = [] { return true; };
};

enum class Urgency {
    kNormal,       // only what is older than full density
    kSpaceIsShort  // every full segment
};

struct ReclaimStatistics {
    uint64_t step_count = 0;
    uint64_t removed_bytes = 0;  // of input files
    uint64_t written_bytes = 0;  // of output files
    // What the next steps could work on: hot segments older than full density.
    uint64_t debt_bytes = 0;
};

class Reclaim {
public:
    Reclaim(SegmentLog& log, Projection& projection, Clock& clock, std::mutex& change_mutex,
            std::function<bool(LineId, InodeId)> is_open, ReclaimOptions options);

    // Finishes a step that was cut short. At open, when the projection has recovered.
    // kStoreDamaged: what the step works on is damaged. All else works, but reclaim does not.
    Status resume();

    // One step. false: there was nothing to do. After an error other than kStoreFull none can
    // follow until the store is opened again; the store goes on without.
    Result<bool> step(const RestoreWindows& windows, Urgency urgency);

    // With the store's lock held: a line was removed, so cold segments may have got emptier.
    void line_removed() { check_all_cold_ = true; }

    // After such an error. For who calls step().
    bool has_stopped() const { return has_failed_; }

    ReclaimStatistics statistics() const;

private:
    struct Item {
        ReplayRecord record;  // its payload lies in `payload`, and is empty for blocks
        Bytes payload;
        bool is_needed = false;

        ReplayRecord view() const {
            ReplayRecord copy = record;
            copy.payload = payload;
            return copy;
        }
    };
    struct Inputs {
        std::vector<Item> items;  // sorted by identity
        uint64_t bytes = 0;
        // The state at the base that follows when hot segments are inputs.
        LogBase base;
        std::vector<LineInfo> lines;
        std::map<std::string, std::string> notes;
        uint64_t next_inode = 0;
        uint64_t next_line = 0;
    };
    struct HotScan;

    Status advance_history(const RestoreWindows& windows);
    std::optional<ReclaimStep> choose(Urgency urgency);
    std::optional<ReclaimStep> choose_cold();
    bool is_hot_old(const SegmentSummary& segment) const;

    Result<Inputs> load(const ReclaimStep& step);
    Status load_hot(SegmentId end, Inputs& inputs);
    Status load_cold(const std::vector<SegmentId>& segments, Inputs& inputs);
    Status add_derived(HotScan& scan, Inputs& inputs);
    static bool comes_before(const Item& a, const Item& b);
    static void sort_items(std::vector<Item>& items);

    Status pause();
    Status decide(Inputs& inputs);
    bool is_worth_it(const Inputs& inputs, const ReclaimStep& step);
    Result<std::optional<ColdFile>> write_output(const Inputs& inputs);
    Result<bool> run(ReclaimStep step);
    Status finish(const ReclaimStep& step, const Inputs& inputs);
    Status put_output(const ReclaimStep& step, const Inputs& inputs, BlockMap::Moves& moves,
                      std::vector<Item>& kept);
    Status erase_times(const LogBase& base);
    Status erase_unneeded(const Inputs& inputs, const std::vector<Item>& kept);

    SegmentLog& log_;
    Projection& projection_;
    Clock& clock_;
    std::mutex& change_mutex_;
    const std::function<bool(LineId, InodeId)> is_open_;
    const ReclaimOptions options_;

    std::map<SegmentId, WallTime> checked_;  // cold segments that were dense enough, and when
    std::atomic<bool> check_all_cold_ = false;
    bool has_failed_ = false;
    bool is_interrupted_ = false;
    uint64_t dense_from_ = 0;  // of the line that needs most of its past

    mutable std::mutex statistics_mutex_;
    ReclaimStatistics statistics_;
};

}  // namespace lb::store
