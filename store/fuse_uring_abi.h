// FUSE over io_uring: what program and kernel agree on (Linux 6.14 and newer, protocol 7.42), for
// building with older headers. The layout is that of include/uapi/linux/fuse.h.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lb::store {

// FUSE_OVER_IO_URING, bit 41 of the flags of FUSE_INIT, as flags2 has it.
inline constexpr uint32_t kFuseInitFlags2Uring = uint32_t{1} << (41 - 32);

// cmd_op of a submission.
enum class FuseUringCommand : uint32_t {
    kRegister = 1,        // hands an entry's buffers over; completes with the first request
    kCommitAndFetch = 2,  // the answer is in the buffers; completes with the next request
};

// The command area of a submission (the second half of its 128 bytes begins in it).
struct FuseUringSubmission {
    uint64_t flags = 0;
    uint64_t commit_id = 0;  // of the request that is answered
    uint16_t queue = 0;
    uint8_t padding[6] = {};
};
static_assert(sizeof(FuseUringSubmission) == 24);

// An entry's first buffer; the second is for what follows these headers.
struct FuseUringHeader {
    std::byte in_out[128];     // fuse_in_header of a request, fuse_out_header of an answer
    std::byte operation[128];  // the operation's own header (fuse_write_in), as long as it is
    uint64_t flags;
    uint64_t commit_id;
    uint32_t payload_bytes;  // used in the second buffer
    uint32_t padding;
    uint64_t reserved;
};
static_assert(sizeof(FuseUringHeader) == 288);

}  // namespace lb::store
