#include "cli/client.h"

#include <chrono>
#include <optional>
#include <thread>

#include "base/text.h"
#include "cli/http_client.h"

namespace lb::cli {
namespace {

constexpr int kRetries = 5;

Error error_of(const HttpReply& reply) {
    Result<Json> document = Json::parse(reply.body);
    return document.is_ok() ? error_from_json(*document) : std::move(document).error();
}

// The connection broke, or we stopped listening.
Error unknown_outcome(std::string message) {
    return {.code = ErrorCode::kDaemonUnreachable,
            .message = std::move(message),
            .help = "an apply is all or nothing: lb plan shows which it was"};
}

// Collects the lines of an answer: events, then one result or error.
template <class Outcome>
class StreamedAnswer {
public:
    using ReadResult = Result<Outcome> (*)(const Json& result);

    StreamedAnswer(const engine::ProgressSink& progress, ReadResult read_result)
        : progress_(progress), read_result_(read_result) {}

    void take_line(std::string_view line) {
        Result<Json> document = Json::parse(line);
        if (!document.is_ok()) return finish(document.error());
        if (document->find("error") != nullptr) return finish(error_from_json(*document));
        if (const Json* result = document->find("result")) return finish(read_result_(*result));
        Result<engine::ProgressEvent> event = progress_event_from_json(*document);
        if (!event.is_ok()) return finish(event.error());
        if (progress_) progress_(*event);
    }

    const std::optional<Result<Outcome>>& outcome() const { return outcome_; }

private:
    void finish(Result<Outcome> outcome) {
        if (!outcome_.has_value()) outcome_ = std::move(outcome);
    }

    const engine::ProgressSink& progress_;
    const ReadResult read_result_;
    std::optional<Result<Outcome>> outcome_;
};

}  // namespace

Result<Json> Client::call(const ApiCall& call) const {
    ApiRequest request = to_request(call);
    HttpCall http{.socket_path = socket_path_,
                  .method = request.method,
                  .target = request.target,
                  .body = request.body};
    Result<HttpReply> reply = http_call(http);
    // A killed daemon still accepts connections for a moment. All of these may be asked for twice.
    for (int retry = 1; bring_back_ && retry <= kRetries; ++retry) {
        if (reply.is_ok() || reply.error().code != ErrorCode::kDaemonUnreachable) break;
        std::this_thread::sleep_for(std::chrono::milliseconds(50 * retry));
        LB_TRY(bring_back_());
        reply = http_call(http);
    }
    if (!reply.is_ok()) return std::move(reply).error();
    if (reply->status != 200) return error_of(*reply);
    return Json::parse(reply->body);
}

Result<Json> Client::branch_call(ApiCall::Kind kind, const std::string& project,
                                 const std::string& branch) const {
    return call({.kind = kind, .project = project, .branch = branch});
}

Result<std::vector<std::string>> Client::projects() const {
    return texts_at(LB_TRY(call({.kind = ApiCall::Kind::kProjects})), "projects");
}

Result<ProjectState> Client::state(const std::string& project, engine::Observe observe) const {
    return project_state_from_json(
        LB_TRY(call({.kind = ApiCall::Kind::kProject, .project = project, .observe = observe})));
}

Result<ProjectState> Client::state_around(const std::string& project,
                                          const std::vector<std::string>& branches) const {
    return project_state_from_json(
        LB_TRY(call({.kind = ApiCall::Kind::kProject, .project = project, .branches = branches})));
}

Result<engine::Applied> Client::apply(const ChangeSet& changes,
                                      const engine::ProgressSink& progress,
                                      const std::function<bool()>& is_cancelled,
                                      std::optional<std::chrono::seconds> lock_timeout) const {
    ApiRequest request = to_request({.kind = ApiCall::Kind::kApply,
                                     .project = changes.project,
                                     .lock_timeout = lock_timeout,
                                     .changes = changes});
    StreamedAnswer<engine::Applied> answer(progress, applied_from_json);
    Result<HttpReply> reply =
        http_call({.socket_path = socket_path_,
                   .method = request.method,
                   .target = request.target,
                   .body = request.body,
                   .on_line = [&](std::string_view line) { answer.take_line(line); },
                   .is_cancelled = is_cancelled});
    if (answer.outcome().has_value()) return *answer.outcome();
    if (reply.is_ok() && reply->status != 200) return error_of(*reply);
    if (!reply.is_ok() && reply.error().code == ErrorCode::kInterrupted) {
        return unknown_outcome("stopped waiting; the daemon carries the apply to its end");
    }
    return unknown_outcome("the daemon ended before it told the outcome of the apply");
}

Result<engine::Rehearsal> Client::rehearse(const ChangeSet& changes,
                                           const engine::ProgressSink& progress,
                                           const std::function<bool()>& is_cancelled) const {
    ApiRequest request = to_request(
        {.kind = ApiCall::Kind::kRehearse, .project = changes.project, .changes = changes});
    StreamedAnswer<engine::Rehearsal> answer(progress, rehearsal_from_json);
    HttpReply reply =
        LB_TRY(http_call({.socket_path = socket_path_,
                          .method = request.method,
                          .target = request.target,
                          .body = request.body,
                          .on_line = [&](std::string_view line) { answer.take_line(line); },
                          .is_cancelled = is_cancelled}));
    if (answer.outcome().has_value()) return *answer.outcome();
    if (reply.status != 200) return error_of(reply);
    return Error{.code = ErrorCode::kDaemonUnreachable,
                 .message = "the daemon ended before the rehearsal did; nothing has changed"};
}

Result<engine::Connection> Client::connect(const std::string& project,
                                           const std::string& branch) const {
    return connection_from_json(LB_TRY(branch_call(ApiCall::Kind::kConnect, project, branch)));
}

Status Client::stop_compute(const std::string& project, const std::string& branch) const {
    LB_TRY(branch_call(ApiCall::Kind::kStopCompute, project, branch));
    return ok();
}

Status Client::restart_compute(const std::string& project, const std::string& branch) const {
    LB_TRY(branch_call(ApiCall::Kind::kRestartCompute, project, branch));
    return ok();
}

Result<std::string> Client::log_path(const std::string& project, const std::string& branch) const {
    return LB_TRY(branch_call(ApiCall::Kind::kLogPath, project, branch)).text_at("path");
}

Result<engine::BranchHistory> Client::history(const std::string& project,
                                              const std::string& branch) const {
    return history_from_json(LB_TRY(branch_call(ApiCall::Kind::kHistory, project, branch)));
}

Status Client::mark_load(const std::string& project, const std::string& branch,
                         engine::LoadMark load) const {
    LB_TRY(call({.kind = ApiCall::Kind::kMarkLoad,
                 .project = project,
                 .branch = branch,
                 .load = std::move(load)}));
    return ok();
}

Result<std::vector<GenerationRecord>> Client::generations(
    const std::string& project, const engine::GenerationRange& range) const {
    return generations_from_json(LB_TRY(
        call({.kind = ApiCall::Kind::kGenerations, .project = project, .generations = range})));
}

Result<engine::BranchUsage> Client::usage(const std::string& project, const std::string& branch,
                                          std::optional<std::chrono::seconds> window) const {
    return usage_from_json(LB_TRY(call(
        {.kind = ApiCall::Kind::kUsage, .project = project, .branch = branch, .window = window})));
}

Result<Json> Client::statistics() const { return call({.kind = ApiCall::Kind::kStatistics}); }

Result<std::string> Client::metrics() const {
    ApiRequest request = to_request({.kind = ApiCall::Kind::kMetrics});
    HttpReply reply = LB_TRY(http_call(
        {.socket_path = socket_path_, .method = request.method, .target = request.target}));
    if (reply.status != 200) return error_of(reply);
    return std::move(reply.body);
}

Result<Json> Client::top() const { return call({.kind = ApiCall::Kind::kTop}); }

Result<Json> Client::check(const std::function<void(std::string_view step, uint64_t done_bytes,
                                                    uint64_t total_bytes)>& progress,
                           const std::function<bool()>& is_cancelled) const {
    std::optional<Result<Json>> outcome;
    auto take_line = [&](std::string_view line) {
        Result<Json> document = Json::parse(line);
        if (!document || document->find("error") != nullptr) {
            outcome = document ? Result<Json>(error_from_json(*document)) : document;
            return;
        }
        Result<const Json*> result = document->object_at("result");
        if (result) {
            outcome = Result<Json>(**result);
            return;
        }
        Result<std::string> step = document->text_at("step");
        Result<uint64_t> done_bytes = document->unsigned_at("done");
        Result<uint64_t> total_bytes = document->unsigned_at("total");
        if (step && done_bytes && total_bytes) progress(*step, *done_bytes, *total_bytes);
    };
    ApiRequest request = to_request({.kind = ApiCall::Kind::kCheck});
    HttpReply reply = LB_TRY(http_call({.socket_path = socket_path_,
                                        .method = request.method,
                                        .target = request.target,
                                        .body = request.body,
                                        .on_line = take_line,
                                        .is_cancelled = is_cancelled}));
    if (outcome.has_value()) return *std::move(outcome);
    if (reply.status != 200) return error_of(reply);
    return Error{.code = ErrorCode::kDaemonUnreachable,
                 .message = "the daemon ended before the check did"};
}

Status Client::stop_daemon() const {
    LB_TRY(call({.kind = ApiCall::Kind::kStopDaemon}));
    return ok();
}

Result<Json> Client::version() const { return call({.kind = ApiCall::Kind::kVersion}); }

Status Client::hand_over(const std::string& program) const {
    ApiRequest request = to_request({.kind = ApiCall::Kind::kHandOver, .program = program});
    bool has_begun = false;
    std::optional<Error> refusal;
    auto take_line = [&](std::string_view line) {
        Result<Json> document = Json::parse(line);
        if (document && document->find("error") != nullptr) refusal = error_from_json(*document);
        has_begun = true;
    };
    Result<HttpReply> reply = http_call({.socket_path = socket_path_,
                                         .method = request.method,
                                         .target = request.target,
                                         .body = request.body,
                                         .on_line = take_line});
    if (refusal) return *std::move(refusal);
    // The connection breaks when the daemon becomes another program.
    if (has_begun) return ok();
    if (reply.is_ok()) return error_of(*reply);
    return std::move(reply).error();
}

}  // namespace lb::cli
