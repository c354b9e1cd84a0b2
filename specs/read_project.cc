#include <algorithm>
#include <array>

#include "base/model/names.h"
#include "base/text.h"
#include "specs/diagnostic_codes.h"
#include "specs/internal/draft.h"
#include "specs/internal/names.h"

namespace lb::specs {

namespace {

constexpr std::array<int64_t, 1> kSupportedVersions = {15};

void read_version(const TableReader& project, SpecDraft& draft, Reporter& reporter) {
    const TomlMember* member = project.find("pg_version");
    auto version = project.integer("pg_version", INT64_MIN, INT64_MAX);
    if (!version) return;
    bool is_supported = std::find(kSupportedVersions.begin(), kSupportedVersions.end(), *version) !=
                        kSupportedVersions.end();
    if (!is_supported) {
        reporter.error(codes::kPgVersion, member->value.place,
                       cat("PostgreSQL ", *version, " is not supported"), "use pg_version = 15");
        return;
    }
    draft.pg_version = static_cast<uint32_t>(*version);
}

}  // namespace

std::optional<std::chrono::seconds> read_history_retention(const TableReader& table,
                                                           Reporter& reporter) {
    static constexpr std::string_view kKey = "history_retention";
    const TomlMember* member = table.find(kKey);
    if (member == nullptr) return std::nullopt;
    const auto* text = member->value.get_if<std::string>();
    if (text == nullptr) {
        report_wrong_type(kKey, member->value, "a string",
                          "write a duration in double quotes, as in history_retention = \"7d\"",
                          reporter);
        return std::nullopt;
    }
    auto window = *text == "0" ? std::optional(std::chrono::seconds(0)) : parse_duration(*text);
    if (!window) {
        reporter.error(codes::kInvalidDuration, member->value.place,
                       cat(quoted(*text), " is no duration"),
                       "write it as \"7d\", \"12h\" or \"1d12h\"; \"0\" keeps no history");
        return std::nullopt;
    }
    if (*window > kHistoryRetentionMax) {
        reporter.error(
            codes::kOutOfRange, member->value.place,
            cat(quoted(kKey), " is ", format_short_duration(*window), ", outside of its range"),
            cat("use 0 to ", format_short_duration(kHistoryRetentionMax)));
        return std::nullopt;
    }
    return window;
}

void read_project_table(const TableReader& spec, SpecDraft& draft, Reporter& reporter) {
    static constexpr std::string_view kExample = "[project] with name = \"shop\"";
    const TomlMember* member = spec.find("project");
    if (member == nullptr) {
        reporter.error(codes::kMissingKey, {.line = 1, .column = 1, .end_line = 1, .end_column = 2},
                       "the table [project] is missing", cat("add ", kExample));
        return;
    }
    draft.project_place = member->key_place;
    const TomlTable* table = spec.table("project", kExample);
    if (table == nullptr) return;
    TableReader project(*table, kProjectRules, reporter);
    if (project.find("name") == nullptr) {
        reporter.error(codes::kMissingKey, member->key_place, "the project has no name",
                       "add name = \"shop\" or the like");
    } else if (auto name = project.text("name")) {
        check_name(check_project_name(name->text), name->place, reporter);
        draft.project_name = name->text;
    }
    read_version(project, draft, reporter);
    draft.history_retention =
        read_history_retention(project, reporter).value_or(draft.history_retention);
    draft.settings = read_settings(project, SettingsFor::kServers, reporter);
    if (project.find("default_branch") != nullptr) {
        auto name = project.text("default_branch");
        draft.is_default_branch_valid =
            name && check_name(check_branch_name(name->text), name->place, reporter);
        if (name) {
            draft.default_branch = name->text;
            draft.default_branch_place = name->place;
        }
    }
}

}  // namespace lb::specs
