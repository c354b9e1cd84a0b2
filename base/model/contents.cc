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

struct KeptSetting {
    std::string_view name;
    std::string_view reason;
};
constexpr std::string_view kFiles = "lb decides where a server's files are";
constexpr std::string_view kSafety = "the store's safety rests on it";
constexpr std::string_view kNoUse = "on this store nothing is gained by it";
constexpr std::string_view kLog = "lb keeps one log file per compute";
constexpr std::array kKeptSettings = {
    KeptSetting{"archive_mode", "a branch would archive in its parent's name"},
    KeptSetting{"cluster_name", "it tells which branch a server is"},
    KeptSetting{"config_file", kFiles},
    KeptSetting{"data_directory", kFiles},
    KeptSetting{"data_sync_retry", kSafety},
    KeptSetting{"dynamic_shared_memory_type", "it would be kept on the store"},
    KeptSetting{"external_pid_file", kFiles},
    KeptSetting{"fsync", "a commit is a promise"},
    KeptSetting{"full_page_writes", kNoUse},
    KeptSetting{"hba_file", kFiles},
    KeptSetting{"ident_file", kFiles},
    KeptSetting{"listen_addresses", "it stands in compute = { listen_addresses = [...] }"},
    KeptSetting{"log_destination", kLog},
    KeptSetting{"logging_collector", kLog},
    KeptSetting{"max_prepared_transactions", "an apply needs as many as lb sets"},
    KeptSetting{"password_encryption", "only passwords of scram-sha-256 can log in"},
    KeptSetting{"port", "it stands in compute = { port = ... }"},
    KeptSetting{"recovery_init_sync_method", kSafety},
    KeptSetting{"unix_socket_directories", kFiles},
    KeptSetting{"unix_socket_group", kFiles},
    KeptSetting{"unix_socket_permissions", kFiles},
    KeptSetting{"wal_init_zero", kNoUse},
    KeptSetting{"wal_recycle", kNoUse},
};

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

std::string_view kept_setting_reason(std::string_view name) {
    for (const KeptSetting& kept : kKeptSettings) {
        if (kept.name == name) return kept.reason;
    }
    return {};
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
