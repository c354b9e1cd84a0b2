#include "cli/protocol.h"

#include <array>
#include <cctype>
#include <charconv>
#include <optional>

#include "base/model/names.h"
#include "base/text.h"
#include "cli/version.h"

namespace lb::cli {
namespace {

Error bad_request(std::string message) {
    return {.code = ErrorCode::kBadRequest, .message = std::move(message)};
}

std::optional<unsigned> hex_digit(char digit) {
    if (digit >= '0' && digit <= '9') return static_cast<unsigned>(digit - '0');
    if (digit >= 'a' && digit <= 'f') return static_cast<unsigned>(digit - 'a') + 10;
    if (digit >= 'A' && digit <= 'F') return static_cast<unsigned>(digit - 'A') + 10;
    return {};
}

// What a path leads to and by which method.
struct Route {
    ApiCall::Kind kind;
    std::string_view method;
    // Segments after "/v1"; "{}" stands for a name, the first of a project, the second of a branch.
    std::array<std::string_view, 5> segments;
};

constexpr std::array kRoutes = {
    Route{ApiCall::Kind::kVersion, "GET", {"version"}},
    Route{ApiCall::Kind::kStatistics, "GET", {"statistics"}},
    Route{ApiCall::Kind::kTop, "GET", {"top"}},
    Route{ApiCall::Kind::kCheck, "POST", {"fsck"}},
    Route{ApiCall::Kind::kStopDaemon, "POST", {"stop"}},
    Route{ApiCall::Kind::kHandOver, "POST", {"handover"}},
    Route{ApiCall::Kind::kProjects, "GET", {"projects"}},
    Route{ApiCall::Kind::kProject, "GET", {"projects", "{}"}},
    Route{ApiCall::Kind::kApply, "POST", {"projects", "{}", "apply"}},
    Route{ApiCall::Kind::kRehearse, "POST", {"projects", "{}", "rehearse"}},
    Route{ApiCall::Kind::kConnect, "POST", {"projects", "{}", "branches", "{}", "connect"}},
    Route{ApiCall::Kind::kStopCompute, "POST", {"projects", "{}", "branches", "{}", "stop"}},
    Route{ApiCall::Kind::kRestartCompute, "POST", {"projects", "{}", "branches", "{}", "restart"}},
    Route{ApiCall::Kind::kLogPath, "GET", {"projects", "{}", "branches", "{}", "log"}},
    Route{ApiCall::Kind::kHistory, "GET", {"projects", "{}", "branches", "{}", "history"}},
    Route{ApiCall::Kind::kMarkLoad, "POST", {"projects", "{}", "branches", "{}", "loads"}},
    Route{ApiCall::Kind::kGenerations, "GET", {"projects", "{}", "generations"}},
    Route{ApiCall::Kind::kUsage, "GET", {"projects", "{}", "branches", "{}", "usage"}},
};

size_t segment_count(const Route& route) {
    size_t count = 0;
    while (count < route.segments.size() && !route.segments[count].empty()) ++count;
    return count;
}

bool leads_to(const Route& route, const std::vector<std::string>& segments) {
    if (segments.size() != segment_count(route)) return false;
    for (size_t index = 0; index < segments.size(); ++index) {
        std::string_view expected = route.segments[index];
        if (expected != "{}" && expected != segments[index]) return false;
    }
    return true;
}

const Route& route_of(ApiCall::Kind kind) {
    for (const Route& route : kRoutes) {
        if (route.kind == kind) return route;
    }
    LB_ASSERT(false);
    return kRoutes[0];
}

// Puts the names of the path where they belong.
Status read_names(const Route& route, const std::vector<std::string>& segments, ApiCall& call) {
    std::vector<std::string> names;
    for (size_t index = 0; index < segments.size(); ++index) {
        if (route.segments[index] == "{}") names.push_back(LB_TRY(percent_decode(segments[index])));
    }
    if (names.size() > 0) {
        LB_TRY(check_project_name(names[0]));
        call.project = std::move(names[0]);
    }
    if (names.size() > 1) {
        LB_TRY(check_branch_name(names[1]));
        call.branch = std::move(names[1]);
    }
    return ok();
}

constexpr std::string_view kBranchesKey = "branches=";
constexpr std::string_view kWindowKey = "window=";
constexpr std::string_view kLockTimeoutKey = "lock_timeout=";
constexpr std::string_view kAfterKey = "after=";
constexpr std::string_view kLimitKey = "limit=";

// "after=3&limit=20"
Status read_range(std::string_view query, engine::GenerationRange& range) {
    for (const std::string& piece : split(query, '&')) {
        std::string_view text = piece;
        bool is_after = text.starts_with(kAfterKey);
        if (!is_after && !text.starts_with(kLimitKey)) {
            return bad_request(cat("unknown query ", quoted(piece)));
        }
        text.remove_prefix(is_after ? kAfterKey.size() : kLimitKey.size());
        uint64_t number = 0;
        auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (failure != std::errc{} || end != text.data() + text.size()) {
            return bad_request(cat(quoted(piece), " holds no number"));
        }
        if (is_after) range.after = Generation{number};
        if (!is_after) range.count_max = number;
    }
    return ok();
}

Status read_query(std::string_view query, ApiCall& call) {
    if (query.empty()) return ok();
    if (call.kind == ApiCall::Kind::kGenerations) return read_range(query, call.generations);
    bool is_project = call.kind == ApiCall::Kind::kProject;
    if (is_project && query == "observe=1") {
        call.observe = engine::Observe::kYes;
        return ok();
    }
    if (is_project && query == "observe=0") return ok();
    if (call.kind == ApiCall::Kind::kUsage && query.starts_with(kWindowKey)) {
        query.remove_prefix(kWindowKey.size());
        call.window = parse_duration(query);
        if (call.window && *call.window <= kHistoryRetentionMax) return ok();
        return bad_request(cat(quoted(query), " is no restore window"));
    }
    if (call.kind == ApiCall::Kind::kApply && query.starts_with(kLockTimeoutKey)) {
        query.remove_prefix(kLockTimeoutKey.size());
        call.lock_timeout = parse_duration(query);
        if (call.lock_timeout && *call.lock_timeout <= kLockTimeoutMax) return ok();
        return bad_request(cat(quoted(query), " is no time to wait"));
    }
    if (is_project && query.starts_with(kBranchesKey)) {
        query.remove_prefix(kBranchesKey.size());
        call.branches.emplace();
        if (query.empty()) return ok();
        for (const std::string& name : split(query, ',')) {
            call.branches->push_back(LB_TRY(percent_decode(name)));
            LB_TRY(check_branch_name(call.branches->back()));
        }
        return ok();
    }
    return bad_request(cat("unknown query ", quoted(query)));
}

std::string query_of(const ApiCall& call) {
    if (call.observe == engine::Observe::kYes) return "?observe=1";
    if (call.kind == ApiCall::Kind::kGenerations) {
        return cat("?", kAfterKey, call.generations.after.value(), "&", kLimitKey,
                   call.generations.count_max);
    }
    if (call.window) return cat("?", kWindowKey, format_short_duration(*call.window));
    if (call.lock_timeout) {
        return cat("?", kLockTimeoutKey, format_short_duration(*call.lock_timeout));
    }
    if (!call.branches) return {};
    std::vector<std::string> names;
    for (const std::string& name : *call.branches) names.push_back(percent_encode(name));
    return cat("?", kBranchesKey, join(names, ","));
}

bool has_changes(ApiCall::Kind kind) {
    return kind == ApiCall::Kind::kApply || kind == ApiCall::Kind::kRehearse;
}

Status read_load(const Json& document, engine::LoadMark& load) {
    load.author = LB_TRY(document.text_at("author"));
    load.file = LB_TRY(document.text_at("file"));
    load.database = LB_TRY(document.text_at("database"));
    load.read_bytes = LB_TRY(document.unsigned_at("read_bytes"));
    return ok();
}

std::string load_body(const engine::LoadMark& load) {
    Json document = Json::object();
    document.set("author", load.author);
    document.set("file", load.file);
    document.set("database", load.database);
    document.set("read_bytes", load.read_bytes);
    return document.dump();
}

Status read_body(std::string_view body, ApiCall& call) {
    if (call.kind == ApiCall::Kind::kMarkLoad) {
        return read_load(LB_TRY(Json::parse(body)), call.load);
    }
    if (call.kind == ApiCall::Kind::kHandOver) {
        Json document = LB_TRY(Json::parse(body));
        call.program = LB_TRY(document.text_at("program"));
        if (call.program.starts_with('/')) return ok();
        return bad_request(cat(quoted(call.program), " is no absolute path"));
    }
    if (!has_changes(call.kind)) {
        return body.empty() ? ok() : Status(bad_request("this request has no body"));
    }
    Json document = LB_TRY(Json::parse(body));
    call.changes = LB_TRY(change_set_from_json(document));
    if (call.changes.project == call.project) return ok();
    return bad_request(cat("the path names project ", quoted(call.project), " and the body ",
                           quoted(call.changes.project)));
}

}  // namespace

std::string percent_encode(std::string_view text) {
    std::string encoded;
    for (char c : text) {
        if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '.' || c == '_' ||
            c == '~') {
            encoded += c;
        } else {
            static constexpr std::string_view kDigits = "0123456789ABCDEF";
            auto byte = static_cast<unsigned char>(c);
            encoded += '%';
            encoded += kDigits[byte >> 4];
            encoded += kDigits[byte & 15];
        }
    }
    return encoded;
}

Result<std::string> percent_decode(std::string_view text) {
    std::string decoded;
    for (size_t index = 0; index < text.size(); ++index) {
        if (text[index] != '%') {
            decoded += text[index];
            continue;
        }
        std::optional<unsigned> high;
        std::optional<unsigned> low;
        if (index + 2 < text.size()) {
            high = hex_digit(text[index + 1]);
            low = hex_digit(text[index + 2]);
        }
        if (!high.has_value() || !low.has_value()) {
            return bad_request(cat("malformed escape in ", quoted(text)));
        }
        decoded += static_cast<char>(*high << 4 | *low);
        index += 2;
    }
    return decoded;
}

Result<ApiCall> parse_api_call(std::string_view method, std::string_view target,
                               std::string_view body) {
    std::string_view path = target.substr(0, target.find('?'));
    std::string_view query = path.size() < target.size() ? target.substr(path.size() + 1) : "";
    const std::string prefix = cat(kApiPrefix, "/");
    Error unknown{.code = ErrorCode::kNotFound,
                  .message = cat("there is no ", quoted(path), " here"),
                  .help = "docs/daemon.md lists what there is"};
    if (method == "GET" && target == kMetricsPath && body.empty()) {
        return ApiCall{.kind = ApiCall::Kind::kMetrics};
    }
    if (path.substr(0, prefix.size()) != prefix) return unknown;
    std::vector<std::string> segments = split(path.substr(prefix.size()), '/');
    bool is_known_path = false;
    for (const Route& route : kRoutes) {
        if (!leads_to(route, segments)) continue;
        is_known_path = true;
        if (route.method != method) continue;
        ApiCall call{.kind = route.kind};
        LB_TRY(read_names(route, segments, call));
        LB_TRY(read_query(query, call));
        LB_TRY(read_body(body, call));
        return call;
    }
    if (!is_known_path) return unknown;
    return Error{.code = ErrorCode::kUsage,
                 .message = cat(quoted(path), " has no method ", quoted(method))};
}

ApiRequest to_request(const ApiCall& call) {
    if (call.kind == ApiCall::Kind::kMetrics) {
        return {.method = "GET", .target = std::string(kMetricsPath), .body = {}};
    }
    const Route& route = route_of(call.kind);
    ApiRequest request{
        .method = std::string(route.method), .target = std::string(kApiPrefix), .body = {}};
    bool is_project_next = true;
    for (size_t index = 0; index < segment_count(route); ++index) {
        std::string_view segment = route.segments[index];
        request.target += '/';
        if (segment != "{}") {
            request.target += segment;
            continue;
        }
        request.target += percent_encode(is_project_next ? call.project : call.branch);
        is_project_next = false;
    }
    request.target += query_of(call);
    if (has_changes(call.kind)) request.body = to_json(call.changes).dump();
    if (call.kind == ApiCall::Kind::kMarkLoad) request.body = load_body(call.load);
    if (call.kind == ApiCall::Kind::kHandOver) {
        Json document = Json::object();
        document.set("program", call.program);
        request.body = document.dump();
    }
    return request;
}

}  // namespace lb::cli
