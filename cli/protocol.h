// The socket's documents: what requests ask for and how answers, events and errors look as JSON.
// docs/daemon.md describes them. Pure: no sockets, no engine; so the decoders can be fuzzed.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/model/change.h"
#include "base/result.h"
#include "engine/engine.h"

namespace lb::cli {

inline constexpr size_t kRequestMaxBytes = size_t{64} << 20;
inline constexpr std::chrono::seconds kLockTimeoutMax = std::chrono::hours(24);
inline constexpr std::string_view kMetricsPath = "/metrics";
inline constexpr std::string_view kVersionHeader = "Lb-Version";

// One request, understood.
struct ApiCall {
    enum class Kind : uint8_t {
        kVersion,
        kProjects,
        kProject,
        kApply,
        kRehearse,
        kConnect,
        kStopCompute,
        kRestartCompute,
        kLogPath,
        kHistory,
        kGenerations,
        kMarkLoad,
        kUsage,
        kStatistics,
        kCheck,
        kTop,
        kMetrics,  // the one without a version in its path: what Prometheus expects
        kStopDaemon,
        kHandOver,
    };
    Kind kind = Kind::kVersion;
    std::string project = {};
    std::string branch = {};
    engine::Observe observe = engine::Observe::kNo;
    // kProject: only what is around these, the default branch always; nullopt: all.
    std::optional<std::vector<std::string>> branches = {};
    std::optional<std::chrono::seconds> window = {};  // kUsage
    engine::GenerationRange generations = {};         // kGenerations
    engine::LoadMark load = {};                       // kMarkLoad: what the client knows of it
    std::optional<std::chrono::seconds> lock_timeout = {};  // kApply
    ChangeSet changes = {};
    std::string program = {};  // kHandOver: absolute path of the lb that takes over

    bool operator==(const ApiCall&) const = default;
};

// `target` as it stands in the request line, percent-encoded, with its query.
// Errors: kBadRequest for what is malformed, kNotFound for an unknown path, kUsage for a method
// that the path does not have.
Result<ApiCall> parse_api_call(std::string_view method, std::string_view target,
                               std::string_view body);

// The request line's target for a call; parse_api_call(method, target, body) gives the call back.
struct ApiRequest {
    std::string method;
    std::string target;
    std::string body;
};
ApiRequest to_request(const ApiCall& call);

// Percent-encoding of everything but unreserved characters (RFC 3986).
std::string percent_encode(std::string_view text);
// Errors: kBadRequest for a malformed escape.
Result<std::string> percent_decode(std::string_view text);

int http_status(ErrorCode code);

// {"error":{"code":"LB0300","message":...,"help":...,"notes":[...]}}
Json to_json(const Error& error);
// What to_json() made; kBadRequest as the error itself if it is not that.
Error error_from_json(const Json& document);

Json to_json(const engine::ProgressEvent& event);
Result<engine::ProgressEvent> progress_event_from_json(const Json& json);
Json to_json(const engine::Applied& applied);
Result<engine::Applied> applied_from_json(const Json& json);
Json to_json(const engine::Rehearsal& rehearsal);
Result<engine::Rehearsal> rehearsal_from_json(const Json& json);
Json to_json(const engine::BranchHistory& history);
Result<engine::BranchHistory> history_from_json(const Json& json);
Json to_json(const std::vector<GenerationRecord>& generations);
Result<std::vector<GenerationRecord>> generations_from_json(const Json& json);
Json to_json(const engine::BranchUsage& usage);
Result<engine::BranchUsage> usage_from_json(const Json& json);
Json to_json(const engine::Connection& connection);
Result<engine::Connection> connection_from_json(const Json& json);

// The array of texts at `key`. Errors: kBadRequest.
Result<std::vector<std::string>> texts_at(const Json& json, std::string_view key);
Json to_json(const std::vector<std::string>& texts);

}  // namespace lb::cli
