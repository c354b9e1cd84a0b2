// The index's entry about itself: whose it is, and up to where the log is in it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "store/segment_log.h"

namespace lb::store {

// Another number here makes every store rebuild its index once.
inline constexpr uint32_t kIndexVersion = 3;

struct IndexMeta {
    uint32_t version = kIndexVersion;
    StoreId store_id{};
    LogPlace place;
    uint64_t next_inode = 0;
    uint64_t next_line = 0;
    uint64_t reclaim_step = 0;  // the last that is in the index completely
};

std::string encode_index_meta(const IndexMeta& meta);
std::optional<IndexMeta> decode_index_meta(std::string_view value);

// What the index of a store that nobody has open has seen: it was durable before it reached the
// index's files. So the index knows of frames at the very end of the log of which no later frame
// tells. 0 if there is no index, or none that can be read or belongs to the store.
uint64_t durable_by_index(Disk& disk, const std::string& store_directory);

}  // namespace lb::store
