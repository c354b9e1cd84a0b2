#include "store/line_commit.h"

#include <algorithm>

#include "base/text.h"

namespace lb::store {

Error no_such_line(LineId line) {
    return Error{.code = ErrorCode::kStoreNotFound,
                 .message = cat("line ", line.value(), " does not exist")};
}

Status LineCommit::check(const Commit& commit) const {
    uint64_t records = 2 * commit.create.size() + commit.remove.size() + commit.notes.size();
    uint64_t body_bytes = records * 128;
    if (records == 0) return Error{.code = ErrorCode::kStoreInvalid, .message = "empty commit"};
    std::unordered_set<LineId> created;
    for (const NewLine& line : commit.create) {
        LB_TRY(check_new_line(line, created));
        created.insert(line.line);
    }
    std::unordered_set<LineId> removed;
    for (LineId line : commit.remove) {
        bool is_known = projection_.lines().find_live(line) != nullptr;
        if (!is_known || !removed.insert(line).second) return no_such_line(line);
    }
    for (const Note& note : commit.notes) {
        if (note.key.empty() || note.key.size() > kNoteKeyMaxBytes) {
            return Error{.code = ErrorCode::kStoreInvalid,
                         .message = cat("a note's key has 1 to ", kNoteKeyMaxBytes, " bytes")};
        }
        body_bytes += note.key.size() + (note.value ? note.value->size() : 0);
    }
    if (records > kFrameRecordsMax || body_bytes > kFrameBodyMaxBytes) {
        return Error{.code = ErrorCode::kStoreInvalid,
                     .message = cat("a commit of ", records, " changes and ",
                                    format_bytes(body_bytes), " is too large"),
                     .help = cat("split it: at most ", kFrameRecordsMax,
                                 " records (a new line counts as two) and ",
                                 format_bytes(kFrameBodyMaxBytes))};
    }
    return ok();
}

Status LineCommit::check_new_line(const NewLine& line,
                                  const std::unordered_set<LineId>& created) const {
    if (!reserved_.contains(line.line) || created.contains(line.line) ||
        line.line.value() > kLineMax) {
        return Error{.code = ErrorCode::kStoreInvalid,
                     .message = cat("line ", line.line.value(), " was not reserved, or is used")};
    }
    if (line.parent == LineId{}) return ok();
    if (line.parent >= line.line) {
        return Error{.code = ErrorCode::kStoreInvalid,
                     .message = "a line's parent must have been reserved before the line"};
    }
    const Line* parent = projection_.lines().find_live(line.parent);
    if (parent != nullptr) return check_position(*parent, line.at);
    if (!created.contains(line.parent)) return no_such_line(line.parent);
    if (line.at == kHead) return ok();
    return Error{.code = ErrorCode::kStoreInvalid,
                 .message = "a line that is created in the same commit has no positions yet"};
}

Status LineCommit::check_position(const Line& line, Position position) const {
    if (position == kHead) return ok();
    Position first = line.first_position();
    Position last = head_;
    LineId id = line.info.line;
    if (position < first || position > last) {
        return Error{.code = ErrorCode::kStoreInvalid,
                     .message = cat("line ", id.value(), " has no position ", position.value()),
                     .help = cat("use a position from ", first.value(), " to ", last.value())};
    }
    const History& history = projection_.history();
    uint64_t wanted = position.value();
    bool is_kept = position >= line.info.head || history.is_restorable(id, wanted) ||
                   std::ranges::any_of(line.children, [&](LineId child) {
                       return projection_.lines().find(child)->info.fork_position == position;
                   });
    if (is_kept) return ok();
    std::optional<uint64_t> before = history.last_until(id, wanted);
    uint64_t after = std::min(history.first_from(id, wanted), last.value());
    return Error{.code = ErrorCode::kStoreInvalid,
                 .message = cat("position ", wanted, " of line ", id.value(),
                                " is no longer kept: the past is thinned out, and ends with the "
                                "restore window"),
                 .help = before && *before >= first.value()
                             ? cat("use position ", *before, " or ", after)
                             : cat("use position ", after, " or a later one")};
}

FrameRecords LineCommit::frame(const Commit& commit, WallTime now_at) const {
    FrameRecords frame;
    // Nothing else can append now: heads are the positions just before this frame. A parent that
    // this frame creates is there from this frame on.
    uint64_t now = head_.value();
    std::unordered_set<LineId> created;
    for (const NewLine& line : commit.create) {
        bool is_root = line.parent == LineId{};
        Position head{created.contains(line.parent) ? now + 1 : now};
        Position fork = is_root ? Position{} : line.at == kHead ? head : line.at;
        frame.line_create(line.line, {line.parent, fork});
        if (is_root) {
            frame.raw_inode(line.line, kRootInode, FileTree::root_inode(now_at));
        }
        created.insert(line.line);
    }
    for (LineId line : commit.remove) frame.line_delete(line);
    for (const Note& note : commit.notes) frame.note({note.key, note.value});
    return frame;
}

}  // namespace lb::store
