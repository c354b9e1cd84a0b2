#include "specs/internal/table_reader.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "specs/diagnostic_codes.h"
#include "specs/internal/ascii.h"

namespace lb::specs {

namespace {

const KeyRule* find_rule(const TableRules& rules, std::string_view key) {
    auto at = std::find_if(rules.keys.begin(), rules.keys.end(),
                           [&](const KeyRule& rule) { return rule.name == key; });
    return at == rules.keys.end() ? nullptr : &*at;
}

// Keys are lower case with underscores.
std::string in_our_style(std::string_view key) {
    std::string out = to_lower_ascii(key);
    std::replace(out.begin(), out.end(), '-', '_');
    return out;
}

std::string list_of_keys(const TableRules& rules) {
    std::vector<std::string> names;
    for (const KeyRule& rule : rules.keys) {
        if (rule.support == KeySupport::kSupported) names.emplace_back(rule.name);
    }
    return join(names, ", ");
}

}  // namespace

void report_wrong_type(std::string_view key, const TomlValue& value, std::string_view wanted,
                       std::string help, Reporter& reporter) {
    reporter.error(codes::kWrongType, value.place,
                   cat(quoted(key), " must be ", wanted, ", not ", kind_name(value)),
                   std::move(help));
}

TableReader::TableReader(const TomlTable& table, const TableRules& rules, Reporter& reporter,
                         Place place)
    : table_(table), rules_(rules), reporter_(reporter), place_(place) {
    for (const TomlMember& member : table_) {
        const KeyRule* rule = find_rule(rules_, member.key);
        if (rule == nullptr) {
            report_unknown(member);
        } else if (rule->support == KeySupport::kNotYet) {
            reporter_.error(codes::kKeyNotYetSupported, member.key_place,
                            cat(quoted(member.key), " is not yet supported in ", rules_.where),
                            "remove it; lb refuses what it would not carry out");
        }
    }
}

void TableReader::report_unknown(const TomlMember& member) const {
    std::string key = in_our_style(member.key);
    std::string help;
    for (const KeySynonym& synonym : rules_.synonyms) {
        if (synonym.theirs == key) help = cat("lb calls it ", quoted(synonym.ours));
    }
    if (help.empty()) {
        std::vector<std::string_view> known;
        for (const KeyRule& rule : rules_.keys) known.push_back(rule.name);
        std::string_view near = reporter_.suggest(key, known);
        if (!near.empty()) help = cat("did you mean ", quoted(near), "?");
    }
    bool is_table = member.value.get_if<TomlTable>() != nullptr;
    if (help.empty() && is_table && !rules_.section.empty()) {
        help = cat("a name with a dot needs quotes, as in [", rules_.section, ".\"v1.2\"]");
    }
    if (help.empty()) help = cat(rules_.where, " has these keys: ", list_of_keys(rules_));
    reporter_.error(codes::kUnknownKey, member.key_place, cat("unknown key ", quoted(member.key)),
                    std::move(help));
}

void TableReader::report_missing(std::string_view key) const {
    const KeyRule* rule = find_rule(rules_, key);
    reporter_.error(codes::kMissingKey, place_, cat(rules_.where, " needs ", quoted(key)),
                    cat("add ", key, " = ", rule == nullptr ? "..." : rule->example));
}

std::optional<PlacedText> TableReader::text(std::string_view key) const {
    const TomlMember* member = find(key);
    if (member == nullptr) return std::nullopt;
    const auto* text = member->value.get_if<std::string>();
    if (text == nullptr) {
        report_wrong_type(key, member->value, "a string",
                          cat("write it in double quotes, as in ", key, " = \"...\""), reporter_);
        return std::nullopt;
    }
    return PlacedText{.text = *text, .place = member->value.place};
}

std::optional<bool> TableReader::boolean(std::string_view key) const {
    const TomlMember* member = find(key);
    if (member == nullptr) return std::nullopt;
    const auto* boolean = member->value.get_if<bool>();
    if (boolean == nullptr) {
        report_wrong_type(key, member->value, "a boolean", "write true or false, without quotes",
                          reporter_);
        return std::nullopt;
    }
    return *boolean;
}

std::optional<int64_t> TableReader::integer(std::string_view key, int64_t min, int64_t max) const {
    const TomlMember* member = find(key);
    if (member == nullptr) return std::nullopt;
    const auto* integer = member->value.get_if<int64_t>();
    if (integer == nullptr) {
        report_wrong_type(key, member->value, "an integer", "write a whole number, without quotes",
                          reporter_);
        return std::nullopt;
    }
    if (*integer < min || *integer > max) {
        reporter_.error(codes::kOutOfRange, member->value.place,
                        cat(quoted(key), " is ", *integer, ", outside of its range"),
                        cat("use ", min, " to ", max));
        return std::nullopt;
    }
    return *integer;
}

std::optional<double> TableReader::number(std::string_view key) const {
    const TomlMember* member = find(key);
    if (member == nullptr) return std::nullopt;
    if (const auto* real = member->value.get_if<double>()) return *real;
    if (const auto* integer = member->value.get_if<int64_t>()) {
        return static_cast<double>(*integer);
    }
    report_wrong_type(key, member->value, "a number", "write a number, without quotes", reporter_);
    return std::nullopt;
}

const TomlTable* TableReader::table(std::string_view key, std::string_view example) const {
    const TomlMember* member = find(key);
    if (member == nullptr) return nullptr;
    const auto* table = member->value.get_if<TomlTable>();
    if (table == nullptr) {
        report_wrong_type(key, member->value, "a table", cat("write it as ", example), reporter_);
    }
    return table;
}

std::vector<const TomlValue*> TableReader::tables(std::string_view key) const {
    std::vector<const TomlValue*> found;
    const TomlMember* member = find(key);
    if (member == nullptr) return found;
    const auto* items = member->value.get_if<TomlArray>();
    std::string help = cat("write each as [[", key, "]]");
    if (items == nullptr) {
        report_wrong_type(key, member->value, "a list of tables", std::move(help), reporter_);
        return found;
    }
    for (const TomlValue& item : *items) {
        if (item.get_if<TomlTable>() != nullptr) {
            found.push_back(&item);
        } else {
            report_wrong_type(key, item, "a list of tables", help, reporter_);
        }
    }
    return found;
}

std::optional<std::vector<PlacedText>> TableReader::texts(std::string_view key) const {
    const TomlMember* member = find(key);
    if (member == nullptr) return std::nullopt;
    const auto* items = member->value.get_if<TomlArray>();
    if (items == nullptr) {
        report_wrong_type(key, member->value, "a list of strings",
                          cat("write it as ", key, " = [\"...\"]"), reporter_);
        return std::nullopt;
    }
    std::vector<PlacedText> texts;
    std::set<std::string_view> seen;
    for (const TomlValue& item : *items) {
        const auto* text = item.get_if<std::string>();
        if (text == nullptr) {
            report_wrong_type(key, item, "a list of strings", "put each item in double quotes",
                              reporter_);
        } else if (!seen.insert(*text).second) {
            reporter_.error(codes::kListedTwice, item.place,
                            cat(quoted(*text), " is listed twice in ", quoted(key)),
                            "remove one of the two");
        } else {
            texts.push_back({.text = *text, .place = item.place});
        }
    }
    return texts;
}

}  // namespace lb::specs
