// Checking a store: is everything there, is it what was written, and does it fit together?
//
// The manifest, the cold segments and the log are read from their beginning, each byte against its
// checksums, going on behind damage. From them an index is made in a scratch directory by the
// store's own code, and that is compared, entry by entry, with the index that the store uses: so
// every entry leads to a record of the same identity, every record that should have an entry has
// one, and all statistics are recounted. On the way each frame is checked against the state before
// it: names lead to files that exist, link counts are the number of names, contents belong to their
// file, lines fork where their parent has been. docs/fsck-and-scrub.md lists what is found.
//
// Nothing of the store is changed. Errors are those that keep the check from being made (kIo,
// kStoreFull for the scratch directory, kInterrupted); damage is in the report.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "store/store.h"

namespace lb::store {

enum class ProblemCode : uint8_t {
    kSuper,           // SUPER cannot be read
    kLogEnd,          // frames that were durable are missing: the store does not open
    kManifest,        // a copy of the manifest, or what it says of a cold segment
    kSegmentMissing,  //
    kSegmentHeader,   //
    kFooter,          // damaged, or not what the frames say
    kFrame,           // a frame's header, or something between its records
    kRecord,          // a record's header or payload
    kUnusedSpace,     // not zero where nothing was written; harmless
    kLeftOver,        // of a step of reclaim that was cut short: the next open clears it; harmless
    kIndexUnreadable,
    kIndexMissing,  // a record without its index entry
    kIndexExtra,    // an index entry without a record
    kIndexWrong,    // an index entry that differs from what the log says
    kStatistics,    // a count that is not what a recount gives
    kLine,          // parent or fork position
    kDirectory,     // a name that leads to no file, or to one of another type
    kLinkCount,     // not the number of names
    kData,          // contents that belong to no file or lie behind its end
    kInconsistent,  // a frame that the state before it does not allow
    kCatalog,       // a note of the engine's (engine/catalog_check.h)
};

// "index-missing": stable.
std::string_view problem_name(ProblemCode code);
// False for what costs nothing: it does not make the store damaged.
bool is_damage(ProblemCode code);

struct Problem {
    ProblemCode code = ProblemCode::kRecord;
    SegmentId segment = {};  // 0: not in a segment
    uint64_t offset = 0;
    std::optional<RecordHeader> record = {};  // what it is, or should be
    std::string message;
    // Of the block or file, if that can be told: lines whose present state shows the damage (only
    // history has it if there are none), and the path in them.
    std::vector<LineId> lines = {};
    std::string path = {};
};

struct CheckCounts {
    uint64_t segments = 0;
    uint64_t frames = 0;
    uint64_t records = 0;
    uint64_t bytes = 0;
    uint64_t index_entries = 0;
    uint64_t lines = 0;
    Position position = {};        // the end of the log
    Position index_position = {};  // what the index has seen
};

struct CheckReport {
    CheckCounts counts;
    std::vector<Problem> problems;  // the first kProblemsMax
    uint64_t problem_count = 0;     // those that are damage
    // What the log says: for whoever knows what notes mean.
    std::vector<LineInfo> lines = {};
    std::vector<Note> notes = {};

    bool is_clean() const { return problem_count == 0; }
    void add(Problem problem);
};
inline constexpr size_t kProblemsMax = 10'000;

struct CheckProgress {
    std::string_view step;  // "log", "index"
    uint64_t done_bytes = 0;
    uint64_t total_bytes = 0;
};

struct CheckSink {
    std::function<void(const CheckProgress&)> progress = {};
    std::function<bool()> is_cancelled = {};
};

struct CheckOptions {
    std::string directory;
    Disk* disk = nullptr;  // nullptr: posix_disk()
    // Made, and removed afterwards; needs about as much space as the index. Empty: in memory.
    std::string scratch_directory = {};
};

// Requires for both: nobody has the store open (the caller holds the home's lock).
Result<CheckReport> check_store(const CheckOptions& options, const CheckSink& sink);
// Makes the index anew from what can be read, in place, and reports what was found on the way.
// Nothing is changed if SUPER, both copies of the manifest or the log's end are damaged, since the
// store would not open anyway.
Result<CheckReport> rebuild_index(const CheckOptions& options, const CheckSink& sink);

}  // namespace lb::store
