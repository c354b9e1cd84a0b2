// What the tables of branches, roles and databases share: their names.
#pragma once

#include <functional>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "specs/internal/table_reader.h"

namespace lb::specs {

enum class CaseRule { kExact, kUniqueWithoutCase };

struct SectionRules {
    std::string_view key;       // "roles"
    std::string_view resource;  // "role"
    size_t count_max = 0;
    Status (*check_name)(std::string_view name) = nullptr;
    // Two names that differ only by case are refused.
    CaseRule case_rule = CaseRule::kExact;
};

// Reports the failure of a check of base/model/names.h. True if there was none.
bool check_name(const Status& status, const Place& place, Reporter& reporter);

// Calls `visit` for each table [<key>.NAME], sorted by name, and reports what is wrong with the
// names and with members that are no tables.
void read_section(
    const TableReader& spec, const SectionRules& rules, Reporter& reporter,
    const std::function<void(const TomlMember& member, const TomlTable& table)>& visit);

}  // namespace lb::specs
