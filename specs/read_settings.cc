#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "specs/diagnostic_codes.h"
#include "specs/internal/ascii.h"
#include "specs/internal/draft.h"
#include "specs/internal/postgres_settings.h"

namespace lb::specs {

namespace {

std::optional<std::string> value_text(const TomlValue& value) {
    if (const auto* text = value.get_if<std::string>()) return *text;
    if (const auto* integer = value.get_if<int64_t>()) return cat(*integer);
    if (const auto* boolean = value.get_if<bool>()) return *boolean ? "on" : "off";
    if (const auto* real = value.get_if<double>()) {
        char digits[64];
        auto end = std::to_chars(digits, digits + sizeof digits, *real).ptr;
        return std::string(digits, end);
    }
    return std::nullopt;
}

bool can_be_set(const PostgresSetting& setting, SettingsFor whom) {
    if (setting.scope == SettingScope::kInternal) return false;
    return whom == SettingsFor::kServers || setting.scope == SettingScope::kSession;
}

std::string_view suggest_setting(std::string_view name, SettingsFor whom, Reporter& reporter) {
    std::vector<std::string_view> candidates;
    for (const PostgresSetting& setting : postgres_settings()) {
        if (can_be_set(setting, whom)) candidates.push_back(setting.name);
    }
    return reporter.suggest(name, candidates);
}

// A name with a dot belongs to an extension or an application: nobody knows which there are.
bool check_setting(const std::string& name, const Place& place, SettingsFor whom,
                   Reporter& reporter) {
    bool is_plain = std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
    });
    if (is_plain && name.find('.') != std::string::npos) return true;
    const PostgresSetting* setting = find_postgres_setting(name);
    if (setting == nullptr) {
        std::string_view near = suggest_setting(name, whom, reporter);
        reporter.error(codes::kUnknownSetting, place,
                       cat("PostgreSQL has no setting ", quoted(name)),
                       near.empty() ? "see which there are: SELECT name FROM pg_settings"
                                    : cat("did you mean ", quoted(near), "?"));
        return false;
    }
    std::string_view reason = kept_setting_reason(name);
    bool is_server_wide = setting->scope != SettingScope::kSession;
    if (!reason.empty() && (whom == SettingsFor::kServers || !is_server_wide)) {
        reporter.error(codes::kSettingNotAllowed, place,
                       cat("lb keeps ", quoted(name), " for itself: ", reason), "remove it");
        return false;
    }
    if (can_be_set(*setting, whom)) return true;
    bool is_internal = setting->scope == SettingScope::kInternal;
    reporter.error(
        codes::kSettingNotAllowed, place,
        cat(quoted(name), is_internal ? " cannot be set" : " can be set of a whole server only"),
        is_internal ? "remove it" : "move it to [project.settings] or a branch's");
    return false;
}

}  // namespace

Settings read_settings(const TableReader& table, SettingsFor whom, Reporter& reporter) {
    Settings settings;
    const TomlTable* members = table.table("settings", "settings = { work_mem = \"16MB\" }");
    if (members == nullptr) return settings;
    for (const TomlMember& member : *members) {
        std::string name = to_lower_ascii(member.key);
        std::optional<std::string> value = value_text(member.value);
        if (!value) {
            report_wrong_type(member.key, member.value, "a string, number or boolean",
                              "a name with a dot needs quotes: \"pg_stat_statements.track\"",
                              reporter);
            continue;
        }
        if (!check_setting(name, member.key_place, whom, reporter)) continue;
        if (is_list_setting(name)) {
            std::vector<std::string> elements = setting_list(*value);
            // An empty list is one with an empty element.
            if (elements.empty()) elements.emplace_back();
            value = canonical_setting_list(elements);
        }
        if (value->find('\0') != std::string::npos) {
            reporter.error(codes::kOutOfRange, member.value.place,
                           cat(quoted(member.key), " contains a NUL byte"), "remove it");
            continue;
        }
        if (!settings.emplace(std::move(name), *std::move(value)).second) {
            reporter.error(codes::kListedTwice, member.key_place,
                           cat(quoted(member.key), " is set twice"), "remove one of the two");
        }
    }
    return settings;
}

}  // namespace lb::specs
