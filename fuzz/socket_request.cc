// Any request to the decoders of the daemon's socket. Input: method, newline, target, newline,
// body. What is understood must encode to a request that means the same.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "cli/protocol.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace lb;
    using namespace lb::cli;
    std::string_view text(reinterpret_cast<const char*>(data), size);
    auto take_line = [&text] {
        std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(line.size() < text.size() ? line.size() + 1 : line.size());
        return line;
    };
    std::string_view method = take_line();
    std::string_view target = take_line();
    Result<ApiCall> call = parse_api_call(method, target, text);
    if (call.is_ok()) {
        ApiRequest request = to_request(*call);
        Result<ApiCall> again = parse_api_call(request.method, request.target, request.body);
        LB_ASSERT(again.is_ok() && *again == *call);
    }
    // The client's side reads answers with these.
    if (Result<Json> json = Json::parse(text); json.is_ok()) {
        Error error = error_from_json(*json);
        LB_ASSERT(http_status(error.code) >= 400);
        static_cast<void>(progress_event_from_json(*json).is_ok());
        static_cast<void>(applied_from_json(*json).is_ok());
        static_cast<void>(connection_from_json(*json).is_ok());
        static_cast<void>(project_state_from_json(*json).is_ok());
    }
    return 0;
}
