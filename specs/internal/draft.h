// A spec while it is being read: the values with the places that only the checks need.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "specs/internal/table_reader.h"
#include "specs/internal/toml_tree.h"
#include "specs/project_spec.h"

namespace lb::specs {

struct BranchDraft {
    BranchSpec spec;
    Place name_place;
    Place parent_place = {};      // line 0: no `parent`
    Place at_place = {};          // line 0: no `at`
    Place expiration_place = {};  // line 0: does not expire
    Place port_place = {};        // line 0: no valid `port`
    Place protected_place = {};

    bool has_parent_key() const { return parent_place.line != 0; }
    bool expires() const { return expiration_place.line != 0; }
};

struct RoleDraft {
    RoleSpec spec;
    Place name_place;
    Place password_place = {};
    std::vector<PlacedText> member_of = {};
};

struct DatabaseDraft {
    DatabaseSpec spec;
    Place name_place;
    Place owner_place = {};                      // line 0: no `owner`
    std::vector<PlacedText> schema_owners = {};  // of spec.schemas, line 0: no `owner`
};

struct ForgetDraft {
    Address address;
    Place place;
};

struct SpecDraft {
    std::string project_name;
    Place project_place = {};
    uint32_t pg_version = 15;
    std::string default_branch = "main";
    Place default_branch_place = {};  // line 0: not given
    std::chrono::seconds history_retention = kHistoryRetentionUsual;
    Settings settings = {};
    bool is_default_branch_valid = true;  // false: its name was reported
    std::set<std::string, std::less<>> sensitive_variables = {};
    std::vector<BranchDraft> branches = {};  // sorted by name, as are the others
    std::vector<RoleDraft> roles = {};
    std::vector<DatabaseDraft> databases = {};
    std::vector<ForgetDraft> forgotten = {};  // in the order of the text
    PolicySpec policy = {};
    Place max_branches_place = {};  // line 0: not given
};

// The tables of a spec into a draft. Report whatever a single table shows to be wrong.
void read_project_table(const TableReader& spec, SpecDraft& draft, Reporter& reporter);
void read_branches(const TableReader& spec, SpecDraft& draft, Reporter& reporter);
void read_roles(const TableReader& spec, SpecDraft& draft, Reporter& reporter);
void read_databases(const TableReader& spec, SpecDraft& draft, Reporter& reporter);

void read_forget(const TableReader& spec, SpecDraft& draft, Reporter& reporter);
void read_policy(const TableReader& spec, SpecDraft& draft, Reporter& reporter);

// `history_retention` of the project or a branch.
std::optional<std::chrono::seconds> read_history_retention(const TableReader& table,
                                                           Reporter& reporter);

// A string or TOML's own date-time.
std::optional<WallTime> read_time(const TableReader& table, std::string_view key,
                                  Reporter& reporter);

// The `settings` of a role or database, or of a project or branch.
enum class SettingsFor { kSessions, kServers };
Settings read_settings(const TableReader& table, SettingsFor whom, Reporter& reporter);

// The `compute` table of a branch, which becomes always on.
void read_compute(const TableReader& branch, BranchDraft& draft, Reporter& reporter);

// Rules between several tables. check_branches() also fills in the parents that were left out.
void check_branches(SpecDraft& draft, Reporter& reporter);
void check_roles_and_databases(SpecDraft& draft, Reporter& reporter);
void check_forget(const SpecDraft& draft, Reporter& reporter);
void check_policy(const SpecDraft& draft, Reporter& reporter);

// Whether the spec has a table for the branch, role or database; where it is, for messages.
std::optional<Place> place_of_declared(const SpecDraft& draft, const Address& address);

}  // namespace lb::specs
