// CheckRun: one check of a store, offline or of a store that is open. Private to the store.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "store/check.h"
#include "store/check_frames.h"
#include "store/check_step.h"
#include "store/index.h"
#include "store/log_recovery.h"
#include "store/log_super.h"
#include "store/projection.h"
#include "store/segment_survey.h"

namespace lb::store {

struct CheckRunOptions {
    Disk* disk = nullptr;
    std::string directory;
    Super super;
    std::shared_ptr<const Manifest> manifest;
    std::optional<LogPlace> end = {};  // nullopt: unknown, read all there is
    // Whose footers may be missing without being damage.
    std::vector<SegmentSummary> unsettled = {};
    Index* rebuilt = nullptr;  // filled from the log
    // The index that the store uses and the place that it stands for; nullptr: nothing to compare.
    IndexCursor* used = nullptr;
    LogPlace used_place = {};
};

// A run with a scratch index in the directory (empty: in memory), which is removed afterwards.
// `options.rebuilt` is set here.
Status check_log(CheckRunOptions options, const std::string& scratch_directory,
                 const CheckSink& sink, CheckReport& report);

// The copies on the disk: what is wrong with them is in the report. nullptr: where the log begins
// is unknown. A store that has none has that of its beginning.
Result<std::shared_ptr<const Manifest>> check_manifest(Disk& disk, const std::string& directory,
                                                       const StoreId& store_id,
                                                       CheckReport& report);

Problem unreadable_index(const Error& error);

class CheckRun {
public:
    CheckRun(const CheckRunOptions& options, const CheckSink& sink, CheckReport& report);
    ~CheckRun();

    // Reads the log, fills the index, compares, and tells which files problems are about.
    Status run();

private:
    class ReadOnlyLog;
    class Audit;

    Status progress(std::string_view step, uint64_t done_bytes, uint64_t total_bytes);
    Status find_left_overs();
    Status load_step();
    Status note_cold(const ColdFile& cold, const ReplayRecord& record);
    Status compare();
    void report_frame_problems();
    Result<std::optional<std::string>> attributes_at(LineId line, InodeId inode, uint64_t sequence);
    Status name_files();
    Status name_file(Problem& problem);
    Result<bool> is_current(const Line& line, const Problem& problem);

    const CheckRunOptions options_;
    const CheckSink& sink_;
    CheckReport& report_;
    std::unique_ptr<ReadOnlyLog> log_;
    std::unique_ptr<Projection> projection_;
    std::unique_ptr<Audit> audit_;
    std::vector<uint64_t> logged_inodes_;
    std::optional<PendingStep> step_;
    std::vector<Problem> frame_problems_;
    bool is_compared_ = false;
};

}  // namespace lb::store
