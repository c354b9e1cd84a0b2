// Any text to read_spec(), and what it says about it to the renderer and to JSON.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/assert.h"
#include "base/text.h"
#include "specs/spec_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace lb::specs;
    std::string text(reinterpret_cast<const char*>(data), size);
    DiagnosticSink sink;
    std::optional<ProjectSpec> spec = read_spec(text, "lb.toml", sink);
    LB_ASSERT(spec.has_value() == !sink.has_errors());
    std::string shown = render_diagnostics(sink.sorted(), {{"lb.toml", text}}, Colour::kAlways);
    LB_ASSERT(lb::is_utf8(shown));
    for (const Diagnostic& diagnostic : sink.sorted()) to_json(diagnostic).dump();
    if (!spec) return 0;
    for (const BranchSpec& branch : spec->branches) {
        bool is_root = branch.name == spec->default_branch;
        LB_ASSERT(is_root == branch.parent.empty());
        LB_ASSERT(is_root || spec->find_branch(branch.parent) != nullptr);
    }
    return 0;
}
