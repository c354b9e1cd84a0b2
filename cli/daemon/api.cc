#include "cli/daemon/api.h"

#include <unistd.h>

#include <memory>

#include "base/text.h"
#include "cli/check_document.h"
#include "cli/metrics.h"
#include "cli/top_view.h"
#include "cli/version.h"
#include "store/check.h"

namespace lb::cli {
namespace {

HttpResponse to_response(const Json& json) { return {.status = 200, .body = json.dump()}; }

HttpResponse to_response(const Error& error) {
    return {.status = http_status(error.code), .body = to_json(error).dump()};
}

// Another version may know other documents. What tells versions apart and what stops a daemon
// always works.
Status check_version(ApiCall::Kind kind, const std::string& client_version) {
    if (client_version == version() || kind == ApiCall::Kind::kVersion ||
        kind == ApiCall::Kind::kStopDaemon || kind == ApiCall::Kind::kHandOver ||
        kind == ApiCall::Kind::kMetrics) {
        return ok();
    }
    std::string client = client_version.empty() ? "of an unknown version" : client_version;
    return Error{
        .code = ErrorCode::kVersionMismatch,
        .message = cat("the daemon of this home is lb ", version(), ", the client is ", client),
        .help =
            "lb restart hands over to the client's version and computes run on; lb stop ends the "
            "daemon and its computes"};
}

}  // namespace

HttpResponse Api::handle(const HttpRequest& request) {
    Result<HttpResponse> response = dispatch(request);
    if (response.is_ok()) return std::move(response).value();
    const Error& error = response.error();
    parts_.log_line(
        cat(request.method, " ", request.target, ": ", code_name(error.code), ": ", error.message));
    return to_response(error);
}

Result<HttpResponse> Api::dispatch(const HttpRequest& request) {
    ApiCall call = LB_TRY(parse_api_call(request.method, request.target, request.body));
    LB_TRY(check_version(call.kind, request.client_version));
    if (call.kind == ApiCall::Kind::kApply) return apply(std::move(call));
    if (call.kind == ApiCall::Kind::kRehearse) return rehearse(std::move(call.changes));
    if (call.kind == ApiCall::Kind::kCheck) return check();
    if (call.kind == ApiCall::Kind::kHandOver) return hand_over(std::move(call.program));
    if (call.kind == ApiCall::Kind::kMetrics) {
        return HttpResponse{.body = metrics(), .content_type = "text/plain; version=0.0.4"};
    }
    return to_response(LB_TRY(answer(call)));
}

Result<Json> Api::answer(const ApiCall& call) {
    engine::Engine& engine = *parts_.engine;
    Json json = Json::object();
    switch (call.kind) {
        case ApiCall::Kind::kVersion: return version_document();
        case ApiCall::Kind::kStatistics: return statistics();
        case ApiCall::Kind::kTop: return top();
        case ApiCall::Kind::kProjects: json.set("projects", to_json(engine.projects())); break;
        case ApiCall::Kind::kProject:
            if (!call.branches) {
                return to_json(LB_TRY(engine.state(call.project, call.observe)));
            }
            return to_json(LB_TRY(engine.state_around(call.project, *call.branches)));
        case ApiCall::Kind::kConnect:
            return to_json(LB_TRY(engine.connect(call.project, call.branch)));
        case ApiCall::Kind::kStopCompute:
            LB_TRY(engine.stop_compute(call.project, call.branch));
            break;
        case ApiCall::Kind::kRestartCompute:
            LB_TRY(engine.restart_compute(call.project, call.branch));
            break;
        case ApiCall::Kind::kLogPath:
            json.set("path", LB_TRY(engine.log_path(call.project, call.branch)));
            break;
        case ApiCall::Kind::kHistory:
            return to_json(LB_TRY(engine.history(call.project, call.branch)));
        case ApiCall::Kind::kMarkLoad:
            LB_TRY(engine.mark_load(call.project, call.branch, call.load));
            break;
        case ApiCall::Kind::kGenerations:
            return to_json(LB_TRY(engine.generations(call.project, call.generations)));
        case ApiCall::Kind::kUsage:
            return to_json(LB_TRY(engine.usage(call.project, call.branch, call.window)));
        case ApiCall::Kind::kStopDaemon: parts_.request_stop(); break;
        case ApiCall::Kind::kCheck:
        case ApiCall::Kind::kMetrics:
        case ApiCall::Kind::kHandOver:
        case ApiCall::Kind::kRehearse:
        case ApiCall::Kind::kApply: LB_ASSERT(false);  // dispatch() has seen to it
    }
    return json;
}

HttpResponse Api::apply(ApiCall call) {
    auto shared = std::make_shared<const ChangeSet>(std::move(call.changes));
    std::chrono::milliseconds patience = call.lock_timeout.value_or(engine::kApplyPatience);
    return {.stream = [this, shared, patience](const LineSink& send_line) {
        auto progress = [&](const engine::ProgressEvent& event) {
            send_line(to_json(event).dump());
        };
        Result<engine::Applied> applied = parts_.engine->apply(*shared, progress, patience);
        if (!applied.is_ok()) {
            const Error& error = applied.error();
            parts_.log_line(cat("apply ", shared->plan_id, " of ", shared->project, " by ",
                                shared->author, ": ", code_name(error.code), ": ", error.message));
            send_line(to_json(error).dump());
            return;
        }
        parts_.log_line(cat("apply ", shared->plan_id, " of ", shared->project, " by ",
                            shared->author, ": generation ", applied->generation.value()));
        Json result = Json::object();
        result.set("result", to_json(*applied));
        send_line(result.dump());
    }};
}

HttpResponse Api::rehearse(ChangeSet changes) {
    auto shared = std::make_shared<const ChangeSet>(std::move(changes));
    return {.stream = [this, shared](const LineSink& send_line) {
        auto progress = [&](const engine::ProgressEvent& event) {
            send_line(to_json(event).dump());
        };
        Result<engine::Rehearsal> rehearsal = parts_.engine->rehearse(*shared, progress);
        if (!rehearsal.is_ok()) return send_line(to_json(rehearsal.error()).dump());
        Json result = Json::object();
        result.set("result", to_json(*rehearsal));
        send_line(result.dump());
    }};
}

// One at a time: they share the scratch directory.
Result<HttpResponse> Api::check() {
    if (is_checking_.exchange(true)) {
        return Error{.code = ErrorCode::kBusy, .message = "another check is under way"};
    }
    return HttpResponse{.stream = [this](const LineSink& send_line) {
        store::CheckSink sink{.progress =
                                  [&](const store::CheckProgress& progress) {
                                      Json json = Json::object();
                                      json.set("step", progress.step);
                                      json.set("done", progress.done_bytes);
                                      json.set("total", progress.total_bytes);
                                      send_line(json.dump());
                                  },
                              .is_cancelled = [this] { return is_stopping_.load(); }};
        Result<store::CheckReport> report = parts_.store->check(parts_.check_directory, sink);
        is_checking_ = false;
        if (!report) return send_line(to_json(report.error()).dump());
        Json document = check_document(*std::move(report));
        parts_.log_line(cat("check: ", check_summary(document)));
        for (const Json& problem : *document.find("problems")->if_array()) {
            parts_.log_line(cat("check: ", problem_line(problem)));
        }
        Json result = Json::object();
        result.set("result", std::move(document));
        send_line(result.dump());
    }};
}

// The first line tells the client that it has begun; a second one says why it did not come about.
HttpResponse Api::hand_over(std::string program) {
    return {.stream = [this, program = std::move(program)](const LineSink& send_line) {
        Json begun = Json::object();
        begun.set("step", "handover");
        send_line(begun.dump());
        Error error = parts_.ask_for_handover(program);
        parts_.log_line(cat("hand-over: ", code_name(error.code), ": ", error.message));
        send_line(to_json(error).dump());
    }};
}

Json Api::version_document() const {
    const HandoverOutcome& handover = parts_.handover;
    Json json = Json::object();
    json.set("version", version());
    json.set("process_id", static_cast<int64_t>(getpid()));
    json.set("handover_count", static_cast<uint64_t>(handover.count));
    if (handover.count == 0) return json;
    json.set("handover_held_ms", static_cast<int64_t>(handover.held.count()));
    json.set("handover_failure", handover.failure);
    return json;
}

Json Api::statistics() const {
    store::StoreStatistics store = parts_.store->statistics();
    Json store_json = Json::object();
    store_json.set("line_count", store.line_count);
    store_json.set("log_bytes", store.log_bytes);
    store_json.set("sync_count", store.syncs.count());
    store_json.set("block_reads", store.block_reads);
    store_json.set("block_writes", store.block_writes);
    store_json.set("index_chunk_misses", store.index_chunk_misses);
    store_json.set("cold_bytes", store.cold_bytes);
    store_json.set("reclaim_debt_bytes", store.reclaim_debt_bytes);
    store_json.set("reclaimed_bytes", store.reclaimed_bytes);
    store_json.set("free_bytes", store.free_bytes);
    store_json.set("damage_met_count", store.damage_met_count);
    store_json.set("position", store.position.value());
    store::FuseStatistics transport = parts_.transport->statistics();
    Json transport_json = Json::object();
    transport_json.set("request_count", transport.request_count);
    transport_json.set("uring_request_count", transport.uring_request_count);
    transport_json.set("split_write_count", transport.split_write_count);
    transport_json.set("joined_write_count", transport.joined_write_count);
    Json json = version_document();
    json.set("store", std::move(store_json));
    json.set("transport", std::move(transport_json));
    if (std::optional<store::ScrubStatus> scrub = scrub_status()) {
        Json scrub_json = Json::object();
        scrub_json.set("reading", scrub->is_reading);
        scrub_json.set("pass_count", scrub->pass_count);
        scrub_json.set("segment", scrub->segment.value());
        scrub_json.set("segment_count", scrub->segment_count);
        scrub_json.set("read_bytes", scrub->read_bytes);
        scrub_json.set("problem_count", scrub->problem_count);
        json.set("scrub", std::move(scrub_json));
    }
    return json;
}

std::optional<store::ScrubStatus> Api::scrub_status() const {
    if (parts_.scrubber == nullptr) return std::nullopt;
    return parts_.scrubber->status();
}

std::string Api::metrics() const {
    return metrics_text({.store = parts_.store->statistics(),
                         .lines = parts_.store->lines(),
                         .transport = parts_.transport->statistics(),
                         .engine = parts_.engine->statistics(),
                         .scrub = scrub_status()});
}

Json Api::top() const {
    return top_sample({.store = parts_.store->statistics(),
                       .lines = parts_.store->lines(),
                       .transport = parts_.transport->statistics(),
                       .engine = parts_.engine->statistics(),
                       .scrub = scrub_status()});
}

}  // namespace lb::cli
