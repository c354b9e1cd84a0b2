// HttpServer: HTTP/1.1 on a Unix socket for one user. libmicrohttpd is seen by http_server.cc
// alone.
//
// The socket has mode 0600, and each request's peer must be root or the user of this process
// (SO_PEERCRED). One thread per connection: a handler may take as long as it needs. A streamed
// answer runs on a thread of its own and is not cut off when its reader goes away.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"

namespace lb::cli {

struct HttpRequest {
    std::string method;
    std::string target;  // path and query, still percent-encoded
    std::string body;
    std::string client_version;  // of kVersionHeader; empty if absent
};

using LineSink = std::function<void(std::string line)>;

struct HttpResponse {
    int status = 200;
    std::string body = {};
    std::string content_type = "application/json";
    // If set: the answer is NDJSON, one line per call of the sink, and `body` is not used.
    std::function<void(const LineSink&)> stream = {};
};

using HttpHandler = std::function<HttpResponse(const HttpRequest&)>;

struct HttpServerOptions {
    std::string socket_path;
    size_t body_max_bytes = 0;
    std::optional<int> listener = {};  // listens already; taken over
};

class HttpServer {
public:
    // Binds the socket, removing a stale one: the caller holds the home's lock. `handler` is called
    // from many threads. Errors: kDaemonStartFailed.
    static Result<std::unique_ptr<HttpServer>> start(const HttpServerOptions& options,
                                                     HttpHandler handler);
    virtual ~HttpServer() = default;

    // Accepts nobody any more: new clients wait until somebody else serves the socket. Returns the
    // listening descriptor, which is the caller's.
    virtual int quiesce() = 0;
    // False if more than so many requests are still under way after `patience`.
    virtual bool wait_until_idle(size_t request_count, std::chrono::milliseconds patience) = 0;
    // Removes the socket, so that new clients find none; requests under way go on.
    virtual void close_socket() = 0;
    // Waits for the requests under way, then ends all threads.
    virtual void stop() = 0;
};

}  // namespace lb::cli
