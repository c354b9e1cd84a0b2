// Rehearsal: the SQL of a change set, run on hidden copies of the branches that it is for, and
// given up again. What the copies show is what an apply would meet: the same rows, the same
// privileges, the same dependencies. docs/apply.md tells what it cannot know.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/sql.h"

namespace lb::engine {

// A lock that the prepared transaction held and that keeps others from ordinary work.
struct RehearsedLock {
    std::string database;  // empty: of the whole server
    std::string object;    // "table public.orders", "database shop"
    std::string mode;      // "AccessExclusiveLock"
    auto operator<=>(const RehearsedLock&) const = default;
};

struct RehearsedBranch {
    std::string branch;
    // Of the SQL, or of the start of the copy's server. kRehearsalFailed with the cause in the
    // notes if a branch that this one is made from failed.
    std::optional<Error> failure = {};
    std::chrono::nanoseconds start_duration{};  // until the copy's server answered
    std::chrono::nanoseconds sql_duration{};    // as long as an apply would hold the locks
    uint64_t written_bytes = 0;                 // by the SQL
    std::vector<RehearsedLock> locks = {};      // sorted
};

struct Rehearsal {
    std::vector<RehearsedBranch> branches = {};  // those with SQL, in the order of the apply

    bool is_ok() const;
};

// The locks of all prepared transactions of the server.
Result<std::vector<RehearsedLock>> locks_of_prepared(const SqlTarget& target);

}  // namespace lb::engine
