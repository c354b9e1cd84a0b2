#include "engine/catalog_records.h"

#include <charconv>

#include "base/json.h"
#include "base/text.h"

namespace lb::engine {

namespace {

constexpr int kGenerationKeyDigits = 10;  // so that keys sort by number

Error damaged(std::string message) {
    return Error{.code = ErrorCode::kStoreDamaged, .message = std::move(message)};
}

// The values of base/model know only bad requests; in a note the same fault is damage.
template <class T>
Result<T> as_damage(Result<T> result) {
    if (result.is_ok() || result.error().code != ErrorCode::kBadRequest) return result;
    return damaged(cat("catalog record: ", result.error().message));
}

Result<Json> parse_record(std::string_view text) {
    Json json = LB_TRY(Json::parse(text));
    int64_t version = LB_TRY(json.integer_at("v"));
    if (version > kCatalogVersion) {
        return Error{.code = ErrorCode::kStoreFormatNewer,
                     .message = cat("the catalog was written by a newer lb (record version ",
                                    version, ", this lb reads ", kCatalogVersion, ")"),
                     .help = "use the newer lb with this home"};
    }
    if (version < 1) return damaged(cat("catalog record: version ", version));
    return json;
}

Json new_record() {
    Json json = Json::object();
    json.set("v", kCatalogVersion);
    return json;
}

Result<WallTime> time_at(const Json& json, std::string_view key) {
    std::optional<WallTime> time = LB_TRY(optional_time_at(json, key));
    if (!time) return damaged(cat(quoted(key), " is null"));
    return *time;
}

Result<uint32_t> small_at(const Json& json, std::string_view key, uint32_t limit) {
    uint64_t value = LB_TRY(json.unsigned_at(key));
    if (value > limit) return damaged(cat(quoted(key), " is ", value, ", at most ", limit));
    return static_cast<uint32_t>(value);
}

// Numbers that name something start at 1.
template <class Id>
Result<Id> id_at(const Json& json, std::string_view key) {
    uint64_t value = LB_TRY(json.unsigned_at(key));
    if (value == 0) return damaged(cat(quoted(key), " is 0"));
    return Id{value};
}

Json managed_json(const std::map<std::string, ManagedResource>& resources) {
    Json array = Json::array();
    for (const auto& [name, resource] : resources) {
        Json json = Json::object();
        json.set("name", name);
        json.set("origin", to_text(resource.origin));
        json.set("version", resource.version.value());
        array.push(std::move(json));
    }
    return array;
}

Result<std::map<std::string, ManagedResource>> managed_at(const Json& json, std::string_view key) {
    std::map<std::string, ManagedResource> resources;
    for (const Json& element : *LB_TRY(json.array_at(key))) {
        ManagedResource resource{
            .origin = LB_TRY(origin_at(element, "origin")),
            .version = LB_TRY(id_at<Generation>(element, "version")),
        };
        std::string name = LB_TRY(element.text_at("name"));
        if (!resources.emplace(name, resource).second) {
            return damaged(cat(quoted(name), " stands twice in ", quoted(key)));
        }
    }
    return resources;
}

Json contents_json(const std::map<Address, ManagedResource>& contents) {
    Json array = Json::array();
    for (const auto& [address, resource] : contents) {
        Json json = Json::object();
        json.set("kind", to_text(address.kind));
        json.set("database", address.database);
        json.set("name", address.name);
        json.set("origin", to_text(resource.origin));
        json.set("version", resource.version.value());
        array.push(std::move(json));
    }
    return array;
}

Result<ResourceKind> content_kind_at(const Json& json) {
    std::string text = LB_TRY(json.text_at("kind"));
    for (ResourceKind kind : {ResourceKind::kSchema, ResourceKind::kExtension}) {
        if (to_text(kind) == text) return kind;
    }
    return damaged(cat(quoted(text), " is nothing inside of a database"));
}

Result<std::map<Address, ManagedResource>> contents_at(const Json& json) {
    std::map<Address, ManagedResource> contents;
    // Records from before lb looked into databases have none.
    if (json.find("contents") == nullptr) return contents;
    for (const Json& element : *LB_TRY(json.array_at("contents"))) {
        Address address{.kind = LB_TRY(content_kind_at(element))};
        address.database = LB_TRY(element.text_at("database"));
        address.name = LB_TRY(element.text_at("name"));
        ManagedResource resource;
        resource.origin = LB_TRY(origin_at(element, "origin"));
        resource.version = LB_TRY(id_at<Generation>(element, "version"));
        if (!contents.emplace(std::move(address), resource).second) {
            return damaged("something stands twice in \"contents\"");
        }
    }
    return contents;
}

Json branch_json(const BranchRecord& record) {
    Json json = new_record();
    json.set("id", record.id.value());
    json.set("name", record.name);
    json.set("line", record.line.value());
    json.set("parent", record.parent.value());
    json.set("origin", to_text(record.origin));
    json.set("requested_at", record.requested_at);
    json.set("protected", record.is_protected);
    json.set("expire_time", time_to_json(record.expire_time));
    json.set("ttl_s", seconds_to_json(record.ttl));
    json.set(kHistoryRetentionKey, seconds_to_json(record.history_retention));
    json.set("restore", to_json(record.restore));
    json.set("created_at", time_to_json(record.created_at));
    json.set("created_in", record.created_in.value());
    json.set("version", record.version.value());
    json.set("compute", to_json(record.compute));
    json.set("port", int{record.port});
    return json;
}

Json versioned(const Json& json) {
    Json record = new_record();
    for (const Json::Member& member : *json.if_object()) {
        record.append_member(member.first, member.second);
    }
    return record;
}

Result<ProjectRecord> project_from_json(std::string_view text) {
    Json json = LB_TRY(parse_record(text));
    // Records from before there were restore windows have none.
    bool has_window = json.find(kHistoryRetentionKey) != nullptr;
    ProjectRecord record{
        .id = LB_TRY(id_at<ProjectId>(json, "id")),
        .name = LB_TRY(json.text_at("name")),
        .pg_version = LB_TRY(small_at(json, "pg_version", 1000)),
        .default_branch = LB_TRY(id_at<BranchId>(json, "default_branch")),
        .history_retention =
            has_window ? LB_TRY(history_retention_at(json)) : kHistoryRetentionUsual,
        .generation = LB_TRY(id_at<Generation>(json, "generation")),
        .version = LB_TRY(id_at<Generation>(json, "version")),
        .created_at = LB_TRY(time_at(json, "created_at")),
    };
    if (json.find("settings") != nullptr) record.settings = LB_TRY(settings_at(json, "settings"));
    return record;
}

// Records from before there were settings have none.
Result<ComputeSettings> compute_at(const Json& json) {
    Json compute = *LB_TRY(json.object_at("compute"));
    if (compute.find("settings") == nullptr) compute.set("settings", Json::object());
    return compute_settings_from_json(compute);
}

Result<BranchRecord> branch_from_json(const Json& json) {
    // Records from before there were restores or restore windows have none.
    std::optional<RestoreValue> restore;
    if (json.find("restore") != nullptr) restore = LB_TRY(optional_restore_at(json, "restore"));
    std::optional<std::chrono::seconds> history_retention;
    if (json.find(kHistoryRetentionKey) != nullptr) {
        history_retention = LB_TRY(optional_history_retention_at(json));
    }
    return BranchRecord{
        .id = LB_TRY(id_at<BranchId>(json, "id")),
        .name = LB_TRY(json.text_at("name")),
        .line = LB_TRY(id_at<LineId>(json, "line")),
        .parent = BranchId{LB_TRY(json.unsigned_at("parent"))},
        .origin = LB_TRY(origin_at(json, "origin")),
        .requested_at = LB_TRY(json.text_at("requested_at")),
        .is_protected = LB_TRY(json.bool_at("protected")),
        .expire_time = LB_TRY(optional_time_at(json, "expire_time")),
        .ttl = LB_TRY(optional_seconds_at(json, "ttl_s")),
        .history_retention = history_retention,
        .restore = std::move(restore),
        .created_at = LB_TRY(time_at(json, "created_at")),
        .created_in = LB_TRY(id_at<Generation>(json, "created_in")),
        .version = LB_TRY(id_at<Generation>(json, "version")),
        .compute = LB_TRY(compute_at(json)),
        .port = static_cast<uint16_t>(LB_TRY(small_at(json, "port", UINT16_MAX))),
    };
}

Result<ManagedRecord> managed_from_json(const Json& json) {
    ManagedRecord record;
    record.roles = LB_TRY(managed_at(json, "roles"));
    record.databases = LB_TRY(managed_at(json, "databases"));
    record.contents = LB_TRY(contents_at(json));
    return record;
}

Result<BranchRecord> branch_from_text(std::string_view text) {
    return branch_from_json(LB_TRY(parse_record(text)));
}

Result<ManagedRecord> managed_from_text(std::string_view text) {
    return managed_from_json(LB_TRY(parse_record(text)));
}

Result<DeletedRecord> deleted_from_text(std::string_view text) {
    Json json = LB_TRY(parse_record(text));
    DeletedRecord record{.branch = LB_TRY(branch_from_json(*LB_TRY(json.object_at("branch")))),
                         .managed = LB_TRY(managed_from_json(json)),
                         .deleted_at = LB_TRY(time_at(json, "deleted_at")),
                         .gone_at = LB_TRY(time_at(json, "gone_at"))};
    for (const Json& element : *LB_TRY(json.array_at("ancestors"))) {
        const int64_t* id = element.if_integer();
        if (id == nullptr || *id <= 0)
            return damaged("\"ancestors\" holds something that is no id");
        record.ancestors.push_back(BranchId{static_cast<uint64_t>(*id)});
    }
    return record;
}

Result<ObservationRecord> observation_from_json(std::string_view text) {
    Json json = LB_TRY(parse_record(text));
    ObservationRecord record{.line = LB_TRY(id_at<LineId>(json, "line")),
                             .position = Position{LB_TRY(json.unsigned_at("position"))}};
    // One from before lb looked into databases lacks what is there, and so is never true.
    if (json.find("with_contents") == nullptr) {
        record.position = {};
        return record;
    }
    for (const Json& element : *LB_TRY(json.array_at("roles"))) {
        record.observation.roles.push_back({.name = LB_TRY(element.text_at("name")),
                                            .attributes = LB_TRY(role_attributes_from_json(
                                                *LB_TRY(element.object_at("attributes"))))});
    }
    for (const Json& element : *LB_TRY(json.array_at("databases"))) {
        record.observation.databases.push_back(LB_TRY(database_from_json(element)));
    }
    return record;
}

Result<GenerationRecord> generation_from_text(std::string_view text) {
    Json json = LB_TRY(parse_record(text));
    return generation_record_from_json(json);
}

Result<LoadsRecord> loads_from_text(std::string_view text) {
    Json json = LB_TRY(parse_record(text));
    LoadsRecord record;
    for (const Json& element : *LB_TRY(json.array_at("loads"))) {
        LoadMark mark;
        mark.at = LB_TRY(time_at(element, "at"));
        mark.position = LB_TRY(id_at<Position>(element, "position"));
        mark.author = LB_TRY(element.text_at("author"));
        mark.file = LB_TRY(element.text_at("file"));
        mark.database = LB_TRY(element.text_at("database"));
        mark.read_bytes = LB_TRY(element.unsigned_at("read_bytes"));
        record.loads.push_back(std::move(mark));
    }
    return record;
}

Result<TemplateRecord> template_from_json(std::string_view text) {
    Json json = LB_TRY(parse_record(text));
    return TemplateRecord{.line = LB_TRY(id_at<LineId>(json, "line")),
                          .postgres_version = LB_TRY(json.text_at("postgres_version"))};
}

Result<TombstoneRecord> tombstone_from_json(std::string_view text) {
    Json json = LB_TRY(parse_record(text));
    return TombstoneRecord{
        .last = LB_TRY(generation_record_from_json(*LB_TRY(json.object_at("last"))))};
}

// The key of `contents`: records are of one branch and do not name it.
Address without_branch(Address address) {
    address.branch.clear();
    return address;
}

}  // namespace

const ManagedResource* ManagedRecord::find(const Address& address) const {
    if (address.is_inside_database()) {
        auto found = contents.find(without_branch(address));
        return found == contents.end() ? nullptr : &found->second;
    }
    const auto& named = address.kind == ResourceKind::kRole ? roles : databases;
    auto found = named.find(address.name);
    return found == named.end() ? nullptr : &found->second;
}

void ManagedRecord::put(const Address& address, ManagedResource resource) {
    if (address.is_inside_database()) {
        contents[without_branch(address)] = resource;
    } else {
        (address.kind == ResourceKind::kRole ? roles : databases)[address.name] = resource;
    }
}

void ManagedRecord::erase(const Address& address) {
    if (address.is_inside_database()) {
        contents.erase(without_branch(address));
        return;
    }
    (address.kind == ResourceKind::kRole ? roles : databases).erase(address.name);
    if (address.kind != ResourceKind::kDatabase) return;
    std::erase_if(contents,
                  [&](const auto& entry) { return entry.first.database == address.name; });
}

Status check_catalog_version(std::string_view text) {
    auto record = as_damage(parse_record(text));
    if (!record.is_ok()) return std::move(record).error();
    return ok();
}

std::string project_key(ProjectId project) { return cat(kProjectPrefix, project.value()); }
std::string branch_key(ProjectId project, BranchId branch) {
    return cat(kBranchPrefix, project.value(), '/', branch.value());
}
std::string deleted_key(ProjectId project, BranchId branch) {
    return cat(kDeletedPrefix, project.value(), '/', branch.value());
}
std::string managed_key(ProjectId project, BranchId branch) {
    return cat(kManagedPrefix, project.value(), '/', branch.value());
}
std::string observed_key(ProjectId project, BranchId branch) {
    return cat(kObservedPrefix, project.value(), '/', branch.value());
}
std::string loads_key(ProjectId project, BranchId branch) {
    return cat(kLoadsPrefix, project.value(), '/', branch.value());
}
std::string generation_key(ProjectId project, Generation generation) {
    std::string digits = to_string(generation);
    if (digits.size() < kGenerationKeyDigits) {
        digits.insert(0, kGenerationKeyDigits - digits.size(), '0');
    }
    return cat(kGenerationPrefix, project.value(), '/', digits);
}
std::string template_key(uint32_t major_version) { return cat(kTemplatePrefix, major_version); }
std::string tombstone_key(std::string_view project_name) { return cat("tombstone/", project_name); }

Result<std::vector<uint64_t>> key_numbers(std::string_view key) {
    std::vector<uint64_t> numbers;
    std::vector<std::string> pieces = split(key, '/');
    if (pieces.size() < 2 || pieces.size() > 3) return damaged(cat("catalog key ", quoted(key)));
    for (size_t i = 1; i < pieces.size(); ++i) {
        uint64_t number = 0;
        const char* end = pieces[i].data() + pieces[i].size();
        auto [parsed_end, failure] = std::from_chars(pieces[i].data(), end, number);
        if (failure != std::errc{} || parsed_end != end) {
            return damaged(cat("catalog key ", quoted(key)));
        }
        numbers.push_back(number);
    }
    return numbers;
}

std::string encode(const ProjectRecord& record) {
    Json json = new_record();
    json.set("id", record.id.value());
    json.set("name", record.name);
    json.set("pg_version", int64_t{record.pg_version});
    json.set("default_branch", record.default_branch.value());
    json.set(kHistoryRetentionKey, seconds_to_json(record.history_retention));
    json.set("settings", to_json(record.settings));
    json.set("generation", record.generation.value());
    json.set("version", record.version.value());
    json.set("created_at", time_to_json(record.created_at));
    return json.dump();
}

std::string encode(const BranchRecord& record) { return branch_json(record).dump(); }

std::string encode(const DeletedRecord& record) {
    Json json = new_record();
    json.set("deleted_at", time_to_json(record.deleted_at));
    json.set("gone_at", time_to_json(record.gone_at));
    json.set("branch", branch_json(record.branch));
    Json ancestors = Json::array();
    for (BranchId id : record.ancestors) ancestors.push(id.value());
    json.set("ancestors", std::move(ancestors));
    json.set("roles", managed_json(record.managed.roles));
    json.set("databases", managed_json(record.managed.databases));
    json.set("contents", contents_json(record.managed.contents));
    return json.dump();
}

std::string encode(const ManagedRecord& record) {
    Json json = new_record();
    json.set("roles", managed_json(record.roles));
    json.set("databases", managed_json(record.databases));
    json.set("contents", contents_json(record.contents));
    return json.dump();
}

std::string encode(const ObservationRecord& record) {
    Json json = new_record();
    json.set("line", record.line.value());
    json.set("position", record.position.value());
    json.set("with_contents", true);
    Json roles = Json::array();
    for (const RoleState& role : record.observation.roles) {
        Json element = Json::object();
        element.set("name", role.name);
        element.set("attributes", to_json(role.attributes));
        roles.push(std::move(element));
    }
    json.set("roles", std::move(roles));
    Json databases = Json::array();
    for (const DatabaseState& database : record.observation.databases) {
        databases.push(to_json(database));
    }
    json.set("databases", std::move(databases));
    return json.dump();
}

std::string encode(const LoadsRecord& record) {
    Json loads = Json::array();
    for (const LoadMark& mark : record.loads) {
        Json element = Json::object();
        element.set("at", time_to_json(mark.at));
        element.set("position", mark.position.value());
        element.set("author", mark.author);
        element.set("file", mark.file);
        element.set("database", mark.database);
        element.set("read_bytes", mark.read_bytes);
        loads.push(std::move(element));
    }
    Json json = new_record();
    json.set("loads", std::move(loads));
    return json.dump();
}

std::string encode(const GenerationRecord& record) { return versioned(to_json(record)).dump(); }

std::string encode(const TemplateRecord& record) {
    Json json = new_record();
    json.set("line", record.line.value());
    json.set("postgres_version", record.postgres_version);
    return json.dump();
}

std::string encode(const TombstoneRecord& record) {
    Json json = new_record();
    json.set("last", versioned(to_json(record.last)));
    return json.dump();
}

Result<ProjectRecord> decode_project(std::string_view text) {
    return as_damage(project_from_json(text));
}
Result<BranchRecord> decode_branch(std::string_view text) {
    return as_damage(branch_from_text(text));
}
Result<DeletedRecord> decode_deleted(std::string_view text) {
    return as_damage(deleted_from_text(text));
}
Result<ManagedRecord> decode_managed(std::string_view text) {
    return as_damage(managed_from_text(text));
}
Result<ObservationRecord> decode_observation(std::string_view text) {
    return as_damage(observation_from_json(text));
}
Result<LoadsRecord> decode_loads(std::string_view text) { return as_damage(loads_from_text(text)); }
Result<GenerationRecord> decode_generation(std::string_view text) {
    return as_damage(generation_from_text(text));
}
Result<TemplateRecord> decode_template(std::string_view text) {
    return as_damage(template_from_json(text));
}
Result<TombstoneRecord> decode_tombstone(std::string_view text) {
    return as_damage(tombstone_from_json(text));
}

}  // namespace lb::engine
