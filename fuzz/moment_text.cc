// Any text as a moment: what is one has a canonical text that means the same.
#include <span>

#include "base/assert.h"
#include "base/codec.h"
#include "base/model/moment.h"

using namespace lb;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    std::string_view text = as_text(std::as_bytes(std::span(data, size)));
    auto moment = parse_moment(text);
    if (!moment) return 0;
    std::string canonical = to_text(*moment);
    LB_ASSERT(parse_moment(canonical) == moment);
    LB_ASSERT(to_text(*parse_moment(canonical)) == canonical);
    return 0;
}
