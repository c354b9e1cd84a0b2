// FileTree: POSIX files and directories on the lines of a store. Each operation is checked against
// what the projection shows, and becomes one frame.
//
// Threads: as the projection. find_* look at memory only, with Projection::share() held; fetch()
// touches nothing that changes; the rest is for one thread at a time.
// Errors: see store.h.
#pragma once

#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "store/frame_records.h"
#include "store/projection.h"

namespace lb::store {

inline constexpr size_t kWriteMaxBytes = size_t{1} << 20;

// Where the bytes of one read are: made under the lock, fetched outside of it.
struct ReadPlan {
    struct Piece {
        BlockVersion version;
        uint32_t block = 0;
    };
    DataId data;
    uint32_t offset_in_first_block = 0;
    size_t length_bytes = 0;
    std::vector<Piece> pieces = {};
};

// One block of a version: zeros where it is a hole.
Status fetch_block(SegmentLog& log, DataId data, uint32_t block, const BlockVersion& version,
                   std::span<std::byte, kBlockBytes> out);

class FileTree {
public:
    FileTree(Projection& projection, SegmentLog& log, Clock& clock)
        : projection_(projection), log_(log), clock_(clock) {}

    // From memory; nullopt if that does not suffice (then the full operation decides).
    std::optional<FileAttributes> find_attributes(LineId line, InodeId inode) const;
    // Knows too that there is no such name.
    std::optional<Result<FileAttributes>> find_name(LineId line, InodeId directory,
                                                    std::string_view name) const;
    std::optional<ReadPlan> find_read(LineId line, InodeId inode, uint64_t offset,
                                      size_t length) const;

    // Names (file_tree_names.cc)
    Result<FileAttributes> lookup(const Line& line, InodeId directory, std::string_view name);
    Result<FileAttributes> create(const Line& line, InodeId directory, std::string_view name,
                                  const NewFile& file);
    Result<FileAttributes> link(const Line& line, InodeId inode, InodeId new_directory,
                                std::string_view new_name);
    Status remove(const Line& line, InodeId directory, std::string_view name, FileType expected);
    Status rename(const Line& line, InodeId directory, std::string_view name, InodeId new_directory,
                  std::string_view new_name, RenameMode mode);
    Result<std::vector<DirectoryEntry>> list(const Line& line, InodeId directory,
                                             std::string_view after, size_t limit);
    Result<std::string> symlink_target(const Line& line, InodeId inode);

    // Contents (file_tree_data.cc)
    Result<FileAttributes> attributes(const Line& line, InodeId inode);
    Result<FileAttributes> set_attributes(const Line& line, InodeId inode,
                                          const AttributeChanges& changes);
    Result<ReadPlan> plan_read(const Line& line, InodeId inode, uint64_t offset, size_t length);
    Result<FileAttributes> write(const Line& line, InodeId inode, uint64_t offset, ByteView data);
    Status allocate(const Line& line, InodeId inode, uint64_t offset, uint64_t length);
    Status zero(const Line& line, InodeId inode, uint64_t offset, uint64_t length);

    bool is_open(LineId line, InodeId inode) const { return is_retained(line, inode); }
    void retain(LineId line, InodeId inode, uint32_t count = 1);
    void release(LineId line, InodeId inode);
    std::vector<OpenInode> open_inodes() const;  // sorted

    // Reads what the plan names into `out` (plan.length_bytes).
    static Status fetch(SegmentLog& log, const ReadPlan& plan, std::span<std::byte> out);

    // Attributes of the root directory of a new line without a parent.
    static Bytes root_inode(WallTime now);

private:
    struct OpenFile {
        LineId line;
        InodeId inode;
        bool operator==(const OpenFile&) const = default;
    };
    struct OpenFileHash {
        size_t operator()(const OpenFile& file) const {
            return mix_hash(file.inode.value(), file.line.value());
        }
    };

    // kStoreNotFound for an inode that is unlinked and not open.
    Result<const Inode*> existing(const Line& line, InodeId inode);
    Result<const Inode*> file(const Line& line, InodeId inode);
    Result<const Directory*> directory(const Line& line, InodeId inode);
    bool is_usable(LineId line, const Inode& inode) const;
    bool is_retained(LineId line, InodeId inode) const;

    Result<uint32_t> depth_of(const Line& line, InodeId directory);
    Status check_symlink(const Line& line, InodeId directory, std::string_view target);
    Status check_move(const Line& line, InodeId source, InodeId new_directory);
    Status check_replaceable(const Line& line, const DirectoryChild& source,
                             const DirectoryChild& target, std::string_view name);

    Status resize(const Line& line, const Inode& inode, uint64_t size_bytes, FrameRecords& frame,
                  InodeRecord& changed);
    // A block as it is now, zeros beyond the end of the file included.
    Status read_block(const Line& line, const Inode& inode, uint32_t block,
                      std::span<std::byte, kBlockBytes> out);
    Result<BlockVersion> version(const Line& line, DataId data, uint32_t block);
    void prepare_chunks(const Line& line, const Inode& inode, uint32_t first, uint32_t last);

    Projection& projection_;
    SegmentLog& log_;
    Clock& clock_;
    std::unordered_map<OpenFile, uint32_t, OpenFileHash> open_files_;
};

}  // namespace lb::store
