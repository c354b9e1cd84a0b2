#include "specs/internal/key_rules.h"

#include <array>

namespace lb::specs {

namespace {

using enum KeySupport;

constexpr std::array kSpecKeys = {
    KeyRule{"project"},
    KeyRule{"branches"},
    KeyRule{"roles"},
    KeyRule{"databases"},
    KeyRule{"extensions", kNotYet},
    KeyRule{"forget", kNotYet},
    KeyRule{"grants", kNotYet},
    KeyRule{"import", kNotYet},
    KeyRule{"migrations", kNotYet},
    KeyRule{"moved", kNotYet},
    KeyRule{"policy", kNotYet},
    KeyRule{"preview", kNotYet},
    KeyRule{"schemas", kNotYet},
    KeyRule{"settings", kNotYet},
    KeyRule{"snapshots", kNotYet},
    KeyRule{"variables", kNotYet},
};
constexpr std::array kSpecSynonyms = {
    KeySynonym{"users", "roles"},
    KeySynonym{"previews", "preview"},
    KeySynonym{"vars", "variables"},
};

constexpr std::array kProjectKeys = {
    KeyRule{"name"},
    KeyRule{"pg_version"},
    KeyRule{"default_branch"},
    KeyRule{"history_retention"},
    KeyRule{"compute", kNotYet},
    KeyRule{"extensions", kNotYet},
    KeyRule{"settings", kNotYet},
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

constexpr std::array kBranchKeys = {
    KeyRule{"parent"},
    KeyRule{"at"},
    KeyRule{"protected"},
    KeyRule{"ttl"},
    KeyRule{"expire_time"},
    KeyRule{"history_retention"},
    KeyRule{"compute"},
    KeyRule{"databases", kNotYet},
    KeyRule{"extensions", kNotYet},
    KeyRule{"grants", kNotYet},
    KeyRule{"migrations", kNotYet},
    KeyRule{"read_replicas", kNotYet},
    KeyRule{"restore"},
    KeyRule{"roles", kNotYet},
    KeyRule{"schemas", kNotYet},
    KeyRule{"settings", kNotYet},
    KeyRule{"snapshot_schedule", kNotYet},
};
constexpr std::array kBranchSynonyms = {
    KeySynonym{"source_branch", "parent"},
    KeySynonym{"parent_id", "parent"},
    KeySynonym{"from", "parent"},
    KeySynonym{"source_branch_time", "at"},
    KeySynonym{"source_branch_lsn", "at"},
    KeySynonym{"parent_timestamp", "at"},
    KeySynonym{"parent_lsn", "at"},
    KeySynonym{"position", "at"},
    KeySynonym{"is_protected", "protected"},
    KeySynonym{"expires_at", "expire_time"},
    KeySynonym{"expires", "expire_time"},
    KeySynonym{"expiration", "expire_time"},
    KeySynonym{"endpoint", "compute"},
    KeySynonym{"restore_window", "history_retention"},
    KeySynonym{"history_retention_duration", "history_retention"},
    KeySynonym{"history_retention_seconds", "history_retention"},
};

constexpr std::array kComputeKeys = {
    KeyRule{"min_cu"},
    KeyRule{"max_cu"},
    KeyRule{"port"},
    KeyRule{"listen_addresses"},
    KeyRule{"extensions", kNotYet},
    KeyRule{"pooling", kNotYet},
    KeyRule{"read_replicas", kNotYet},
    KeyRule{"settings", kNotYet},
    KeyRule{"suspend_timeout", kNotYet},
};
constexpr std::array kComputeSynonyms = {
    KeySynonym{"cu", "min_cu"},
    KeySynonym{"size", "min_cu"},
    KeySynonym{"autoscaling_limit_min_cu", "min_cu"},
    KeySynonym{"autoscaling_limit_max_cu", "max_cu"},
    KeySynonym{"host", "listen_addresses"},
    KeySynonym{"listen", "listen_addresses"},
    KeySynonym{"pg_settings", "settings"},
    KeySynonym{"suspend_timeout_seconds", "suspend_timeout"},
    KeySynonym{"suspend_timeout_duration", "suspend_timeout"},
};

constexpr std::array kRestoreKeys = {
    KeyRule{"to"},
    KeyRule{"from"},
    KeyRule{"backup"},
};
constexpr std::array kRestoreSynonyms = {
    KeySynonym{"at", "to"},
    KeySynonym{"source", "from"},
    KeySynonym{"branch", "from"},
    KeySynonym{"preserve_under_name", "backup"},
};

constexpr std::array kRoleKeys = {
    KeyRule{"login"},
    KeyRule{"superuser"},
    KeyRule{"create_database"},
    KeyRule{"create_role"},
    KeyRule{"inherit"},
    KeyRule{"replication"},
    KeyRule{"bypass_row_security"},
    KeyRule{"connection_limit"},
    KeyRule{"member_of"},
    KeyRule{"password"},
    KeyRule{"grants", kNotYet},
    KeyRule{"settings", kNotYet},
    KeyRule{"valid_until", kNotYet},
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
    KeyRule{"env"},
    KeyRule{"file"},
};
constexpr std::array kPasswordSynonyms = {
    KeySynonym{"environment", "env"},
    KeySynonym{"variable", "env"},
    KeySynonym{"path", "file"},
};

constexpr std::array kDatabaseKeys = {
    KeyRule{"owner"},
    KeyRule{"connection_limit", kNotYet},
    KeyRule{"encoding", kNotYet},
    KeyRule{"extensions", kNotYet},
    KeyRule{"grants", kNotYet},
    KeyRule{"locale", kNotYet},
    KeyRule{"schemas", kNotYet},
    KeyRule{"settings", kNotYet},
    KeyRule{"template", kNotYet},
};
constexpr std::array kDatabaseSynonyms = {
    KeySynonym{"owner_name", "owner"},
    KeySynonym{"role", "owner"},
};

}  // namespace

const TableRules kSpecRules = {"a spec", kSpecKeys, kSpecSynonyms};
const TableRules kProjectRules = {"[project]", kProjectKeys, kProjectSynonyms};
const TableRules kBranchRules = {"a branch", kBranchKeys, kBranchSynonyms, "branches"};
const TableRules kComputeRules = {"compute", kComputeKeys, kComputeSynonyms};
const TableRules kRestoreRules = {"restore", kRestoreKeys, kRestoreSynonyms};
const TableRules kRoleRules = {"a role", kRoleKeys, kRoleSynonyms, "roles"};
const TableRules kPasswordRules = {"password", kPasswordKeys, kPasswordSynonyms};
const TableRules kDatabaseRules = {"a database", kDatabaseKeys, kDatabaseSynonyms, "databases"};

}  // namespace lb::specs
