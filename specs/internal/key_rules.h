// Which keys a spec may have. Keys that a later version of lb will honour are known too, so that
// they are refused as "not yet supported" and not as misspellings.
#pragma once

#include <span>
#include <string_view>

namespace lb::specs {

enum class KeySupport { kSupported, kNotYet };

struct KeyRule {
    std::string_view name;
    KeySupport support = KeySupport::kSupported;
};

// What PostgreSQL, Lakebase, Neon or common sense call a key of ours.
struct KeySynonym {
    std::string_view theirs;
    std::string_view ours;
};

struct TableRules {
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

}  // namespace lb::specs
