#include "store/block_map.h"

#include <algorithm>

#include "base/text.h"

namespace lb::store {

namespace {

struct Truncation {
    uint64_t sequence = 0;
    uint32_t first_block = 0;
};

Error damaged_entry(LineId line, DataId data) {
    return Error{.code = ErrorCode::kStoreDamaged,
                 .message = cat("the index has an unreadable entry for data ", data.value(),
                                " on line ", line.value()),
                 .help = "restart lb with the index directory removed: it is rebuilt from the log"};
}

Result<std::vector<Truncation>> read_truncations(IndexCursor& cursor, LineView view, DataId data) {
    std::vector<Truncation> result;
    LineId line = view.line->info.line;
    bool is_valid = LB_TRY(cursor.seek(truncate_key(line, data, view.limit)));
    while (is_valid) {
        Decoder decoder(as_bytes(cursor.value()));
        result.push_back({sequence_in_key(cursor.key()), decoder.u32()});
        if (!decoder.is_finished()) return damaged_entry(line, data);
        is_valid = LB_TRY(cursor.next());
    }
    return result;
}

// The newest visible version of each block that the line itself wrote.
Status read_versions(IndexCursor& cursor, LineView view, DataId data, uint32_t chunk,
                     BlockChunk& out) {
    LineId line = view.line->info.line;
    uint32_t first_block = chunk * kChunkBlocks;
    bool is_valid = LB_TRY(cursor.seek(block_key(line, data, first_block, view.limit)));
    while (is_valid) {
        uint32_t block = block_in_key(cursor.key());
        uint64_t sequence = sequence_in_key(cursor.key());
        if (sequence > view.limit) {
            is_valid = LB_TRY(advance(cursor, block_key(line, data, block, view.limit)));
            continue;
        }
        std::optional<RecordLocation> location = decode_location(cursor.value());
        if (!location) return damaged_entry(line, data);
        out[block - first_block] = BlockVersion(*location, sequence, line);
        if (block - first_block == kChunkBlocks - 1) break;
        is_valid = LB_TRY(advance(cursor, block_key(line, data, block + 1, view.limit)));
    }
    return ok();
}

uint64_t newest_cut(const std::vector<Truncation>& truncations, uint32_t block) {
    uint64_t newest = 0;
    for (const Truncation& truncation : truncations) {
        if (truncation.first_block <= block) newest = std::max(newest, truncation.sequence);
    }
    return newest;
}

}  // namespace

// Nearest line first: what a line wrote or cut decides the block for good, because everything on it
// is younger than all that is visible of its ancestors.
Result<BlockChunk> read_chunk(IndexCursor& cursor, LineView view, DataId data, uint32_t chunk) {
    BlockChunk out{};
    std::array<bool, kChunkBlocks> is_decided{};
    uint32_t undecided_count = kChunkBlocks;
    for (; view.line != nullptr && undecided_count > 0; view = view.parent()) {
        std::vector<Truncation> truncations = LB_TRY(read_truncations(cursor, view, data));
        BlockChunk versions{};
        LB_TRY(read_versions(cursor, view, data, chunk, versions));
        for (uint32_t i = 0; i < kChunkBlocks; i++) {
            uint64_t cut = newest_cut(truncations, chunk * kChunkBlocks + i);
            if (is_decided[i] || (versions[i].sequence == 0 && cut == 0)) continue;
            if (versions[i].sequence > cut) out[i] = versions[i];
            is_decided[i] = true;
            undecided_count--;
        }
    }
    return out;
}

BlockVersion::BlockVersion(const RecordLocation& location, uint64_t written_sequence,
                           LineId written_by)
    : sequence(written_sequence),
      segment(static_cast<uint32_t>(location.segment.value())),
      offset(location.offset),
      line(static_cast<uint32_t>(written_by.value())),
      stored_bytes(static_cast<uint16_t>(location.stored_bytes)) {
    LB_ASSERT(location.segment.value() <= UINT32_MAX && written_by.value() <= kLineMax &&
              location.stored_bytes <= kBlockBytes);
}

const BlockChunk* BlockMap::find(LineId line, DataId data, uint32_t chunk) const {
    return chunks_.find({line, data, chunk});
}

const BlockChunk& BlockMap::insert(LineId line, DataId data, uint32_t chunk,
                                   const BlockChunk& contents) {
    return chunks_.insert({line, data, chunk}, contents);
}

void BlockMap::set(LineId line, DataId data, uint32_t block, const BlockVersion& version) {
    BlockChunk* chunk = chunks_.find({line, data, block / kChunkBlocks});
    if (chunk != nullptr) (*chunk)[block % kChunkBlocks] = version;
}

void BlockMap::cut(LineId line, DataId data, uint32_t first_block, uint64_t end_block) {
    uint64_t end_chunk = (end_block + kChunkBlocks - 1) / kChunkBlocks;
    for (uint64_t index = first_block / kChunkBlocks; index < end_chunk; index++) {
        BlockChunk* chunk = chunks_.find({line, data, static_cast<uint32_t>(index)});
        if (chunk == nullptr) continue;
        uint64_t start = std::max<uint64_t>(first_block, index * kChunkBlocks);
        std::fill(chunk->begin() + static_cast<ptrdiff_t>(start % kChunkBlocks), chunk->end(),
                  BlockVersion{});
    }
}

void BlockMap::move(const Moves& moves) {
    chunks_.for_each([&](BlockChunk& chunk) {
        for (BlockVersion& version : chunk) {
            if (version.sequence == 0) continue;
            auto moved = moves.find(version.location());
            if (moved == moves.end()) continue;
            version = BlockVersion(moved->second, version.sequence, LineId{version.line});
        }
    });
}

void BlockMap::trim(size_t chunk_count_max) {
    chunks_.trim([&] { return chunks_.size() > chunk_count_max; },
                 [](const Key&, const BlockChunk&) {});
}

}  // namespace lb::store
