#include "cli/show_resource.h"

#include <algorithm>

#include "base/text.h"
#include "planner/attributes.h"
#include "planner/describe.h"

namespace lb::cli {
namespace {

template <class Item>
const Item* find_named(const std::vector<Item>& items, std::string_view name) {
    auto found = std::ranges::find(items, name, &Item::name);
    return found == items.end() ? nullptr : &*found;
}

void list_inside(const DatabaseState& database, const std::string& branch,
                 std::vector<std::string>& texts) {
    for (const SchemaState& schema : database.schemas) {
        texts.push_back(lb::to_text(Address::of_schema(branch, database.name, schema.name)));
    }
    for (const ExtensionState& extension : database.extensions) {
        texts.push_back(lb::to_text(Address::of_extension(branch, database.name, extension.name)));
    }
}

std::vector<std::string> all_addresses(const ProjectState& live) {
    std::vector<std::string> texts = {lb::to_text(Address::project())};
    for (const BranchState& branch : live.branches) {
        texts.push_back(lb::to_text(Address::of_branch(branch.name)));
        texts.push_back(lb::to_text(Address::of_compute(branch.name)));
        for (const RoleState& role : branch.roles) {
            texts.push_back(lb::to_text(Address::of_role(branch.name, role.name)));
        }
        for (const DatabaseState& database : branch.databases) {
            texts.push_back(lb::to_text(Address::of_database(branch.name, database.name)));
            list_inside(database, branch.name, texts);
        }
    }
    return texts;
}

Error not_there(const Address& address, const ProjectState& live) {
    const BranchState* branch = live.find_branch(address.branch);
    bool is_content = !address.name.empty();
    if (is_content && branch != nullptr && !branch->is_observed) {
        return {.code = ErrorCode::kUsage,
                .message = cat("what is in branch ", address.branch, " is not known to lb"),
                .help = cat("lb looks into ", live.default_branch,
                            "; see the branch itself with: lb psql -b ", address.branch)};
    }
    std::vector<std::string> known = all_addresses(live);
    std::string text = lb::to_text(address);
    std::string_view meant = nearest(text, {known.begin(), known.end()});
    return {.code = ErrorCode::kNotFound,
            .message = cat("project ", live.name, " has no ", text),
            .help = meant.empty() ? std::string("see what there is with: lb status")
                                  : cat("did you mean ", meant, "?")};
}

template <class Item>
std::optional<Origin> origin_in(const std::vector<Item>& items, std::string_view name) {
    const Item* item = find_named(items, name);
    if (item == nullptr) return {};
    return item->origin;
}

std::optional<Origin> origin_of(const Address& address, const BranchState& branch) {
    if (address.is_inside_database()) {
        const DatabaseState* database = find_named(branch.databases, address.database);
        if (database == nullptr) return {};
        return address.kind == ResourceKind::kSchema
                   ? origin_in(database->schemas, address.name)
                   : origin_in(database->extensions, address.name);
    }
    if (address.kind == ResourceKind::kRole) return origin_in(branch.roles, address.name);
    if (address.kind == ResourceKind::kDatabase) return origin_in(branch.databases, address.name);
    return branch.origin;
}

template <class Item>
specs::Span span_in(const std::vector<Item>& items, std::string_view name) {
    const Item* item = find_named(items, name);
    return item == nullptr ? specs::Span{} : item->span;
}

specs::Span span_of(const Address& address, const specs::ProjectSpec& spec) {
    if (address.kind == ResourceKind::kProject) return spec.span;
    if (address.name.empty()) {
        const specs::BranchSpec* branch = spec.find_branch(address.branch);
        if (branch == nullptr) return {};
        bool is_compute = address.kind == ResourceKind::kCompute;
        return is_compute && branch->compute ? branch->compute_span : branch->span;
    }
    if (address.branch != spec.default_branch) return {};
    if (address.kind == ResourceKind::kRole) return span_in(spec.roles, address.name);
    if (!address.is_inside_database()) return span_in(spec.databases, address.name);
    const specs::DatabaseSpec* database = find_named(spec.databases, address.database);
    if (database == nullptr) return {};
    return address.kind == ResourceKind::kSchema ? span_in(database->schemas, address.name)
                                                 : span_in(database->extensions, address.name);
}

}  // namespace

Result<ShownResource> shown_resource(const Address& address, const ProjectState& live,
                                     const specs::ProjectSpec* spec) {
    std::optional<ResourceValue> value = planner::live_value(live, address);
    if (!value) return not_there(address, live);
    ShownResource shown{.address = address};
    shown.attributes = planner::diffs_of_create(*value);
    if (spec != nullptr && spec->name == live.name) shown.span = span_of(address, *spec);
    const BranchState* branch = live.find_branch(address.branch);
    if (branch == nullptr) {
        shown.changed_in = live.generation;
        return shown;
    }
    shown.origin = origin_of(address, *branch);
    shown.changed_in = branch->version;
    if (address.name.empty()) shown.created_in = branch->created_in;
    return shown;
}

Json to_json(const ShownResource& resource) {
    Json json = Json::object();
    json.set("address", lb::to_text(resource.address));
    json.set("kind", lb::to_text(resource.address.kind));
    json.set("origin", resource.origin ? Json(lb::to_text(*resource.origin)) : Json());
    auto generation = [](const std::optional<Generation>& number) {
        return number ? Json(number->value()) : Json();
    };
    json.set("created_in", generation(resource.created_in));
    json.set("changed_in", generation(resource.changed_in));
    Json attributes = Json::object();
    for (const planner::AttributeDiff& attribute : resource.attributes) {
        attributes.set(attribute.name, attribute.after.value_or(""));
    }
    json.set("attributes", std::move(attributes));
    bool is_declared = resource.span.line != 0;
    json.set("file", is_declared ? Json(resource.span.file) : Json());
    json.set("line", is_declared ? Json(int64_t{resource.span.line}) : Json());
    return json;
}

std::string to_text(const ShownResource& resource) {
    std::vector<std::pair<std::string, std::string>> rows;
    for (const planner::AttributeDiff& attribute : resource.attributes) {
        rows.emplace_back(attribute.name, attribute.after.value_or(""));
    }
    if (resource.origin) rows.emplace_back("origin", lb::to_text(*resource.origin));
    auto add_generation = [&](std::string_view name, const std::optional<Generation>& number) {
        if (number) rows.emplace_back(name, cat("generation ", number->value()));
    };
    add_generation("created in", resource.created_in);
    bool is_in_branch = !resource.address.name.empty();
    add_generation(is_in_branch ? "branch changed in" : "changed in", resource.changed_in);
    rows.emplace_back("declared in", resource.span.line == 0
                                         ? "no place of the spec"
                                         : cat(resource.span.file, ":", resource.span.line));
    size_t width = 0;
    for (const auto& [name, value] : rows) width = std::max(width, planner::width_of(name));
    std::string text = planner::printable(lb::to_text(resource.address)) + "\n";
    for (const auto& [name, value] : rows) {
        text += cat("  ", planner::padded(name, width), "  ", planner::printable(value), "\n");
    }
    return text;
}

}  // namespace lb::cli
