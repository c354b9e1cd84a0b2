#include "store/past.h"

#include <algorithm>

#include "base/text.h"
#include "store/file_tree.h"
#include "store/time_index.h"

namespace lb::store {

Result<Position> Past::position_at(WallTime time) {
    std::unique_ptr<IndexCursor> cursor = LB_TRY(projection_.cursor());
    bool is_found = LB_TRY(cursor->seek(time_key(time)));
    if (is_found && cursor->key().front() == static_cast<char>(KeySpace::kTime)) {
        std::optional<TimeEntry> entry = decode_time_entry(cursor->key(), cursor->value());
        if (!entry) return unreadable_time();
        return Position{LB_TRY(log_.last_frame_until(entry->before, time))};
    }
    // What was written before the beginning of the hot log.
    uint64_t position = projection_.history().position_at(time);
    if (position != 0) return Position{position};
    return Error{.code = ErrorCode::kStoreNotFound,
                 .message = cat("the store has nothing from ", format_time(time))};
}

Result<std::vector<InodeId>> Past::inodes_of_name(const Line& line, InodeId directory,
                                                  std::string_view name) {
    std::unique_ptr<IndexCursor> cursor = LB_TRY(projection_.cursor());
    std::vector<InodeId> found;
    for (LineView view = projection_.lines().view(line); view.line != nullptr;
         view = view.parent()) {
        IndexKey start = dirent_key(view.line->info.line, directory, name, view.limit);
        bool is_valid = LB_TRY(cursor->seek(start));
        while (is_valid && name_in_key(cursor->key()) == name) {
            InodeId child{Decoder(as_bytes(cursor->value())).u64()};
            bool is_new = std::ranges::find(found, child) == found.end();
            if (child != InodeId{} && is_new) found.push_back(child);
            is_valid = LB_TRY(cursor->next());
        }
    }
    return found;
}

Result<std::vector<DirectoryEntry>> Past::list(const Line& line, Position at, InodeId directory) {
    std::vector<DirectoryEntry> entries;
    for (const auto& [name, child] :
         LB_TRY(projection_.read_directory({&line, at.value()}, directory))) {
        entries.push_back({.name = name, .inode = child.inode, .type = child.type});
    }
    return entries;
}

Result<DataId> Past::data_of(LineView view, InodeId inode) {
    std::unique_ptr<IndexCursor> cursor = LB_TRY(projection_.cursor());
    for (; view.line != nullptr; view = view.parent()) {
        LineId owner = view.line->info.line;
        if (!LB_TRY(cursor->seek(inode_key(owner, inode, view.limit)))) continue;
        std::optional<InodeRecord> record = decode_inode(inode, as_bytes(cursor->value()));
        if (record) return record->data;
        return Error{.code = ErrorCode::kStoreDamaged,
                     .message = cat("the index has an unreadable entry for inode ", inode.value(),
                                    " on line ", owner.value())};
    }
    return Error{.code = ErrorCode::kStoreNotFound,
                 .message = cat("inode ", inode.value(), " was not there yet")};
}

Result<std::vector<Position>> Past::block_positions(const Line& line, InodeId inode,
                                                    uint32_t block) {
    LineView view = projection_.lines().view(line);
    DataId data = LB_TRY(data_of(view, inode));
    std::unique_ptr<IndexCursor> cursor = LB_TRY(projection_.cursor());
    std::vector<Position> positions;
    bool is_valid = LB_TRY(cursor->seek(block_key(line.info.line, data, block, view.limit)));
    while (is_valid && block_in_key(cursor->key()) == block) {
        positions.push_back(Position{sequence_in_key(cursor->key())});
        is_valid = LB_TRY(cursor->next());
    }
    std::ranges::reverse(positions);
    return positions;
}

Status Past::read_block(const Line& line, Position at, InodeId inode, uint32_t block,
                        std::span<std::byte, kBlockBytes> out) {
    LineView view{&line, at.value()};
    DataId data = LB_TRY(data_of(view, inode));
    std::unique_ptr<IndexCursor> cursor = LB_TRY(projection_.cursor());
    BlockChunk chunk = LB_TRY(read_chunk(*cursor, view, data, block / kChunkBlocks));
    const BlockVersion& version = chunk[block % kChunkBlocks];
    return fetch_block(log_, data, block, version, out);
}

}  // namespace lb::store
