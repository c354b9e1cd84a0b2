// Which keys a spec may have: the one table behind the check of keys, the tables of
// docs/spec-reference.md and the JSON Schema of `lb schema`. Keys that a later version of lb will
// honour are known too, so that they are refused as "not yet supported" and not as misspellings.
//
// A new key: a KeyRule in key_rules*.cc, its reader, and LB_SNAP_UPDATE=1 specs_cases_test.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lb::specs {

enum class KeySupport { kSupported, kNotYet };

enum class KeyType {
    kString,
    kBoolean,
    kInteger,
    kNumber,
    kDuration,       // "7d"
    kTime,           // "2026-04-12T09:30:00Z", or TOML's own date-time
    kMoment,         // a time, an LSN or a position
    kStrings,        // a list of strings
    kNamesOrTables,  // a list of names, each alone or in a table as `table` says
    kTable,          // `table` says which
    kNamedTables,    // [KEY.NAME], each as `table` says
    kTableList,      // [[KEY]], each as `table` says
    kAnyScalar,      // a string, integer, number or boolean
    kScalars,        // a table of names that are not lb's, each with a scalar
};

struct TableRules;

struct KeyRule {
    std::string_view name;
    KeyType type = KeyType::kString;
    std::string_view documentation = {};  // one or two sentences, Markdown without links
    // What holds without the key: its value in TOML, or else words: "required", "the project's".
    std::string_view usual = {};
    std::string_view example = {};  // the value in TOML; empty for kNamedTables and kTableList
    const TableRules* table = nullptr;
    std::optional<double> min = {};
    std::optional<double> max = {};
    KeySupport support = KeySupport::kSupported;

    bool is_required() const { return usual == "required"; }
};

constexpr KeyRule not_yet(std::string_view name) {
    return {.name = name, .support = KeySupport::kNotYet};
}

// What PostgreSQL, Lakebase, Neon or common sense call a key of ours.
struct KeySynonym {
    std::string_view theirs;
    std::string_view ours;
};

struct TableRules {
    std::string_view id;     // "branch": the markers of the document, the schema's definition
    std::string_view where;  // "a branch", for messages
    std::span<const KeyRule> keys;
    std::span<const KeySynonym> synonyms = {};
    std::string_view section = {};  // "branches", if it is a table [branches.NAME]
};

extern const TableRules kSpecRules;
extern const TableRules kProjectRules;
extern const TableRules kBranchRules;
extern const TableRules kComputeRules;
extern const TableRules kRestoreRules;
extern const TableRules kRoleRules;
extern const TableRules kPasswordRules;
extern const TableRules kDatabaseRules;
extern const TableRules kVariableRules;
extern const TableRules kSchemaRules;
extern const TableRules kExtensionRules;
extern const TableRules kForgetRules;
extern const TableRules kPolicyRules;

// kSpecRules and every table that it leads to, each once, in the order of their keys.
std::vector<const TableRules*> all_tables();

// The keys of a table as a table of Markdown, for docs/spec-reference.md; ends with a newline.
std::string markdown_of(const TableRules& rules);
std::string markdown_of_not_yet_supported();

// "string", "list of strings" and so on, as the document calls it.
std::string_view to_text(KeyType type);

}  // namespace lb::specs
