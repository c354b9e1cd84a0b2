#include "tests/specs/json_schema_check.h"

#include <regex>
#include <set>

#include "base/text.h"

namespace lb::specs {
namespace {

const std::string& text_of(const Json* json) {
    static const std::string none;
    const std::string* text = json == nullptr ? nullptr : json->if_text();
    return text == nullptr ? none : *text;
}

bool has_type(const Json& value, std::string_view type) {
    if (type == "string") return value.if_text() != nullptr;
    if (type == "boolean") return value.if_bool() != nullptr;
    if (type == "integer") return value.if_integer() != nullptr;
    if (type == "number") return value.if_integer() != nullptr || value.if_double() != nullptr;
    if (type == "array") return value.if_array() != nullptr;
    if (type == "object") return value.if_object() != nullptr;
    return false;
}

double number_of(const Json& json) {
    if (const int64_t* integer = json.if_integer()) return static_cast<double>(*integer);
    return json.if_double() == nullptr ? 0 : *json.if_double();
}

class Checker {
public:
    Checker(const Json& root, std::vector<std::string>& findings)
        : root_(root), findings_(findings) {}

    void check(const Json& schema, const Json& value, const std::string& path) {
        check_keywords(schema, path);
        if (const Json* reference = schema.find("$ref")) {
            constexpr std::string_view kPrefix = "#/$defs/";
            const Json* target =
                root_.find("$defs")->find(text_of(reference).substr(kPrefix.size()));
            if (target == nullptr) return report(path, cat("no ", text_of(reference)));
            check(*target, value, path);
        }
        check_type(schema, value, path);
        check_scalar(schema, value, path);
        if (const Json* choices = schema.find("anyOf")) check_choices(*choices, value, path);
        if (const Json* items = schema.find("items"); items && value.if_array()) {
            for (const Json& item : *value.if_array()) check(*items, item, path + "[]");
        }
        if (value.if_object() != nullptr) check_members(schema, value, path);
    }

private:
    void report(const std::string& path, std::string_view what) {
        findings_.push_back(cat(path, ": ", what));
    }

    void check_keywords(const Json& schema, const std::string& path) {
        static const std::set<std::string> known = {
            "$schema",     "$ref",    "$defs",    "title",      "type",
            "description", "default", "examples", "properties", "additionalProperties",
            "required",    "items",   "minimum",  "maximum",    "pattern",
            "anyOf"};
        for (const Json::Member& member : *schema.if_object()) {
            if (known.count(member.first) == 0) report(path, cat("keyword ", member.first));
        }
    }

    void check_type(const Json& schema, const Json& value, const std::string& path) {
        const Json* type = schema.find("type");
        if (type == nullptr) return;
        bool is_right = false;
        if (type->if_text() != nullptr) {
            is_right = has_type(value, text_of(type));
        } else {
            for (const Json& one : *type->if_array()) is_right |= has_type(value, text_of(&one));
        }
        if (!is_right) report(path, cat("not a ", type->dump()));
    }

    void check_scalar(const Json& schema, const Json& value, const std::string& path) {
        bool is_number = has_type(value, "number");
        const Json* min = schema.find("minimum");
        if (min && is_number && number_of(value) < number_of(*min)) report(path, "too small");
        const Json* max = schema.find("maximum");
        if (max && is_number && number_of(value) > number_of(*max)) report(path, "too large");
        const Json* pattern = schema.find("pattern");
        if (pattern && value.if_text() &&
            !std::regex_search(*value.if_text(), std::regex(text_of(pattern)))) {
            report(path, "does not match");
        }
    }

    void check_choices(const Json& choices, const Json& value, const std::string& path) {
        for (const Json& choice : *choices.if_array()) {
            std::vector<std::string> found;
            Checker(root_, found).check(choice, value, path);
            if (found.empty()) return;
        }
        report(path, "none of the choices");
    }

    void check_members(const Json& schema, const Json& value, const std::string& path) {
        const Json* properties = schema.find("properties");
        const Json* others = schema.find("additionalProperties");
        for (const Json::Member& member : *value.if_object()) {
            std::string inner = path.empty() ? member.first : cat(path, ".", member.first);
            const Json* known = properties ? properties->find(member.first) : nullptr;
            if (known != nullptr) {
                check(*known, member.second, inner);
            } else if (others != nullptr && others->if_object() != nullptr) {
                check(*others, member.second, inner);
            } else if (others != nullptr && !*others->if_bool()) {
                report(inner, "unknown key");
            }
        }
        const Json* required = schema.find("required");
        if (required == nullptr) return;
        for (const Json& key : *required->if_array()) {
            if (value.find(text_of(&key)) == nullptr) report(path, cat("no ", text_of(&key)));
        }
    }

    const Json& root_;
    std::vector<std::string>& findings_;
};

}  // namespace

std::vector<std::string> schema_findings(const Json& schema, const Json& value) {
    std::vector<std::string> findings;
    Checker(schema, findings).check(schema, value, "");
    return findings;
}

}  // namespace lb::specs
