// Any payload into the decoders of the small records: what decodes must encode to the same bytes.
#include "store/inode_codec.h"

using namespace lb;
using namespace lb::store;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size == 0) return 0;
    ByteView bytes = std::as_bytes(std::span(data, size)).subspan(1);
    Bytes same(bytes.begin(), bytes.end());
    switch (data[0] % 4) {
        case 0:
            if (auto inode = decode_inode(InodeId{1}, bytes))
                LB_ASSERT(encode_inode(*inode) == same);
            break;
        case 1:
            if (auto dirent = decode_dirent(bytes)) LB_ASSERT(encode_dirent(*dirent) == same);
            break;
        case 2:
            if (auto line = decode_line(bytes)) LB_ASSERT(encode_line(*line) == same);
            break;
        case 3:
            if (auto note = decode_note(bytes)) LB_ASSERT(encode_note(*note) == same);
            break;
    }
    return 0;
}
