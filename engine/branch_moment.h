// Moments of branches: which position of a line a time, an LSN or a position means, and from when
// to when a branch has a history.
//
// A branch's history is its own: it begins where its line was made, by a create, a restore or a
// reset, or where its restore window ends. What it had inherited by then is the history of the
// branch that it was made from, which errors name.
#pragma once

#include <optional>

#include "base/model/moment.h"
#include "engine/project_context.h"
#include "engine/wal_history.h"

namespace lb::engine {

// Where the past of a branch begins: where its line was made, or its restore window ends.
struct HistoryBegin {
    Position first;
    WallTime at{};
    Position every_from;  // from here on every position is kept
};
Result<HistoryBegin> history_begin(Context& context, const store::LineInfo& line,
                                   std::chrono::seconds window);

struct HistoryRange {
    Position first;
    WallTime first_at{};
    Position every_from;
    Position last;
    std::chrono::seconds window{};
    std::optional<WalRange> wal = {};  // nullopt for a branch that has no WAL
    // Where it came from; empty for the first state of a root branch.
    std::string made_from = {};
    Position made_at = {};
};
Result<HistoryRange> history_range(Context& context, const std::string& project,
                                   const BranchRecord& branch);

struct ResolvedMoment {
    Position at = kHead;
    std::optional<Lsn> cut_at = {};  // what the WAL has behind it is not to be replayed
};
// Errors: kNotInHistory, saying what the branch has.
Result<ResolvedMoment> resolve_moment(Context& context, const std::string& project,
                                      const BranchRecord& branch, const Moment& moment);

}  // namespace lb::engine
