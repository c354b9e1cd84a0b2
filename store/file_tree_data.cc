// Attributes and contents: read, write, resize; and which files are open.
#include <algorithm>

#include "base/text.h"
#include "store/file_tree.h"

namespace lb::store {

namespace {

// Keeps the frames of a big punched hole small.
constexpr size_t kZeroedBlocksPerFrame = 1024;
constexpr std::array<std::byte, kBlockBytes> kZeroBlock{};

Error store_error(ErrorCode code, std::string message) {
    return Error{.code = code, .message = std::move(message)};
}

uint64_t block_count(uint64_t size_bytes) { return (size_bytes + kBlockBytes - 1) / kBlockBytes; }

Status check_range(uint64_t offset, uint64_t length) {
    if (offset <= kFileMaxBytes && length <= kFileMaxBytes - offset) return ok();
    return store_error(ErrorCode::kStoreInvalid,
                       cat("files have at most ", format_bytes(kFileMaxBytes)));
}

// The plan of a read, from chunks that `chunk_of(index)` gives; nullopt if it has none.
template <class ChunkOf>
std::optional<ReadPlan> make_read_plan(const InodeRecord& inode, uint64_t offset, size_t length,
                                       const ChunkOf& chunk_of) {
    ReadPlan plan{.data = inode.data};
    uint64_t size_bytes = inode.attributes.size_bytes;
    if (offset >= size_bytes || length == 0) return plan;
    plan.length_bytes = static_cast<size_t>(std::min<uint64_t>(length, size_bytes - offset));
    plan.offset_in_first_block = static_cast<uint32_t>(offset % kBlockBytes);
    auto first = static_cast<uint32_t>(offset / kBlockBytes);
    auto last = static_cast<uint32_t>((offset + plan.length_bytes - 1) / kBlockBytes);
    plan.pieces.reserve(last - first + 1);
    const BlockChunk* chunk = nullptr;
    for (uint64_t block = first; block <= last; block++) {
        if (chunk == nullptr || block % kChunkBlocks == 0) {
            chunk = chunk_of(static_cast<uint32_t>(block / kChunkBlocks));
            if (chunk == nullptr) return std::nullopt;
        }
        plan.pieces.push_back({(*chunk)[block % kChunkBlocks], static_cast<uint32_t>(block)});
    }
    return plan;
}

}  // namespace

Status fetch_block(SegmentLog& log, DataId data, uint32_t block, const BlockVersion& version,
                   std::span<std::byte, kBlockBytes> out) {
    if (version.sequence == 0 || version.stored_bytes == 0) {
        std::fill(out.begin(), out.end(), std::byte{0});
        return ok();
    }
    RecordHeader expected{.type = RecordType::kBlock,
                          .line = version.line,
                          .object = data.value(),
                          .block = block,
                          .sequence = version.sequence};
    return log.read_block(version.location(), expected, out);
}

bool FileTree::is_retained(LineId line, InodeId inode) const {
    return open_files_.contains({line, inode});
}

bool FileTree::is_usable(LineId line, const Inode& inode) const {
    const FileAttributes& attributes = inode.record.attributes;
    return attributes.link_count > 0 || is_retained(line, attributes.inode);
}

void FileTree::retain(LineId line, InodeId inode, uint32_t count) {
    auto alone = projection_.exclude();
    open_files_[{line, inode}] += count;
}

void FileTree::release(LineId line, InodeId inode) {
    auto alone = projection_.exclude();
    auto found = open_files_.find({line, inode});
    if (found != open_files_.end() && --found->second == 0) open_files_.erase(found);
}

std::vector<OpenInode> FileTree::open_inodes() const {
    std::vector<OpenInode> list;
    for (const auto& [file, count] : open_files_) list.push_back({file.line, file.inode, count});
    std::ranges::sort(list, {},
                      [](const OpenInode& open) { return std::pair(open.line, open.inode); });
    return list;
}

Result<const Inode*> FileTree::existing(const Line& line, InodeId inode) {
    const Inode* found = LB_TRY(projection_.inode(line, inode));
    if (is_usable(line.info.line, *found)) return found;
    return store_error(ErrorCode::kStoreNotFound, cat("inode ", inode.value(), " was removed"));
}

Result<const Inode*> FileTree::file(const Line& line, InodeId inode) {
    const Inode* found = LB_TRY(existing(line, inode));
    switch (found->record.attributes.type) {
        case FileType::kFile: return found;
        case FileType::kDirectory:
            return store_error(ErrorCode::kStoreIsDirectory, "is a directory");
        case FileType::kSymlink: break;
    }
    return store_error(ErrorCode::kStoreInvalid, "is a symbolic link");
}

Result<const Directory*> FileTree::directory(const Line& line, InodeId inode) {
    const Inode* found = LB_TRY(existing(line, inode));
    if (found->record.attributes.type != FileType::kDirectory) {
        return store_error(ErrorCode::kStoreNotDirectory, "not a directory");
    }
    if (found->record.attributes.link_count == 0) {
        return store_error(ErrorCode::kStoreNotFound, "the directory was removed");
    }
    return projection_.directory(line, inode);
}

std::optional<FileAttributes> FileTree::find_attributes(LineId line, InodeId inode) const {
    const Inode* found = projection_.find_inode(line, inode);
    if (found == nullptr || !is_usable(line, *found)) return std::nullopt;
    return found->record.attributes;
}

Result<FileAttributes> FileTree::attributes(const Line& line, InodeId inode) {
    return LB_TRY(existing(line, inode))->record.attributes;
}

std::optional<ReadPlan> FileTree::find_read(LineId line, InodeId inode, uint64_t offset,
                                            size_t length) const {
    const Inode* found = projection_.find_inode(line, inode);
    if (found == nullptr || !is_usable(line, *found) ||
        found->record.attributes.type != FileType::kFile) {
        return std::nullopt;
    }
    return make_read_plan(found->record, offset, length, [&](uint32_t chunk) {
        return projection_.find_chunk(line, found->record.data, chunk);
    });
}

Result<ReadPlan> FileTree::plan_read(const Line& line, InodeId inode, uint64_t offset,
                                     size_t length) {
    const Inode* found = LB_TRY(file(line, inode));
    std::optional<Error> failure;
    std::optional<ReadPlan> plan =
        make_read_plan(found->record, offset, length, [&](uint32_t index) -> const BlockChunk* {
            Result<const BlockChunk*> chunk = projection_.chunk(line, found->record.data, index);
            if (chunk.is_ok()) return *chunk;
            failure = std::move(chunk).error();
            return nullptr;
        });
    if (failure) return std::move(*failure);
    return std::move(*plan);
}

Status FileTree::fetch(SegmentLog& log, const ReadPlan& plan, std::span<std::byte> out) {
    size_t filled_bytes = 0;
    size_t skip_bytes = plan.offset_in_first_block;
    for (const ReadPlan::Piece& piece : plan.pieces) {
        size_t count = std::min(kBlockBytes - skip_bytes, plan.length_bytes - filled_bytes);
        std::span<std::byte> target = out.subspan(filled_bytes, count);
        if (count == kBlockBytes) {
            LB_TRY(fetch_block(log, plan.data, piece.block, piece.version,
                               target.first<kBlockBytes>()));
        } else {
            std::array<std::byte, kBlockBytes> whole;
            LB_TRY(fetch_block(log, plan.data, piece.block, piece.version, whole));
            std::copy_n(whole.begin() + static_cast<ptrdiff_t>(skip_bytes), count, target.begin());
        }
        filled_bytes += count;
        skip_bytes = 0;
    }
    LB_ASSERT(filled_bytes == plan.length_bytes);
    return ok();
}

Result<BlockVersion> FileTree::version(const Line& line, DataId data, uint32_t block) {
    const BlockChunk* chunk = LB_TRY(projection_.chunk(line, data, block / kChunkBlocks));
    return (*chunk)[block % kChunkBlocks];
}

Status FileTree::read_block(const Line& line, const Inode& inode, uint32_t block,
                            std::span<std::byte, kBlockBytes> out) {
    BlockVersion version{};
    if (block < block_count(inode.record.attributes.size_bytes)) {
        version = LB_TRY(this->version(line, inode.record.data, block));
    }
    return fetch_block(log_, inode.record.data, block, version, out);
}

void FileTree::prepare_chunks(const Line& line, const Inode& inode, uint32_t first, uint32_t last) {
    uint64_t used_blocks = block_count(inode.record.attributes.size_bytes);
    for (uint32_t chunk = first / kChunkBlocks; chunk <= last / kChunkBlocks; chunk++) {
        if (uint64_t{chunk} * kChunkBlocks < used_blocks) continue;
        projection_.add_empty_chunk(line.info.line, inode.record.data, chunk);
    }
}

Result<FileAttributes> FileTree::write(const Line& line, InodeId inode, uint64_t offset,
                                       ByteView data) {
    LB_TRY(check_range(offset, data.size()));
    if (data.size() > kWriteMaxBytes) {
        return store_error(ErrorCode::kStoreInvalid,
                           cat("one write has at most ", format_bytes(kWriteMaxBytes)));
    }
    const Inode* found = LB_TRY(file(line, inode));
    if (data.empty()) return found->record.attributes;
    LineId id = line.info.line;
    DataId data_id = found->record.data;
    auto first = static_cast<uint32_t>(offset / kBlockBytes);
    auto last = static_cast<uint32_t>((offset + data.size() - 1) / kBlockBytes);
    FrameRecords frame;
    frame.reserve(last - first + 2);
    size_t done_bytes = 0;
    for (uint64_t block = first; block <= last; block++) {
        size_t start = block == first ? offset % kBlockBytes : 0;
        size_t count = std::min(kBlockBytes - start, data.size() - done_bytes);
        ByteView piece = data.subspan(done_bytes, count);
        if (count == kBlockBytes) {
            frame.block(id, data_id, static_cast<uint32_t>(block), piece);
        } else {
            auto contents = frame.new_block(id, data_id, static_cast<uint32_t>(block));
            LB_TRY(read_block(line, *found, static_cast<uint32_t>(block), contents));
            std::copy(piece.begin(), piece.end(), contents.begin() + static_cast<ptrdiff_t>(start));
        }
        done_bytes += count;
    }
    prepare_chunks(line, *found, first, last);
    uint64_t end = offset + data.size();
    if (end > found->record.attributes.size_bytes) {
        InodeRecord grown = found->record;
        grown.attributes.size_bytes = end;
        grown.attributes.modified_at = grown.attributes.changed_at = clock_.now();
        frame.inode(id, grown);
    }
    LB_TRY(projection_.append(frame.records()));
    return found->record.attributes;
}

// Adds what makes the file `size_bytes` long; `changed` gets the size, and a new data id if
// emptied.
Status FileTree::resize(const Line& line, const Inode& inode, uint64_t size_bytes,
                        FrameRecords& frame, InodeRecord& changed) {
    LB_TRY(check_range(size_bytes, 0));
    uint64_t old_size_bytes = inode.record.attributes.size_bytes;
    LineId id = line.info.line;
    DataId data = inode.record.data;
    changed.attributes.size_bytes = size_bytes;
    if (size_bytes >= old_size_bytes) return ok();
    bool has_more_data_ids = (data.value() & kEmptiedMax) < kEmptiedMax;
    if (size_bytes == 0 && has_more_data_ids) {
        changed.data = DataId{data.value() + 1};
        return ok();
    }
    if (size_bytes % kBlockBytes != 0) {  // bytes beyond the end are zeros, always
        auto block = static_cast<uint32_t>(size_bytes / kBlockBytes);
        if (LB_TRY(version(line, data, block)).sequence != 0) {
            auto contents = frame.new_block(id, data, block);
            LB_TRY(read_block(line, inode, block, contents));
            std::ranges::fill(contents.subspan(size_bytes % kBlockBytes), std::byte{0});
        }
    }
    if (block_count(size_bytes) < block_count(old_size_bytes)) {
        frame.truncate(id, data, static_cast<uint32_t>(block_count(size_bytes)));
    }
    return ok();
}

Result<FileAttributes> FileTree::set_attributes(const Line& line, InodeId inode,
                                                const AttributeChanges& changes) {
    const Inode* found = LB_TRY(existing(line, inode));
    FrameRecords frame;
    InodeRecord changed = found->record;
    changed.attributes.changed_at = clock_.now();
    if (changes.mode) changed.attributes.mode = *changes.mode & 07777;
    if (changes.size_bytes) {
        LB_TRY(file(line, inode));
        LB_TRY(resize(line, *found, *changes.size_bytes, frame, changed));
        changed.attributes.modified_at = changed.attributes.changed_at;
    }
    if (changes.modified_at) changed.attributes.modified_at = *changes.modified_at;
    frame.inode(line.info.line, changed);
    LB_TRY(projection_.append(frame.records()));
    return found->record.attributes;
}

Status FileTree::allocate(const Line& line, InodeId inode, uint64_t offset, uint64_t length) {
    LB_TRY(check_range(offset, length));
    const Inode* found = LB_TRY(file(line, inode));
    if (offset + length <= found->record.attributes.size_bytes) return ok();
    LB_TRY(set_attributes(line, inode, {.size_bytes = offset + length}));
    return ok();
}

Status FileTree::zero(const Line& line, InodeId inode, uint64_t offset, uint64_t length) {
    const Inode* found = LB_TRY(file(line, inode));
    uint64_t size_bytes = found->record.attributes.size_bytes;
    if (offset >= size_bytes || length == 0) return ok();
    uint64_t end = length > size_bytes - offset ? size_bytes : offset + length;
    LineId id = line.info.line;
    DataId data = found->record.data;
    FrameRecords frame;
    for (uint64_t at = offset; at < end;) {
        auto block = static_cast<uint32_t>(at / kBlockBytes);
        size_t start = at % kBlockBytes;
        uint64_t count = std::min<uint64_t>(kBlockBytes - start, end - at);
        at += count;
        BlockVersion version = LB_TRY(this->version(line, data, block));
        if (version.sequence != 0 && version.stored_bytes != 0) {
            if (count == kBlockBytes) {
                frame.block(id, data, block, kZeroBlock);
            } else {
                auto contents = frame.new_block(id, data, block);
                LB_TRY(read_block(line, *found, block, contents));
                std::ranges::fill(contents.subspan(start, count), std::byte{0});
            }
        }
        bool is_full = frame.records().size() >= kZeroedBlocksPerFrame;
        if (!frame.is_empty() && (is_full || at == end)) {
            LB_TRY(projection_.append(frame.records()));
            frame = FrameRecords();
        }
    }
    return ok();
}

Bytes FileTree::root_inode(WallTime now) {
    InodeRecord root{.data = first_data(kRootInode), .parent = kRootInode};
    root.attributes = {.inode = kRootInode,
                       .type = FileType::kDirectory,
                       .mode = 0700,
                       .modified_at = now,
                       .changed_at = now};
    return encode_inode(root);
}

}  // namespace lb::store
