// Scrubber: reads the log, the cold segments, the manifest and the index against their checksums,
// slowly, over and over, in the background: so that damage is found while there is still a backup.
// docs/fsck-and-scrub.md.
//
// One thread. It sleeps between passes, and in a pass it reads at most `bytes_per_second`. Where it
// is stands in a small file, so that a restart goes on at the same segment. Status: any thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "store/check.h"
#include "store/store.h"

namespace lb::store {

struct ScrubOptions {
    std::string directory;  // the store's
    Disk* disk = nullptr;   // nullptr: posix_disk()
    uint64_t bytes_per_second = uint64_t{4} << 20;
    std::chrono::seconds interval = std::chrono::hours(7 * 24);  // from a pass's end to the next
    std::function<void(const Problem&)> on_problem = {};         // from the scrubber's thread
};

struct ScrubStatus {
    bool is_reading = false;  // false: the next pass is not due yet
    uint64_t pass_count = 0;  // completed, ever
    SegmentId segment = {};   // next to read, or being read
    uint64_t segment_count = 0;
    uint64_t read_bytes = 0;     // since the start of the process
    uint64_t problem_count = 0;  // of the last complete pass, and of the one under way
    std::optional<WallTime> completed_at = {};
};

class Scrubber {
public:
    // The store must outlive it.
    static std::unique_ptr<Scrubber> start(Store& store, ScrubOptions options);
    virtual ~Scrubber() = default;  // stops it

    virtual ScrubStatus status() const = 0;
};

}  // namespace lb::store
