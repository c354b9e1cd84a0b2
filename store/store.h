// Store: copy-on-write file trees for PostgreSQL data directories, on one log.
//
// A *line* is a file tree with a history. A new line is one small record (line, parent, position)
// and sees the parent's tree as it was at that position; nothing is copied. The store knows no
// branch names, no SQL and no users: the engine keeps those as *notes*, in the same log, and
// changes lines and notes together in one frame (commit()).
//
//   auto store = LB_TRY(Store::open({.directory = home + "/store"}));
//   LineId main = store->reserve_line();
//   LB_TRY(store->commit({.create = {{.line = main}}}));
//   auto file = LB_TRY(store->create(main, kRootInode, "PG_VERSION", {.mode = 0600}));
//   LB_TRY(store->write(main, file.inode, 0, as_bytes("15\n")));
//   LineId preview = store->reserve_line();
//   LB_TRY(store->commit({.create = {{.line = preview, .parent = main}}}));   // durable here
//
// Rules:
// - A write is acknowledged after it is in the log: a killed process loses nothing acknowledged. It
//   survives a power cut once sync() returned.
// - A write of whole 8 KiB blocks is atomic per request. A position is a frame, so every position
//   of a line is a crash-consistent image of it.
// - Ids are never reused. Emptying and removing a file costs O(1), whatever its size.
//
// Inherited through a fork but hidden (PostgreSQL must not see its parent's): see hidden_names.h.
//
// Thread-safe. Errors map one to one to errno in the transport: kStoreNotFound ENOENT, kStoreExists
// EEXIST, kStoreNotEmpty ENOTEMPTY, kStoreNotDirectory ENOTDIR, kStoreIsDirectory EISDIR,
// kStoreFull ENOSPC, kStoreInvalid EINVAL, kStoreNotSupported EOPNOTSUPP, everything else EIO.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/codec.h"
#include "base/ids.h"
#include "base/latency_histogram.h"
#include "base/result.h"
#include "store/disk.h"
#include "store/format.h"
#include "store/history.h"

namespace lb::store {

struct CheckReport;
struct CheckSink;
struct LogPlace;

inline constexpr InodeId kRootInode{1};
inline constexpr uint32_t kNameMaxBytes = 255;
inline constexpr uint32_t kSymlinkTargetMaxBytes = 4095;
inline constexpr uint64_t kFileMaxBytes = uint64_t{kBlockBytes} << 32;  // 32 TiB
inline constexpr uint32_t kLineMax = (uint32_t{1} << 24) - 1;           // lines ever created

enum class FileType : uint8_t { kFile = 1, kDirectory = 2, kSymlink = 3 };

struct FileAttributes {
    InodeId inode;
    FileType type = FileType::kFile;
    uint32_t mode = 0;  // permission bits
    uint32_t link_count = 1;
    uint64_t size_bytes = 0;
    WallTime modified_at{};
    WallTime changed_at{};
    // Newest frame that touched the file on this line; sync() waits for it.
    uint64_t last_sequence = 0;
};

struct NewFile {
    FileType type = FileType::kFile;
    uint32_t mode = 0600;
    std::string symlink_target = {};
};

struct AttributeChanges {
    std::optional<uint32_t> mode = {};
    std::optional<uint64_t> size_bytes = {};
    std::optional<WallTime> modified_at = {};
};

struct DirectoryEntry {
    std::string name;
    InodeId inode;
    FileType type = FileType::kFile;
};

enum class RenameMode { kReplace, kNoReplace };

struct NewLine {
    LineId line;          // from reserve_line()
    LineId parent = {};   // 0: an empty root line
    Position at = kHead;  // position on the parent; kHead: as of this commit
};

struct Note {
    std::string key;                        // 1-1024 bytes
    std::optional<std::string> value = {};  // nullopt: remove
};

struct Commit {
    std::vector<NewLine> create = {};
    std::vector<LineId> remove = {};
    std::vector<Note> notes = {};
};

struct LineInfo {
    LineId line;
    LineId parent = {};
    Position fork_position = {};
    Position created_position = {};
    WallTime created_at{};
    Position head = {};          // newest frame of the line; fork_position if it has none
    uint64_t logical_bytes = 0;  // sum of the sizes of all files it shows
    uint64_t own_bytes = 0;      // bytes in the log that this line brought, history included
    bool is_deleted = false;     // kept because a child still reads through it
    uint32_t depth = 0;          // number of ancestors
};

// A file that programs have open, and how often.
struct OpenInode {
    LineId line;
    InodeId inode;
    uint32_t count = 0;
    bool operator==(const OpenInode&) const = default;
};

// A read or write that failed because what it needed of the log is damaged.
struct DamageMet {
    LineId line;
    InodeId inode;
    uint64_t offset = 0;
    Error error;
};

// What of a line's past can be branched from or restored to: every position from `every_from` on,
// and before it, back to `first`, one a second or a minute.
struct RestorableHistory {
    Position first = {};
    Position every_from = {};
    std::optional<WallTime> first_at = {};  // nullopt: the line is younger than its window
};

// Of the blocks of its files, what others' frames hold and what its own do.
struct LineUsage {
    uint64_t shared_bytes = 0;   // shown, but inherited; counted in bytes of the files
    uint64_t own_bytes = 0;      // shown, and written by the line itself
    uint64_t history_bytes = 0;  // written by it, and not shown any more
    // Of own and history, what no branch of it reads: it would go with the line and its past.
    uint64_t freed_by_delete_bytes = 0;
};

// The positions nearest to one that a line can be made from.
struct NearestRestorable {
    std::optional<Position> before = {};    // the last at or before it
    Position after = {};                    // the first at or after it; the head if there is none
    std::optional<WallTime> after_at = {};  // nullopt: not a point of the grid
};

struct StoreOptions {
    std::string directory;
    Disk* disk = nullptr;  // nullptr: posix_disk()
    // RocksDB's block cache; about as much again remembers files, directories and block locations.
    uint64_t index_cache_bytes = uint64_t{64} << 20;
    uint32_t spare_segments = 1;
    uint64_t segment_bytes = kSegmentBytes;
    // Of the disk, kept for changes of lines and notes and for reclaim: file data does not fill it.
    uint64_t disk_reserve_bytes = uint64_t{256} << 20;
    // Tests: keep the index in memory and lose it at every close, so that each open is a rebuild.
    bool is_index_in_memory = false;
    // What was open when an earlier image of this process closed the store (Store::open_inodes()):
    // retained from the start.
    std::vector<OpenInode> open_inodes = {};
    // Called from whatever thread met damage, without locks held.
    std::function<void(const DamageMet&)> on_damage = {};
    // A thread reclaims space once the windows are set. Tests call reclaim_step() themselves.
    bool has_reclaim_thread = true;
};

struct StoreStatistics {
    uint64_t line_count = 0;
    uint64_t segment_count = 0;
    uint64_t log_bytes = 0;         // hot segments
    uint64_t cold_bytes = 0;        // cold segments
    uint64_t cold_plain_bytes = 0;  // what the same records took in hot segments
    uint64_t reclaim_debt_bytes = 0;
    uint64_t reclaimed_bytes = 0;  // of segments that were removed since open
    double write_pressure = 0;     // 0 to 1: how much writers are slowed down for reclaim
    uint64_t frame_count = 0;      // since open, as all that follows
    LatencySnapshot syncs;
    Position position = {};
    Position durable_position = {};
    uint64_t block_reads = 0;
    uint64_t block_writes = 0;
    // Reads by whether memory knew where their blocks are, or the index had to be asked.
    uint64_t reads_placed_by_memory = 0;
    uint64_t reads_placed_by_index = 0;
    uint64_t index_chunk_misses = 0;
    uint64_t free_bytes = 0;  // of the file system
    uint64_t damage_met_count = 0;
};

class Store {
public:
    // Opens or creates; replays what the index has not seen, rebuilds the index where it cannot be
    // trusted. Errors: kStoreFormatNewer, kStoreDamaged, kIo, kStoreFull.
    static Result<std::unique_ptr<Store>> open(StoreOptions options);
    virtual ~Store() = default;

    // -- Lines and notes -------------------------------------------------------------------------

    virtual LineId reserve_line() = 0;
    // One frame, durable on return: all of it or nothing. Returns its position.
    // Errors: kStoreNotFound (a parent or a line to remove), kStoreInvalid (a position after the
    // parent's head, before its creation, or given up (check_restorable); naming what is possible),
    // kStoreFull, kStoreReadOnly.
    virtual Result<Position> commit(const Commit& commit) = 0;
    // Errors: kStoreNotFound; deleted lines that still have children are found.
    virtual Result<LineInfo> line(LineId line) const = 0;
    virtual std::vector<LineInfo> lines() const = 0;  // sorted by id, without deleted ones
    // Each line appears before its descendants in `lines()`; children of a line, sorted:
    virtual std::vector<LineId> children(LineId line) const = 0;

    virtual Result<std::optional<std::string>> note(std::string_view key) const = 0;
    // All notes whose key starts with `prefix`, sorted by key.
    virtual Result<std::vector<Note>> notes(std::string_view prefix) const = 0;

    // Newest position of the whole store.
    virtual Position position() const = 0;

    // -- The past of a line, for those that look for a moment in it ------------------------------

    // The newest position that was written at or before `time`; exact while the log still has the
    // frames of that second, else the nearest earlier one that is known. kStoreNotFound: `time` is
    // before the first.
    virtual Result<Position> position_at(WallTime time) = 0;
    // All that a name stood for on what the line shows, removed files included, newest first.
    virtual Result<std::vector<InodeId>> inodes_of_name(LineId line, InodeId directory,
                                                        std::string_view name) = 0;
    // Sorted by name.
    virtual Result<std::vector<DirectoryEntry>> list_at(LineId line, Position at,
                                                        InodeId directory) = 0;
    // Positions at which the line itself wrote the block, in order.
    virtual Result<std::vector<Position>> block_positions(LineId line, InodeId inode,
                                                          uint32_t block) = 0;
    // Zeros for a block that was not there. kStoreNotFound for a file that was not there yet.
    virtual Status read_block_at(LineId line, Position at, InodeId inode, uint32_t block,
                                 std::span<std::byte, kBlockBytes> out) = 0;

    // -- Files: all names are relative to a directory's inode ------------------------------------

    virtual Result<FileAttributes> lookup(LineId line, InodeId directory,
                                          std::string_view name) = 0;
    virtual Result<FileAttributes> attributes(LineId line, InodeId inode) = 0;
    virtual Result<FileAttributes> create(LineId line, InodeId directory, std::string_view name,
                                          const NewFile& file) = 0;
    virtual Result<FileAttributes> link(LineId line, InodeId inode, InodeId new_directory,
                                        std::string_view new_name) = 0;
    // `directory_expected`: rmdir (the directory must be empty) or unlink.
    virtual Status remove(LineId line, InodeId directory, std::string_view name,
                          FileType expected) = 0;
    virtual Status rename(LineId line, InodeId directory, std::string_view name,
                          InodeId new_directory, std::string_view new_name, RenameMode mode) = 0;
    virtual Result<FileAttributes> set_attributes(LineId line, InodeId inode,
                                                  const AttributeChanges& changes) = 0;
    virtual Result<std::string> symlink_target(LineId line, InodeId inode) = 0;
    // Sorted by name; entries after `after` (empty: from the start), at most `limit`.
    virtual Result<std::vector<DirectoryEntry>> list(LineId line, InodeId directory,
                                                     std::string_view after, size_t limit) = 0;

    // Returns how many bytes were read: fewer than out.size() only at the end of the file.
    virtual Result<size_t> read(LineId line, InodeId inode, uint64_t offset,
                                std::span<std::byte> out) = 0;
    // Writes all of `data` as one frame (so at most 1 MiB per call). Returns the new attributes.
    virtual Result<FileAttributes> write(LineId line, InodeId inode, uint64_t offset,
                                         ByteView data) = 0;
    // Makes the file at least `offset + length` long; new bytes are zeros.
    virtual Status allocate(LineId line, InodeId inode, uint64_t offset, uint64_t length) = 0;
    // Zeroes the range without changing the size (punch hole).
    virtual Status zero(LineId line, InodeId inode, uint64_t offset, uint64_t length) = 0;

    // Files that are open: an unlinked file stays readable and writable until its last release().
    virtual void retain(LineId line, InodeId inode) = 0;
    virtual void release(LineId line, InodeId inode) = 0;
    // What is retained, sorted.
    virtual std::vector<OpenInode> open_inodes() const = 0;

    // Durable up to `sequence` (FileAttributes::last_sequence). is_durable() never blocks.
    virtual bool is_durable(uint64_t sequence) const = 0;
    virtual Status sync(uint64_t sequence) = 0;

    // -- History (store/history.h) ---------------------------------------------------------------

    // From here on what no window, branch or open file needs is given up and its space reclaimed.
    // Before the first call nothing is.
    virtual void set_restore_windows(const RestoreWindows& windows) = 0;
    // Errors: kStoreNotFound.
    virtual Result<RestorableHistory> restorable(LineId line) const = 0;
    // ok if a line can be made from `position` of `line`. kStoreInvalid: why not, and which
    // positions near it can; kStoreNotFound.
    virtual Status check_restorable(LineId line, Position position) const = 0;
    // Reads all of the index that belongs to the line, outside of locks: up to a second for lines
    // that wrote gigabytes. While they are written to, answers may be some seconds old. Errors:
    // kStoreNotFound, kStoreDamaged.
    virtual Result<LineUsage> usage(LineId line) = 0;
    // What of that a shorter restore window would free.
    virtual Result<uint64_t> freed_by_window(LineId line, std::chrono::nanoseconds window) = 0;
    // Errors: kStoreNotFound.
    virtual Result<NearestRestorable> nearest_restorable(LineId line, Position position) const = 0;
    // One step of reclaim, now. false: nothing to do. For tests and for who has no thread.
    virtual Result<bool> reclaim_step() = 0;

    // -- Whole store -----------------------------------------------------------------------------

    virtual StoreStatistics statistics() const = 0;
    // The place after the newest frame (store/segment_log.h).
    virtual LogPlace log_end() const = 0;
    // A path that leads to the inode, "base/5/1259"; empty if it has none. Walks directories.
    virtual Result<std::string> path(LineId line, InodeId inode) = 0;
    // Checks everything (store/check.h), as of the call, while others go on reading and writing.
    // The call must have returned before close().
    virtual Result<CheckReport> check(const std::string& scratch_directory,
                                      const CheckSink& sink) = 0;
    // Reads the whole index against its checksums. Errors: kStoreDamaged; the next open makes a
    // damaged one anew.
    virtual Status verify_index() = 0;
    // Syncs the log, writes out the index, stops background threads. Further calls fail.
    virtual Status close() = 0;
};

}  // namespace lb::store
