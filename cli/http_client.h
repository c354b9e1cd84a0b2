// HttpClient: HTTP over the daemon's Unix socket. libcurl is seen by http_client.cc alone.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"

namespace lb::cli {

struct HttpReply {
    int status = 0;
    std::string body = {};  // empty for a streamed answer
};

// Sends one request and reads the answer. Lines of a streamed (NDJSON) answer go to `on_line` as
// they come. `is_cancelled` is asked about ten times a second; when it says yes, the connection is
// closed and kInterrupted returned.
// Errors: kDaemonUnreachable (nobody listens, or the connection broke), kInterrupted.
struct HttpCall {
    std::string socket_path;
    std::string method;
    std::string target;
    std::string body = {};
    std::function<void(std::string_view line)> on_line = {};
    std::function<bool()> is_cancelled = {};
};
Result<HttpReply> http_call(const HttpCall& call);

}  // namespace lb::cli
