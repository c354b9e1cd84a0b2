// LogStore: the Store on one log. Private to the store.
//
//   store.cc          opening, lines and notes, the whole store
//   store_files.cc    files
//   store_history.cc  the past, restore windows, what blocks are used for
#pragma once

#include <atomic>
#include <chrono>
#include <mutex>
#include <unordered_map>
#include <unordered_set>

#include "store/check.h"
#include "store/file_tree.h"
#include "store/index.h"
#include "store/line_commit.h"
#include "store/line_usage.h"
#include "store/past.h"
#include "store/projection.h"
#include "store/reclaim_thread.h"
#include "store/segment_log.h"

namespace lb::store {

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
    void tell(const DamageMet& damage);
    // Of any error.
    void tell_reclaim_stopped(const Error& error);

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

}  // namespace lb::store
