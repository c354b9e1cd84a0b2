#include "store/index_meta.h"

#include <algorithm>

#include "store/index.h"
#include "store/index_keys.h"
#include "store/log_super.h"

namespace lb::store {

std::string encode_index_meta(const IndexMeta& meta) {
    Encoder encoder;
    encoder.u32(meta.version);
    encoder.bytes(meta.store_id);
    encoder.u64(meta.place.segment.value());
    encoder.u64(meta.place.offset);
    encoder.u64(meta.place.sequence);
    encoder.u64(meta.next_inode);
    encoder.u64(meta.next_line);
    encoder.u64(meta.reclaim_step);
    return std::string(as_text(encoder.out()));
}

std::optional<IndexMeta> decode_index_meta(std::string_view value) {
    Decoder decoder(as_bytes(value));
    IndexMeta meta;
    meta.version = decoder.u32();
    ByteView store_id = decoder.bytes(meta.store_id.size());
    meta.place.segment = SegmentId{decoder.u64()};
    meta.place.offset = decoder.u64();
    meta.place.sequence = decoder.u64();
    meta.next_inode = decoder.u64();
    meta.next_line = decoder.u64();
    meta.reclaim_step = decoder.u64();
    if (!decoder.is_finished()) return std::nullopt;
    std::ranges::copy(store_id, meta.store_id.begin());
    return meta;
}

uint64_t durable_by_index(Disk& disk, const std::string& store_directory) {
    Result<std::optional<Super>> super = read_super(disk, store_directory);
    if (!super || !*super) return 0;
    Result<std::unique_ptr<Index>> index = open_rocksdb_index_to_read(store_directory + "/index");
    if (!index) return 0;
    Result<std::optional<std::string>> value = (*index)->get(meta_key());
    std::optional<IndexMeta> meta = value && *value ? decode_index_meta(**value) : std::nullopt;
    bool is_ours = meta && meta->version == kIndexVersion && meta->store_id == (*super)->store_id;
    return is_ours ? meta->place.sequence : 0;
}

}  // namespace lb::store
