// Points at which a process that holds an engine can be killed: each journal step of an apply, each
// sync of the store's files, each write of the thread that applies (its commit frames), and each
// SQL statement, before and after it is sent. They are counted, so a first run tells how many there
// are, and no list of them is kept by hand.
//
// Syncs, writes and statements are seen in place of the C library's functions.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace lb::engine {

enum class CrashPoint { kStep, kSync, kCommitWrite, kStatement, kStatementSent };
inline constexpr size_t kCrashPointKinds = 5;

// For the table of docs/testing.md.
std::string_view to_text(CrashPoint kind);

using CrashPointCounts = std::array<int, kCrashPointKinds>;

// -- In the process that is killed --------------------------------------------------------------

// From here on points count, and the process dies at the one that kill_next_child_at() chose. The
// calling thread is the one that applies.
void begin_crash_points();
// Writes the counts for counts_in().
void end_crash_points(const std::string& directory);
void pass_crash_point(CrashPoint kind);

// -- In the test --------------------------------------------------------------------------------

// For children started from now on; number 0: no death.
void kill_children_at(CrashPoint kind, int number);
CrashPointCounts counts_in(const std::string& directory);

}  // namespace lb::engine
