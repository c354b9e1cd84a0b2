// Api: carries out the socket's calls on an engine. docs/daemon.md lists them. Thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>

#include "cli/http_server.h"
#include "cli/protocol.h"
#include "engine/engine.h"
#include "store/fuse_transport.h"
#include "store/scrub.h"
#include "store/store.h"

namespace lb::cli {

// What became of the hand-overs of this process.
struct HandoverOutcome {
    uint32_t count = 0;
    std::chrono::milliseconds held{0};  // how long requests of programs waited in the last one
    std::string failure = {};           // why it could not take over; then computes were restarted
};

struct ApiParts {
    engine::Engine* engine = nullptr;
    store::Store* store = nullptr;
    store::FuseTransport* transport = nullptr;
    store::Scrubber* scrubber = nullptr;  // nullptr: switched off
    std::string check_directory;          // scratch space of checks
    std::function<void()> request_stop;   // for POST /v1/stop; must not block
    // For POST /v1/handover; returns only if it does not come about.
    std::function<Error(std::string program)> ask_for_handover;
    HandoverOutcome handover = {};
    std::function<void(std::string_view line)> log_line;  // one line of the daemon's log
};

class Api {
public:
    explicit Api(ApiParts parts) : parts_(std::move(parts)) {}

    HttpResponse handle(const HttpRequest& request);
    // Ends what would keep a stop waiting: checks under way.
    void stop() { is_stopping_ = true; }

private:
    Result<HttpResponse> dispatch(const HttpRequest& request);
    Result<Json> answer(const ApiCall& call);
    HttpResponse apply(ApiCall call);
    HttpResponse rehearse(ChangeSet changes);
    Result<HttpResponse> check();
    HttpResponse hand_over(std::string program);
    Json version_document() const;
    Json statistics() const;
    std::optional<store::ScrubStatus> scrub_status() const;
    std::string metrics() const;
    Json top() const;

    ApiParts parts_;
    std::atomic<bool> is_stopping_ = false;
    std::atomic<bool> is_checking_ = false;
};

}  // namespace lb::cli
