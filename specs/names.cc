#include "specs/internal/names.h"

#include <algorithm>
#include <map>

#include "base/text.h"
#include "specs/diagnostic_codes.h"
#include "specs/internal/ascii.h"

namespace lb::specs {

namespace {

std::vector<const TomlMember*> in_order_of_text(const TomlTable& table) {
    std::vector<const TomlMember*> members;
    for (const TomlMember& member : table) members.push_back(&member);
    std::sort(members.begin(), members.end(), [](const TomlMember* left, const TomlMember* right) {
        return left->key_place < right->key_place;
    });
    return members;
}

void check_count(const TomlTable& table, const SectionRules& rules, Reporter& reporter) {
    if (table.size() <= rules.count_max) return;
    reporter.error(
        codes::kTooMany, in_order_of_text(table)[rules.count_max]->key_place,
        cat("there are ", table.size(), " ", rules.key, ", ", rules.count_max, " are allowed"),
        "split the project");
}

void check_case(const TomlTable& table, const SectionRules& rules, Reporter& reporter) {
    std::map<std::string, const TomlMember*> first_of;
    for (const TomlMember* member : in_order_of_text(table)) {
        auto [first, is_new] = first_of.emplace(to_lower_ascii(member->key), member);
        if (is_new) continue;
        reporter.conflict(codes::kNamesDifferByCase, member->key_place,
                          cat(rules.resource, " ", quoted(member->key), " and ", rules.resource,
                              " ", quoted(first->second->key), " differ only by case"),
                          {.place = first->second->key_place, .message = "the other one"},
                          "choose names that differ by more, or remove one of the two");
    }
}

}  // namespace

bool check_name(const Status& status, const Place& place, Reporter& reporter) {
    if (status.is_ok()) return true;
    reporter.error(codes::kInvalidName, place, status.error().message, status.error().help);
    return false;
}

void read_section(
    const TableReader& spec, const SectionRules& rules, Reporter& reporter,
    const std::function<void(const TomlMember& member, const TomlTable& table)>& visit) {
    const TomlTable* section = spec.table(rules.key, cat("[", rules.key, ".NAME]"));
    if (section == nullptr) return;
    check_count(*section, rules, reporter);
    if (rules.case_rule == CaseRule::kUniqueWithoutCase) check_case(*section, rules, reporter);
    for (const TomlMember& member : *section) {
        check_name(rules.check_name(member.key), member.key_place, reporter);
        const auto* table = member.value.get_if<TomlTable>();
        if (table == nullptr) {
            report_wrong_type(member.key, member.value, "a table",
                              cat("write it as [", rules.key, ".", member.key, "]"), reporter);
            continue;
        }
        visit(member, *table);
    }
}

}  // namespace lb::specs
