// TableReader: typed access to one TOML table. Reports what is wrong with keys and types, so that
// its users only look at values: each accessor returns nullopt (or nullptr) for a key that is
// absent and for one that was reported.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "specs/internal/key_rules.h"
#include "specs/internal/reporter.h"
#include "specs/internal/toml_tree.h"

namespace lb::specs {

struct PlacedText {
    std::string text;
    Place place;
};

class TableReader {
public:
    // Reports unknown keys and those that are not yet supported.
    // `place`: of the table, for what it lacks.
    TableReader(const TomlTable& table, const TableRules& rules, Reporter& reporter,
                Place place = {});

    bool is_empty() const { return table_.empty(); }
    const TomlMember* find(std::string_view key) const { return find_member(table_, key); }

    // The table lacks a key that it must have.
    void report_missing(std::string_view key) const;

    std::optional<PlacedText> text(std::string_view key) const;
    std::optional<bool> boolean(std::string_view key) const;
    // Reports a value outside of [min, max] too.
    std::optional<int64_t> integer(std::string_view key, int64_t min, int64_t max) const;
    // An integer counts as a number.
    std::optional<double> number(std::string_view key) const;
    const TomlTable* table(std::string_view key, std::string_view example) const;
    // [[key]]: the tables, each with its place; what is none is reported.
    std::vector<const TomlValue*> tables(std::string_view key) const;
    // A list of strings without duplicates, in the order of the text. nullopt if the key is absent
    // or no list; items that are no strings are reported and left out.
    std::optional<std::vector<PlacedText>> texts(std::string_view key) const;

private:
    void report_unknown(const TomlMember& member) const;

    const TomlTable& table_;
    const TableRules& rules_;
    Reporter& reporter_;
    Place place_;
};

// Reports kWrongType: `wanted` is "a string" or the like.
void report_wrong_type(std::string_view key, const TomlValue& value, std::string_view wanted,
                       std::string help, Reporter& reporter);

}  // namespace lb::specs
