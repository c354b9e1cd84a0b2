#include "base/model/generation.h"

#include "base/text.h"

namespace lb {

namespace {

Error bad(std::string message) {
    return Error{.code = ErrorCode::kBadRequest, .message = std::move(message)};
}

bool is_absent(const ResourceValue& value) { return std::holds_alternative<std::monostate>(value); }

Json change_json(const GenerationChange& change) {
    Json json = Json::object();
    json.set("kind", to_text(change.kind));
    json.set("address", to_text(change.address));
    json.set("origin", to_text(change.origin));
    json.set("detail", change.detail);
    if (!is_absent(change.before)) json.set("before", to_json(change.before));
    if (!is_absent(change.after)) json.set("after", to_json(change.after));
    return json;
}

Result<ResourceValue> value_at(const Json& json, std::string_view key, ResourceKind kind) {
    const Json* value = json.find(key);
    if (value == nullptr || value->is_null()) return ResourceValue{};
    return resource_value_from_json(kind, *value);
}

Result<GenerationChange> change_from_json(const Json& json) {
    GenerationChange change;
    Result<Address> address = parse_address(LB_TRY(json.text_at("address")));
    if (!address.is_ok()) return bad(address.error().message);
    change.address = *std::move(address);
    std::string kind = LB_TRY(json.text_at("kind"));
    std::optional<ChangeKind> known = change_kind_from_text(kind);
    if (!known) return bad(cat("JSON: unknown kind of change ", quoted(kind)));
    change.kind = *known;
    // Records from before there were restores have neither.
    if (json.find("origin") != nullptr) {
        change.origin = LB_TRY(origin_at(json, "origin"));
        change.detail = LB_TRY(json.text_at("detail"));
    }
    change.before = LB_TRY(value_at(json, "before", change.address.kind));
    change.after = LB_TRY(value_at(json, "after", change.address.kind));
    return change;
}

}  // namespace

Json to_json(const GenerationRecord& record) {
    Json json = Json::object();
    json.set("number", record.number.value());
    json.set("applied_at", time_to_json(record.applied_at));
    json.set("author", record.author);
    json.set("plan_id", record.plan_id);
    json.set("spec_hash", record.spec_hash);
    json.set("git_commit", record.git_commit);
    json.set("transaction", record.transaction);
    json.set("position", record.position.value());
    json.set("values", record.has_values);
    Json changes = Json::array();
    for (const GenerationChange& change : record.changes) changes.push(change_json(change));
    json.set("changes", std::move(changes));
    return json;
}

Result<GenerationRecord> generation_record_from_json(const Json& json) {
    GenerationRecord record;
    record.number = Generation{LB_TRY(json.unsigned_at("number"))};
    if (record.number == Generation{}) return bad("JSON: generation 0");
    std::optional<WallTime> applied_at = LB_TRY(optional_time_at(json, "applied_at"));
    if (!applied_at) return bad("JSON: key \"applied_at\" is null");
    record.applied_at = *applied_at;
    record.author = LB_TRY(json.text_at("author"));
    record.plan_id = LB_TRY(json.text_at("plan_id"));
    record.git_commit = LB_TRY(json.text_at("git_commit"));
    record.transaction = LB_TRY(json.text_at("transaction"));
    record.position = Position{LB_TRY(json.unsigned_at("position"))};
    record.has_values = json.find("values") != nullptr;
    if (record.has_values) {
        record.has_values = LB_TRY(json.bool_at("values"));
        record.spec_hash = LB_TRY(json.text_at("spec_hash"));
    }
    for (const Json& element : *LB_TRY(json.array_at("changes"))) {
        record.changes.push_back(LB_TRY(change_from_json(element)));
    }
    return record;
}

}  // namespace lb
