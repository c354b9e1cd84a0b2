#include "base/model/state.h"

#include <algorithm>
#include <limits>

#include "base/text.h"

namespace lb {

namespace {

Error bad(std::string message) {
    return Error{.code = ErrorCode::kBadRequest, .message = std::move(message)};
}

template <class Integer>
Result<Integer> bounded_at(const Json& json, std::string_view key, Integer low, Integer high) {
    int64_t value = LB_TRY(json.integer_at(key));
    if (value < static_cast<int64_t>(low) || value > static_cast<int64_t>(high)) {
        return bad(cat("JSON: key ", quoted(key), " is out of range"));
    }
    return static_cast<Integer>(value);
}

Result<std::vector<std::string>> texts_at(const Json& json, std::string_view key) {
    std::vector<std::string> texts;
    for (const Json& element : *LB_TRY(json.array_at(key))) {
        if (element.if_text() == nullptr) {
            return bad(cat("JSON: key ", quoted(key), " holds something that is no text"));
        }
        texts.push_back(*element.if_text());
    }
    return texts;
}

Json to_json(const std::vector<std::string>& texts) {
    Json json = Json::array();
    for (const std::string& text : texts) json.push(text);
    return json;
}

Json to_json(const ComputeState& compute) {
    Json json = Json::object();
    json.set("settings", to_json(compute.settings));
    json.set("status", to_text(compute.status));
    json.set("active_port", int{compute.active_port});
    json.set("failure", compute.failure);
    return json;
}

Result<ComputeState> compute_state_from_json(const Json& json) {
    ComputeState compute;
    compute.settings = LB_TRY(compute_settings_from_json(*LB_TRY(json.object_at("settings"))));
    std::string status = LB_TRY(json.text_at("status"));
    bool is_known = false;
    for (ComputeStatus candidate :
         {ComputeStatus::kStopped, ComputeStatus::kStarting, ComputeStatus::kRunning,
          ComputeStatus::kStopping, ComputeStatus::kFailed}) {
        if (to_text(candidate) != status) continue;
        compute.status = candidate;
        is_known = true;
    }
    if (!is_known) return bad(cat("JSON: unknown compute status ", quoted(status)));
    compute.active_port = LB_TRY(bounded_at<uint16_t>(json, "active_port", 0, UINT16_MAX));
    compute.failure = LB_TRY(json.text_at("failure"));
    return compute;
}

Json to_json(const RoleState& role) {
    Json json = Json::object();
    json.set("name", role.name);
    json.set("origin", to_text(role.origin));
    json.set("attributes", to_json(role.attributes));
    return json;
}

Result<RoleState> role_from_json(const Json& json) {
    RoleState role;
    role.name = LB_TRY(json.text_at("name"));
    role.origin = LB_TRY(origin_at(json, "origin"));
    role.attributes = LB_TRY(role_attributes_from_json(*LB_TRY(json.object_at("attributes"))));
    return role;
}

Json to_json(const BranchState& branch) {
    Json json = Json::object();
    json.set("name", branch.name);
    json.set("origin", to_text(branch.origin));
    json.set("parent", branch.parent);
    json.set("branch_point", branch.branch_point.value());
    json.set("requested_at", branch.requested_at);
    json.set("protected", branch.is_protected);
    json.set("expire_time", time_to_json(branch.expire_time));
    json.set("ttl_s", seconds_to_json(branch.ttl));
    json.set(kHistoryRetentionKey, seconds_to_json(branch.history_retention));
    json.set("restore", to_json(branch.restore));
    json.set("created_at", time_to_json(branch.created_at));
    json.set("created_in", branch.created_in.value());
    json.set("line", branch.line.value());
    json.set("head", branch.head.value());
    json.set("logical_bytes", branch.logical_bytes);
    json.set("own_bytes", branch.own_bytes);
    json.set("restorable_from", time_to_json(branch.restorable_from));
    json.set("compute", to_json(branch.compute));
    json.set("version", branch.version.value());
    json.set("observed", branch.is_observed);
    Json roles = Json::array();
    for (const RoleState& role : branch.roles) roles.push(to_json(role));
    json.set("roles", std::move(roles));
    Json databases = Json::array();
    for (const DatabaseState& database : branch.databases) databases.push(to_json(database));
    json.set("databases", std::move(databases));
    return json;
}

Result<BranchState> branch_from_json(const Json& json) {
    BranchState branch;
    branch.name = LB_TRY(json.text_at("name"));
    branch.origin = LB_TRY(origin_at(json, "origin"));
    branch.parent = LB_TRY(json.text_at("parent"));
    branch.branch_point = Position{LB_TRY(json.unsigned_at("branch_point"))};
    branch.requested_at = LB_TRY(json.text_at("requested_at"));
    branch.is_protected = LB_TRY(json.bool_at("protected"));
    branch.expire_time = LB_TRY(optional_time_at(json, "expire_time"));
    branch.ttl = LB_TRY(optional_seconds_at(json, "ttl_s"));
    branch.history_retention = LB_TRY(optional_history_retention_at(json));
    branch.restore = LB_TRY(optional_restore_at(json, "restore"));
    auto created_at = LB_TRY(optional_time_at(json, "created_at"));
    if (!created_at) return bad("JSON: key \"created_at\" is null");
    branch.created_at = *created_at;
    branch.created_in = Generation{LB_TRY(json.unsigned_at("created_in"))};
    branch.line = LineId{LB_TRY(json.unsigned_at("line"))};
    branch.head = Position{LB_TRY(json.unsigned_at("head"))};
    branch.logical_bytes = LB_TRY(json.unsigned_at("logical_bytes"));
    branch.own_bytes = LB_TRY(json.unsigned_at("own_bytes"));
    branch.restorable_from = LB_TRY(optional_time_at(json, "restorable_from"));
    branch.compute = LB_TRY(compute_state_from_json(*LB_TRY(json.object_at("compute"))));
    branch.version = Generation{LB_TRY(json.unsigned_at("version"))};
    branch.is_observed = LB_TRY(json.bool_at("observed"));
    for (const Json& role : *LB_TRY(json.array_at("roles"))) {
        branch.roles.push_back(LB_TRY(role_from_json(role)));
    }
    for (const Json& database : *LB_TRY(json.array_at("databases"))) {
        branch.databases.push_back(LB_TRY(database_from_json(database)));
    }
    return branch;
}

Json to_json(const DeletedBranchState& branch) {
    Json json = Json::object();
    json.set("id", branch.id);
    json.set("name", branch.name);
    json.set("parent", branch.parent);
    json.set("line", branch.line.value());
    json.set("deleted_at", time_to_json(branch.deleted_at));
    json.set("gone_at", time_to_json(branch.gone_at));
    json.set("logical_bytes", branch.logical_bytes);
    json.set("own_bytes", branch.own_bytes);
    return json;
}

Result<DeletedBranchState> deleted_branch_from_json(const Json& json) {
    DeletedBranchState branch{.id = LB_TRY(json.unsigned_at("id")),
                              .name = LB_TRY(json.text_at("name")),
                              .parent = LB_TRY(json.text_at("parent")),
                              .line = LineId{LB_TRY(json.unsigned_at("line"))},
                              .logical_bytes = LB_TRY(json.unsigned_at("logical_bytes")),
                              .own_bytes = LB_TRY(json.unsigned_at("own_bytes"))};
    auto deleted_at = LB_TRY(optional_time_at(json, "deleted_at"));
    auto gone_at = LB_TRY(optional_time_at(json, "gone_at"));
    if (!deleted_at || !gone_at) return bad("JSON: a deleted branch has no time");
    branch.deleted_at = *deleted_at;
    branch.gone_at = *gone_at;
    return branch;
}

}  // namespace

std::string_view to_text(ComputeStatus status) {
    switch (status) {
        case ComputeStatus::kStopped: return "stopped";
        case ComputeStatus::kStarting: return "starting";
        case ComputeStatus::kRunning: return "running";
        case ComputeStatus::kStopping: return "stopping";
        case ComputeStatus::kFailed: return "failed";
    }
    return "";
}

Json to_json(const std::optional<RestoreValue>& restore) {
    if (!restore) return Json();
    Json json = Json::object();
    json.set("to", restore->to);
    json.set("from", restore->from);
    json.set("backup", restore->backup);
    return json;
}

Result<std::optional<RestoreValue>> optional_restore_at(const Json& json, std::string_view key) {
    const Json* found = json.find(key);
    if (found != nullptr && found->is_null()) return std::optional<RestoreValue>();
    const Json* object = LB_TRY(json.object_at(key));
    return std::optional(RestoreValue{.to = LB_TRY(object->text_at("to")),
                                      .from = LB_TRY(object->text_at("from")),
                                      .backup = LB_TRY(object->text_at("backup"))});
}

// Nanoseconds since the Unix epoch, or null.
Result<Origin> origin_at(const Json& json, std::string_view key) {
    std::string text = LB_TRY(json.text_at(key));
    for (Origin origin : {Origin::kSpec, Origin::kCommand, Origin::kManual}) {
        if (to_text(origin) == text) return origin;
    }
    return bad(cat("JSON: unknown origin ", quoted(text)));
}

Json time_to_json(std::optional<WallTime> time) {
    return time ? Json(int64_t{time->time_since_epoch().count()}) : Json();
}

Result<std::optional<WallTime>> optional_time_at(const Json& json, std::string_view key) {
    const Json* found = json.find(key);
    if (found != nullptr && found->is_null()) return std::optional<WallTime>();
    int64_t nanoseconds = LB_TRY(json.integer_at(key));
    return std::optional(WallTime(std::chrono::nanoseconds(nanoseconds)));
}

Result<std::optional<std::chrono::seconds>> optional_seconds_at(const Json& json,
                                                                std::string_view key) {
    const Json* found = json.find(key);
    if (found != nullptr && found->is_null()) return std::optional<std::chrono::seconds>();
    int64_t seconds = LB_TRY(bounded_at<int64_t>(json, key, 0, int64_t{100} * 366 * 86400));
    return std::optional(std::chrono::seconds(seconds));
}

Json seconds_to_json(std::optional<std::chrono::seconds> duration) {
    return duration ? Json(int64_t{duration->count()}) : Json();
}

Result<std::chrono::seconds> history_retention_at(const Json& json) {
    return std::chrono::seconds(
        LB_TRY(bounded_at<int64_t>(json, kHistoryRetentionKey, 0, kHistoryRetentionMax.count())));
}

Result<std::optional<std::chrono::seconds>> optional_history_retention_at(const Json& json) {
    const Json* found = json.find(kHistoryRetentionKey);
    if (found != nullptr && found->is_null()) return std::optional<std::chrono::seconds>();
    return std::optional(LB_TRY(history_retention_at(json)));
}

const DeletedBranchState* ProjectState::find_deleted(std::string_view branch) const {
    auto found = std::ranges::find(deleted_branches, branch, &DeletedBranchState::name);
    return found == deleted_branches.end() ? nullptr : &*found;
}

const BranchState* ProjectState::find_branch(std::string_view branch) const {
    auto found = std::ranges::lower_bound(branches, branch, {}, &BranchState::name);
    return found != branches.end() && found->name == branch ? &*found : nullptr;
}

Json to_json(const RoleAttributes& attributes) {
    Json json = Json::object();
    json.set("login", attributes.login);
    json.set("superuser", attributes.superuser);
    json.set("create_database", attributes.create_database);
    json.set("create_role", attributes.create_role);
    json.set("inherit", attributes.inherit);
    json.set("replication", attributes.replication);
    json.set("bypass_row_security", attributes.bypass_row_security);
    json.set("connection_limit", int64_t{attributes.connection_limit});
    json.set("member_of", to_json(attributes.member_of));
    json.set("password_verifier", attributes.password_verifier);
    json.set("valid_until", time_to_json(attributes.valid_until));
    json.set("settings", to_json(attributes.settings));
    return json;
}

Result<RoleAttributes> role_attributes_from_json(const Json& json) {
    RoleAttributes attributes;
    attributes.login = LB_TRY(json.bool_at("login"));
    attributes.superuser = LB_TRY(json.bool_at("superuser"));
    attributes.create_database = LB_TRY(json.bool_at("create_database"));
    attributes.create_role = LB_TRY(json.bool_at("create_role"));
    attributes.inherit = LB_TRY(json.bool_at("inherit"));
    attributes.replication = LB_TRY(json.bool_at("replication"));
    attributes.bypass_row_security = LB_TRY(json.bool_at("bypass_row_security"));
    attributes.connection_limit = LB_TRY(connection_limit_at(json));
    attributes.member_of = LB_TRY(texts_at(json, "member_of"));
    attributes.password_verifier = LB_TRY(json.text_at("password_verifier"));
    attributes.valid_until = LB_TRY(optional_time_at(json, "valid_until"));
    attributes.settings = LB_TRY(settings_at(json, "settings"));
    return attributes;
}

Json to_json(const DatabaseState& database) {
    Json json = Json::object();
    json.set("name", database.name);
    json.set("origin", to_text(database.origin));
    json.set("owner", database.owner);
    json.set("connection_limit", int64_t{database.connection_limit});
    json.set("encoding", database.encoding);
    json.set("locale", database.locale);
    json.set("settings", to_json(database.settings));
    Json schemas = Json::array();
    for (const SchemaState& schema : database.schemas) schemas.push(to_json(schema));
    json.set("schemas", std::move(schemas));
    Json extensions = Json::array();
    for (const ExtensionState& extension : database.extensions) {
        extensions.push(to_json(extension));
    }
    json.set("extensions", std::move(extensions));
    return json;
}

Result<DatabaseState> database_from_json(const Json& json) {
    DatabaseState database;
    database.name = LB_TRY(json.text_at("name"));
    database.origin = LB_TRY(origin_at(json));
    database.owner = LB_TRY(json.text_at("owner"));
    database.connection_limit = LB_TRY(connection_limit_at(json));
    database.encoding = LB_TRY(json.text_at("encoding"));
    database.locale = LB_TRY(json.text_at("locale"));
    database.settings = LB_TRY(settings_at(json, "settings"));
    for (const Json& schema : *LB_TRY(json.array_at("schemas"))) {
        database.schemas.push_back(LB_TRY(schema_from_json(schema)));
    }
    for (const Json& extension : *LB_TRY(json.array_at("extensions"))) {
        database.extensions.push_back(LB_TRY(extension_from_json(extension)));
    }
    return database;
}

Result<int32_t> connection_limit_at(const Json& json) {
    return bounded_at<int32_t>(json, "connection_limit", -1, INT32_MAX);
}

Json to_json(const ComputeSettings& settings) {
    Json json = Json::object();
    json.set("size_centi_cu", int64_t{settings.size_centi_cu});
    json.set("port", int{settings.port});
    json.set("listen_addresses", to_json(settings.listen_addresses));
    json.set("always_on", settings.always_on);
    json.set("settings", to_json(settings.settings));
    return json;
}

Result<ComputeSettings> compute_settings_from_json(const Json& json) {
    ComputeSettings settings;
    settings.size_centi_cu = LB_TRY(bounded_at<uint32_t>(json, "size_centi_cu", 1, 100'000));
    settings.port = LB_TRY(bounded_at<uint16_t>(json, "port", 0, UINT16_MAX));
    settings.listen_addresses = LB_TRY(texts_at(json, "listen_addresses"));
    settings.always_on = LB_TRY(json.bool_at("always_on"));
    settings.settings = LB_TRY(settings_at(json, "settings"));
    return settings;
}

Json to_json(const ProjectState& state) {
    Json json = Json::object();
    json.set("name", state.name);
    json.set("exists", state.exists);
    json.set("generation", state.generation.value());
    json.set("pg_version", int64_t{state.pg_version});
    json.set("default_branch", state.default_branch);
    json.set(kHistoryRetentionKey, seconds_to_json(state.history_retention));
    json.set("settings", to_json(state.settings));
    json.set("seen_at", time_to_json(state.seen_at));
    Json branches = Json::array();
    for (const BranchState& branch : state.branches) branches.push(to_json(branch));
    json.set("branches", std::move(branches));
    Json deleted = Json::array();
    for (const DeletedBranchState& branch : state.deleted_branches) deleted.push(to_json(branch));
    json.set("deleted_branches", std::move(deleted));
    return json;
}

Result<ProjectState> project_state_from_json(const Json& json) {
    ProjectState state;
    state.name = LB_TRY(json.text_at("name"));
    state.exists = LB_TRY(json.bool_at("exists"));
    state.generation = Generation{LB_TRY(json.unsigned_at("generation"))};
    state.pg_version = LB_TRY(bounded_at<uint32_t>(json, "pg_version", 0, 1000));
    state.default_branch = LB_TRY(json.text_at("default_branch"));
    state.history_retention = LB_TRY(history_retention_at(json));
    state.settings = LB_TRY(settings_at(json, "settings"));
    state.seen_at = LB_TRY(optional_time_at(json, "seen_at"));
    for (const Json& branch : *LB_TRY(json.array_at("branches"))) {
        state.branches.push_back(LB_TRY(branch_from_json(branch)));
    }
    if (!std::ranges::is_sorted(state.branches, {}, &BranchState::name)) {
        return bad("JSON: branches are not sorted by name");
    }
    for (const Json& branch : *LB_TRY(json.array_at("deleted_branches"))) {
        state.deleted_branches.push_back(LB_TRY(deleted_branch_from_json(branch)));
    }
    return state;
}

}  // namespace lb
