// Any bytes as a plan file: refused, or a plan that is written as it was read and can be shown.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/assert.h"
#include "planner/plan_file.h"
#include "planner/render.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace lb::planner;
    std::string text(reinterpret_cast<const char*>(data), size);
    auto saved = decode_plan_file(text);
    if (!saved.is_ok()) return 0;
    auto again = decode_plan_file(encode_plan_file(*saved));
    LB_ASSERT(again.is_ok() && *again == *saved);
    LB_ASSERT(render_markdown(saved->plan).size() <= kMarkdownMaxChars);
    LB_ASSERT(!render_text(saved->plan, Colour::kNever, Detail::kAttributes).empty());
    return 0;
}
