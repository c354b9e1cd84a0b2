#include "store/index_text.h"

#include "base/text.h"
#include "store/format_text.h"
#include "store/index_keys.h"
#include "store/index_meta.h"
#include "store/inode_codec.h"
#include "store/line_table.h"

namespace lb::store {

namespace {

std::string_view file_type_name(FileType type) {
    switch (type) {
        case FileType::kFile: return "file";
        case FileType::kDirectory: return "directory";
        case FileType::kSymlink: return "symlink";
    }
    return "unknown";
}

std::string_view space_name(KeySpace space) {
    switch (space) {
        case KeySpace::kBlock: return "block";
        case KeySpace::kTruncate: return "truncate";
        case KeySpace::kInode: return "inode";
        case KeySpace::kDirent: return "dirent";
        case KeySpace::kLogicalBytes: return "logical-bytes";
        case KeySpace::kLine: return "line";
        case KeySpace::kNote: return "note";
        case KeySpace::kTime: return "time";
        case KeySpace::kMeta: return "meta";
    }
    return "unknown";
}

bool set_location(std::string_view value, Json& json) {
    std::optional<RecordLocation> location = decode_location(value);
    if (!location) return false;
    json.set("segment", location->segment.value());
    json.set("offset", uint64_t{location->offset});
    json.set("stored", uint64_t{location->stored_bytes});
    return true;
}

bool set_inode(const DecodedKey& key, std::string_view value, Json& json) {
    std::optional<InodeRecord> inode = decode_inode(InodeId{key.object}, as_bytes(value));
    if (!inode) return false;
    const FileAttributes& attributes = inode->attributes;
    json.set("type_of_file", file_type_name(attributes.type));
    json.set("mode", uint64_t{attributes.mode});
    json.set("links", uint64_t{attributes.link_count});
    json.set("size", attributes.size_bytes);
    json.set("modified", format_time(attributes.modified_at));
    json.set("changed", format_time(attributes.changed_at));
    json.set("data", inode->data.value());
    if (inode->parent != InodeId{}) json.set("parent", inode->parent.value());
    if (!inode->symlink_target.empty()) json.set("target", inode->symlink_target);
    return true;
}

bool set_line(const DecodedKey& key, std::string_view value, Json& json) {
    std::optional<LineInfo> info = decode_line_info(key.line, value);
    if (!info) return false;
    json.set("parent", info->parent.value());
    json.set("fork", info->fork_position.value());
    json.set("created", info->created_position.value());
    json.set("created_at", format_time(info->created_at));
    json.set("head", info->head.value());
    json.set("logical_bytes", info->logical_bytes);
    json.set("own_bytes", info->own_bytes);
    json.set("deleted", info->is_deleted);
    return true;
}

bool set_meta(std::string_view value, Json& json) {
    std::optional<IndexMeta> meta = decode_index_meta(value);
    if (!meta) return false;
    json.set("version", uint64_t{meta->version});
    json.set("store", hex(as_text(meta->store_id)));
    json.set("segment", meta->place.segment.value());
    json.set("offset", meta->place.offset);
    json.set("sequence", meta->place.sequence);
    json.set("next_inode", meta->next_inode);
    json.set("next_line", meta->next_line);
    return true;
}

bool set_value(const DecodedKey& key, std::string_view value, Json& json) {
    Decoder decoder(as_bytes(value));
    switch (key.space) {
        case KeySpace::kBlock: return set_location(value, json);
        case KeySpace::kTruncate:
            json.set("first_gone", uint64_t{decoder.u32()});
            return decoder.is_finished();
        case KeySpace::kInode: return set_inode(key, value, json);
        case KeySpace::kDirent:
            json.set("child", decoder.u64());
            json.set("type_of_file", file_type_name(static_cast<FileType>(decoder.u8())));
            return decoder.is_finished();
        case KeySpace::kLogicalBytes:
            json.set("bytes", decoder.u64());
            return decoder.is_finished();
        case KeySpace::kLine: return set_line(key, value, json);
        case KeySpace::kNote: json.set("value", value); return true;
        case KeySpace::kTime:
            json.set("frame", decoder.u64());
            json.set("segment", decoder.u64());
            json.set("offset", decoder.u64());
            return decoder.is_finished();
        case KeySpace::kMeta: return set_meta(value, json);
    }
    return false;
}

void set_key(const DecodedKey& key, Json& json) {
    json.set("type", space_name(key.space));
    if (key.line != LineId{}) json.set("line", key.line.value());
    switch (key.space) {
        case KeySpace::kBlock:
            json.set("data", key.object);
            json.set("block", uint64_t{key.block});
            break;
        case KeySpace::kTruncate: json.set("data", key.object); break;
        case KeySpace::kInode: json.set("inode", key.object); break;
        case KeySpace::kDirent: json.set("directory", key.object); break;
        case KeySpace::kTime: json.set("nanoseconds", key.object); break;
        case KeySpace::kLogicalBytes:
        case KeySpace::kLine:
        case KeySpace::kNote:
        case KeySpace::kMeta: break;
    }
    if (!key.name.empty()) json.set("name", key.name);
    if (key.sequence != 0) json.set("sequence", key.sequence);
}

}  // namespace

Json index_entry_json(std::string_view key, std::string_view value) {
    Json json = Json::object();
    std::optional<DecodedKey> decoded = decode_key(key);
    if (decoded) {
        set_key(*decoded, json);
        if (set_value(*decoded, value, json)) return json;
    } else {
        json.set("key", hex(key));
    }
    json.set("bytes", hex(value));
    json.set("unreadable", true);
    return json;
}

std::string index_entry_text(std::string_view key, std::string_view value) {
    const Json json = index_entry_json(key, value);
    std::string text;
    for (const Json::Member& member : *json.if_object()) {
        const std::string* plain = member.second.if_text();
        if (text.empty() && plain != nullptr && member.first == "type") {
            text = *plain;
            continue;
        }
        if (!text.empty()) text += ' ';
        bool is_plain = plain != nullptr && !plain->empty() && is_utf8(*plain) &&
                        plain->find_first_of(" \"\\\n\t{") == std::string::npos;
        text += cat(member.first, "=", is_plain ? *plain : member.second.dump());
    }
    return text;
}

}  // namespace lb::store
