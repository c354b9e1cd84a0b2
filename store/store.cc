#include "store/store.h"

#include <atomic>
#include <mutex>
#include <unordered_set>

#include "base/text.h"
#include "store/check.h"
#include "store/check_run.h"
#include "store/file_tree.h"
#include "store/index.h"
#include "store/index_meta.h"
#include "store/past.h"
#include "store/path_finder.h"
#include "store/projection.h"
#include "store/segment_log.h"

namespace lb::store {

namespace {

constexpr size_t kNoteKeyMaxBytes = 1024;

// Changes, and loads of what is not in memory, are made one at a time (change_mutex_), so that log
// order is index order. What memory can answer needs only the projection's shared lock, which is
// never held over a call to the disk. Syncs and the reading of block contents need no lock.
class LogStore final : public Store {
public:
    LogStore(StoreOptions options, Disk& disk, std::unique_ptr<SegmentLog> log)
        : options_(std::move(options)), disk_(disk), log_(std::move(log)) {}

    Status start();

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
    static Error no_such_line(LineId line) {
        return Error{.code = ErrorCode::kStoreNotFound,
                     .message = cat("line ", line.value(), " does not exist")};
    }

    // Tells of an error that is damage; returns it.
    Error met(LineId line, InodeId inode, uint64_t offset, Error error);

    Status check_commit(const Commit& commit) const;
    Status check_new_line(const NewLine& line, const std::unordered_set<LineId>& created) const;
    Status check_fork(const NewLine& line, const Line& parent) const;
    FrameRecords build_commit(const Commit& commit) const;

    StoreOptions options_;
    Disk& disk_;
    std::unique_ptr<SegmentLog> log_;
    std::unique_ptr<Index> index_;

    std::unique_ptr<Projection> projection_;
    std::unique_ptr<FileTree> tree_;
    std::unique_ptr<Past> past_;
    mutable std::mutex change_mutex_;
    std::unordered_set<LineId> reserved_lines_;
    bool is_closed_ = false;
    uint64_t next_line_ = 1;

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
        LB_TRY(check_commit(commit));
        FrameRecords frame = build_commit(commit);
        sequence = LB_TRY(projection_->append(frame.records())).sequence;
        for (const NewLine& line : commit.create) reserved_lines_.erase(line.line);
    }
    LB_TRY(log_->sync(sequence));
    return Position{sequence};
}

Status LogStore::check_commit(const Commit& commit) const {
    uint64_t records = 2 * commit.create.size() + commit.remove.size() + commit.notes.size();
    uint64_t body_bytes = records * 128;
    if (records == 0) return Error{.code = ErrorCode::kStoreInvalid, .message = "empty commit"};
    std::unordered_set<LineId> created;
    for (const NewLine& line : commit.create) {
        LB_TRY(check_new_line(line, created));
        created.insert(line.line);
    }
    std::unordered_set<LineId> removed;
    for (LineId line : commit.remove) {
        bool is_known = projection_->lines().find_live(line) != nullptr;
        if (!is_known || !removed.insert(line).second) return no_such_line(line);
    }
    for (const Note& note : commit.notes) {
        if (note.key.empty() || note.key.size() > kNoteKeyMaxBytes) {
            return Error{.code = ErrorCode::kStoreInvalid,
                         .message = cat("a note's key has 1 to ", kNoteKeyMaxBytes, " bytes")};
        }
        body_bytes += note.key.size() + (note.value ? note.value->size() : 0);
    }
    if (records > kFrameRecordsMax || body_bytes > kFrameBodyMaxBytes) {
        return Error{.code = ErrorCode::kStoreInvalid,
                     .message = cat("a commit of ", records, " changes and ",
                                    format_bytes(body_bytes), " is too large"),
                     .help = cat("split it: at most ", kFrameRecordsMax,
                                 " records (a new line counts as two) and ",
                                 format_bytes(kFrameBodyMaxBytes))};
    }
    return ok();
}

// `created`: the lines that the same commit creates before this one.
Status LogStore::check_new_line(const NewLine& line,
                                const std::unordered_set<LineId>& created) const {
    if (!reserved_lines_.contains(line.line) || created.contains(line.line) ||
        line.line.value() > kLineMax) {
        return Error{.code = ErrorCode::kStoreInvalid,
                     .message = cat("line ", line.line.value(), " was not reserved, or is used")};
    }
    if (line.parent == LineId{}) return ok();
    if (line.parent >= line.line) {
        return Error{.code = ErrorCode::kStoreInvalid,
                     .message = "a line's parent must have been reserved before the line"};
    }
    const Line* parent = projection_->lines().find_live(line.parent);
    if (parent != nullptr) return check_fork(line, *parent);
    if (!created.contains(line.parent)) return no_such_line(line.parent);
    if (line.at == kHead) return ok();
    return Error{.code = ErrorCode::kStoreInvalid,
                 .message = "a line that is created in the same commit has no positions yet"};
}

Status LogStore::check_fork(const NewLine& line, const Line& parent) const {
    if (line.at == kHead) return ok();
    // Between a line's fork and its creation it shows just what it inherited.
    bool is_root = parent.parent == nullptr;
    Position first = is_root ? parent.info.created_position : parent.info.fork_position;
    Position last = position();
    if (line.at >= first && line.at <= last) return ok();
    return Error{.code = ErrorCode::kStoreInvalid,
                 .message = cat("line ", line.parent.value(), " has no position ", line.at.value()),
                 .help = cat("use a position from ", first.value(), " to ", last.value())};
}

FrameRecords LogStore::build_commit(const Commit& commit) const {
    FrameRecords frame;
    // Nothing else can append now: heads are the positions just before this frame. A parent that
    // this frame creates is there from this frame on.
    uint64_t now = position().value();
    std::unordered_set<LineId> created;
    for (const NewLine& line : commit.create) {
        bool is_root = line.parent == LineId{};
        Position head{created.contains(line.parent) ? now + 1 : now};
        Position fork = is_root ? Position{} : line.at == kHead ? head : line.at;
        frame.line_create(line.line, {line.parent, fork});
        if (is_root) {
            frame.raw_inode(line.line, kRootInode, FileTree::root_inode(disk_.clock().now()));
        }
        created.insert(line.line);
    }
    for (LineId line : commit.remove) frame.line_delete(line);
    for (const Note& note : commit.notes) frame.note({note.key, note.value});
    return frame;
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
    std::optional<ReadPlan> plan;
    {
        auto shared = projection_->share();
        if (projection_->lines().find_live(line) != nullptr) {
            plan = tree_->find_read(line, inode, offset, out.size());
        }
    }
    (plan ? reads_placed_by_memory_ : reads_placed_by_index_)
        .fetch_add(1, std::memory_order_relaxed);
    if (!plan) {
        Result<ReadPlan> made = alone(line, [&](const Line& found) {
            return tree_->plan_read(found, inode, offset, out.size());
        });
        if (!made) return met(line, inode, offset, std::move(made).error());
        plan = *std::move(made);
    }
    block_reads_.fetch_add(plan->pieces.size(), std::memory_order_relaxed);
    Status fetched = FileTree::fetch(*log_, *plan, out);
    if (!fetched) return met(line, inode, offset, std::move(fetched).error());
    return plan->length_bytes;
}

Result<FileAttributes> LogStore::write(LineId line, InodeId inode, uint64_t offset, ByteView data) {
    block_writes_.fetch_add((data.size() + kBlockBytes - 1) / kBlockBytes,
                            std::memory_order_relaxed);
    Result<FileAttributes> written =
        alone(line, [&](const Line& found) { return tree_->write(found, inode, offset, data); });
    if (!written) return met(line, inode, offset, std::move(written).error());
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
    result.block_reads = block_reads_.load(std::memory_order_relaxed);
    result.block_writes = block_writes_.load(std::memory_order_relaxed);
    Result<uint64_t> free_bytes = disk_.free_bytes(options_.directory);
    if (free_bytes.is_ok()) result.free_bytes = *free_bytes;
    result.damage_met_count = damage_met_.load(std::memory_order_relaxed);
    auto shared = projection_->share();
    result.line_count = projection_->lines().live_count();
    result.index_chunk_misses = projection_->chunk_miss_count();
    return result;
}

Result<std::string> LogStore::path(LineId line, InodeId inode) {
    return alone(line, [&](const Line& found) { return path_of(*projection_, found, inode); });
}

// The index is written out and held as it is at one position; the log up to there does not change.
Result<CheckReport> LogStore::check(const std::string& scratch_directory, const CheckSink& sink) {
    CheckReport report;
    Status verified = index_->verify();
    if (!verified) report.add(unreadable_index(verified.error()));
    std::optional<Super> super = LB_TRY(read_super(disk_, options_.directory));
    if (!super)
        super = Super{.store_id = log_->store_id(), .segment_bytes = options_.segment_bytes};
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
    LB_TRY(check_log({.disk = &disk_,
                      .directory = options_.directory,
                      .super = *super,
                      .end = end,
                      .used = verified ? cursor.get() : nullptr,
                      .used_place = end},
                     scratch_directory, sink, report));
    return report;
}

// The index goes first: what it writes out must be in the log by then.
Status LogStore::close() {
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
    std::unique_ptr<SegmentLog> log =
        LB_TRY(SegmentLog::open({.disk = &disk,
                                 .directory = options.directory,
                                 .spare_segments = options.spare_segments,
                                 .segment_bytes = options.segment_bytes,
                                 .known_durable_sequence = known_durable_sequence}));
    auto store = std::make_unique<LogStore>(std::move(options), disk, std::move(log));
    LB_TRY(store->start());
    return std::unique_ptr<Store>(std::move(store));
}

}  // namespace lb::store
