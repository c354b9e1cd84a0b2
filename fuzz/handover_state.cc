// Any bytes as what an earlier image of the daemon handed over. What is wrapped into a right header
// and checksum comes to the inner decoders; what they accept must encode to the same bytes.
#include <span>

#include "cli/daemon/handover_state.h"

using namespace lb;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size == 0) return 0;
    ByteView bytes = std::as_bytes(std::span(data, size)).subspan(1);
    Bytes same(bytes.begin(), bytes.end());
    switch (data[0] % 3) {
        case 0:
            if (auto state = cli::decode_handover_state(bytes)) {
                LB_ASSERT(cli::encode(*state) == same);
            }
            break;
        case 1:
            if (auto mount = store::decode_fuse_handover(bytes)) {
                LB_ASSERT(store::encode(*mount) == same);
            }
            break;
        case 2:
            if (auto computes = engine::decode_handed_computes(bytes)) {
                LB_ASSERT(engine::encode(*computes) == same);
            }
            break;
    }
    return 0;
}
