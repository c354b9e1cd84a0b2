// Errors, events and results as JSON, both ways.
#include "base/text.h"
#include "cli/protocol.h"

namespace lb::cli {

int http_status(ErrorCode code) {
    switch (code) {
        case ErrorCode::kInvalidSpec:
        case ErrorCode::kInvalidName:
        case ErrorCode::kBadRequest: return 400;
        case ErrorCode::kNotFound:
        case ErrorCode::kStoreNotFound: return 404;
        case ErrorCode::kUsage: return 405;
        case ErrorCode::kAlreadyExists:
        case ErrorCode::kHasChildren:
        case ErrorCode::kPlanStale:
        case ErrorCode::kPortInUse:
        case ErrorCode::kVersionMismatch:
        case ErrorCode::kHandoverRefused:
        case ErrorCode::kHomeInUse:
        case ErrorCode::kStoreExists:
        case ErrorCode::kStoreNotEmpty: return 409;
        case ErrorCode::kRefused:
        case ErrorCode::kDestroyNotAllowed:
        case ErrorCode::kApprovalNeeded: return 403;
        case ErrorCode::kBusy: return 423;
        case ErrorCode::kStoreFull: return 507;
        case ErrorCode::kStoreInvalid:
        case ErrorCode::kStoreNotDirectory:
        case ErrorCode::kStoreIsDirectory:
        case ErrorCode::kStoreNotSupported:
        case ErrorCode::kPostgresVersion:
        case ErrorCode::kSecretMissing:
        case ErrorCode::kSqlFailed:
        case ErrorCode::kRehearsalFailed:
        case ErrorCode::kLoadFailed:
        case ErrorCode::kGitFailed:
        case ErrorCode::kNotInHistory: return 422;
        case ErrorCode::kPostgresMissing:
        case ErrorCode::kComputeStartFailed:
        case ErrorCode::kComputeLost:
        case ErrorCode::kStoreReadOnly:
        case ErrorCode::kHomeUnusable:
        case ErrorCode::kDaemonUnreachable:
        case ErrorCode::kDaemonStartFailed:
        case ErrorCode::kFuseMissing:
        case ErrorCode::kInterrupted: return 503;
        case ErrorCode::kInternal:
        case ErrorCode::kIo:
        case ErrorCode::kStoreDamaged:
        case ErrorCode::kStoreFormatNewer: return 500;
    }
    return 500;
}

Json to_json(const std::vector<std::string>& texts) {
    Json array = Json::array();
    for (const std::string& text : texts) array.push(text);
    return array;
}

Result<std::vector<std::string>> texts_at(const Json& json, std::string_view key) {
    const Json::Array* array = LB_TRY(json.array_at(key));
    std::vector<std::string> texts;
    for (const Json& element : *array) {
        const std::string* text = element.if_text();
        if (text == nullptr) {
            return Error{.code = ErrorCode::kBadRequest,
                         .message = cat(quoted(key), " is no list of texts")};
        }
        texts.push_back(*text);
    }
    return texts;
}

Json to_json(const Error& error) {
    Json body = Json::object();
    body.set("code", code_name(error.code));
    body.set("message", error.message);
    body.set("help", error.help);
    body.set("notes", to_json(error.notes));
    Json document = Json::object();
    document.set("error", std::move(body));
    return document;
}

Error error_from_json(const Json& document) {
    Error error;
    auto parse = [&]() -> Status {
        const Json* body = LB_TRY(document.object_at("error"));
        error.code = code_from_name(LB_TRY(body->text_at("code")));
        error.message = LB_TRY(body->text_at("message"));
        error.help = LB_TRY(body->text_at("help"));
        error.notes = LB_TRY(texts_at(*body, "notes"));
        return ok();
    };
    Status parsed = parse();
    return parsed.is_ok() ? error : std::move(parsed).error();
}

Json to_json(const engine::ProgressEvent& event) {
    Json json = Json::object();
    json.set("step", event.step);
    json.set("address", event.address);
    json.set("message", event.message);
    json.set("done", event.done);
    json.set("total", event.total);
    return json;
}

Result<engine::ProgressEvent> progress_event_from_json(const Json& json) {
    engine::ProgressEvent event;
    event.step = LB_TRY(json.text_at("step"));
    event.address = LB_TRY(json.text_at("address"));
    event.message = LB_TRY(json.text_at("message"));
    event.done = LB_TRY(json.unsigned_at("done"));
    event.total = LB_TRY(json.unsigned_at("total"));
    return event;
}

Json to_json(const engine::Applied& applied) {
    Json json = Json::object();
    json.set("generation", applied.generation.value());
    json.set("position", applied.position.value());
    return json;
}

Result<engine::Applied> applied_from_json(const Json& json) {
    return engine::Applied{.generation = Generation{LB_TRY(json.unsigned_at("generation"))},
                           .position = Position{LB_TRY(json.unsigned_at("position"))}};
}

Json to_json(const engine::Connection& connection) {
    Json json = Json::object();
    json.set("socket_directory", connection.socket_directory);
    json.set("port", static_cast<int64_t>(connection.port));
    json.set("listen_addresses", to_json(connection.listen_addresses));
    json.set("superuser", connection.superuser);
    json.set("default_database", connection.default_database);
    json.set("program_directory", connection.program_directory);
    return json;
}

Result<engine::Connection> connection_from_json(const Json& json) {
    uint64_t port = LB_TRY(json.unsigned_at("port"));
    if (port > 65535) {
        return Error{.code = ErrorCode::kBadRequest, .message = cat("no port: ", port)};
    }
    engine::Connection connection{.port = static_cast<uint16_t>(port)};
    connection.socket_directory = LB_TRY(json.text_at("socket_directory"));
    connection.listen_addresses = LB_TRY(texts_at(json, "listen_addresses"));
    connection.superuser = LB_TRY(json.text_at("superuser"));
    connection.default_database = LB_TRY(json.text_at("default_database"));
    connection.program_directory = LB_TRY(json.text_at("program_directory"));
    return connection;
}

}  // namespace lb::cli
