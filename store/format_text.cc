#include "store/format_text.h"

#include <array>

#include "base/text.h"

namespace lb::store {

std::string_view type_name(RecordType type) {
    switch (type) {
        case RecordType::kBlock: return "block";
        case RecordType::kTruncate: return "truncate";
        case RecordType::kInode: return "inode";
        case RecordType::kDirent: return "dirent";
        case RecordType::kLineCreate: return "line-create";
        case RecordType::kLineDelete: return "line-delete";
        case RecordType::kNote: return "note";
        case RecordType::kLineSize: return "line-size";
    }
    return "unknown";
}

std::string identity_text(const RecordHeader& record) {
    return cat("type ", static_cast<unsigned>(record.type), ", line ", record.line, ", object ",
               record.object, ", block ", record.block, ", sequence ", record.sequence);
}

std::string reason_text(const Error& error) {
    return error.notes.empty() ? error.message
                               : cat(error.message, " (", join(error.notes, ", "), ")");
}

std::string hash_text(uint64_t hash) {
    std::array<char, 8> bytes;
    for (size_t i = 0; i < bytes.size(); ++i) {
        bytes[i] = static_cast<char>(hash >> (56 - 8 * i) & 0xff);
    }
    return hex({bytes.data(), bytes.size()});
}

}  // namespace lb::store
