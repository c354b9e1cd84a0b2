#include "specs/json_schema.h"

#include "base/text.h"
#include "specs/internal/key_rules.h"
#include "specs/internal/toml_reader.h"

namespace lb::specs {

namespace {

Json of_type(std::string_view name) {
    Json schema = Json::object();
    schema.set("type", name);
    return schema;
}

Json list_of(Json items) {
    Json schema = of_type("array");
    schema.set("items", std::move(items));
    return schema;
}

Json by_name(Json values) {
    Json schema = of_type("object");
    schema.set("additionalProperties", std::move(values));
    return schema;
}

Json scalar() {
    Json types = Json::array();
    for (const char* name : {"string", "number", "boolean"}) types.push(name);
    Json schema = Json::object();
    schema.set("type", std::move(types));
    return schema;
}

Json reference_to(const TableRules& rules) {
    Json schema = Json::object();
    schema.set("$ref", cat("#/$defs/", rules.id));
    return schema;
}

Json either(Json one, Json other) {
    Json choices = Json::array();
    choices.push(std::move(one));
    choices.push(std::move(other));
    Json schema = Json::object();
    schema.set("anyOf", std::move(choices));
    return schema;
}

// A value, or a variable in its place. A string is both anyway.
Json or_variable(Json value) {
    Json variable = of_type("string");
    variable.set("pattern", "^\\$\\{var\\.[A-Za-z_][A-Za-z0-9_]*\\}$");
    return either(std::move(value), std::move(variable));
}

Json bound(double value) {
    auto whole = static_cast<int64_t>(value);
    return static_cast<double>(whole) == value ? Json(whole) : Json(value);
}

Json number(std::string_view type, const KeyRule& rule) {
    Json schema = of_type(type);
    if (rule.min) schema.set("minimum", bound(*rule.min));
    if (rule.max) schema.set("maximum", bound(*rule.max));
    return or_variable(std::move(schema));
}

Json value_schema(const KeyRule& rule) {
    switch (rule.type) {
        case KeyType::kString:
        case KeyType::kDuration:
        case KeyType::kTime:
        case KeyType::kMoment: return of_type("string");
        case KeyType::kBoolean: return or_variable(of_type("boolean"));
        case KeyType::kInteger: return number("integer", rule);
        case KeyType::kNumber: return number("number", rule);
        case KeyType::kStrings: return list_of(of_type("string"));
        case KeyType::kNamesOrTables:
            return list_of(either(of_type("string"), reference_to(*rule.table)));
        case KeyType::kTable: return reference_to(*rule.table);
        case KeyType::kNamedTables: return by_name(reference_to(*rule.table));
        case KeyType::kTableList: return list_of(reference_to(*rule.table));
        case KeyType::kAnyScalar: return scalar();
        case KeyType::kScalars: return by_name(scalar());
    }
    return Json::object();
}

Json key_schema(const KeyRule& rule) {
    Json schema = value_schema(rule);
    schema.set("description", rule.documentation);
    if (auto usual = json_of_toml_value(rule.usual)) schema.set("default", *std::move(usual));
    if (auto example = json_of_toml_value(rule.example)) {
        Json examples = Json::array();
        examples.push(*std::move(example));
        schema.set("examples", std::move(examples));
    }
    return schema;
}

Json table_schema(const TableRules& rules) {
    Json properties = Json::object();
    Json required = Json::array();
    for (const KeyRule& rule : rules.keys) {
        if (rule.support == KeySupport::kNotYet) continue;
        properties.set(rule.name, key_schema(rule));
        if (rule.is_required()) required.push(rule.name);
    }
    Json schema = of_type("object");
    schema.set("properties", std::move(properties));
    if (!required.if_array()->empty()) schema.set("required", std::move(required));
    schema.set("additionalProperties", false);
    return schema;
}

}  // namespace

Json json_schema() {
    Json schema = Json::object();
    schema.set("$schema", "https://json-schema.org/draft/2020-12/schema");
    schema.set("title", "lb.toml");
    schema.set("description", "The branches, roles and databases of a project of lb.");
    const Json root = table_schema(kSpecRules);
    for (const Json::Member& member : *root.if_object()) schema.set(member.first, member.second);
    Json definitions = Json::object();
    for (const TableRules* table : all_tables()) {
        if (table != &kSpecRules) definitions.set(table->id, table_schema(*table));
    }
    schema.set("$defs", std::move(definitions));
    return schema;
}

}  // namespace lb::specs
