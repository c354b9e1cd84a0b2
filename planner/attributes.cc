#include "planner/attributes.h"

#include "base/model/moment.h"
#include "base/text.h"

namespace lb::planner {

namespace {

struct Attribute {
    std::string name;
    std::optional<std::string> text;
};

std::string truth(bool value) { return value ? "true" : "false"; }

std::optional<std::string> unless_empty(std::string text) {
    return text.empty() ? std::nullopt : std::optional(std::move(text));
}

std::string centi_cu_text(uint32_t size_centi_cu) {
    std::string text = cat(size_centi_cu / 100);
    uint32_t hundredths = size_centi_cu % 100;
    if (hundredths == 0) return text;
    text += cat(".", hundredths / 10);
    return hundredths % 10 == 0 ? text : cat(text, hundredths % 10);
}

std::optional<std::string> restore_text(const std::optional<RestoreValue>& restore) {
    if (!restore) return std::nullopt;
    std::string text = cat("to ", restore->to.empty() ? std::string("now") : restore->to);
    if (!restore->from.empty()) text += cat(" of ", restore->from);
    if (!restore->backup.empty()) text += cat(", old state stays as ", restore->backup);
    return text;
}

// Every attribute of a kind of resource, always the same ones in the same order.
struct ListAttributes {
    using List = std::vector<Attribute>;

    List operator()(std::monostate) const { return {}; }
    List operator()(const ProjectValue& project) const {
        return {{"pg_version", cat(project.pg_version)},
                {"default_branch", project.default_branch},
                {"history_retention", format_short_duration(project.history_retention)}};
    }
    List operator()(const BranchValue& branch) const {
        auto expire_time =
            branch.expire_time ? std::optional(exact_time_text(*branch.expire_time)) : std::nullopt;
        auto ttl = branch.ttl ? std::optional(format_short_duration(*branch.ttl)) : std::nullopt;
        auto history_retention =
            branch.history_retention
                ? std::optional(format_short_duration(*branch.history_retention))
                : std::nullopt;
        return {{"parent", unless_empty(branch.parent)},
                {"at", unless_empty(branch.requested_at)},
                {"protected", truth(branch.is_protected)},
                {"expire_time", expire_time},
                {"ttl", ttl},
                {"history_retention", history_retention},
                {"restore", restore_text(branch.restore)}};
    }
    List operator()(const ComputeSettings& compute) const {
        return {{"size", cat(centi_cu_text(compute.size_centi_cu), " CU")},
                {"port", compute.port == 0 ? std::nullopt : std::optional(cat(compute.port))},
                {"listen_addresses", unless_empty(join(compute.listen_addresses, ", "))},
                {"always_on", truth(compute.always_on)}};
    }
    List operator()(const RoleValue& role) const {
        const RoleAttributes& attributes = role.attributes;
        int32_t limit = attributes.connection_limit;
        bool has_password = !attributes.password_verifier.empty();
        return {{"login", truth(attributes.login)},
                {"superuser", truth(attributes.superuser)},
                {"create_database", truth(attributes.create_database)},
                {"create_role", truth(attributes.create_role)},
                {"inherit", truth(attributes.inherit)},
                {"replication", truth(attributes.replication)},
                {"bypass_row_security", truth(attributes.bypass_row_security)},
                {"connection_limit", limit < 0 ? std::nullopt : std::optional(cat(limit))},
                {"member_of", unless_empty(join(attributes.member_of, ", "))},
                {"password", has_password ? "(set)" : "(none)"},
                {"valid_until", attributes.valid_until
                                    ? std::optional(exact_time_text(*attributes.valid_until))
                                    : std::nullopt}};
    }
    List operator()(const DatabaseValue& database) const {
        int32_t limit = database.connection_limit;
        return {{"owner", database.owner},
                {"connection_limit", limit < 0 ? std::nullopt : std::optional(cat(limit))},
                {"encoding", unless_empty(database.encoding)},
                {"locale", unless_empty(database.locale)},
                {"template", unless_empty(database.template_name)}};
    }
    List operator()(const SchemaValue& schema) const { return {{"owner", schema.owner}}; }
    List operator()(const ExtensionValue& extension) const {
        return {{"schema", unless_empty(extension.schema)},
                {"version", unless_empty(extension.version)}};
    }
};

std::vector<Attribute> attributes_of(const ResourceValue& value) {
    return std::visit(ListAttributes{}, value);
}

// A value of the same kind with everything that a new resource need not mention.
struct UsualValue {
    ResourceValue operator()(std::monostate) const { return {}; }
    ResourceValue operator()(const ProjectValue&) const { return ProjectValue{.pg_version = 0}; }
    ResourceValue operator()(const BranchValue&) const { return BranchValue{}; }
    ResourceValue operator()(const ComputeSettings&) const {
        return ComputeSettings{.size_centi_cu = 0};
    }
    ResourceValue operator()(const RoleValue&) const { return RoleValue{}; }
    ResourceValue operator()(const DatabaseValue&) const { return DatabaseValue{}; }
    ResourceValue operator()(const SchemaValue&) const { return SchemaValue{}; }
    ResourceValue operator()(const ExtensionValue&) const { return ExtensionValue{}; }
};

const Settings& settings_of(const ResourceValue& value) {
    static const Settings kNone;
    if (auto* project = std::get_if<ProjectValue>(&value)) return project->settings;
    if (auto* compute = std::get_if<ComputeSettings>(&value)) return compute->settings;
    if (auto* role = std::get_if<RoleValue>(&value)) return role->attributes.settings;
    if (auto* database = std::get_if<DatabaseValue>(&value)) return database->settings;
    return kNone;
}

void add_settings_diffs(const Settings& before, const Settings& after,
                        std::vector<AttributeDiff>& diffs) {
    auto value_in = [](const Settings& settings, const std::string& name) {
        auto found = settings.find(name);
        return found == settings.end() ? std::nullopt : std::optional(found->second);
    };
    Settings all = before;
    all.insert(after.begin(), after.end());
    for (const auto& [name, value] : all) {
        AttributeDiff diff{.name = cat("settings.", name),
                           .before = value_in(before, name),
                           .after = value_in(after, name)};
        if (diff.before != diff.after) diffs.push_back(std::move(diff));
    }
}

const RoleAttributes* role_attributes(const ResourceValue& value) {
    auto* role = std::get_if<RoleValue>(&value);
    return role == nullptr ? nullptr : &role->attributes;
}

bool is_password_replaced(const ResourceValue& before, const ResourceValue& after) {
    const RoleAttributes* old_role = role_attributes(before);
    const RoleAttributes* new_role = role_attributes(after);
    return old_role != nullptr && new_role != nullptr && !old_role->password_verifier.empty() &&
           !new_role->password_verifier.empty() &&
           old_role->password_verifier != new_role->password_verifier;
}

}  // namespace

BranchValue value_of(const BranchState& branch) {
    return BranchValue{.parent = branch.parent,
                       .requested_at = branch.requested_at,
                       .is_protected = branch.is_protected,
                       .expire_time = branch.ttl ? std::nullopt : branch.expire_time,
                       .ttl = branch.ttl,
                       .history_retention = branch.history_retention,
                       .restore = branch.restore};
}

ProjectValue value_of(const ProjectState& project) {
    return ProjectValue{.pg_version = project.pg_version,
                        .default_branch = project.default_branch,
                        .history_retention = project.history_retention,
                        .settings = project.settings};
}

DatabaseValue value_of(const DatabaseState& database) {
    return DatabaseValue{.owner = database.owner.empty() ? std::string(kSuperuser) : database.owner,
                         .connection_limit = database.connection_limit,
                         .encoding = database.encoding,
                         .locale = database.locale,
                         .settings = database.settings};
}

SchemaValue value_of(const SchemaState& schema) { return SchemaValue{schema.owner}; }

ExtensionValue value_of(const ExtensionState& extension) {
    return ExtensionValue{.schema = extension.schema, .version = extension.version};
}

namespace {

template <class Item>
const Item* find_named(const std::vector<Item>& items, std::string_view name) {
    for (const Item& item : items) {
        if (item.name == name) return &item;
    }
    return nullptr;
}

template <class Item>
std::optional<ResourceValue> named_value(const std::vector<Item>& items, std::string_view name) {
    const Item* item = find_named(items, name);
    if (item == nullptr) return std::nullopt;
    return value_of(*item);
}

}  // namespace

std::optional<ResourceValue> live_value(const ProjectState& live, const Address& address) {
    if (address.kind == ResourceKind::kProject) {
        if (!live.exists) return std::nullopt;
        return value_of(live);
    }
    const BranchState* branch = live.find_branch(address.branch);
    if (branch == nullptr) return std::nullopt;
    switch (address.kind) {
        case ResourceKind::kProject: break;
        case ResourceKind::kBranch: return value_of(*branch);
        case ResourceKind::kCompute: return branch->compute.settings;
        case ResourceKind::kRole: {
            const RoleState* role = find_named(branch->roles, address.name);
            if (role != nullptr) return RoleValue{role->attributes};
            break;
        }
        case ResourceKind::kDatabase: return named_value(branch->databases, address.name);
        case ResourceKind::kSchema:
        case ResourceKind::kExtension: {
            const DatabaseState* database = find_named(branch->databases, address.database);
            if (database == nullptr) break;
            return address.kind == ResourceKind::kSchema
                       ? named_value(database->schemas, address.name)
                       : named_value(database->extensions, address.name);
        }
    }
    return std::nullopt;
}

Risk risk_of_update(const ComputeSettings& before, const ComputeSettings& after) {
    ComputeSettings switched = before;
    switched.always_on = after.always_on;
    return switched == after ? Risk::kNone : Risk::kRestartsCompute;
}

Risk risk_of_delete(const Address& address) {
    switch (address.kind) {
        case ResourceKind::kProject:
        case ResourceKind::kBranch:
        case ResourceKind::kDatabase: return Risk::kDeletesData;
        case ResourceKind::kCompute:
        case ResourceKind::kRole:
        // Nothing that holds data goes with them: what depends on them keeps them from going.
        case ResourceKind::kSchema:
        case ResourceKind::kExtension: return Risk::kNone;
    }
    return Risk::kNone;
}

std::vector<AttributeDiff> diffs_of_create(const ResourceValue& after) {
    std::vector<AttributeDiff> diffs = diffs_of_update(std::visit(UsualValue{}, after), after);
    for (AttributeDiff& diff : diffs) diff.before.reset();
    return diffs;
}

std::vector<AttributeDiff> diffs_of_delete(const ResourceValue& before) {
    std::vector<AttributeDiff> diffs = diffs_of_create(before);
    for (AttributeDiff& diff : diffs) diff.before.swap(diff.after);
    return diffs;
}

std::vector<AttributeDiff> diffs_of_update(const ResourceValue& before,
                                           const ResourceValue& after) {
    LB_ASSERT(before.index() == after.index());
    std::vector<Attribute> old_attributes = attributes_of(before);
    std::vector<Attribute> new_attributes = attributes_of(after);
    std::vector<AttributeDiff> diffs;
    for (size_t i = 0; i < old_attributes.size(); ++i) {
        if (old_attributes[i].text == new_attributes[i].text) continue;
        diffs.push_back(AttributeDiff{.name = old_attributes[i].name,
                                      .before = std::move(old_attributes[i].text),
                                      .after = std::move(new_attributes[i].text)});
    }
    if (is_password_replaced(before, after)) {
        diffs.push_back(AttributeDiff{.name = "password", .before = "(set)", .after = "(new)"});
    }
    add_settings_diffs(settings_of(before), settings_of(after), diffs);
    return diffs;
}

}  // namespace lb::planner
