// The manifest: where the log begins, since its oldest part was reclaimed, and what a rebuild of
// the index needs that the remaining records do not tell. Byte tables: docs/store-format.md.
//
// A store without one has its log from segment 1 on and no cold segments. It is kept twice
// (MANIFEST and MANIFEST.copy), each replaced atomically, one after the other: a copy that is torn
// or older is made good from the other when the store is opened. Files that the older copy names
// are removed only when both are new.
//
// Errors: kStoreDamaged, kStoreFormatNewer, those of Disk.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "store/disk.h"
#include "store/format.h"
#include "store/history.h"
#include "store/store.h"

namespace lb::store {

// Where the hot log begins: its first segment, and the frame before it.
struct LogBase {
    SegmentId first_segment{1};
    uint64_t previous_sequence = 0;
    uint64_t previous_frame_hash = 0;  // frame seed if there was none
    WallTime previous_written_at{};

    bool operator==(const LogBase&) const = default;
};

struct ColdFile {
    SegmentId segment;
    uint64_t size_bytes = 0;
    uint64_t record_count = 0;
    uint64_t plain_bytes = 0;  // what the records took in hot segments

    bool operator==(const ColdFile&) const = default;
};

// A step of reclaim that was decided: what of the inputs is still needed is in the output. It is
// finished by the next open if it was cut short.
struct ReclaimStep {
    SegmentId hot_end{0};  // hot segments before this one are inputs; 0: none
    std::vector<SegmentId> cold_inputs = {};
    std::optional<ColdFile> output = {};  // nullopt: nothing is needed

    bool operator==(const ReclaimStep&) const = default;
};

struct Manifest {
    uint64_t number = 0;      // of this version of it; 0: there is none
    uint64_t index_step = 0;  // number of the last finished step; the index knows it, too
    LogBase base;
    // As of the base.
    uint64_t next_inode = 0;
    uint64_t next_line = 0;
    std::vector<LineInfo> lines = {};  // sorted by id; depth is not kept
    std::map<std::string, std::string> notes = {};

    uint64_t next_cold_segment = kFirstColdSegment;
    std::vector<ColdFile> cold = {};  // sorted by id; all that is needed from before the base
    History::State history = {};
    std::optional<ReclaimStep> step = {};
};

// What a store that has none starts with.
Manifest first_manifest(const StoreId& store_id);

Bytes encode_manifest(const Manifest& manifest, const StoreId& store_id);
Result<Manifest> decode_manifest(ByteView bytes, const StoreId& store_id);
// The store it belongs to, for who does not know.
Result<StoreId> manifest_store(ByteView bytes);

// One copy, as it lies on the disk.
struct ManifestCopy {
    std::string_view name;
    bool is_there = false;
    uint64_t hash = 0;
    std::optional<Manifest> manifest = {};  // nullopt: there is none, or it is damaged
    Error problem = {};                     // why it is damaged
};
using ManifestCopies = std::array<ManifestCopy, 2>;
// Changes nothing. Errors: kStoreFormatNewer, those of Disk.
Result<ManifestCopies> read_manifest_copies(Disk& disk, const std::string& store_directory,
                                            const StoreId& store_id);
// The one that counts; nullptr: the store has none, or none that can be read.
const Manifest* newest_manifest(const ManifestCopies& copies);

struct ManifestProblem {
    std::string message;
    bool is_damage = true;  // false: a change that was cut short leaves it so
};
std::vector<ManifestProblem> problems_of(const ManifestCopies& copies);

// nullopt: the store has none. Makes both copies equal; `on_damage` is told why if it was damage.
Result<std::optional<Manifest>> open_manifest(
    Disk& disk, const std::string& store_directory, const StoreId& store_id,
    const std::function<void(const Error&)>& on_damage = {});

// As a cold segment of the store, or as the output of a step that was cut short.
bool is_named(const Manifest& manifest, SegmentId cold_segment);

// Whether an index that has seen this step completely belongs to the manifest: a step that was cut
// short is in the index completely, in part, or not at all.
bool may_have_seen(const Manifest& manifest, uint64_t index_step);

// Durable on return. kStoreFull: nothing has changed. Other errors: what is on disk is unknown.
Status write_manifest(Disk& disk, const std::string& store_directory, const StoreId& store_id,
                      const Manifest& manifest);

// Text of a manifest, for `lb debug manifest FILE`.
Status dump_manifest(Disk& disk, const std::string& path,
                     const std::function<void(std::string_view)>& write_line);

}  // namespace lb::store
