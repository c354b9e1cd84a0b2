// Node: what a FUSE node id stands for. The id is (line << 40 | inode). Line 0 is the mount's root
// directory, which lists the lines, so that FUSE's root id 1 is line 0, inode 1. Ids are never
// reused and carry no state: lookup counts (FORGET) need no bookkeeping.
#pragma once

#include "base/assert.h"
#include "store/store.h"

namespace lb::store {

inline constexpr int kInodeBits = 40;
inline constexpr InodeId kInodeLimit{uint64_t{1} << kInodeBits};

struct Node {
    LineId line;
    InodeId inode;

    bool is_list_of_lines() const { return line == LineId{}; }
    bool operator==(const Node&) const = default;
};

inline Node node_of(uint64_t node_id) {
    return {LineId{node_id >> kInodeBits}, InodeId{node_id & (kInodeLimit.value() - 1)}};
}

inline uint64_t node_id(LineId line, InodeId inode) {
    LB_ASSERT(line.value() <= kLineMax && inode < kInodeLimit);
    return line.value() << kInodeBits | inode.value();
}

}  // namespace lb::store
