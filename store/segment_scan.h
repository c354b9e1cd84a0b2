// Reading the frames of a segment file: in order, checked byte by byte, through one window buffer.
// Used by recovery (which looks for the end of the log), replay and the dumper. Not thread-safe.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "store/disk.h"
#include "store/format.h"
#include "store/segment_log.h"

namespace lb::store {

// Decodes and checks the records of a frame: their headers, identities, payload hashes, padding and
// the frame's records_hash. `body` has header.body_bytes bytes; `frame_offset` is only for
// locations.
Status parse_frame_body(const FrameHeader& header, uint64_t frame_offset, ByteView body,
                        std::vector<ReplayRecord>& records);

// Reads one record's payload and checks that it is the `expected` one; the rest of `out` becomes
// zeros. Errors: kStoreDamaged with the place and both identities.
Status read_record(File& file, uint64_t segment_bytes, const RecordLocation& location,
                   const RecordHeader& expected, std::span<std::byte, kBlockBytes> out);

struct FrameReaderOptions {
    File* file = nullptr;
    SegmentId segment;
    uint64_t seed = 0;  // frame_seed()
    uint64_t offset = kSegmentHeaderBytes;
    uint64_t end_offset = 0;  // no byte at or behind this is read
    uint64_t next_sequence = 0;
    std::optional<uint64_t> previous_frame_hash = {};  // nullopt: the first frame's is not checked
};

class FrameReader {
public:
    explicit FrameReader(const FrameReaderOptions& options) : options_(options) {}

    // The frame at offset(), valid until the next call, after which offset() is behind it. nullptr:
    // there is none; stop_reason() says why. Errors are those of reading the file.
    Result<const ReplayFrame*> next();

    uint64_t offset() const { return options_.offset; }
    // kStoreDamaged.
    const Error& stop_reason() const { return stop_reason_; }

private:
    Status check_frame();
    Result<ByteView> load(uint64_t offset, uint64_t length);
    Status check_chain(const FrameHeader& header) const;

    FrameReaderOptions options_;
    Bytes window_;
    uint64_t window_offset_ = 0;
    ReplayFrame frame_;
    Error stop_reason_;
};

// The next frame header of the segment at or behind options.offset, whatever its sequence, for
// going on behind damage.
struct FoundFrame {
    uint64_t offset = 0;
    FrameHeader header;
};
Result<std::optional<FoundFrame>> find_frame_header(const FrameReaderOptions& options);

// Walks `file` from `offset` to `end_offset` in pieces of at most a MiB. `visit` gets the offset
// and the bytes of each piece that is not all zeros.
Status visit_nonzero(File& file, uint64_t offset, uint64_t end_offset,
                     const std::function<Status(uint64_t, ByteView)>& visit);
bool is_zero(ByteView bytes);

// Looks for frames of `segment` anywhere from `offset` on, behind a place where the chain breaks.
// Returns the largest durable sequence that one of them claims, 0 if there is none.
Result<uint64_t> find_durable_claim(File& file, SegmentId segment, uint64_t seed, uint64_t offset,
                                    uint64_t end_offset);

}  // namespace lb::store
