#include "store/store.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <unordered_map>
#include <unordered_set>

#include "base/text.h"
#include "store/check.h"
#include "store/check_run.h"
#include "store/file_tree.h"
#include "store/index.h"
#include "store/index_meta.h"
#include "store/line_commit.h"
#include "store/line_usage.h"
#include "store/past.h"
#include "store/path_finder.h"
#include "store/projection.h"
#include "store/reclaim_thread.h"
#include "store/segment_log.h"

namespace lb::store {

namespace {

constexpr std::chrono::seconds kUsageRest{30};
// A check holds reclaim up; with less free space than this (or half of what there was) it gives up.
constexpr uint64_t kCheckNeedsBytes = uint64_t{256} << 20;

// Changes, and loads of what is not in memory, are made one at a time (change_mutex_), so that log
// order is index order. What memory can answer needs only the projection's shared lock, which is
// never held over a call to the disk. Syncs and the reading of block contents need no lock.
class LogStore final : public Store {
public:
    LogStore(StoreOptions options, Disk& disk, std::unique_ptr<SegmentLog> log)
        : options_(std::move(options)), disk_(disk), log_(std::move(log)) {}

    ~LogStore() override { reclaim_.reset(); }

    Status start();
    // Damage that was made good while the log was opened.
    void made_good(std::vector<Error> damage) {
        for (Error& error : damage) static_cast<void>(met({}, {}, 0, std::move(error)));
    }

    LineId reserve_line() override;
    Result<Position> commit(const Commit& commit) override;
    Result<LineInfo> line(LineId line) const override;
    std::vector<LineInfo> lines() const override;
    std::vector<LineId> children(LineId line) const override;
    Result<std::optional<std::string>> note(std::string_view key) const override;
    Result<std::vector<Note>> notes(std::string_view prefix) const override;
    Position position() const override { return Position{log_->last_sequence()}; }

    Result<Position> position_at(WallTime time) override;
    Result<std::vector<InodeId>> inodes_of_name(LineId line, InodeId directory,
                                                std::string_view name) override;
    Result<std::vector<DirectoryEntry>> list_at(LineId line, Position at,
                                                InodeId directory) override;
    Result<std::vector<Position>> block_positions(LineId line, InodeId inode,
                                                  uint32_t block) override;
    Status read_block_at(LineId line, Position at, InodeId inode, uint32_t block,
                         std::span<std::byte, kBlockBytes> out) override;

    Result<FileAttributes> lookup(LineId line, InodeId directory, std::string_view name) override;
    Result<FileAttributes> attributes(LineId line, InodeId inode) override;
    Result<FileAttributes> create(LineId line, InodeId directory, std::string_view name,
                                  const NewFile& file) override;
    Result<FileAttributes> link(LineId line, InodeId inode, InodeId new_directory,
                                std::string_view new_name) override;
    Status remove(LineId line, InodeId directory, std::string_view name,
                  FileType expected) override;
    Status rename(LineId line, InodeId directory, std::string_view name, InodeId new_directory,
                  std::string_view new_name, RenameMode mode) override;
    Result<FileAttributes> set_attributes(LineId line, InodeId inode,
                                          const AttributeChanges& changes) override;
    Result<std::string> symlink_target(LineId line, InodeId inode) override;
    Result<std::vector<DirectoryEntry>> list(LineId line, InodeId directory, std::string_view after,
                                             size_t limit) override;
    Result<size_t> read(LineId line, InodeId inode, uint64_t offset,
                        std::span<std::byte> out) override;
    Result<FileAttributes> write(LineId line, InodeId inode, uint64_t offset,
                                 ByteView data) override;
    Status allocate(LineId line, InodeId inode, uint64_t offset, uint64_t length) override;
    Status zero(LineId line, InodeId inode, uint64_t offset, uint64_t length) override;
    void retain(LineId line, InodeId inode) override;
    void release(LineId line, InodeId inode) override;
    std::vector<OpenInode> open_inodes() const override;

    bool is_durable(uint64_t sequence) const override {
        return log_->durable_sequence() >= sequence;
    }
    Status sync(uint64_t sequence) override;
    void set_restore_windows(const RestoreWindows& windows) override {
        reclaim_->set_windows(windows);
    }
    Result<RestorableHistory> restorable(LineId line) const override;
    Status check_restorable(LineId line, Position position) const override;
    Result<LineUsage> usage(LineId line) override;
    Result<uint64_t> freed_by_window(LineId line, std::chrono::nanoseconds window) override;
    Result<NearestRestorable> nearest_restorable(LineId line, Position position) const override;
    Result<bool> reclaim_step() override { return reclaim_->step_now(); }
    StoreStatistics statistics() const override;
    LogPlace log_end() const override { return log_->end(); }
    Result<std::string> path(LineId line, InodeId inode) override;
    Result<CheckReport> check(const std::string& scratch_directory, const CheckSink& sink) override;
    Status verify_index() override { return index_->verify(); }
    Status close() override;

private:
    // Runs operation(line) alone, on a live line.
    template <class Operation>
    auto alone(LineId line, const Operation& operation)
        -> decltype(operation(std::declval<const Line&>())) {
        std::lock_guard lock(change_mutex_);
        LB_TRY(check_open());
        LB_TRY(projection_->trim());
        const Line* found = projection_->lines().find_live(line);
        if (found == nullptr) return no_such_line(line);
        return operation(*found);
    }
    Status check_open() const {
        if (!is_closed_) return ok();
        return Error{.code = ErrorCode::kStoreReadOnly, .message = "the store is closed"};
    }

    // Tells of an error that is damage; returns it.
    Error met(LineId line, InodeId inode, uint64_t offset, Error error);

    uint64_t free_bytes() const {
        Result<uint64_t> bytes = disk_.free_bytes(options_.directory);
        return bytes ? *bytes : 0;
    }
    Result<ReadPlan> plan_read(LineId line, InodeId inode, uint64_t offset, size_t length);

    Result<UsageSources> usage_sources(LineId line);

    StoreOptions options_;
    Disk& disk_;
    std::unique_ptr<SegmentLog> log_;
    std::unique_ptr<Index> index_;

    std::unique_ptr<Projection> projection_;
    std::unique_ptr<FileTree> tree_;
    std::unique_ptr<Past> past_;
    std::unique_ptr<ReclaimThread> reclaim_;
    mutable std::mutex change_mutex_;
    std::unordered_set<LineId> reserved_lines_;
    bool is_closed_ = false;
    uint64_t next_line_ = 1;

    struct MeasuredUsage {
        LineUsage usage;
        Position head = {};
        std::chrono::steady_clock::time_point at{};
        std::chrono::steady_clock::duration cost{};  // 0: not measured yet
    };
    std::mutex usage_mutex_;  // one measurement at a time
    std::unordered_map<LineId, MeasuredUsage> usages_;

    std::atomic<uint64_t> block_reads_ = 0;
    std::atomic<uint64_t> block_writes_ = 0;
    std::atomic<uint64_t> reads_placed_by_memory_ = 0;
    std::atomic<uint64_t> reads_placed_by_index_ = 0;
    std::atomic<uint64_t> damage_met_ = 0;
};

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
        ReclaimThreadOptions{.directory = options_.directory,
                             .has_thread = options_.has_reclaim_thread});
    Status resumed = reclaim_->resume();
    if (resumed || resumed.error().code != ErrorCode::kStoreDamaged) return resumed;
    met(LineId{}, InodeId{}, 0, std::move(resumed).error());
    return ok();
}

Result<Position> LogStore::position_at(WallTime time) {
    std::lock_guard lock(change_mutex_);
    LB_TRY(check_open());
    return past_->position_at(time);
}

Result<std::vector<InodeId>> LogStore::inodes_of_name(LineId line, InodeId directory,
                                                      std::string_view name) {
    return alone(line,
                 [&](const Line& found) { return past_->inodes_of_name(found, directory, name); });
}

Result<std::vector<DirectoryEntry>> LogStore::list_at(LineId line, Position at, InodeId directory) {
    return alone(line, [&](const Line& found) { return past_->list(found, at, directory); });
}

Result<std::vector<Position>> LogStore::block_positions(LineId line, InodeId inode,
                                                        uint32_t block) {
    return alone(line,
                 [&](const Line& found) { return past_->block_positions(found, inode, block); });
}

Status LogStore::read_block_at(LineId line, Position at, InodeId inode, uint32_t block,
                               std::span<std::byte, kBlockBytes> out) {
    return alone(
        line, [&](const Line& found) { return past_->read_block(found, at, inode, block, out); });
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

Result<FileAttributes> LogStore::lookup(LineId line, InodeId directory, std::string_view name) {
    {
        auto shared = projection_->share();
        if (projection_->lines().find_live(line) != nullptr) {
            if (auto found = tree_->find_name(line, directory, name)) return *found;
        }
    }
    return alone(line, [&](const Line& found) { return tree_->lookup(found, directory, name); });
}

Result<FileAttributes> LogStore::attributes(LineId line, InodeId inode) {
    {
        auto shared = projection_->share();
        if (projection_->lines().find_live(line) != nullptr) {
            if (auto found = tree_->find_attributes(line, inode)) return *found;
        }
    }
    return alone(line, [&](const Line& found) { return tree_->attributes(found, inode); });
}

Result<FileAttributes> LogStore::create(LineId line, InodeId directory, std::string_view name,
                                        const NewFile& file) {
    return alone(line,
                 [&](const Line& found) { return tree_->create(found, directory, name, file); });
}

Result<FileAttributes> LogStore::link(LineId line, InodeId inode, InodeId new_directory,
                                      std::string_view new_name) {
    return alone(line, [&](const Line& found) {
        return tree_->link(found, inode, new_directory, new_name);
    });
}

Status LogStore::remove(LineId line, InodeId directory, std::string_view name, FileType expected) {
    return alone(
        line, [&](const Line& found) { return tree_->remove(found, directory, name, expected); });
}

Status LogStore::rename(LineId line, InodeId directory, std::string_view name,
                        InodeId new_directory, std::string_view new_name, RenameMode mode) {
    return alone(line, [&](const Line& found) {
        return tree_->rename(found, directory, name, new_directory, new_name, mode);
    });
}

Result<FileAttributes> LogStore::set_attributes(LineId line, InodeId inode,
                                                const AttributeChanges& changes) {
    return alone(line,
                 [&](const Line& found) { return tree_->set_attributes(found, inode, changes); });
}

Result<std::string> LogStore::symlink_target(LineId line, InodeId inode) {
    return alone(line, [&](const Line& found) { return tree_->symlink_target(found, inode); });
}

Result<std::vector<DirectoryEntry>> LogStore::list(LineId line, InodeId directory,
                                                   std::string_view after, size_t limit) {
    return alone(line,
                 [&](const Line& found) { return tree_->list(found, directory, after, limit); });
}

Result<size_t> LogStore::read(LineId line, InodeId inode, uint64_t offset,
                              std::span<std::byte> out) {
    for (;;) {
        uint64_t moves = projection_->move_count();
        ReadPlan plan = LB_TRY(plan_read(line, inode, offset, out.size()));
        block_reads_.fetch_add(plan.pieces.size(), std::memory_order_relaxed);
        Status fetched = FileTree::fetch(*log_, plan, out);
        if (fetched) return plan.length_bytes;
        // What the plan names may have moved to another segment, and its file be gone.
        if (projection_->move_count() == moves) {
            return met(line, inode, offset, std::move(fetched).error());
        }
    }
}

Result<ReadPlan> LogStore::plan_read(LineId line, InodeId inode, uint64_t offset, size_t length) {
    {
        auto shared = projection_->share();
        if (projection_->lines().find_live(line) != nullptr) {
            std::optional<ReadPlan> plan = tree_->find_read(line, inode, offset, length);
            if (plan) {
                reads_placed_by_memory_.fetch_add(1, std::memory_order_relaxed);
                return std::move(*plan);
            }
        }
    }
    reads_placed_by_index_.fetch_add(1, std::memory_order_relaxed);
    Result<ReadPlan> made = alone(
        line, [&](const Line& found) { return tree_->plan_read(found, inode, offset, length); });
    if (!made) return met(line, inode, offset, std::move(made).error());
    return made;
}

Result<FileAttributes> LogStore::write(LineId line, InodeId inode, uint64_t offset, ByteView data) {
    block_writes_.fetch_add((data.size() + kBlockBytes - 1) / kBlockBytes,
                            std::memory_order_relaxed);
    Result<FileAttributes> written =
        alone(line, [&](const Line& found) { return tree_->write(found, inode, offset, data); });
    if (!written) return met(line, inode, offset, std::move(written).error());
    reclaim_->throttle().charge(data.size());
    return written;
}

Error LogStore::met(LineId line, InodeId inode, uint64_t offset, Error error) {
    if (error.code != ErrorCode::kStoreDamaged) return error;
    damage_met_.fetch_add(1, std::memory_order_relaxed);
    if (options_.on_damage) options_.on_damage({line, inode, offset, error});
    return error;
}

Status LogStore::allocate(LineId line, InodeId inode, uint64_t offset, uint64_t length) {
    return alone(line,
                 [&](const Line& found) { return tree_->allocate(found, inode, offset, length); });
}

Status LogStore::zero(LineId line, InodeId inode, uint64_t offset, uint64_t length) {
    return alone(line,
                 [&](const Line& found) { return tree_->zero(found, inode, offset, length); });
}

void LogStore::retain(LineId line, InodeId inode) {
    std::lock_guard lock(change_mutex_);
    tree_->retain(line, inode);
}

void LogStore::release(LineId line, InodeId inode) {
    std::lock_guard lock(change_mutex_);
    tree_->release(line, inode);
}

std::vector<OpenInode> LogStore::open_inodes() const {
    std::lock_guard lock(change_mutex_);
    return tree_->open_inodes();
}

Status LogStore::sync(uint64_t sequence) {
    if (is_durable(sequence)) return ok();
    return log_->sync(sequence);
}

Result<RestorableHistory> LogStore::restorable(LineId line) const {
    std::lock_guard lock(change_mutex_);
    const Line* found = projection_->lines().find_live(line);
    if (found == nullptr) return no_such_line(line);
    const History& history = projection_->history();
    bool is_root = found->parent == nullptr;
    Position first = is_root ? found->info.created_position : found->info.fork_position;
    RestorableHistory result{.first = first};
    if (history.floor(line) > first.value()) {
        result.first = Position{history.floor(line)};
        result.first_at = history.time_of(history.floor(line));
    }
    result.every_from = std::max(result.first, Position{history.dense_from(line)});
    return result;
}

Status LogStore::check_restorable(LineId line, Position position) const {
    std::lock_guard lock(change_mutex_);
    const Line* found = projection_->lines().find_live(line);
    if (found == nullptr) return no_such_line(line);
    return LineCommit(*projection_, this->position(), reserved_lines_)
        .check_position(*found, position);
}

Result<UsageSources> LogStore::usage_sources(LineId line) {
    return alone(line, [&](const Line& found) -> Result<UsageSources> {
        UsageSources sources{.blocks = LB_TRY(projection_->cursor()),
                             .versions = LB_TRY(projection_->cursor()),
                             .line = found.info,
                             .history = projection_->history()};
        for (LineId child : found.children) {
            const LineInfo& info = projection_->lines().find(child)->info;
            sources.forks.push_back(info.fork_position.value());
        }
        std::ranges::sort(sources.forks);
        return sources;
    });
}

Result<LineUsage> LogStore::usage(LineId line) {
    Position head = LB_TRY(this->line(line)).head;
    std::lock_guard lock(usage_mutex_);
    auto began = std::chrono::steady_clock::now();
    MeasuredUsage& measured = usages_[line];
    // An old answer will do where a new one takes long.
    auto good_for = head == measured.head ? kUsageRest : 20 * measured.cost;
    if (measured.cost.count() != 0 && began - measured.at < good_for) return measured.usage;
    UsageSources sources = LB_TRY(usage_sources(line));
    measured.usage = LB_TRY(measure_usage(sources));
    measured.head = sources.line.head;
    measured.at = std::chrono::steady_clock::now();
    measured.cost = measured.at - began;
    return measured.usage;
}

Result<uint64_t> LogStore::freed_by_window(LineId line, std::chrono::nanoseconds window) {
    UsageSources sources = LB_TRY(usage_sources(line));
    uint64_t floor =
        sources.history.floor_with(line, disk_.clock().now(), window, sources.line.head.value());
    return measure_freed(sources, floor);
}

Result<NearestRestorable> LogStore::nearest_restorable(LineId line, Position position) const {
    std::lock_guard lock(change_mutex_);
    const Line* found = projection_->lines().find_live(line);
    if (found == nullptr) return no_such_line(line);
    const History& history = projection_->history();
    bool is_root = found->parent == nullptr;
    Position first = is_root ? found->info.created_position : found->info.fork_position;
    NearestRestorable near{.before = position, .after = position};
    LineCommit check(*projection_, this->position(), reserved_lines_);
    if (!check.check_position(*found, position).is_ok()) {
        std::optional<uint64_t> before = history.last_until(line, position.value());
        near.before.reset();
        if (before && *before >= first.value()) near.before = Position{*before};
        uint64_t after = history.first_from(line, std::max(first, position).value());
        near.after = std::min(Position{after}, this->position());
    }
    near.after_at = history.time_of(near.after.value());
    return near;
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

}  // namespace

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
