// Any text to format_spec(), which checks by itself that the meaning stays. Twice is once.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/assert.h"
#include "specs/format_spec.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace lb::specs;
    std::string text(reinterpret_cast<const char*>(data), size);
    DiagnosticSink sink;
    std::optional<std::string> once = format_spec(text, "lb.toml", sink);
    LB_ASSERT(once.has_value() == !sink.has_errors());
    if (!once) return 0;
    DiagnosticSink again;
    LB_ASSERT(format_spec(*once, "lb.toml", again) == once);
    return 0;
}
