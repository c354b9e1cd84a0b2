#include "store/store.h"

#include <algorithm>

#include "base/text.h"
#include "store/check_run.h"
#include "store/index_meta.h"
#include "store/log_store.h"
#include "store/path_finder.h"

namespace lb::store {

namespace {

// A check holds reclaim up; with less free space than this (or half of what there was) it gives up.
constexpr uint64_t kCheckNeedsBytes = uint64_t{256} << 20;

}  // namespace

Status LogStore::start() {
    if (options_.is_index_in_memory) {
        index_ = make_memory_index();
    } else {
        SegmentLog* log = log_.get();
        index_ = LB_TRY(open_rocksdb_index(
            {.directory = options_.directory + "/index",
             .cache_bytes = options_.index_cache_bytes,
             // A failure stops the log, which the next operation reports.
             .before_flush = [log] { return log->sync(log->last_sequence()).is_ok(); }}));
    }
    projection_ = std::make_unique<Projection>(
        *log_, *index_, ProjectionLimits::for_bytes(options_.index_cache_bytes));
    LB_TRY(projection_->recover());
    tree_ = std::make_unique<FileTree>(*projection_, *log_, disk_.clock());
    for (const OpenInode& open : options_.open_inodes) {
        tree_->retain(open.line, open.inode, open.count);
    }
    past_ = std::make_unique<Past>(*projection_, *log_);
    next_line_ = projection_->next_line().value();
    reclaim_ = std::make_unique<ReclaimThread>(
        *log_, *projection_, disk_, change_mutex_,
        [this](LineId line, InodeId inode) { return tree_->is_open(line, inode); },
        ReclaimThreadOptions{
            .directory = options_.directory,
            .has_thread = options_.has_reclaim_thread,
            .on_stopped = [this](const Error& why) { tell_reclaim_stopped(why); }});
    Status resumed = reclaim_->resume();
    if (resumed || resumed.error().code != ErrorCode::kStoreDamaged) return resumed;
    tell_reclaim_stopped(resumed.error());
    return ok();
}

void LogStore::tell_reclaim_stopped(const Error& error) {
    Error told = error;
    told.message = cat("no space is reclaimed until lb is restarted: ", error.message);
    tell({LineId{}, InodeId{}, 0, std::move(told)});
}

LineId LogStore::reserve_line() {
    std::lock_guard lock(change_mutex_);
    LineId line{next_line_++};
    reserved_lines_.insert(line);
    return line;
}

Result<Position> LogStore::commit(const Commit& commit) {
    uint64_t sequence = 0;
    {
        std::lock_guard lock(change_mutex_);
        LB_TRY(check_open());
        LB_TRY(projection_->trim());
        LineCommit lines(*projection_, position(), reserved_lines_);
        LB_TRY(lines.check(commit));
        FrameRecords frame = lines.frame(commit, disk_.clock().now());
        sequence = LB_TRY(projection_->append(frame.records())).sequence;
        for (const NewLine& line : commit.create) reserved_lines_.erase(line.line);
        if (!commit.remove.empty()) reclaim_->line_removed();
    }
    LB_TRY(log_->sync(sequence));
    return Position{sequence};
}

Result<LineInfo> LogStore::line(LineId line) const {
    auto shared = projection_->share();
    const Line* found = projection_->lines().find(line);
    if (found == nullptr) return no_such_line(line);
    return found->info;
}

std::vector<LineInfo> LogStore::lines() const {
    auto shared = projection_->share();
    return projection_->lines().live();
}

std::vector<LineId> LogStore::children(LineId line) const {
    auto shared = projection_->share();
    std::vector<LineId> result;
    const Line* found = projection_->lines().find(line);
    if (found == nullptr) return result;
    for (LineId child : found->children) {
        if (projection_->lines().find_live(child) != nullptr) result.push_back(child);
    }
    return result;
}

Result<std::optional<std::string>> LogStore::note(std::string_view key) const {
    std::lock_guard lock(change_mutex_);
    LB_TRY(check_open());
    if (key.empty() || key.size() > kNoteKeyMaxBytes) return std::optional<std::string>();
    return projection_->note(key);
}

Result<std::vector<Note>> LogStore::notes(std::string_view prefix) const {
    std::lock_guard lock(change_mutex_);
    LB_TRY(check_open());
    if (prefix.size() > kNoteKeyMaxBytes) return std::vector<Note>();
    return projection_->notes(prefix);
}

StoreStatistics LogStore::statistics() const {
    StoreStatistics result;
    LogStatistics log = log_->statistics();
    result.log_bytes = log.log_bytes;
    result.segment_count = log.segment_count;
    result.frame_count = log.frame_count;
    result.syncs = log.syncs;
    result.position = Position{log_->last_sequence()};
    result.durable_position = Position{log_->durable_sequence()};
    result.reads_placed_by_memory = reads_placed_by_memory_.load(std::memory_order_relaxed);
    result.reads_placed_by_index = reads_placed_by_index_.load(std::memory_order_relaxed);
    result.cold_bytes = log.cold_bytes;
    result.cold_plain_bytes = log.cold_plain_bytes;
    ReclaimStatistics reclaim = reclaim_->statistics();
    result.reclaim_debt_bytes = reclaim.debt_bytes;
    result.reclaimed_bytes = reclaim.removed_bytes;
    result.write_pressure = reclaim_->throttle().pressure();
    result.block_reads = block_reads_.load(std::memory_order_relaxed);
    result.block_writes = block_writes_.load(std::memory_order_relaxed);
    result.free_bytes = free_bytes();
    result.damage_met_count = damage_met_.load(std::memory_order_relaxed);
    auto shared = projection_->share();
    result.line_count = projection_->lines().live_count();
    result.index_chunk_misses = projection_->chunk_miss_count();
    return result;
}

Result<std::string> LogStore::path(LineId line, InodeId inode) {
    return alone(line, [&](const Line& found) { return path_of(*projection_, found, inode); });
}

// The index is written out and held as it is at one position; the log up to there does not change,
// because reclaim waits. It does not wait longer than there is space: then the check gives up.
Result<CheckReport> LogStore::check(const std::string& scratch_directory, const CheckSink& sink) {
    std::unique_lock<std::mutex> hold = reclaim_->hold();
    const uint64_t enough_bytes = std::min(kCheckNeedsBytes, free_bytes() / 2);
    CheckReport report;
    Status verified = index_->verify();
    if (!verified) report.add(unreadable_index(verified.error()));
    std::optional<Super> super = LB_TRY(read_super(disk_, options_.directory));
    if (!super)
        super = Super{.store_id = log_->store_id(), .segment_bytes = options_.segment_bytes};
    LB_TRY(check_manifest(disk_, options_.directory, super->store_id, report));
    std::unique_ptr<IndexCursor> cursor;
    LogPlace end;
    {
        std::lock_guard lock(change_mutex_);
        LB_TRY(check_open());
        LB_TRY(projection_->write_index());
        end = log_->end();
        cursor = index_->cursor();
        LB_TRY(cursor->seek(""));
    }
    bool is_space_short = false;
    CheckSink watched{.progress = sink.progress, .is_cancelled = [&] {
                          is_space_short = free_bytes() < enough_bytes;
                          return is_space_short || (sink.is_cancelled && sink.is_cancelled());
                      }};
    Status checked = check_log({.disk = &disk_,
                                .directory = options_.directory,
                                .super = *super,
                                .manifest = log_->manifest(),
                                .end = end,
                                .used = verified ? cursor.get() : nullptr,
                                .used_place = end},
                               scratch_directory, watched, report);
    if (!checked && is_space_short) {
        return Error{.code = ErrorCode::kStoreFull,
                     .message = "the check was given up: space is short, and reclaim waits for it",
                     .help = "free some space, or run lb fsck with the daemon stopped"};
    }
    LB_TRY(std::move(checked));
    return report;
}

// The index goes first: what it writes out must be in the log by then.
Status LogStore::close() {
    reclaim_->stop();
    std::lock_guard lock(change_mutex_);
    LB_TRY(check_open());
    is_closed_ = true;
    Status synced = log_->sync(log_->last_sequence());
    Status written = synced.is_ok() ? projection_->write_index() : ok();
    Status index_closed = index_->close();
    Status log_closed = log_->close();
    LB_TRY(std::move(synced));
    LB_TRY(std::move(written));
    LB_TRY(std::move(index_closed));
    return log_closed;
}

Result<std::unique_ptr<Store>> Store::open(StoreOptions options) {
    Disk& disk = options.disk != nullptr ? *options.disk : posix_disk();
    uint64_t known_durable_sequence =
        options.is_index_in_memory ? 0 : durable_by_index(disk, options.directory);
    std::vector<Error> damage;
    std::unique_ptr<SegmentLog> log =
        LB_TRY(SegmentLog::open({.disk = &disk,
                                 .directory = options.directory,
                                 .spare_segments = options.spare_segments,
                                 .segment_bytes = options.segment_bytes,
                                 .reserve_bytes = options.disk_reserve_bytes,
                                 .known_durable_sequence = known_durable_sequence,
                                 .on_damage = [&](const Error& met) { damage.push_back(met); }}));
    auto store = std::make_unique<LogStore>(std::move(options), disk, std::move(log));
    LB_TRY(store->start());
    store->made_good(std::move(damage));
    return std::unique_ptr<Store>(std::move(store));
}

}  // namespace lb::store
