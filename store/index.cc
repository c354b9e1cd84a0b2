#include "store/index.h"

#include <cstring>

namespace lb::store {

namespace {

constexpr int kStepsBeforeSeek = 4;

struct EntryHeader {
    uint32_t key_bytes;
    uint32_t value_bytes;
    uint32_t is_put;
};

}  // namespace

void IndexBatch::add(std::string_view key, std::string_view value, bool is_put) {
    EntryHeader header{static_cast<uint32_t>(key.size()), static_cast<uint32_t>(value.size()),
                       is_put ? 1U : 0U};
    bytes_.append(reinterpret_cast<const char*>(&header), sizeof header);
    bytes_ += key;
    bytes_ += value;
    entry_count_++;
}

void IndexBatch::for_each(
    const std::function<void(std::string_view, std::string_view, bool)>& visit) const {
    std::string_view rest = bytes_;
    while (!rest.empty()) {
        EntryHeader header;
        std::memcpy(&header, rest.data(), sizeof header);
        std::string_view key = rest.substr(sizeof header, header.key_bytes);
        std::string_view value = rest.substr(sizeof header + header.key_bytes, header.value_bytes);
        visit(key, value, header.is_put != 0);
        rest.remove_prefix(sizeof header + header.key_bytes + header.value_bytes);
    }
}

Result<bool> advance(IndexCursor& cursor, std::string_view target) {
    for (int step = 0; step < kStepsBeforeSeek; step++) {
        if (!LB_TRY(cursor.next())) return false;
        if (cursor.key() >= target) return true;
    }
    return cursor.seek(target);
}

}  // namespace lb::store
