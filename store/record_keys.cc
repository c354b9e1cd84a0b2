#include "store/record_keys.h"

#include <cstring>

#include "base/text.h"
#include "store/inode_codec.h"

namespace lb::store {

namespace {

Error unreadable(const RecordHeader& header) {
    return Error{.code = ErrorCode::kStoreDamaged,
                 .message = cat("a record of line ", header.line, ", object ", header.object,
                                ", sequence ", header.sequence, " cannot be read")};
}

Result<IndexKey> key_of(const ReplayRecord& record) {
    const RecordHeader& header = record.header;
    LineId line{header.line};
    switch (header.type) {
        case RecordType::kBlock:
            return block_key(line, DataId{header.object}, header.block, header.sequence);
        case RecordType::kTruncate:
            return truncate_key(line, DataId{header.object}, header.sequence);
        case RecordType::kInode: return inode_key(line, InodeId{header.object}, header.sequence);
        case RecordType::kDirent: {
            std::optional<DirentRecord> dirent = decode_dirent(record.payload);
            if (!dirent) return unreadable(header);
            return dirent_key(line, InodeId{header.object}, dirent->name, header.sequence);
        }
        case RecordType::kLineSize: return logical_bytes_key(line, header.sequence);
        case RecordType::kLineCreate:
        case RecordType::kLineDelete:
        case RecordType::kNote: break;
    }
    return unreadable(header);
}

Result<std::string> value_of(const ReplayRecord& record) {
    const RecordHeader& header = record.header;
    if (header.type == RecordType::kBlock) {
        std::array<char, kLocationValueBytes> value = encode_location(record.location);
        return std::string(value.data(), value.size());
    }
    if (header.type == RecordType::kTruncate) {
        std::string value(sizeof header.block, '\0');
        std::memcpy(value.data(), &header.block, sizeof header.block);
        return value;
    }
    if (header.type == RecordType::kDirent) {
        std::optional<DirentRecord> dirent = decode_dirent(record.payload);
        if (!dirent) return unreadable(header);
        std::string value = encode_u64_value(dirent->child.value());
        value += static_cast<char>(dirent->type);
        return value;
    }
    bool is_readable = header.type == RecordType::kInode
                           ? decode_inode(InodeId{header.object}, record.payload).has_value()
                           : record.payload.size() == sizeof(uint64_t);
    if (!is_readable) return unreadable(header);
    return std::string(as_text(record.payload));
}

}  // namespace

Status put_record(IndexBatch& batch, const ReplayRecord& record) {
    IndexKey key = LB_TRY(key_of(record));
    batch.put(key, LB_TRY(value_of(record)));
    return ok();
}

Status erase_record(IndexBatch& batch, const ReplayRecord& record) {
    batch.erase(LB_TRY(key_of(record)));
    return ok();
}

std::string encode_u64_value(uint64_t value) {
    std::string text(sizeof value, '\0');
    std::memcpy(text.data(), &value, sizeof value);
    return text;
}

}  // namespace lb::store
