// Payloads of the records that are not blocks: how attributes, directory entries, lines and notes
// lie in the log. Byte tables: docs/store-architecture.md.
//
// Decoders accept any bytes; nullopt for anything that the encoder would not have made, so that a
// decoded value encodes to the same bytes again.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/codec.h"
#include "store/format.h"
#include "store/store.h"

namespace lb::store {

// Data ids are (inode << 24 | how often the file was emptied). Unique on every path through the
// tree of lines, and the inode can be told from a block's record.
inline constexpr uint32_t kEmptiedBits = 24;
inline constexpr uint32_t kEmptiedMax = (uint32_t{1} << kEmptiedBits) - 1;
inline constexpr uint64_t kInodeMax = (uint64_t{1} << (64 - kEmptiedBits)) - 1;

constexpr DataId first_data(InodeId inode) { return DataId{inode.value() << kEmptiedBits}; }
constexpr InodeId inode_of(DataId data) { return InodeId{data.value() >> kEmptiedBits}; }

// kInode. `attributes.inode` and `last_sequence` are not in the payload: the record has them.
struct InodeRecord {
    FileAttributes attributes = {};
    DataId data;
    InodeId parent = {};  // directories only
    std::string symlink_target = {};
};
Bytes encode_inode(const InodeRecord& inode);
std::optional<InodeRecord> decode_inode(InodeId inode, ByteView payload);

// kDirent.
struct DirentRecord {
    InodeId child;  // 0: the name is gone
    FileType type = FileType::kFile;
    std::string_view name;
};
Bytes encode_dirent(const DirentRecord& dirent);
std::optional<DirentRecord> decode_dirent(ByteView payload);

// kLineCreate.
struct LineRecord {
    LineId parent;
    Position fork_position;
};
Bytes encode_line(const LineRecord& line);
std::optional<LineRecord> decode_line(ByteView payload);

// kNote.
struct NoteRecord {
    std::string_view key;
    std::optional<std::string_view> value;
};
Bytes encode_note(const NoteRecord& note);
std::optional<NoteRecord> decode_note(ByteView payload);

// No name that could lead out of its directory: 1-255 bytes, no slash, no zero, not "." or "..".
bool is_valid_name(std::string_view name);

}  // namespace lb::store
