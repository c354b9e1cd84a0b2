// Projection: everything that follows from the log. It takes frames in log order, the same way when
// they are appended and when they are replayed, and keeps
// - the index, through a batch in memory, so that a write costs no call into it,
// - the lines with their statistics,
// - the inodes, directories and block chunks that are in use.
//
// Threads: one at a time may change or load things (Store has a lock for that). Others may
// meanwhile look at what is in memory, with share() held: find_* and lines(). What is in memory
// changes only for the moment in which a frame is applied or something loaded is put in, never
// during a call to the disk. Pointers live until the next trim().
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "store/block_map.h"
#include "store/clock_cache.h"
#include "store/hidden_names.h"
#include "store/history.h"
#include "store/index.h"
#include "store/inode_codec.h"
#include "store/line_table.h"
#include "store/segment_log.h"
#include "store/time_index.h"

namespace lb::store {

struct Inode {
    InodeRecord record;
    bool is_dirty = false;  // times or last_sequence are newer than in the index
};

struct DirectoryChild {
    InodeId inode;
    FileType type = FileType::kFile;
};
using Directory = std::map<std::string, DirectoryChild, std::less<>>;

// What is kept in memory. An inode takes about 250 bytes, a directory 200, one of its entries 100,
// a chunk 1,700.
struct ProjectionLimits {
    size_t inode_count = 0;
    size_t directory_count = 0;
    size_t directory_entries = 0;
    size_t chunk_count = 0;

    // About as much memory as `bytes`.
    static ProjectionLimits for_bytes(uint64_t bytes);
};

// Looks on while frames are replayed, and decides what becomes of a record that cannot be applied.
class ReplayAudit {
public:
    virtual ~ReplayAudit() = default;
    // The projection shows the state before the frame, and then the state after it.
    virtual Status before(const ReplayFrame& frame) = 0;
    virtual Status after(const ReplayFrame& frame) = 0;
    // ok(): go on without the record.
    virtual Status refused(const ReplayFrame& frame, const ReplayRecord& record, Error error) = 0;
};

class Projection {
public:
    Projection(SegmentLog& log, Index& index, ProjectionLimits limits)
        : log_(log), index_(index), limits_(limits) {}

    // For recover(). nullptr: nobody looks on, and the first error ends the replay.
    void set_audit(ReplayAudit* audit) { audit_ = audit; }

    // Reads the lines from the index, and replays what the log has after it; from the beginning,
    // with an empty index, if the index does not belong to this log.
    Status recover();

    // Appends one frame and applies it. Nothing happened if the log refused it. After any other
    // failure every later append is refused: what is in memory no longer follows from the log.
    Result<Appended> append(std::span<const NewRecord> records);

    // Before an operation: makes room in memory, and fails if the index cannot keep up.
    Status trim();

    std::shared_lock<std::shared_mutex> share() const { return std::shared_lock(mutex_); }
    std::unique_lock<std::shared_mutex> exclude() { return std::unique_lock(mutex_); }

    const LineTable& lines() const { return lines_; }

    // From memory; nullptr if it is not there.
    const Inode* find_inode(LineId line, InodeId inode) const;
    const Directory* find_directory(LineId line, InodeId directory) const;
    const BlockChunk* find_chunk(LineId line, DataId data, uint32_t chunk) const {
        return blocks_.find(line, data, chunk);
    }

    // From memory or from the index. kStoreNotFound if there is no such inode, ever.
    Result<const Inode*> inode(const Line& line, InodeId inode);
    Result<const Directory*> directory(const Line& line, InodeId directory);
    Result<const BlockChunk*> chunk(const Line& line, DataId data, uint32_t chunk);
    // A chunk beyond the end of its file holds nothing: no need to look it up.
    void add_empty_chunk(LineId line, DataId data, uint32_t chunk);

    // The index with all that was applied so far, for readers of the past.
    Result<std::unique_ptr<IndexCursor>> cursor();
    // A directory as the view shows it; `view.line` is the one that is asked, not an ancestor.
    Result<Directory> read_directory(LineView view, InodeId directory);

    Result<std::optional<std::string>> note(std::string_view key);
    Result<std::vector<Note>> notes(std::string_view prefix);

    InodeId next_inode() const { return InodeId{next_inode_}; }
    LineId next_line() const { return LineId{next_line_}; }

    // Writes out the batch, with all that makes the index complete up to here.
    Status write_index();

    // For reclaim:
    const History& history() const { return history_; }
    History& history() { return history_; }
    // Changes the index beside the log's frames. Complete up to here on return.
    Status change_index(const std::function<Status(IndexBatch&)>& change);
    // Blocks have moved, in the index already.
    void move_blocks(const BlockMap::Moves& moves);
    // Changes before anything that was moved may go.
    uint64_t move_count() const { return move_count_.load(std::memory_order_acquire); }
    // The number of the step of reclaim that the index has seen completely.
    void set_reclaim_step(uint64_t number) { reclaim_step_ = number; }
    uint64_t reclaim_step() const { return reclaim_step_; }
    // Everything that was written to the index is durable on return. Needs no lock.
    Status flush_index() { return index_.flush(); }

    uint64_t chunk_miss_count() const { return chunk_misses_.load(std::memory_order_relaxed); }

private:
    // One record of a frame, from an append or from a replay.
    struct Record {
        RecordType type;
        LineId line;
        uint64_t object;
        uint32_t block;
        ByteView payload;
        RecordLocation location;
    };
    struct Frame {
        uint64_t sequence;
        WallTime written_at;
    };
    struct Key {
        LineId line;
        InodeId inode;
        bool operator==(const Key&) const = default;
    };
    struct KeyHash {
        size_t operator()(const Key& key) const {
            return mix_hash(key.inode.value(), key.line.value());
        }
    };

    // recovery (projection_recovery.cc)
    Result<std::optional<LogPlace>> read_meta();
    Status read_lines();
    Status replay(LogPlace from);
    Status start_over();
    Status load_base();
    Status load_cold_segment(const ColdFile& cold);
    Status read_times(uint64_t last_sequence);
    Status apply_replayed(const ReplayFrame& frame);

    // frames (projection_apply.cc)
    void note_time(const Frame& frame, const RecordLocation& first_record);
    Status apply(const Frame& frame, const Record& record);
    Status apply_block(const Frame& frame, const Record& record, Line& line);
    Status apply_truncate(const Frame& frame, const Record& record, Line& line);
    Status apply_inode(const Frame& frame, const Record& record, Line& line);
    Status apply_dirent(const Frame& frame, const Record& record, Line& line);
    Status apply_line_create(const Frame& frame, const Record& record);
    Status apply_line_delete(const Frame& frame, const Record& record);
    Status apply_note(const Frame& frame, const Record& record);
    Status touch(const Frame& frame, const Line& line, InodeId inode);
    Result<uint64_t> logical_bytes_at(const Line& line, Position position);

    // reading (projection.cc)
    Result<Inode*> load_inode(const Line& line, InodeId inode);
    Status merge_directory(IndexCursor& cursor, LineView view, InodeId directory,
                           const DirectoryRole* hiding, Directory& merged);
    Result<InodeId> child_at(IndexCursor& cursor, LineView view, InodeId directory,
                             std::string_view name);
    void put_inode(const Key& key, const Inode& inode);
    enum class WithMeta { kNo, kYes };
    Status write_batch(WithMeta with_meta);
    // Makes the index complete for a read.
    Status write_for_read();
    void put_meta();

    std::unique_lock<std::shared_mutex> exclude_for_load();

    mutable std::shared_mutex mutex_;
    SegmentLog& log_;
    Index& index_;
    ProjectionLimits limits_;

    LineTable lines_;
    History history_;
    ClockCache<Key, Inode, KeyHash> inodes_;
    ClockCache<Key, Directory, KeyHash> directories_;
    BlockMap blocks_;

    IndexBatch batch_;
    std::vector<Key> dirty_inodes_;
    std::vector<LineId> forgotten_lines_;
    // Lines that a replay found without what they inherited, and in which frame.
    std::map<LineId, uint64_t> doomed_lines_;
    size_t directory_entries_ = 0;
    uint64_t bytes_since_flush_ = 0;
    uint64_t entries_since_flush_ = 0;

    uint64_t next_inode_ = kRootInode.value() + 1;
    uint64_t next_line_ = 1;
    uint64_t reclaim_step_ = 0;
    std::atomic<uint64_t> chunk_misses_ = 0;
    ReplayAudit* audit_ = nullptr;
    std::atomic<uint64_t> move_count_ = 0;
    bool is_applying_ = false;   // in the middle of a frame, with mutex_ held
    bool is_replaying_ = false;  // nobody else is there yet
    bool is_failed_ = false;
};

}  // namespace lb::store
