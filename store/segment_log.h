// SegmentLog: the append-only log that is the store's truth. One writer order, one sequence number
// per frame, group commit.
//
//   auto log = LB_TRY(SegmentLog::open({.disk = disk, .directory = ".../store"}));
//   LB_TRY(log->replay(from, [&](const ReplayFrame& frame) { ...; return ok(); }));
//   Appended appended = LB_TRY(log->append(records));   // written, survives a killed process
//   LB_TRY(log->sync(appended.sequence));               // durable, survives a power cut
//
// Thread-safe. append() keeps its lock only for the copy into the file; sync() of many callers
// shares one fdatasync, and never holds up append(). After a failed write or sync the log is
// stopped: every later append and sync returns kStoreReadOnly, so that PostgreSQL panics and
// recovers instead of going on with a hole (a failed fdatasync is never retried).
// A full disk is not that: append returns kStoreFull, nothing was written, and later appends work
// when there is room; the segment in use was allocated whole, and so was the one after it.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>

#include "base/latency_histogram.h"
#include "store/disk.h"
#include "store/format.h"
#include "store/manifest.h"

namespace lb::store {

// A record to append. For kBlock the payload is the whole block; trailing zeros are trimmed here.
struct NewRecord {
    RecordType type = RecordType::kBlock;
    LineId line;
    uint64_t object = 0;
    uint32_t block = 0;
    ByteView payload = {};
};

struct Appended {
    uint64_t sequence = 0;
    WallTime written_at{};
    uint64_t stored_bytes = 0;                   // headers and payloads
    std::vector<RecordLocation> locations = {};  // one per record, in order
};

struct ReplayRecord {
    RecordHeader header;
    RecordLocation location;
    ByteView payload;
};

struct ReplayFrame {
    FrameHeader header;
    std::vector<ReplayRecord> records;
};

// A place in the log, for "replay from here": just after the frame of `sequence`.
struct LogPlace {
    SegmentId segment{0};
    uint64_t offset = 0;
    uint64_t sequence = 0;

    bool operator==(const LogPlace&) const = default;
};

struct LogOptions {
    Disk* disk = nullptr;
    std::string directory;  // holds SUPER and seg/; created if absent
    // Pre-zeroed segment files kept ready by a background thread: fdatasync into such a file costs
    // a fifth of one into a growing file. A second thread syncs full segments as they come. 0: no
    // threads (tests), segments are only allocated.
    uint32_t spare_segments = 1;
    uint64_t segment_bytes = kSegmentBytes;  // smaller in tests
    // Space on the disk that only changes of lines and notes may use: a full disk must not keep
    // anybody from deleting, nor reclaim from working.
    uint64_t reserve_bytes = 0;
    // What the index knows to have been durable: if it is missing, the log is damaged.
    uint64_t known_durable_sequence = 0;
    // Told of damage that open() made good.
    std::function<void(const Error&)> on_damage = {};
};

struct LogStatistics {
    uint64_t segment_count = 0;
    uint64_t log_bytes = 0;    // in hot segments, without spare space
    uint64_t frame_count = 0;  // since open
    LatencySnapshot syncs;     // since open
    uint64_t cold_bytes = 0;
    uint64_t cold_plain_bytes = 0;  // what the same records took in hot segments
    uint64_t cold_segment_count = 0;
};

struct SegmentSummary {
    SegmentId segment;
    uint64_t first_sequence = 0;
    uint64_t last_sequence = 0;  // first_sequence - 1 if there is no frame
    uint64_t end_offset = 0;     // of its frames
};

class ColdWriter;

class SegmentLog {
public:
    // Opens or creates. Reads SUPER, finds the end of the log (the first frame that is torn or does
    // not chain), and makes it the place where appends go on; what is behind it is wiped first, so
    // that it can never be mistaken for a later frame. All that was found is durable on return.
    // Errors: kStoreFormatNewer, kStoreDamaged (a torn or missing frame or segment that was
    // durable, an unreadable SUPER; nothing was changed), kIo, kStoreFull.
    static Result<std::unique_ptr<SegmentLog>> open(LogOptions options);
    virtual ~SegmentLog() = default;

    // Calls `visit` with each frame after `from` in order, up to the end of the log. Payload hashes
    // are checked. A default LogPlace starts at the base. kStoreNotFound if `from` is not in
    // the log (then the caller rebuilds from the beginning).
    virtual Status replay(LogPlace from,
                          const std::function<Status(const ReplayFrame&)>& visit) = 0;

    // The last frame after `from` that was written at or before `time`, from the headers alone;
    // `from`'s own sequence if there is none. kStoreNotFound if `from` is not in the log.
    virtual Result<uint64_t> last_frame_until(LogPlace from, WallTime time) = 0;

    // Appends one frame. Requires: 1..kFrameRecordsMax records that fit kFrameBodyMaxBytes.
    virtual Result<Appended> append(std::span<const NewRecord> records) = 0;

    // Returns when every frame up to `sequence` is durable. At once if it is already.
    virtual Status sync(uint64_t sequence) = 0;
    virtual uint64_t durable_sequence() const = 0;
    virtual uint64_t last_sequence() const = 0;
    // The place after the newest frame.
    virtual LogPlace end() const = 0;

    // Reads a record's payload and checks identity and checksums; trimmed zeros are given back: for
    // kBlock `out` is a whole block. `expected` names type, line, object, block and sequence.
    // Errors: kStoreDamaged naming segment, offset and both identities.
    virtual Status read_block(const RecordLocation& location, const RecordHeader& expected,
                              std::span<std::byte, kBlockBytes> out) = 0;

    // -- Reclaim (store/reclaim.h): changed by one thread at a time ------------------------------

    virtual std::shared_ptr<const Manifest> manifest() const = 0;
    // Gives it the next number. Durable on return. Then hot segments before its base, and cold ones
    // that it does not name, are removed; who is reading them gets kStoreDamaged for a segment that
    // is missing, and has to look up again where the record is now.
    // kStoreFull: nothing has changed. Other errors: the files are in an unknown state, and no
    // further manifest may be set.
    virtual Status set_manifest(Manifest manifest) = 0;
    // Full segments, oldest first.
    virtual std::vector<SegmentSummary> full_segments() const = 0;
    // What the base is if `segment` is the first.
    virtual Result<LogBase> base_at(SegmentId segment) = 0;
    // All frames of the hot segments before `end`. Everything is checked.
    virtual Status visit_segments(SegmentId end,
                                  const std::function<Status(const ReplayFrame&)>& visit) = 0;
    // All records of a cold segment, see visit_cold().
    virtual Status visit_cold_segment(const ColdFile& cold,
                                      const std::function<Status(const ReplayRecord&)>& visit) = 0;
    virtual std::unique_ptr<ColdWriter> cold_writer(SegmentId segment) = 0;

    virtual const StoreId& store_id() const = 0;
    virtual LogStatistics statistics() const = 0;

    // Syncs and stops the background threads. The log is unusable afterwards.
    virtual Status close() = 0;
};

// Text of a segment file, one line per frame and record, for `lb debug segment FILE`. Goes on after
// damage as far as it can and says where it is. `write_line` gets each line without a newline.
Status dump_segment(Disk& disk, const std::string& path,
                    const std::function<void(std::string_view)>& write_line);

}  // namespace lb::store
