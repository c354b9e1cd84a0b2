// LineUsage: how the blocks that a line wrote are used: shown by it, kept for its past, read by its
// branches. One pass over the line's part of the index. Private to the store.
#pragma once

#include <memory>
#include <vector>

#include "store/history.h"
#include "store/index.h"
#include "store/line_table.h"

namespace lb::store {

// A line as of one moment; needs no lock afterwards.
struct UsageSources {
    std::unique_ptr<IndexCursor> blocks;
    std::unique_ptr<IndexCursor> versions;  // of the same moment
    LineInfo line;
    std::vector<uint64_t> forks = {};  // of its children, sorted
    History history;
};

Result<LineUsage> measure_usage(const UsageSources& sources);
// Bytes that nobody could read if the line's past began at `floor`, and somebody can now.
Result<uint64_t> measure_freed(const UsageSources& sources, uint64_t floor);

}  // namespace lb::store
