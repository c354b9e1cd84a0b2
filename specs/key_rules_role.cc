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
    KeyRule{.name = "valid_until",
            .type = kTime,
            .documentation = "Until when its password counts: VALID UNTIL.",
            .usual = "for ever",
            .example = "\"2026-12-31T23:00:00Z\""},
    KeyRule{.name = "settings",
            .type = kScalars,
            .documentation = "PostgreSQL's settings of its sessions: ALTER ROLE ... SET.",
            .usual = "{}",
            .example = "{ statement_timeout = \"30s\" }"},
    not_yet("grants"),
};
constexpr std::array kRoleSynonyms = {
    KeySynonym{"validuntil", "valid_until"},
    KeySynonym{"expires", "valid_until"},
    KeySynonym{"config", "settings"},
    KeySynonym{"set", "settings"},
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
    KeyRule{.name = "generate",
            .type = kBoolean,
            .documentation = "Where the role has no password and `file` is not there, lb makes one "
                             "and writes it there, with mode 0600.",
            .usual = "false",
            .example = "true"},
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
    KeyRule{.name = "schemas",
            .type = kNamesOrTables,
            .documentation = "The schemas in it, beside `public`.",
            .usual = "[]",
            .example = "[\"api\", { name = \"audit\", owner = \"postgres\" }]",
            .table = &kSchemaRules},
    KeyRule{.name = "extensions",
            .type = kNamesOrTables,
            .documentation = "The extensions in it: CREATE EXTENSION.",
            .usual = "[]",
            .example = "[\"pgcrypto\", { name = \"citext\", schema = \"api\" }]",
            .table = &kExtensionRules},
    KeyRule{.name = "connection_limit",
            .type = kInteger,
            .documentation = "How many connections it may have at once: CONNECTION LIMIT; -1 is no "
                             "limit.",
            .usual = "-1",
            .example = "50",
            .min = -1,
            .max = kConnectionLimitMax},
    KeyRule{.name = "settings",
            .type = kScalars,
            .documentation = "PostgreSQL's settings of the sessions in it: ALTER DATABASE ... SET.",
            .usual = "{}",
            .example = "{ work_mem = \"16MB\" }"},
    KeyRule{.name = "encoding",
            .documentation = "What it is made with; cannot be changed.",
            .usual = "as its template's",
            .example = "\"UTF8\""},
    KeyRule{.name = "locale",
            .documentation = "What it is made with; cannot be changed.",
            .usual = "as its template's",
            .example = "\"en_US.utf8\""},
    KeyRule{.name = "template",
            .documentation = "The database that it is made from; counts only then.",
            .usual = "`\"template1\"`, with an encoding or a locale `\"template0\"`",
            .example = "\"template0\""},
    not_yet("grants"),
};
constexpr std::array kDatabaseSynonyms = {
    KeySynonym{"owner_name", "owner"},  KeySynonym{"role", "owner"},
    KeySynonym{"lc_collate", "locale"}, KeySynonym{"collation", "locale"},
    KeySynonym{"charset", "encoding"},  KeySynonym{"connlimit", "connection_limit"},
};

constexpr std::array kSchemaKeys = {
    KeyRule{.name = "name",
            .documentation = "The schema's name.",
            .usual = "required",
            .example = "\"api\""},
    KeyRule{.name = "owner",
            .documentation = "A role, as of a database.",
            .usual = "the database's owner",
            .example = "\"app\""},
};
constexpr std::array kSchemaSynonyms = {
    KeySynonym{"authorization", "owner"},
    KeySynonym{"role", "owner"},
};

constexpr std::array kExtensionKeys = {
    KeyRule{.name = "name",
            .documentation = "The extension's name.",
            .usual = "required",
            .example = "\"pgcrypto\""},
    KeyRule{.name = "schema",
            .documentation = "The schema that its objects are in: one of the spec, or one that "
                             "is there.",
            .usual = "where it is, or its author or `\"public\"` says",
            .example = "\"public\""},
    KeyRule{.name = "version",
            .documentation = "Its version; another one is an update: ALTER EXTENSION ... UPDATE.",
            .usual = "the one that is there, or the machine's newest",
            .example = "\"1.3\""},
};

}  // namespace

const TableRules kRoleRules = {"role", "a role", kRoleKeys, kRoleSynonyms, "roles"};
const TableRules kPasswordRules = {"password", "password", kPasswordKeys, kPasswordSynonyms};
const TableRules kDatabaseRules = {"database", "a database", kDatabaseKeys, kDatabaseSynonyms,
                                   "databases"};
const TableRules kSchemaRules = {"schema", "a schema", kSchemaKeys, kSchemaSynonyms};
const TableRules kExtensionRules = {"extension", "an extension", kExtensionKeys};

}  // namespace lb::specs
