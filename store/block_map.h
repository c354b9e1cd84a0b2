// BlockMap: where the blocks of open files are, by chunks of 64 blocks, in memory. A chunk is
// loaded from the index when it is first read, changed in place by writes, and forgotten when it
// was not used for long.
//
// find() is safe from several threads while nobody changes the map; the rest needs exclusive
// access.
#pragma once

#include <array>
#include <unordered_map>

#include "store/clock_cache.h"
#include "store/index.h"
#include "store/index_keys.h"
#include "store/line_table.h"

namespace lb::store {

// Packed, because most of the store's memory is made of these.
struct BlockVersion {
    uint64_t sequence = 0;  // 0: a hole, reads as zeros
    uint32_t segment = 0;
    uint32_t offset = 0;
    uint32_t line = 0;  // that wrote it
    uint16_t stored_bytes = 0;

    BlockVersion() = default;
    BlockVersion(const RecordLocation& location, uint64_t written_sequence, LineId written_by);
    RecordLocation location() const { return {SegmentId{segment}, offset, stored_bytes}; }
};
static_assert(sizeof(BlockVersion) == 24);

using BlockChunk = std::array<BlockVersion, kChunkBlocks>;

// Reads a chunk from the index as `view` shows it.
// Errors: the index's; kStoreDamaged for an entry that cannot be read.
Result<BlockChunk> read_chunk(IndexCursor& cursor, LineView view, DataId data, uint32_t chunk);

struct LocationHash {
    size_t operator()(const RecordLocation& location) const {
        return mix_hash(location.segment.value(), location.offset);
    }
};

class BlockMap {
public:
    // nullptr if the chunk is not in memory.
    const BlockChunk* find(LineId line, DataId data, uint32_t chunk) const;

    // Requires: the chunk is not in memory.
    const BlockChunk& insert(LineId line, DataId data, uint32_t chunk, const BlockChunk& contents);

    // These change only what is in memory already.
    void set(LineId line, DataId data, uint32_t block, const BlockVersion& version);
    // Blocks from `first_block` up to `end_block` become holes.
    void cut(LineId line, DataId data, uint32_t first_block, uint64_t end_block);

    // Records that moved: where each of them was, and where it is now.
    using Moves = std::unordered_map<RecordLocation, RecordLocation, LocationHash>;
    void move(const Moves& moves);

    void trim(size_t chunk_count_max);
    size_t size() const { return chunks_.size(); }

private:
    struct Key {
        LineId line;
        DataId data;
        uint32_t chunk = 0;
        bool operator==(const Key&) const = default;
    };
    struct KeyHash {
        size_t operator()(const Key& key) const {
            return mix_hash(key.data.value(), (key.line.value() << 32) ^ key.chunk);
        }
    };

    ClockCache<Key, BlockChunk, KeyHash> chunks_;
};

}  // namespace lb::store
