#include <charconv>
#include <set>

#include "base/model/names.h"
#include "base/text.h"
#include "specs/diagnostic_codes.h"
#include "specs/internal/draft.h"
#include "specs/internal/limits.h"
#include "specs/internal/names.h"

namespace lb::specs {

namespace {

// "0/16B3748"
bool is_lsn(std::string_view text) {
    size_t slash = text.find('/');
    if (slash == std::string_view::npos) return false;
    for (std::string_view half : {text.substr(0, slash), text.substr(slash + 1)}) {
        uint32_t number = 0;
        auto [end, failure] = std::from_chars(half.data(), half.data() + half.size(), number, 16);
        if (failure != std::errc{} || end != half.data() + half.size()) return false;
    }
    return true;
}

// "position:123" -> 123. Positions are positive and fit 63 bits, as JSON's integers must.
std::optional<int64_t> parse_position(std::string_view text) {
    static constexpr std::string_view kPrefix = "position:";
    if (!text.starts_with(kPrefix)) return std::nullopt;
    text.remove_prefix(kPrefix.size());
    int64_t position = 0;
    auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), position);
    if (failure != std::errc{} || end != text.data() + text.size() || position <= 0) {
        return std::nullopt;
    }
    return position;
}

void read_branch_point(const TableReader& branch, BranchDraft& draft, Reporter& reporter) {
    static constexpr std::string_view kHelp =
        "use at = \"position:N\"; `lb branch show` prints positions";
    const TomlMember* member = branch.find("at");
    if (member == nullptr) return;
    draft.at_place = member->key_place;
    const Place& place = member->value.place;
    if (member->value.get_if<TomlTime>() != nullptr) {
        reporter.error(codes::kValueNotYetSupported, place,
                       "a time as branch point is not yet supported", std::string(kHelp));
        return;
    }
    auto text = branch.text("at");
    if (!text) return;
    if (auto position = parse_position(text->text)) {
        draft.spec.at = cat("position:", *position);
        return;
    }
    std::string_view kind = text->text.starts_with("git:") ? "a git commit"
                            : parse_time(text->text)       ? "a time"
                            : is_lsn(text->text)           ? "an LSN"
                                                           : "";
    if (!kind.empty()) {
        reporter.error(codes::kValueNotYetSupported, place,
                       cat(kind, " as branch point is not yet supported"), std::string(kHelp));
    } else {
        reporter.error(codes::kInvalidBranchPoint, place,
                       cat(quoted(text->text), " is no branch point"), std::string(kHelp));
    }
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

// A string or TOML's own date-time.
void read_expire_time(const TableReader& branch, BranchDraft& draft, Reporter& reporter) {
    static constexpr std::string_view kHelp =
        "write date, time and zone, as in \"2026-04-12T09:30:00Z\"";
    const TomlMember* member = branch.find("expire_time");
    if (member == nullptr) return;
    if (const auto* time = member->value.get_if<TomlTime>()) {
        draft.spec.expire_time = parse_time(time->text);
        if (!draft.spec.expire_time) {
            reporter.error(codes::kInvalidTime, member->value.place,
                           time->has_zone ? "\"expire_time\" is outside of the years 1970 to 2200"
                                          : "\"expire_time\" does not name a moment",
                           std::string(kHelp));
        }
        return;
    }
    const auto* text = member->value.get_if<std::string>();
    if (text == nullptr) {
        report_wrong_type("expire_time", member->value, "a time", std::string(kHelp), reporter);
        return;
    }
    draft.spec.expire_time = parse_time(*text);
    if (!draft.spec.expire_time) {
        reporter.error(codes::kInvalidTime, member->value.place, cat(quoted(*text), " is no time"),
                       std::string(kHelp));
    }
}

void read_expiration(const TableReader& branch, BranchDraft& draft, Reporter& reporter) {
    read_ttl(branch, draft, reporter);
    read_expire_time(branch, draft, reporter);
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
        read_branch_point(reader, branch, reporter);
        read_expiration(reader, branch, reporter);
        read_compute(reader, branch, reporter);
        draft.branches.push_back(std::move(branch));
    });
}

}  // namespace lb::specs
