// Building a frame to append. PreparedFrame does what needs no lock (trims zeros, hashes payloads);
// FrameBuilder, which belongs to whoever holds the log's lock, makes the headers and the list of
// pieces to write. Payloads are not copied, and nothing is allocated once the buffers have grown.
#pragma once

#include <array>
#include <vector>

#include "store/format.h"
#include "store/segment_log.h"

namespace lb::store {

// `payload` without the zeros at its end.
ByteView without_trailing_zeros(ByteView payload);

class PreparedFrame {
public:
    // Requires: what SegmentLog::append() requires. `records` must outlive this.
    explicit PreparedFrame(std::span<const NewRecord> records);
    PreparedFrame(const PreparedFrame&) = delete;
    PreparedFrame& operator=(const PreparedFrame&) = delete;

    struct Part {
        const NewRecord* record = nullptr;
        ByteView stored;
        uint64_t payload_hash = 0;
    };
    std::span<const Part> parts() const { return parts_; }
    uint32_t body_bytes() const { return body_bytes_; }
    uint64_t frame_bytes() const { return kFrameHeaderBytes + uint64_t{body_bytes_}; }

private:
    std::array<Part, 4> few_;
    std::vector<Part> many_;
    std::span<Part> parts_;
    uint32_t body_bytes_ = 0;
};

class FrameBuilder {
public:
    // Completes `header` (counts and hashes) and builds the frame for `offset` in the segment. The
    // pieces are valid until the next call; locations go to `appended`, index entries to `entries`.
    std::span<const ByteView> build(const PreparedFrame& frame, uint64_t offset, uint64_t seed,
                                    FrameHeader& header, Appended& appended,
                                    std::vector<FooterEntry>& entries);

private:
    Bytes headers_;
    std::vector<ByteView> pieces_;
};

}  // namespace lb::store
