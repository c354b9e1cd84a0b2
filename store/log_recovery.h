// Recovery: finds the end of the log, decides whether what is missing may be missing, and makes the
// segment files consistent, so that appends can go on at the end.
//
// What may be missing: after a power cut, any bytes written since the last sync, in any order. What
// may not: frames that were durable. Every segment header and every frame header names a sequence
// that was durable when it was written. The log ends at the first frame that is torn or does not
// chain; if anything readable, before or behind that place, names a durable sequence after it, the
// store is damaged, and nothing is changed. docs/store-format.md has the whole algorithm.
#pragma once

#include <string>
#include <vector>

#include "store/disk.h"
#include "store/format.h"
#include "store/log_super.h"
#include "store/manifest.h"
#include "store/segment_log.h"

namespace lb::store {

struct RecoveredLog {
    std::vector<SegmentSummary> segments;  // oldest first; the last one is the active one
    // Those that ended when nothing after them was durable: a power cut may have taken their
    // footers, which recovery writes again.
    std::vector<SegmentSummary> unsettled;
    std::vector<FooterEntry> active_entries;  // of all records of the active segment
    uint64_t last_sequence = 0;
    uint64_t last_frame_hash = 0;
    WallTime last_written_at{};
};

// `known_durable_sequence`: what somebody else knows to have been durable, 0 if nobody does.
// Everything in the result is durable. Segments before `base` are left-overs of a reclaim and are
// removed. Errors: kStoreDamaged (then nothing was changed),
// kStoreFormatNewer, those of Disk.
Result<RecoveredLog> recover_log(Disk& disk, const std::string& store_directory, const Super& super,
                                 const LogBase& base, uint64_t known_durable_sequence);

// The same without changing anything: what recover_log() would find, for who only looks. Its errors
// are those of recover_log().
Result<RecoveredLog> inspect_log(Disk& disk, const std::string& store_directory, const Super& super,
                                 const LogBase& base, uint64_t known_durable_sequence);

// The hash that the first frame of a store has as its previous one.
uint64_t first_previous_frame_hash(const StoreId& store_id);

// Makes an empty store: segment 1 and then SUPER, durable. Leftovers of a creation that was cut
// short are removed. Errors: kStoreDamaged if there are segments with frames (then SUPER was lost).
Result<Super> create_store(Disk& disk, const std::string& store_directory, uint64_t segment_bytes);

// Writes the footer of a segment that is full.
Status write_footer(File& file, uint64_t segment_bytes, const SegmentSummary& summary,
                    uint64_t last_frame_hash, const std::vector<FooterEntry>& entries);

}  // namespace lb::store
