// The index's entry about itself: whose it is, and up to where the log is in it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "store/segment_log.h"

namespace lb::store {

// Another number here makes every store rebuild its index once.
inline constexpr uint32_t kIndexVersion = 1;

struct IndexMeta {
    uint32_t version = kIndexVersion;
    StoreId store_id{};
    LogPlace place;
    uint64_t next_inode = 0;
    uint64_t next_line = 0;
};

std::string encode_index_meta(const IndexMeta& meta);
std::optional<IndexMeta> decode_index_meta(std::string_view value);

// Of the index in a directory that nobody has open. nullopt: there is none, or it has no such
// entry. Errors: those of opening it.
Result<std::optional<IndexMeta>> read_index_meta(const std::string& index_directory);

}  // namespace lb::store
