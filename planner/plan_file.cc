#include "planner/plan_file.h"

#include <map>

#include "base/hash.h"
#include "base/text.h"
#include "planner/attributes.h"
#include "planner/describe.h"
#include "planner/render.h"

namespace lb::planner {

namespace {

// A newer minor version has more members, which an older lb may not leave out; so a file is read by
// its own version only.
constexpr int64_t kFileVersion = 1;

Error damaged(std::string_view what) {
    return Error{.code = ErrorCode::kBadRequest,
                 .message = cat("the plan file ", what),
                 .help = "make a new one: lb plan --out FILE"};
}

std::string checksum_of(const Json& payload) {
    std::string text = payload.dump();
    std::byte bytes[sizeof(uint64_t)];
    store_little_endian(
        bytes, hash64(ByteView(reinterpret_cast<const std::byte*>(text.data()), text.size())));
    return hex(as_text(ByteView(bytes)));
}

std::string_view to_text(specs::SecretReference::Kind kind) {
    return kind == specs::SecretReference::Kind::kFile ? "file" : "env";
}

Json secrets_to_json(const std::vector<SavedSecret>& secrets) {
    Json list = Json::array();
    for (const SavedSecret& secret : secrets) {
        Json item = Json::object();
        item.set("role", lb::to_text(secret.role));
        item.set("kind", to_text(secret.reference.kind));
        item.set("name", secret.reference.name);
        list.push(std::move(item));
    }
    return list;
}

Result<SavedSecret> secret_from(const Json& item) {
    SavedSecret secret;
    secret.role = LB_TRY(parse_address(LB_TRY(item.text_at("role"))));
    std::string kind = LB_TRY(item.text_at("kind"));
    if (secret.role.kind != ResourceKind::kRole || (kind != "env" && kind != "file")) {
        return damaged("names a secret that is none");
    }
    using Kind = specs::SecretReference::Kind;
    secret.reference.kind = kind == "file" ? Kind::kFile : Kind::kEnvironment;
    secret.reference.name = LB_TRY(item.text_at("name"));
    return secret;
}

// The roles' verifiers are secrets.
void strip_verifiers(Plan& plan) {
    for (PlannedChange& planned : plan.changes) {
        auto* role = std::get_if<RoleValue>(&planned.change.value);
        if (role != nullptr) role->attributes.password_verifier.clear();
    }
}

Result<SavedPlan> read_payload(const Json& payload) {
    SavedPlan saved;
    ChangeSet changes = LB_TRY(change_set_from_json(*LB_TRY(payload.object_at("change_set"))));
    saved.plan = LB_TRY(plan_from_json(*LB_TRY(payload.object_at("plan")), std::move(changes)));
    saved.spec_hash = LB_TRY(payload.text_at("spec_hash"));
    saved.project_created_at = LB_TRY(optional_time_at(payload, "project_created_at"));
    for (const Json& item : *LB_TRY(payload.array_at("secrets"))) {
        saved.secrets.push_back(LB_TRY(secret_from(item)));
    }
    Plan stripped = saved.plan;
    strip_verifiers(stripped);
    if (!(stripped == saved.plan)) return damaged("holds a secret");
    return saved;
}

}  // namespace

SavedPlan saved_plan(const Plan& plan, const specs::ProjectSpec& spec, const ProjectState& live) {
    SavedPlan saved{.plan = plan, .spec_hash = spec.content_hash};
    strip_verifiers(saved.plan);
    for (UndoStep& step : saved.plan.undo) {
        step.change.value = {};
        step.change.origin = {};
    }
    const BranchState* root = live.exists ? live.find_branch(live.default_branch) : nullptr;
    if (root != nullptr) saved.project_created_at = root->created_at;
    std::map<std::string_view, const specs::RoleSpec*> roles;
    for (const specs::RoleSpec& role : spec.roles) roles[role.name] = &role;
    for (const PlannedChange& planned : saved.plan.changes) {
        if (!std::holds_alternative<RoleValue>(planned.change.value)) continue;
        auto role = roles.find(planned.change.address.name);
        if (role == roles.end() || !role->second->password) continue;
        SavedSecret& secret = saved.secrets.emplace_back();
        secret.role = planned.change.address;
        secret.reference = *role->second->password;
        secret.reference.span = {};
    }
    return saved;
}

std::string encode_plan_file(const SavedPlan& saved) {
    Json payload = Json::object();
    payload.set("plan", to_json(saved.plan));
    payload.set("change_set", to_json(to_change_set(saved.plan)));
    payload.set("spec_hash", saved.spec_hash);
    payload.set("project_created_at", time_to_json(saved.project_created_at));
    payload.set("secrets", secrets_to_json(saved.secrets));
    Json file = Json::object();
    file.set("lb_plan_file", kFileVersion);
    file.set("checksum", checksum_of(payload));
    file.set("payload", std::move(payload));
    return file.dump(2) + "\n";
}

Result<SavedPlan> decode_plan_file(std::string_view text) {
    Result<Json> file = Json::parse(text);
    if (!file.is_ok()) {
        bool is_begun = text.starts_with("{\n  \"lb_plan_file\"");
        return damaged(is_begun ? "is not complete, or was changed" : "is no plan file of lb");
    }
    Result<int64_t> version = file->integer_at("lb_plan_file");
    if (!version.is_ok()) return damaged("is no plan file of lb");
    if (*version != kFileVersion) {
        return Error{.code = ErrorCode::kVersionMismatch,
                     .message = cat("the plan file has format version ", *version,
                                    ", and this lb reads version ", kFileVersion),
                     .help = "use the lb that wrote it, or make a new one: lb plan --out FILE"};
    }
    Result<std::string> checksum = file->text_at("checksum");
    const Json* payload = file->find("payload");
    if (!checksum.is_ok() || payload == nullptr || checksum_of(*payload) != *checksum) {
        return damaged("was changed after it was written");
    }
    Result<SavedPlan> saved = read_payload(*payload);
    if (!saved.is_ok()) return damaged(cat("cannot be read: ", saved.error().message));
    return saved;
}

specs::ProjectSpec spec_of_secrets(const SavedPlan& saved, const ProjectState& live) {
    specs::ProjectSpec spec;
    spec.name = saved.plan.project;
    if (live.exists) spec.default_branch = live.default_branch;
    for (const SavedSecret& secret : saved.secrets) {
        specs::RoleSpec& role = spec.roles.emplace_back();
        role.name = secret.role.name;
        role.password = secret.reference;
    }
    return spec;
}

Status fill_verifiers(SavedPlan& saved, const specs::ProjectSpec& spec, const ProjectState& live) {
    std::map<std::string_view, std::string_view> verifiers;
    for (const specs::RoleSpec& role : spec.roles) {
        verifiers[role.name] = role.attributes.password_verifier;
    }
    for (PlannedChange& planned : saved.plan.changes) {
        auto* value = std::get_if<RoleValue>(&planned.change.value);
        auto found = verifiers.find(planned.change.address.name);
        if (value == nullptr || found == verifiers.end()) continue;
        value->attributes.password_verifier = std::string(found->second);
        bool is_planned = false;
        for (const AttributeDiff& diff : planned.diffs) is_planned |= diff.name == "password";
        std::optional<ResourceValue> before = live_value(live, planned.change.address);
        if (is_planned || !before) continue;
        if (std::get<RoleValue>(*before).attributes.password_verifier == found->second) continue;
        return Error{.code = ErrorCode::kPlanStale,
                     .message = cat("the password of ", lb::to_text(planned.change.address),
                                    " is another one than when the plan was made"),
                     .help = "make a new plan: lb plan --out FILE"};
    }
    return ok();
}

std::vector<std::string> plan_differences(const Plan& before, const Plan& now) {
    std::map<Address, const PlannedChange*> old_changes;
    for (const PlannedChange& planned : before.changes) {
        old_changes[planned.change.address] = &planned;
    }
    std::vector<std::string> lines;
    auto line = [](std::string_view what, const PlannedChange& planned) {
        return printable(cat(what, lb::to_text(planned.change.kind), " ",
                             lb::to_text(planned.change.address), "  ", describe(planned)));
    };
    for (const PlannedChange& planned : now.changes) {
        auto old = old_changes.find(planned.change.address);
        if (old == old_changes.end()) {
            lines.push_back(line("new: ", planned));
            continue;
        }
        bool is_same = old->second->change.kind == planned.change.kind &&
                       old->second->diffs == planned.diffs && old->second->risk == planned.risk &&
                       old->second->refusal == planned.refusal;
        if (!is_same) lines.push_back(line("other: ", planned));
        old_changes.erase(old);
    }
    for (const auto& [address, planned] : old_changes) {
        lines.push_back(line("gone: ", *planned));
    }
    return lines;
}

}  // namespace lb::planner
