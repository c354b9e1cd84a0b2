#include "base/model/change.h"

#include "base/text.h"

namespace lb {

namespace {

Error bad(std::string message) {
    return Error{.code = ErrorCode::kBadRequest, .message = std::move(message)};
}

struct ValueToJson {
    Json operator()(std::monostate) const { return Json(); }
    Json operator()(const ProjectValue& project) const {
        Json json = Json::object();
        json.set("pg_version", int64_t{project.pg_version});
        json.set("default_branch", project.default_branch);
        json.set(kHistoryRetentionKey, seconds_to_json(project.history_retention));
        json.set("settings", to_json(project.settings));
        return json;
    }
    Json operator()(const BranchValue& branch) const {
        Json json = Json::object();
        json.set("parent", branch.parent);
        json.set("requested_at", branch.requested_at);
        json.set("protected", branch.is_protected);
        json.set("expire_time", time_to_json(branch.expire_time));
        json.set("ttl_s", seconds_to_json(branch.ttl));
        json.set(kHistoryRetentionKey, seconds_to_json(branch.history_retention));
        json.set("restore", to_json(branch.restore));
        json.set("undelete", branch.undelete ? Json(*branch.undelete) : Json());
        return json;
    }
    Json operator()(const ComputeSettings& settings) const { return to_json(settings); }
    Json operator()(const RoleValue& role) const { return to_json(role.attributes); }
    Json operator()(const DatabaseValue& database) const {
        Json json = Json::object();
        json.set("owner", database.owner);
        json.set("connection_limit", int64_t{database.connection_limit});
        json.set("encoding", database.encoding);
        json.set("locale", database.locale);
        json.set("template", database.template_name);
        json.set("settings", to_json(database.settings));
        return json;
    }
    Json operator()(const SchemaValue& schema) const {
        Json json = Json::object();
        json.set("owner", schema.owner);
        return json;
    }
    Json operator()(const ExtensionValue& extension) const {
        Json json = Json::object();
        json.set("schema", extension.schema);
        json.set("version", extension.version);
        return json;
    }
};

Result<ChangeKind> change_kind_at(const Json& json) {
    std::string text = LB_TRY(json.text_at("kind"));
    if (auto kind = change_kind_from_text(text)) return *kind;
    return bad(cat("JSON: unknown kind of change ", quoted(text)));
}

Result<Address> address_at(const Json& json) {
    auto address = parse_address(LB_TRY(json.text_at("address")));
    if (!address.is_ok()) return bad(address.error().message);
    return address;
}

// What a spec can forget or give another name.
bool has_life_of_its_own(ResourceKind kind) {
    return kind == ResourceKind::kBranch || kind == ResourceKind::kRole ||
           kind == ResourceKind::kDatabase;
}

// The key must be there, for most changes with null.
Status read_moved_from(const Json& json, ResourceChange& change) {
    const Json* from = json.find("moved_from");
    if (from == nullptr) return bad("JSON: moved_from is missing");
    if (from->is_null()) return ok();
    auto address = parse_address(LB_TRY(json.text_at("moved_from")));
    if (!address.is_ok()) return bad(address.error().message);
    bool is_movable =
        has_life_of_its_own(address->kind) && address->kind == change.address.kind &&
        *address != change.address &&
        (address->kind == ResourceKind::kBranch || address->branch == change.address.branch);
    if (change.kind != ChangeKind::kUpdate || !is_movable) {
        return bad(cat("JSON: ", to_text(change.address), " cannot have been ", to_text(*address)));
    }
    change.moved_from = *std::move(address);
    return ok();
}

Result<ResourceChange> change_from_json(const Json& json) {
    ResourceChange change;
    change.address = LB_TRY(address_at(json));
    change.kind = LB_TRY(change_kind_at(json));
    change.origin = LB_TRY(origin_at(json, "origin"));
    change.is_purge = LB_TRY(json.bool_at("purge"));
    if (change.is_purge &&
        (change.kind != ChangeKind::kDelete || change.address.kind != ResourceKind::kBranch)) {
        return bad(cat("JSON: ", to_text(change.address), " has nothing to purge"));
    }
    bool is_move = change.kind == ChangeKind::kRestore || change.kind == ChangeKind::kReset;
    if (is_move && change.address.kind != ResourceKind::kBranch) {
        return bad(cat("JSON: ", to_text(change.address), " has no other state to move to"));
    }
    const Json* value = json.find("value");
    bool has_value = value != nullptr && !value->is_null();
    LB_TRY(read_moved_from(json, change));
    bool is_forget = change.kind == ChangeKind::kForget;
    if (is_forget && !has_life_of_its_own(change.address.kind)) {
        return bad(cat("JSON: ", to_text(change.address), " cannot be forgotten"));
    }
    if (change.kind == ChangeKind::kDelete || is_forget) {
        if (has_value) {
            return bad(cat("JSON: ", to_text(change.kind), " of ", to_text(change.address),
                           " has a value"));
        }
        return change;
    }
    if (!has_value) return bad(cat("JSON: ", to_text(change.address), " has no value"));
    change.value = LB_TRY(resource_value_from_json(change.address.kind, *value));
    return change;
}

}  // namespace

std::string_view to_text(ChangeKind kind) {
    switch (kind) {
        case ChangeKind::kCreate: return "create";
        case ChangeKind::kUpdate: return "update";
        case ChangeKind::kDelete: return "delete";
        case ChangeKind::kRestore: return "restore";
        case ChangeKind::kReset: return "reset";
        case ChangeKind::kForget: return "forget";
    }
    return "";
}

std::optional<ChangeKind> change_kind_from_text(std::string_view text) {
    for (ChangeKind kind : {ChangeKind::kCreate, ChangeKind::kUpdate, ChangeKind::kDelete,
                            ChangeKind::kRestore, ChangeKind::kReset, ChangeKind::kForget}) {
        if (to_text(kind) == text) return kind;
    }
    return std::nullopt;
}

Json to_json(const ResourceValue& value) { return std::visit(ValueToJson{}, value); }

Result<ResourceValue> resource_value_from_json(ResourceKind kind, const Json& json) {
    switch (kind) {
        case ResourceKind::kProject: {
            int64_t version = LB_TRY(json.integer_at("pg_version"));
            if (version < 0 || version > 1000) return bad("JSON: pg_version is out of range");
            ProjectValue project{.pg_version = static_cast<uint32_t>(version)};
            project.default_branch = LB_TRY(json.text_at("default_branch"));
            project.history_retention = LB_TRY(history_retention_at(json));
            project.settings = LB_TRY(settings_at(json, "settings"));
            return ResourceValue(std::move(project));
        }
        case ResourceKind::kBranch: {
            BranchValue branch;
            branch.parent = LB_TRY(json.text_at("parent"));
            branch.requested_at = LB_TRY(json.text_at("requested_at"));
            branch.is_protected = LB_TRY(json.bool_at("protected"));
            branch.expire_time = LB_TRY(optional_time_at(json, "expire_time"));
            branch.ttl = LB_TRY(optional_seconds_at(json, "ttl_s"));
            branch.history_retention = LB_TRY(optional_history_retention_at(json));
            branch.restore = LB_TRY(optional_restore_at(json, "restore"));
            const Json* undelete = json.find("undelete");
            if (undelete == nullptr || !undelete->is_null()) {
                branch.undelete = LB_TRY(json.unsigned_at("undelete"));
            }
            return ResourceValue(std::move(branch));
        }
        case ResourceKind::kCompute: return ResourceValue(LB_TRY(compute_settings_from_json(json)));
        case ResourceKind::kRole:
            return ResourceValue(RoleValue{LB_TRY(role_attributes_from_json(json))});
        case ResourceKind::kDatabase: {
            DatabaseValue database;
            database.owner = LB_TRY(json.text_at("owner"));
            database.connection_limit = LB_TRY(connection_limit_at(json));
            database.encoding = LB_TRY(json.text_at("encoding"));
            database.locale = LB_TRY(json.text_at("locale"));
            database.template_name = LB_TRY(json.text_at("template"));
            database.settings = LB_TRY(settings_at(json, "settings"));
            return ResourceValue(std::move(database));
        }
        case ResourceKind::kSchema: {
            SchemaValue schema;
            schema.owner = LB_TRY(json.text_at("owner"));
            return ResourceValue(std::move(schema));
        }
        case ResourceKind::kExtension: {
            ExtensionValue extension;
            extension.schema = LB_TRY(json.text_at("schema"));
            extension.version = LB_TRY(json.text_at("version"));
            return ResourceValue(std::move(extension));
        }
    }
    return bad("JSON: unknown resource kind");
}

bool is_value_of(ResourceKind kind, const ResourceValue& value) {
    switch (kind) {
        case ResourceKind::kProject: return std::holds_alternative<ProjectValue>(value);
        case ResourceKind::kBranch: return std::holds_alternative<BranchValue>(value);
        case ResourceKind::kCompute: return std::holds_alternative<ComputeSettings>(value);
        case ResourceKind::kRole: return std::holds_alternative<RoleValue>(value);
        case ResourceKind::kDatabase: return std::holds_alternative<DatabaseValue>(value);
        case ResourceKind::kSchema: return std::holds_alternative<SchemaValue>(value);
        case ResourceKind::kExtension: return std::holds_alternative<ExtensionValue>(value);
    }
    return false;
}

Json to_json(const ChangeSet& changes) {
    Json json = Json::object();
    json.set("project", changes.project);
    json.set("plan_id", changes.plan_id);
    json.set("author", changes.author);
    json.set("spec_hash", changes.spec_hash);
    json.set("git_commit", changes.git_commit);
    Json list = Json::array();
    for (const ResourceChange& change : changes.changes) {
        Json item = Json::object();
        item.set("address", to_text(change.address));
        item.set("kind", to_text(change.kind));
        item.set("origin", to_text(change.origin));
        item.set("purge", change.is_purge);
        item.set("moved_from", change.moved_from ? Json(to_text(*change.moved_from)) : Json());
        item.set("value", to_json(change.value));
        list.push(std::move(item));
    }
    json.set("changes", std::move(list));
    Json versions = Json::array();
    for (const BaseVersion& base : changes.base_versions) {
        Json item = Json::object();
        item.set("address", to_text(base.address));
        item.set("version", base.version.value());
        versions.push(std::move(item));
    }
    json.set("base_versions", std::move(versions));
    json.set("base_generation", changes.base_generation.value());
    return json;
}

Result<ChangeSet> change_set_from_json(const Json& json) {
    ChangeSet changes;
    changes.project = LB_TRY(json.text_at("project"));
    changes.plan_id = LB_TRY(json.text_at("plan_id"));
    changes.author = LB_TRY(json.text_at("author"));
    changes.spec_hash = LB_TRY(json.text_at("spec_hash"));
    changes.git_commit = LB_TRY(json.text_at("git_commit"));
    for (const Json& item : *LB_TRY(json.array_at("changes"))) {
        changes.changes.push_back(LB_TRY(change_from_json(item)));
    }
    for (const Json& item : *LB_TRY(json.array_at("base_versions"))) {
        BaseVersion base;
        base.address = LB_TRY(address_at(item));
        base.version = Generation{LB_TRY(item.unsigned_at("version"))};
        changes.base_versions.push_back(std::move(base));
    }
    changes.base_generation = Generation{LB_TRY(json.unsigned_at("base_generation"))};
    return changes;
}

}  // namespace lb
