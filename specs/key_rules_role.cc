#include "specs/internal/key_rules.h"

#include <array>

#include "specs/internal/limits.h"

namespace lb::specs {

namespace {

using enum KeyType;

constexpr std::array kRoleKeys = {
    KeyRule{.name = "login",
            .type = kBoolean,
            .documentation = "May log in: LOGIN.",
            .usual = "false",
            .example = "true"},
    KeyRule{.name = "superuser",
            .type = kBoolean,
            .documentation = "Passes every check of permissions: SUPERUSER.",
            .usual = "false",
            .example = "true"},
    KeyRule{.name = "create_database",
            .type = kBoolean,
            .documentation = "May make databases: CREATEDB.",
            .usual = "false",
            .example = "true"},
    KeyRule{.name = "create_role",
            .type = kBoolean,
            .documentation = "May make and change roles: CREATEROLE.",
            .usual = "false",
            .example = "true"},
    KeyRule{.name = "inherit",
            .type = kBoolean,
            .documentation = "Has the privileges of the roles that it is a member of: INHERIT.",
            .usual = "true",
            .example = "false"},
    KeyRule{.name = "replication",
            .type = kBoolean,
            .documentation = "May open replication connections: REPLICATION.",
            .usual = "false",
            .example = "true"},
    KeyRule{.name = "bypass_row_security",
            .type = kBoolean,
            .documentation = "Row security policies do not hold for it: BYPASSRLS.",
            .usual = "false",
            .example = "true"},
    KeyRule{.name = "connection_limit",
            .type = kInteger,
            .documentation = "How many connections it may have at once: CONNECTION LIMIT; -1 is no "
                             "limit.",
            .usual = "-1",
            .example = "50",
            .min = -1,
            .max = kConnectionLimitMax},
    KeyRule{.name = "member_of",
            .type = kStrings,
            .documentation = "The roles that it is a member of: IN ROLE.",
            .usual = "[]",
            .example = "[\"pg_read_all_data\"]"},
    KeyRule{.name = "password",
            .type = kTable,
            .documentation = "Where the password comes from; lb keeps a SCRAM-SHA-256 verifier of "
                             "it.",
            .usual = "none",
            .example = "{ env = \"APP_PASSWORD\" }",
            .table = &kPasswordRules},
    not_yet("grants"),
    not_yet("settings"),
    not_yet("valid_until"),
};
constexpr std::array kRoleSynonyms = {
    KeySynonym{"createdb", "create_database"},
    KeySynonym{"createrole", "create_role"},
    KeySynonym{"bypassrls", "bypass_row_security"},
    KeySynonym{"bypass_row_level_security", "bypass_row_security"},
    KeySynonym{"connlimit", "connection_limit"},
    KeySynonym{"in_role", "member_of"},
    KeySynonym{"roles", "member_of"},
    KeySynonym{"membership_roles", "member_of"},
    KeySynonym{"no_login", "login"},
    KeySynonym{"nologin", "login"},
};

constexpr std::array kPasswordKeys = {
    KeyRule{.name = "env",
            .documentation = "The environment variable of `lb plan` and `lb apply` that holds it.",
            .usual = "none",
            .example = "\"APP_PASSWORD\""},
    KeyRule{.name = "file",
            .documentation = "The file that holds it, relative to the spec's folder.",
            .usual = "none",
            .example = "\"app.password\""},
    KeyRule{.name = "var",
            .documentation = "The sensitive variable that holds it.",
            .usual = "none",
            .example = "\"APP_PASSWORD\""},
};
constexpr std::array kPasswordSynonyms = {
    KeySynonym{"environment", "env"},
    KeySynonym{"variable", "var"},
    KeySynonym{"path", "file"},
};

constexpr std::array kDatabaseKeys = {
    KeyRule{.name = "owner",
            .documentation = "A role of the spec, `postgres`, or a predefined `pg_` role.",
            .usual = "\"postgres\"",
            .example = "\"app\""},
    not_yet("connection_limit"),
    not_yet("encoding"),
    not_yet("extensions"),
    not_yet("grants"),
    not_yet("locale"),
    not_yet("schemas"),
    not_yet("settings"),
    not_yet("template"),
};
constexpr std::array kDatabaseSynonyms = {
    KeySynonym{"owner_name", "owner"},
    KeySynonym{"role", "owner"},
};

}  // namespace

const TableRules kRoleRules = {"role", "a role", kRoleKeys, kRoleSynonyms, "roles"};
const TableRules kPasswordRules = {"password", "password", kPasswordKeys, kPasswordSynonyms};
const TableRules kDatabaseRules = {"database", "a database", kDatabaseKeys, kDatabaseSynonyms,
                                   "databases"};

}  // namespace lb::specs
