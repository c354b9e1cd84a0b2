#include "base/model/contents.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace lb {

namespace {

// PostgreSQL's GUC_LIST_QUOTE.
constexpr std::array<std::string_view, 6> kListSettings = {
    "local_preload_libraries",  "search_path",      "session_preload_libraries",
    "shared_preload_libraries", "temp_tablespaces", "unix_socket_directories"};

Error bad(std::string message) {
    return Error{.code = ErrorCode::kBadRequest, .message = std::move(message)};
}

bool is_plain_element(std::string_view element) {
    bool is_first_plain = !element.empty() && !(element.front() >= '0' && element.front() <= '9');
    return is_first_plain && std::ranges::all_of(element, [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
           });
}

std::string_view trimmed(std::string_view text) {
    size_t begin = text.find_first_not_of(" \t\n");
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(" \t\n") - begin + 1);
}

}  // namespace

Result<Origin> origin_at(const Json& json) {
    std::string text = LB_TRY(json.text_at("origin"));
    for (Origin origin : {Origin::kSpec, Origin::kCommand, Origin::kManual}) {
        if (to_text(origin) == text) return origin;
    }
    return bad(cat("JSON: unknown origin ", quoted(text)));
}

std::string_view to_text(Origin origin) {
    switch (origin) {
        case Origin::kSpec: return "spec";
        case Origin::kCommand: return "command";
        case Origin::kManual: return "manual";
    }
    return "";
}

Json to_json(const Settings& settings) {
    Json json = Json::object();
    for (const auto& [name, value] : settings) json.append_member(name, value);
    return json;
}

Result<Settings> settings_at(const Json& json, std::string_view key) {
    Settings settings;
    for (const auto& [name, value] : *LB_TRY(json.object_at(key))->if_object()) {
        if (value.if_text() == nullptr) {
            return bad(cat("JSON: setting ", quoted(name), " is no text"));
        }
        settings.emplace(name, *value.if_text());
    }
    return settings;
}

Json to_json(const SchemaState& schema) {
    Json json = Json::object();
    json.set("name", schema.name);
    json.set("origin", to_text(schema.origin));
    json.set("owner", schema.owner);
    return json;
}

Result<SchemaState> schema_from_json(const Json& json) {
    SchemaState schema;
    schema.name = LB_TRY(json.text_at("name"));
    schema.origin = LB_TRY(origin_at(json));
    schema.owner = LB_TRY(json.text_at("owner"));
    return schema;
}

Json to_json(const ExtensionState& extension) {
    Json json = Json::object();
    json.set("name", extension.name);
    json.set("origin", to_text(extension.origin));
    json.set("schema", extension.schema);
    json.set("version", extension.version);
    return json;
}

Result<ExtensionState> extension_from_json(const Json& json) {
    ExtensionState extension;
    extension.name = LB_TRY(json.text_at("name"));
    extension.origin = LB_TRY(origin_at(json));
    extension.schema = LB_TRY(json.text_at("schema"));
    extension.version = LB_TRY(json.text_at("version"));
    return extension;
}

bool is_list_setting(std::string_view name) {
    return std::ranges::find(kListSettings, name) != kListSettings.end();
}

std::vector<std::string> setting_list(std::string_view value) {
    std::vector<std::string> elements;
    std::string element;
    bool is_quoted = false;
    bool was_quoted = false;
    auto end_element = [&] {
        std::string text = was_quoted ? element : std::string(trimmed(element));
        if (was_quoted || !text.empty()) elements.push_back(std::move(text));
        element.clear();
        was_quoted = false;
    };
    for (size_t i = 0; i < value.size(); ++i) {
        char c = value[i];
        if (is_quoted && c == '"' && i + 1 < value.size() && value[i + 1] == '"') {
            element += c;
            ++i;
        } else if (c == '"') {
            is_quoted = !is_quoted;
            if (is_quoted) element.clear();
            was_quoted = true;
        } else if (c == ',' && !is_quoted) {
            end_element();
        } else if (is_quoted || !was_quoted) {
            element += c;
        }
    }
    end_element();
    return elements;
}

std::string canonical_setting_list(const std::vector<std::string>& elements) {
    std::vector<std::string> texts;
    for (const std::string& element : elements) {
        if (is_plain_element(element)) {
            texts.push_back(element);
            continue;
        }
        std::string text = "\"";
        for (char c : element) {
            if (c == '"') text += c;
            text += c;
        }
        texts.push_back(text + "\"");
    }
    return join(texts, ", ");
}

std::pair<std::string, std::string> setting_of(std::string_view text) {
    size_t equals = std::min(text.find('='), text.size());
    std::string name(text.substr(0, equals));
    for (char& c : name) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    std::string value(text.substr(std::min(equals + 1, text.size())));
    if (is_list_setting(name)) value = canonical_setting_list(setting_list(value));
    return {std::move(name), std::move(value)};
}

}  // namespace lb
