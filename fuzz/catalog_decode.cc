// Any bytes into the decoders of the catalog's records: what decodes must come back from its own
// encoding, and errors are damage or a newer version.
#include "base/codec.h"
#include "engine/catalog_records.h"

using namespace lb;
using namespace lb::engine;

namespace {

template <class Record>
void check(Result<Record> (*decode)(std::string_view), std::string_view text) {
    Result<Record> record = decode(text);
    if (!record.is_ok()) {
        ErrorCode code = record.error().code;
        LB_ASSERT(code == ErrorCode::kStoreDamaged || code == ErrorCode::kStoreFormatNewer);
        return;
    }
    std::string encoded = encode(*record);
    Result<Record> again = decode(encoded);
    LB_ASSERT(again.is_ok());
    LB_ASSERT(encode(*again) == encoded);
}

}  // namespace

// The first byte chooses the record.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size == 0) return 0;
    std::string_view text = as_text(std::as_bytes(std::span(data, size)).subspan(1));
    switch (data[0] % 9) {
        case 0: check(decode_project, text); break;
        case 1: check(decode_branch, text); break;
        case 2: check(decode_managed, text); break;
        case 3: check(decode_observation, text); break;
        case 4: check(decode_generation, text); break;
        case 5: check(decode_template, text); break;
        case 6: check(decode_tombstone, text); break;
        case 8: check(decode_loads, text); break;
        case 7:
            check(decode_deleted, text);
            static_cast<void>(key_numbers(text));
            break;
    }
    return 0;
}
