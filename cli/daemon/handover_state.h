// HandoverState: what one image of the daemon leaves to the next when it executes it
// (docs/daemon.md has the bytes): open descriptors, the state of the mount, and the computes that
// go on running. It travels in a sealed memory file.
#pragma once

#include <cstdint>
#include <vector>

#include "base/codec.h"
#include "base/result.h"
#include "engine/handed_compute.h"
#include "store/fuse_handover.h"

namespace lb::cli {

// The one that this lb writes and reads; lb version --json tells it, and a daemon hands over only
// to an lb that reads what it writes. To be raised with every change of the encoding, of what the
// transport asks of the kernel, and of what a node id or a handle means.
inline constexpr uint32_t kHandoverFormat = 2;

struct HandoverState {
    // Inherited descriptors.
    int lock = -1;             // of the home
    int listener = -1;         // of the socket
    int connection = -1;       // FUSE
    uint32_t count = 0;        // hand-overs of this process, with this one
    int64_t paused_at_ns = 0;  // on the steady clock: since then requests wait
    store::FuseHandover mount = {};
    std::vector<engine::HandedCompute> computes = {};
    bool operator==(const HandoverState&) const = default;
};

Bytes encode(const HandoverState& state);
// Errors: kBadRequest.
Result<HandoverState> decode_handover_state(ByteView bytes);

// Returns the descriptor of a sealed file, which the next image inherits. Errors: kIo.
Result<int> write_handover_file(const HandoverState& state);
// Closes the file, and sees to it that what it names is not inherited any further. Errors:
// kBadRequest, kIo.
Result<HandoverState> read_handover_file(int descriptor);

}  // namespace lb::cli
