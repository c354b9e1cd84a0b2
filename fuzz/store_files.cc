// Any bytes into the decoders of what the check, the scrubber and the dumpers read.
#include "store/index_keys.h"
#include "store/index_meta.h"
#include "store/index_text.h"
#include "store/scrub_state.h"

using namespace lb;
using namespace lb::store;

namespace {

// A key that decodes is made by the same values again.
void check_key(std::string_view key) {
    std::optional<DecodedKey> decoded = decode_key(key);
    if (!decoded) return;
    switch (decoded->space) {
        case KeySpace::kBlock:
            LB_ASSERT(std::string_view(block_key(decoded->line, DataId{decoded->object},
                                                 decoded->block, decoded->sequence)) == key);
            break;
        case KeySpace::kTruncate:
            LB_ASSERT(std::string_view(truncate_key(decoded->line, DataId{decoded->object},
                                                    decoded->sequence)) == key);
            break;
        case KeySpace::kInode:
            LB_ASSERT(std::string_view(inode_key(decoded->line, InodeId{decoded->object},
                                                 decoded->sequence)) == key);
            break;
        case KeySpace::kDirent:
            if (decoded->name.size() > 255) break;
            LB_ASSERT(std::string_view(dirent_key(decoded->line, InodeId{decoded->object},
                                                  decoded->name, decoded->sequence)) == key);
            break;
        case KeySpace::kLogicalBytes:
        case KeySpace::kLine:
        case KeySpace::kNote:
        case KeySpace::kTime:
        case KeySpace::kMeta: break;
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    std::string_view text(reinterpret_cast<const char*>(data), size);
    check_key(text);
    size_t split = size == 0 ? 0 : data[0] % size;
    index_entry_text(text.substr(0, split), text.substr(split));
    if (auto state = decode_scrub_state(text)) {
        LB_ASSERT(decode_scrub_state(encode_scrub_state(*state)) == state);
    }
    if (auto meta = decode_index_meta(text)) LB_ASSERT(encode_index_meta(*meta) == text);
    return 0;
}
