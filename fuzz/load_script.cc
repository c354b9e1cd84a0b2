// Any bytes as a script that is loaded: whatever the chunks, the filter gives the same answer,
// keeps every byte's place and every line, and changes nothing but what the head names.
#include <algorithm>
#include <span>

#include "base/codec.h"
#include "engine/load_input.h"
#include "engine/load_script.h"

using namespace lb;
using namespace lb::engine;

namespace {

constexpr size_t kByteOrderMarkBytes = 3;

Result<std::string> filter(std::string_view script, size_t chunk_bytes) {
    ScriptFilter filter(read_script_head(script));
    std::string out;
    for (size_t at = 0; at < script.size(); at += chunk_bytes) {
        out += LB_TRY(filter.pass(std::string(script.substr(at, chunk_bytes))));
    }
    LB_TRY(filter.finish());
    return out;
}

}  // namespace

// The first byte chooses the size of the chunks.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size == 0) return 0;
    std::string_view script = as_text(std::as_bytes(std::span(data, size)).subspan(1));
    static_cast<void>(recognise(script, "script"));
    Result<std::string> whole = filter(script, script.size() + 1);
    Result<std::string> pieces = filter(script, kByteOrderMarkBytes + data[0]);
    LB_ASSERT(whole.is_ok() == pieces.is_ok());
    if (!whole) return 0;
    LB_ASSERT(*whole == *pieces);
    LB_ASSERT(whole->size() == script.size());
    for (size_t at = 0; at < script.size(); ++at) {
        LB_ASSERT((*whole)[at] == script[at] || (*whole)[at] == ' ');
        LB_ASSERT(((*whole)[at] == '\n') == (script[at] == '\n'));
    }
    return 0;
}
