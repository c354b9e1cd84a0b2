// FrameRecords: collects the records of one frame and owns their payloads.
#pragma once

#include <vector>

#include "store/inode_codec.h"
#include "store/segment_log.h"

namespace lb::store {

class FrameRecords {
public:
    void inode(LineId line, const InodeRecord& inode) {
        raw_inode(line, inode.attributes.inode, encode_inode(inode));
    }
    void raw_inode(LineId line, InodeId inode, Bytes encoded) {
        add(RecordType::kInode, line, inode.value(), 0, std::move(encoded));
    }
    void dirent(LineId line, InodeId directory, const DirentRecord& dirent) {
        add(RecordType::kDirent, line, directory.value(), 0, encode_dirent(dirent));
    }
    void truncate(LineId line, DataId data, uint32_t first_block) {
        add(RecordType::kTruncate, line, data.value(), first_block, {});
    }
    void line_create(LineId line, const LineRecord& record) {
        add(RecordType::kLineCreate, line, 0, 0, encode_line(record));
    }
    void line_delete(LineId line) { add(RecordType::kLineDelete, line, 0, 0, {}); }
    void note(const NoteRecord& note) { add(RecordType::kNote, LineId{}, 0, 0, encode_note(note)); }
    // The caller keeps `contents` (a whole block) until the frame is appended.
    void block(LineId line, DataId data, uint32_t block, ByteView contents) {
        LB_ASSERT(contents.size() == kBlockBytes);
        records_.push_back({RecordType::kBlock, line, data.value(), block, contents});
    }
    // A block that this builder keeps; zeros until the caller fills it.
    std::span<std::byte, kBlockBytes> new_block(LineId line, DataId data, uint32_t block) {
        std::span<std::byte, kBlockBytes> contents(
            payloads_.emplace_back(Bytes(kBlockBytes)).data(), kBlockBytes);
        this->block(line, data, block, contents);
        return contents;
    }

    void reserve(size_t record_count) { records_.reserve(record_count); }
    std::span<const NewRecord> records() const { return records_; }
    bool is_empty() const { return records_.empty(); }

private:
    void add(RecordType type, LineId line, uint64_t object, uint32_t block, Bytes payload) {
        const Bytes& kept = payloads_.emplace_back(std::move(payload));
        records_.push_back({type, line, object, block, kept});
    }

    std::vector<NewRecord> records_;
    std::vector<Bytes> payloads_;  // may move, but not the bytes they hold
};

}  // namespace lb::store
