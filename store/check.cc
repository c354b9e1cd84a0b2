#include "store/check.h"

#include "base/text.h"
#include "store/check_run.h"
#include "store/format_text.h"
#include "store/index_keys.h"
#include "store/index_meta.h"
#include "store/log_recovery.h"
#include "store/segment_files.h"

namespace lb::store {

namespace {

// What a store that nobody has open is before its log is read.
struct Offline {
    Disk* disk = nullptr;
    Super super;
    std::shared_ptr<const Manifest> manifest = {};  // nullptr: damaged in both copies
    std::optional<RecoveredLog> log = {};           // nullopt: its end is damaged
    bool does_open = true;

    std::optional<LogPlace> end() const {
        if (!log) return std::nullopt;
        const SegmentSummary& last = log->segments.back();
        return LogPlace{last.segment, last.end_offset, last.last_sequence};
    }
    std::vector<SegmentSummary> unsettled() const {
        return log ? log->unsettled : std::vector<SegmentSummary>();
    }
};

Result<Offline> look_at(const CheckOptions& options, CheckReport& report) {
    Offline result{.disk = options.disk != nullptr ? options.disk : &posix_disk(), .super = {}};
    if (!LB_TRY(result.disk->exists(segment_directory(options.directory)))) {
        return Error{.code = ErrorCode::kStoreNotFound,
                     .message = cat("there is no store in ", quoted(options.directory)),
                     .help = "name the home that has one with --home"};
    }
    result.super =
        LB_TRY(super_or_guess(*result.disk, options.directory, [&](const Problem& problem) {
            report.add(problem);
            result.does_open = false;
        }));
    result.manifest =
        LB_TRY(check_manifest(*result.disk, options.directory, result.super.store_id, report));
    if (result.manifest == nullptr) {
        result.does_open = false;
        return result;
    }
    uint64_t known_durable_sequence = 0;
    if (!options.scratch_directory.empty()) {  // in memory there is no index on the disk either
        known_durable_sequence = durable_by_index(*result.disk, options.directory);
    }
    Result<RecoveredLog> log = inspect_log(*result.disk, options.directory, result.super,
                                           result.manifest->base, known_durable_sequence);
    if (log) {
        result.log = *std::move(log);
    } else if (log.error().code == ErrorCode::kStoreDamaged) {
        result.does_open = false;
        report.add({.code = ProblemCode::kLogEnd, .message = reason_text(log.error())});
    } else {
        return std::move(log).error();
    }
    return result;
}

struct UsedIndex {
    std::unique_ptr<Index> index;
    std::unique_ptr<IndexCursor> cursor;
    LogPlace place;
};

// The store's index, to be looked at; without a cursor if there is nothing to compare.
Result<UsedIndex> open_used_index(const CheckOptions& options, const Offline& store,
                                  CheckReport& report) {
    UsedIndex used;
    auto unreadable = [&](const Error& error) {
        report.add(unreadable_index(error));
        return UsedIndex{};
    };
    Result<std::unique_ptr<Index>> index = open_rocksdb_index_to_read(options.directory + "/index");
    if (!index && index.error().code == ErrorCode::kStoreNotFound) return used;  // is made at start
    if (!index && index.error().code != ErrorCode::kStoreDamaged) return std::move(index).error();
    if (!index) return unreadable(index.error());
    used.index = *std::move(index);
    Status verified = used.index->verify();
    Result<std::optional<std::string>> meta = used.index->get(meta_key());
    if (!verified || !meta) {
        return unreadable(verified ? meta.error() : verified.error());
    }
    std::optional<IndexMeta> decoded = *meta ? decode_index_meta(**meta) : std::nullopt;
    if (*meta && !decoded) return unreadable({.message = "its entry about itself is unreadable"});
    // One that belongs to nothing here is made anew at the next start.
    if (!decoded || decoded->store_id != store.super.store_id ||
        decoded->version != kIndexVersion ||
        !may_have_seen(*store.manifest, decoded->reclaim_step) ||
        decoded->place.sequence < store.manifest->base.previous_sequence) {
        return UsedIndex{};
    }
    used.place = decoded->place;
    used.cursor = used.index->cursor();
    return used;
}

}  // namespace

Result<std::shared_ptr<const Manifest>> check_manifest(Disk& disk, const std::string& directory,
                                                       const StoreId& store_id,
                                                       CheckReport& report) {
    ManifestCopies copies = LB_TRY(read_manifest_copies(disk, directory, store_id));
    for (ManifestProblem& problem : problems_of(copies)) {
        report.add({.code = problem.is_damage ? ProblemCode::kManifest : ProblemCode::kLeftOver,
                    .message = std::move(problem.message)});
    }
    const Manifest* newest = newest_manifest(copies);
    bool is_any_there = copies[0].is_there || copies[1].is_there;
    if (newest == nullptr && is_any_there) return std::shared_ptr<const Manifest>();
    return std::make_shared<const Manifest>(newest != nullptr ? *newest : first_manifest(store_id));
}

std::string_view problem_name(ProblemCode code) {
    switch (code) {
        case ProblemCode::kSuper: return "super";
        case ProblemCode::kLogEnd: return "log-end";
        case ProblemCode::kManifest: return "manifest";
        case ProblemCode::kSegmentMissing: return "segment-missing";
        case ProblemCode::kSegmentHeader: return "segment-header";
        case ProblemCode::kFooter: return "footer";
        case ProblemCode::kFrame: return "frame";
        case ProblemCode::kRecord: return "record";
        case ProblemCode::kUnusedSpace: return "unused-space";
        case ProblemCode::kLeftOver: return "left-over";
        case ProblemCode::kIndexUnreadable: return "index-unreadable";
        case ProblemCode::kIndexMissing: return "index-missing";
        case ProblemCode::kIndexExtra: return "index-extra";
        case ProblemCode::kIndexWrong: return "index-wrong";
        case ProblemCode::kStatistics: return "statistics";
        case ProblemCode::kLine: return "line";
        case ProblemCode::kDirectory: return "directory";
        case ProblemCode::kLinkCount: return "link-count";
        case ProblemCode::kData: return "data";
        case ProblemCode::kInconsistent: return "inconsistent";
        case ProblemCode::kCatalog: return "catalog";
    }
    return "unknown";
}

bool is_damage(ProblemCode code) {
    return code != ProblemCode::kUnusedSpace && code != ProblemCode::kLeftOver;
}

void CheckReport::add(Problem problem) {
    if (is_damage(problem.code)) problem_count++;
    if (problems.size() < kProblemsMax) problems.push_back(std::move(problem));
}

Result<CheckReport> check_store(const CheckOptions& options, const CheckSink& sink) {
    CheckReport report;
    Offline store = LB_TRY(look_at(options, report));
    if (store.manifest == nullptr) return report;
    UsedIndex used;
    if (!options.scratch_directory.empty()) {
        used = LB_TRY(open_used_index(options, store, report));
    }
    LB_TRY(check_log({.disk = store.disk,
                      .directory = options.directory,
                      .super = store.super,
                      .manifest = store.manifest,
                      .end = store.end(),
                      .unsettled = store.unsettled(),
                      .used = used.cursor.get(),
                      .used_place = used.place},
                     options.scratch_directory, sink, report));
    return report;
}

Result<CheckReport> rebuild_index(const CheckOptions& options, const CheckSink& sink) {
    CheckReport report;
    Offline store = LB_TRY(look_at(options, report));
    if (!store.does_open) return report;
    // The index must never be ahead of what is durable.
    for (const SegmentSummary& segment : store.log->segments) {
        std::unique_ptr<File> file = LB_TRY(store.disk->open(
            segment_path(options.directory, segment.segment), OpenMode::kReadWrite));
        LB_TRY(file->sync());
    }
    std::unique_ptr<Index> index =
        LB_TRY(open_rocksdb_index({.directory = options.directory + "/index", .before_flush = {}}));
    LB_TRY(index->clear());
    {
        CheckRun run({.disk = store.disk,
                      .directory = options.directory,
                      .super = store.super,
                      .manifest = store.manifest,
                      .end = store.end(),
                      .unsettled = store.unsettled(),
                      .rebuilt = index.get()},
                     sink, report);
        LB_TRY(run.run());
    }
    std::unique_ptr<IndexCursor> cursor = index->cursor();
    for (bool is_valid = LB_TRY(cursor->seek("")); is_valid; is_valid = LB_TRY(cursor->next())) {
        report.counts.index_entries++;
    }
    cursor.reset();
    LB_TRY(index->close());
    return report;
}

}  // namespace lb::store
