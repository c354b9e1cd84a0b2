#include "specs/internal/key_rules.h"

#include <algorithm>
#include <array>

// The spec itself and [project]. Branches, roles and databases have files of their own.
namespace lb::specs {

namespace {

using enum KeyType;

constexpr std::array kSpecKeys = {
    KeyRule{.name = "project",
            .type = kTable,
            .documentation = "The project as a whole.",
            .usual = "required",
            .example = "{ name = \"shop\" }",
            .table = &kProjectRules},
    KeyRule{.name = "branches",
            .type = kNamedTables,
            .documentation = "The branches by name: isolated databases that share storage.",
            .usual = "the default branch alone",
            .table = &kBranchRules},
    KeyRule{.name = "roles",
            .type = kNamedTables,
            .documentation = "PostgreSQL's roles by name, on the default branch.",
            .usual = "none",
            .table = &kRoleRules},
    KeyRule{.name = "databases",
            .type = kNamedTables,
            .documentation = "PostgreSQL's databases by name, on the default branch.",
            .usual = "none",
            .table = &kDatabaseRules},
    KeyRule{.name = "variables",
            .type = kNamedTables,
            .documentation = "Values that are given from outside, by name.",
            .usual = "none",
            .table = &kVariableRules},
    KeyRule{.name = "forget",
            .type = kTableList,
            .documentation = "Resources that lb is to manage no more, and not to delete.",
            .usual = "none",
            .table = &kForgetRules},
    KeyRule{
        .name = "policy",
        .type = kTable,
        .documentation = "What the branches of the spec must be, and what no plan of it may do.",
        .usual = "none",
        .example = "{ branch_names = [\"feature/*\"] }",
        .table = &kPolicyRules},
    not_yet("extensions"),
    not_yet("grants"),
    not_yet("import"),
    not_yet("migrations"),
    not_yet("moved"),
    not_yet("preview"),
    not_yet("schemas"),
    not_yet("settings"),
    not_yet("snapshots"),
};
constexpr std::array kSpecSynonyms = {
    KeySynonym{"users", "roles"},
    KeySynonym{"previews", "preview"},
    KeySynonym{"vars", "variables"},
};

constexpr std::array kProjectKeys = {
    KeyRule{.name = "name",
            .documentation = "The project's name.",
            .usual = "required",
            .example = "\"shop\""},
    KeyRule{.name = "pg_version",
            .type = kInteger,
            .documentation = "PostgreSQL's major version; 15 is supported.",
            .usual = "15",
            .example = "15"},
    KeyRule{.name = "default_branch",
            .documentation = "The root branch, on which roles and databases are made.",
            .usual = "\"main\"",
            .example = "\"main\""},
    KeyRule{.name = "history_retention",
            .type = kDuration,
            .documentation =
                "The restore window: how far back branches can be restored or branched "
                "from, `\"0\"` to `\"30d\"`.",
            .usual = "\"7d\"",
            .example = "\"14d\""},
    KeyRule{.name = "settings",
            .type = kScalars,
            .documentation = "PostgreSQL's settings of all servers of the project.",
            .usual = "{}",
            .example = "{ log_min_duration_statement = \"250ms\" }"},
    not_yet("compute"),
    not_yet("extensions"),
};
constexpr std::array kProjectSynonyms = {
    KeySynonym{"project_id", "name"},
    KeySynonym{"postgres_version", "pg_version"},
    KeySynonym{"version", "pg_version"},
    KeySynonym{"default", "default_branch"},
    KeySynonym{"restore_window", "history_retention"},
    KeySynonym{"history_retention_duration", "history_retention"},
    KeySynonym{"history_retention_seconds", "history_retention"},
};

constexpr std::array kVariableKeys = {
    KeyRule{.name = "type",
            .documentation = "`\"string\"`, `\"integer\"`, `\"number\"` or `\"boolean\"`.",
            .usual = "the default's type, or else string",
            .example = "\"string\""},
    KeyRule{.name = "default",
            .type = kAnyScalar,
            .documentation = "The value where none is given. Without it, one has to be given.",
            .usual = "none",
            .example = "\"5m\""},
    KeyRule{.name = "description",
            .documentation = "What the variable is for.",
            .usual = "none",
            .example = "\"how long previews live\""},
    KeyRule{.name = "sensitive",
            .type = kBoolean,
            .documentation = "A secret: it can only be a password, and is never shown.",
            .usual = "false",
            .example = "true"},
};
constexpr std::array kForgetKeys = {
    KeyRule{.name = "address",
            .documentation = "A branch, or a role or database of the default branch.",
            .usual = "required",
            .example = "\"role.main.app\""},
};

constexpr std::array kVariableSynonyms = {
    KeySynonym{"value", "default"},
    KeySynonym{"secret", "sensitive"},
};

}  // namespace

const TableRules kSpecRules = {"spec", "a spec", kSpecKeys, kSpecSynonyms};
const TableRules kProjectRules = {"project", "[project]", kProjectKeys, kProjectSynonyms};

const TableRules kVariableRules = {"variable", "a variable", kVariableKeys, kVariableSynonyms,
                                   "variables"};

const TableRules kForgetRules = {"forget", "a [[forget]]", kForgetKeys};

std::vector<const TableRules*> all_tables() {
    std::vector<const TableRules*> tables = {&kSpecRules};
    for (size_t at = 0; at < tables.size(); ++at) {
        for (const KeyRule& rule : tables[at]->keys) {
            bool is_known = std::find(tables.begin(), tables.end(), rule.table) != tables.end();
            if (rule.table != nullptr && !is_known) tables.push_back(rule.table);
        }
    }
    return tables;
}

}  // namespace lb::specs
