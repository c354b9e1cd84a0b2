// Past: what a line showed at earlier positions, read from the versions that the index has. Files
// that have been removed since are found by their names' history.
//
// For one thread at a time, like the projection's loads. A line shows its ancestors' past too, up
// to where it was made from them.
#pragma once

#include <vector>

#include "store/projection.h"

namespace lb::store {

class Past {
public:
    Past(Projection& projection, SegmentLog& log) : projection_(projection), log_(log) {}

    // The newest frame that was written at or before `time`: exact in the hot log, before it the
    // nearest earlier point of the history. kStoreNotFound: before the first.
    Result<Position> position_at(WallTime time);

    // All that the name stood for, the newest first.
    Result<std::vector<InodeId>> inodes_of_name(const Line& line, InodeId directory,
                                                std::string_view name);
    Result<std::vector<DirectoryEntry>> list(const Line& line, Position at, InodeId directory);
    // Positions at which the line itself wrote the block, in order.
    Result<std::vector<Position>> block_positions(const Line& line, InodeId inode, uint32_t block);
    // Zeros for a block that was not there. kStoreNotFound for an inode that was not there.
    Status read_block(const Line& line, Position at, InodeId inode, uint32_t block,
                      std::span<std::byte, kBlockBytes> out);

private:
    Result<DataId> data_of(LineView view, InodeId inode);

    Projection& projection_;
    SegmentLog& log_;
};

}  // namespace lb::store
