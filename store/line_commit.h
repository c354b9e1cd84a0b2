// LineCommit: whether a commit of lines and notes is possible, and the frame that makes it. Private
// to the store; lives within one hold of the store's lock.
#pragma once

#include <unordered_set>

#include "store/file_tree.h"
#include "store/projection.h"
#include "store/store.h"

namespace lb::store {

inline constexpr size_t kNoteKeyMaxBytes = 1024;

Error no_such_line(LineId line);

class LineCommit {
public:
    // `head`: the newest position of the store. `reserved`: lines that may be created.
    LineCommit(const Projection& projection, Position head,
               const std::unordered_set<LineId>& reserved)
        : projection_(projection), head_(head), reserved_(reserved) {}

    // Errors: as Store::commit().
    Status check(const Commit& commit) const;
    // Errors: as Store::check_restorable().
    Status check_position(const Line& line, Position position) const;
    // Requires: check() was ok.
    FrameRecords frame(const Commit& commit, WallTime now_at) const;

private:
    // `created`: the lines that the same commit creates before this one.
    Status check_new_line(const NewLine& line, const std::unordered_set<LineId>& created) const;

    const Projection& projection_;
    const Position head_;
    const std::unordered_set<LineId>& reserved_;
};

}  // namespace lb::store
