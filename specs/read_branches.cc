#include <set>

#include "base/model/moment.h"
#include "base/model/names.h"
#include "base/text.h"
#include "specs/diagnostic_codes.h"
#include "specs/internal/draft.h"
#include "specs/internal/limits.h"
#include "specs/internal/names.h"

namespace lb::specs {

namespace {

// A moment's canonical text: of a string, or of TOML's own date-time. Reports what is none.
std::optional<std::string> read_moment(const TableReader& table, std::string_view key,
                                       std::string_view what, Reporter& reporter) {
    const TomlMember* member = table.find(key);
    if (member == nullptr) return std::nullopt;
    const auto* time = member->value.get_if<TomlTime>();
    std::string written;
    if (time != nullptr) {
        written = time->text;
    } else if (auto text = table.text(key)) {
        written = text->text;
    } else {
        return std::nullopt;
    }
    const Place& place = member->value.place;
    if (written.starts_with("git:")) {
        reporter.error(codes::kValueNotYetSupported, place,
                       cat("a git commit as ", what, " is not yet supported"),
                       std::string(kMomentHelp));
        return std::nullopt;
    }
    auto moment = parse_moment(written);
    if (moment && !std::holds_alternative<Present>(*moment)) return to_text(*moment);
    bool is_without_zone = time != nullptr && !time->has_zone;
    reporter.error(codes::kInvalidBranchPoint, place,
                   is_without_zone ? cat(quoted(key), " does not name a moment: it has no zone")
                                   : cat(quoted(written), " is no ", what),
                   std::string(kMomentHelp));
    return std::nullopt;
}

void read_branch_point(const TableReader& branch, BranchDraft& draft, Reporter& reporter) {
    if (const TomlMember* member = branch.find("at")) draft.at_place = member->key_place;
    draft.spec.at = read_moment(branch, "at", "branch point", reporter).value_or("");
}

void read_restore(const TableReader& branch, BranchDraft& draft, Reporter& reporter) {
    const TomlTable* table = branch.table("restore", "restore = { to = \"2026-04-12T09:30:00Z\" }");
    if (table == nullptr) return;
    const TomlMember* member = branch.find("restore");
    draft.spec.restore_span = reporter.span(member->key_place);
    TableReader reader(*table, kRestoreRules, reporter);
    RestoreValue restore;
    if (reader.find("to") == nullptr) {
        reporter.error(codes::kMissingKey, member->key_place, "\"restore\" has no \"to\"",
                       "add the moment to restore to: to = \"2026-04-12T09:30:00Z\"");
    }
    restore.to = read_moment(reader, "to", "moment", reporter).value_or("");
    auto read_name = [&](std::string_view key) -> std::string {
        auto name = reader.text(key);
        if (!name) return {};
        Status checked = check_branch_name(name->text);
        if (checked.is_ok()) return name->text;
        reporter.error(codes::kInvalidName, name->place, checked.error().message,
                       checked.error().help);
        return {};
    };
    restore.from = read_name("from");
    restore.backup = read_name("backup");
    draft.spec.restore = std::move(restore);
}

void read_ttl(const TableReader& branch, BranchDraft& draft, Reporter& reporter) {
    auto text = branch.text("ttl");
    if (!text) return;
    auto ttl = parse_duration(text->text);
    if (!ttl) {
        reporter.error(codes::kInvalidDuration, text->place,
                       cat(quoted(text->text), " is no duration"),
                       "write it as \"14d\", \"12h\", \"30m\" or \"1d12h\"");
        return;
    }
    if (*ttl < kTtlMin || *ttl > kTtlMax) {
        reporter.error(
            codes::kOutOfRange, text->place,
            cat("\"ttl\" is ", format_short_duration(*ttl), ", outside of its range"),
            cat("use ", format_short_duration(kTtlMin), " to ", format_short_duration(kTtlMax)));
        return;
    }
    draft.spec.ttl = *ttl;
}

void read_expiration(const TableReader& branch, BranchDraft& draft, Reporter& reporter) {
    read_ttl(branch, draft, reporter);
    draft.spec.expire_time = read_time(branch, "expire_time", reporter);
    const TomlMember* ttl = branch.find("ttl");
    const TomlMember* expire_time = branch.find("expire_time");
    if (ttl != nullptr) draft.expiration_place = ttl->key_place;
    if (expire_time != nullptr) draft.expiration_place = expire_time->key_place;
    if (ttl == nullptr || expire_time == nullptr) return;
    const TomlMember* later = ttl->key_place < expire_time->key_place ? expire_time : ttl;
    const TomlMember* earlier = later == ttl ? expire_time : ttl;
    reporter.conflict(
        codes::kTwoExpirations, later->key_place, "a branch has either \"ttl\" or \"expire_time\"",
        {.place = earlier->key_place, .message = "the other one"}, "remove one of the two");
}

}  // namespace

std::optional<WallTime> read_time(const TableReader& table, std::string_view key,
                                  Reporter& reporter) {
    static constexpr std::string_view kHelp =
        "write date, time and zone, as in \"2026-04-12T09:30:00Z\"";
    const TomlMember* member = table.find(key);
    if (member == nullptr) return std::nullopt;
    if (const auto* time = member->value.get_if<TomlTime>()) {
        auto parsed = parse_time(time->text);
        if (!parsed) {
            reporter.error(codes::kInvalidTime, member->value.place,
                           cat(quoted(key), time->has_zone ? " is outside of the years 1970 to 2200"
                                                           : " does not name a moment"),
                           std::string(kHelp));
        }
        return parsed;
    }
    const auto* text = member->value.get_if<std::string>();
    if (text == nullptr) {
        report_wrong_type(key, member->value, "a time", std::string(kHelp), reporter);
        return std::nullopt;
    }
    auto parsed = parse_time(*text);
    if (!parsed) {
        reporter.error(codes::kInvalidTime, member->value.place, cat(quoted(*text), " is no time"),
                       std::string(kHelp));
    }
    return parsed;
}

void read_branches(const TableReader& spec, SpecDraft& draft, Reporter& reporter) {
    static constexpr SectionRules kRules = {.key = "branches",
                                            .resource = "branch",
                                            .count_max = kBranchesMax,
                                            .check_name = check_branch_name,
                                            .case_rule = CaseRule::kExact};
    read_section(spec, kRules, reporter, [&](const TomlMember& member, const TomlTable& table) {
        BranchDraft branch{.spec = {.name = member.key, .span = reporter.span(member.key_place)},
                           .name_place = member.key_place};
        TableReader reader(table, kBranchRules, reporter);
        if (auto parent = reader.text("parent")) {
            branch.spec.parent = parent->text;
            branch.parent_place = parent->place;
        }
        if (const TomlMember* flag = reader.find("protected")) {
            branch.protected_place = flag->key_place;
            branch.spec.is_protected = reader.boolean("protected").value_or(false);
        }
        branch.spec.settings = read_settings(reader, SettingsFor::kServers, reporter);
        read_branch_point(reader, branch, reporter);
        read_restore(reader, branch, reporter);
        read_expiration(reader, branch, reporter);
        branch.spec.history_retention = read_history_retention(reader, reporter);
        read_compute(reader, branch, reporter);
        draft.branches.push_back(std::move(branch));
    });
}

}  // namespace lb::specs
