#include "store/inode_codec.h"

namespace lb::store {

namespace {

std::optional<FileType> decode_type(uint8_t value) {
    switch (static_cast<FileType>(value)) {
        case FileType::kFile:
        case FileType::kDirectory:
        case FileType::kSymlink: return static_cast<FileType>(value);
    }
    return std::nullopt;
}

WallTime wall_time(int64_t nanoseconds) { return WallTime(std::chrono::nanoseconds(nanoseconds)); }

}  // namespace

Bytes encode_inode(const InodeRecord& inode) {
    const FileAttributes& attributes = inode.attributes;
    Encoder encoder;
    encoder.u8(static_cast<uint8_t>(attributes.type));
    encoder.u32(attributes.mode);
    encoder.u32(attributes.link_count);
    encoder.u64(attributes.size_bytes);
    encoder.i64(attributes.modified_at.time_since_epoch().count());
    encoder.i64(attributes.changed_at.time_since_epoch().count());
    encoder.u64(inode.data.value());
    encoder.u64(inode.parent.value());
    encoder.text(inode.symlink_target);
    return encoder.take();
}

std::optional<InodeRecord> decode_inode(InodeId inode, ByteView payload) {
    Decoder decoder(payload);
    InodeRecord record;
    record.attributes.inode = inode;
    std::optional<FileType> type = decode_type(decoder.u8());
    if (!type) return std::nullopt;
    record.attributes.type = *type;
    record.attributes.mode = decoder.u32();
    record.attributes.link_count = decoder.u32();
    record.attributes.size_bytes = decoder.u64();
    record.attributes.modified_at = wall_time(decoder.i64());
    record.attributes.changed_at = wall_time(decoder.i64());
    record.data = DataId{decoder.u64()};
    record.parent = InodeId{decoder.u64()};
    record.symlink_target = std::string(decoder.text());
    if (!decoder.is_finished() || record.attributes.size_bytes > kFileMaxBytes ||
        record.symlink_target.size() > kSymlinkTargetMaxBytes) {
        return std::nullopt;
    }
    return record;
}

Bytes encode_dirent(const DirentRecord& dirent) {
    Encoder encoder;
    encoder.u64(dirent.child.value());
    encoder.u8(static_cast<uint8_t>(dirent.type));
    encoder.bytes(as_bytes(dirent.name));
    return encoder.take();
}

std::optional<DirentRecord> decode_dirent(ByteView payload) {
    Decoder decoder(payload);
    DirentRecord record;
    record.child = InodeId{decoder.u64()};
    std::optional<FileType> type = decode_type(decoder.u8());
    record.name = as_text(decoder.bytes(decoder.remaining()));
    if (!decoder.is_ok() || !type || !is_valid_name(record.name)) return std::nullopt;
    record.type = *type;
    return record;
}

Bytes encode_line(const LineRecord& line) {
    Encoder encoder;
    encoder.u64(line.parent.value());
    encoder.u64(line.fork_position.value());
    encoder.u64(kRootInode.value());
    return encoder.take();
}

std::optional<LineRecord> decode_line(ByteView payload) {
    Decoder decoder(payload);
    LineRecord record;
    record.parent = LineId{decoder.u64()};
    record.fork_position = Position{decoder.u64()};
    InodeId root{decoder.u64()};
    if (!decoder.is_finished() || root != kRootInode || record.parent.value() > kLineMax) {
        return std::nullopt;
    }
    return record;
}

Bytes encode_note(const NoteRecord& note) {
    Encoder encoder;
    encoder.text(note.key);
    encoder.u8(note.value.has_value() ? 1 : 0);
    if (note.value) encoder.bytes(as_bytes(*note.value));
    return encoder.take();
}

std::optional<NoteRecord> decode_note(ByteView payload) {
    Decoder decoder(payload);
    NoteRecord record;
    record.key = decoder.text();
    uint8_t is_present = decoder.u8();
    if (!decoder.is_ok() || is_present > 1 || record.key.empty() || record.key.size() > 1024) {
        return std::nullopt;
    }
    if (is_present == 0 && decoder.remaining() > 0) return std::nullopt;
    if (is_present == 1) record.value = as_text(decoder.bytes(decoder.remaining()));
    return record;
}

bool is_valid_name(std::string_view name) {
    return !name.empty() && name.size() <= kNameMaxBytes && name != "." && name != ".." &&
           name.find('/') == std::string_view::npos && name.find('\0') == std::string_view::npos;
}

}  // namespace lb::store
