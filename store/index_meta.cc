#include "store/index_meta.h"

#include <algorithm>

#include "store/index.h"
#include "store/index_keys.h"

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
    if (!decoder.is_finished()) return std::nullopt;
    std::ranges::copy(store_id, meta.store_id.begin());
    return meta;
}

Result<std::optional<IndexMeta>> read_index_meta(const std::string& index_directory) {
    std::optional<IndexMeta> none;
    Result<std::unique_ptr<Index>> index = open_rocksdb_index_to_read(index_directory);
    if (!index && index.error().code == ErrorCode::kStoreNotFound) return none;
    if (!index) return std::move(index).error();
    std::optional<std::string> value = LB_TRY((*index)->get(meta_key()));
    LB_TRY((*index)->close());
    return value ? decode_index_meta(*value) : none;
}

}  // namespace lb::store
