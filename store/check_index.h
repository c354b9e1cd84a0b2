// Comparing the index that a store uses with one that was made anew from the log.
#pragma once

#include <functional>
#include <vector>

#include "store/check.h"
#include "store/check_step.h"
#include "store/index.h"
#include "store/line_table.h"

namespace lb::store {

struct IndexComparison {
    IndexCursor* used = nullptr;
    IndexCursor* rebuilt = nullptr;
    // What the used index has seen: entries of later frames are left by a replay that was cut off.
    uint64_t sequence = 0;
    // hash64() of the keys of the attributes that are in the log, sorted. Others came from memory,
    // when their times were written out.
    const std::vector<uint64_t>* logged_inodes = nullptr;
    const PendingStep* step = nullptr;  // nullptr: none is pending
    // Of a line that is not among these, what it inherited was reclaimed with it: its sizes, and
    // attributes that are not in the log, cannot be told. nullptr: nothing was reclaimed.
    const LineTable* lines = nullptr;
    std::function<void(Problem)> report = {};
    std::function<Status(uint64_t entries)> progress = {};
    // The attributes that a line shows at a sequence, by the rebuilt index; nullopt: none.
    std::function<Result<std::optional<std::string>>(LineId, InodeId, uint64_t)> attributes = {};
};

// Returns the number of entries of the used index. Errors: those of the indexes; kStoreDamaged if
// the used one is unreadable.
Result<uint64_t> compare_indexes(const IndexComparison& comparison);

}  // namespace lb::store
