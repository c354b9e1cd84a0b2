// What of a branch's past can be restored, and what happened in it: for `lb history`.
#pragma once

#include <string>
#include <vector>

#include "base/model/moment.h"
#include "base/result.h"

namespace lb::engine {

struct Context;
struct LoadMark;

struct HistoryMark {
    WallTime at{};
    Position position;  // a branch of it has what the mark left behind, or loaded
    std::string kind;   // "apply", "restore", "reset", "load"
    Generation generation = {};
    std::string author = {};
    std::string git_commit = {};
    std::string message = {};
    bool operator==(const HistoryMark&) const = default;
};

struct BranchHistory {
    std::string branch;
    WallTime first_at{};
    Position first;
    Position every_from;  // from here on every position; before it, fewer (store/history.h)
    Position last;
    std::chrono::seconds window{};
    std::string first_lsn = {};  // both empty if there is no WAL
    std::string last_lsn = {};
    std::string made_from = {};  // the branch whose state it began with; empty: none
    Position made_at = {};
    std::vector<HistoryMark> marks = {};  // newest first
    bool operator==(const BranchHistory&) const = default;
};

Result<BranchHistory> branch_history(Context& context, const std::string& project,
                                     const std::string& branch);

// A mark at the branch's present position; the oldest ones go when there are too many.
Status add_load_mark(Context& context, const std::string& project, const std::string& branch,
                     LoadMark load);

}  // namespace lb::engine
