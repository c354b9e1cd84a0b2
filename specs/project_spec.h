// ProjectSpec: what an lb.toml says, as plain values with the places they came from. Made by
// read_spec() only, which has checked every rule of docs/spec-reference.md; so the planner can
// rely on names being valid, parents existing, and so on.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/model/address.h"
#include "base/model/change.h"
#include "base/model/state.h"
#include "specs/span.h"

namespace lb::specs {

// Where a password comes from. Never the password itself.
struct SecretReference {
    enum class Kind { kEnvironment, kFile };
    Kind kind = Kind::kEnvironment;
    std::string name;  // variable or path (relative to the spec's folder)
    Span span;
    bool is_generated = false;  // kFile: made by lb where it is not there
    bool operator==(const SecretReference&) const = default;
};

struct BranchSpec {
    std::string name;
    Span span;                // of the table's header
    std::string parent = {};  // empty: root branch (only the default branch, for now)
    Span parent_span = {};
    std::string at = {};  // a moment's canonical text (base/model/moment.h); empty: the head
    bool is_protected = false;
    std::optional<WallTime> expire_time = {};
    std::optional<std::chrono::seconds> ttl = {};
    std::optional<std::chrono::seconds> history_retention = {};  // absent: the project's
    std::optional<RestoreValue> restore = {};
    Span restore_span = {};
    Settings settings = {};                       // PostgreSQL's, of its server
    std::optional<ComputeSettings> compute = {};  // absent: defaults; present: always on
    Span compute_span = {};
    bool operator==(const BranchSpec&) const = default;
};

struct RoleSpec {
    std::string name;
    Span span;
    RoleAttributes attributes;  // password_verifier is filled in by resolve_secrets()
    std::optional<SecretReference> password = {};
    bool operator==(const RoleSpec&) const = default;
};

struct SchemaSpec {
    std::string name;
    Span span;
    std::string owner = {};  // empty: the superuser
    bool operator==(const SchemaSpec&) const = default;
};

struct ExtensionSpec {
    std::string name;
    Span span;
    std::string schema = {};   // empty: wherever it is, or goes
    std::string version = {};  // empty: any
    bool operator==(const ExtensionSpec&) const = default;
};

struct DatabaseSpec {
    std::string name;
    Span span;
    std::string owner = {};  // empty: the superuser
    int32_t connection_limit = -1;
    std::string encoding = {};       // empty: any
    std::string locale = {};         // empty: any
    std::string template_name = {};  // what a new one is made from; empty: lb chooses
    Settings settings = {};
    std::vector<SchemaSpec> schemas = {};        // sorted by name
    std::vector<ExtensionSpec> extensions = {};  // sorted by name
    bool operator==(const DatabaseSpec&) const = default;
};

// What lb is to manage no more, and not to delete.
struct ForgetSpec {
    Address address;
    Span span;
    bool operator==(const ForgetSpec&) const = default;
};

// "*" stands for any text (base/pattern.h).
struct PolicyPattern {
    std::string pattern;
    Span span;
    bool operator==(const PolicyPattern&) const = default;
};

// A kind of change that a plan of this spec may not have.
struct ForbidRule {
    std::optional<ChangeKind> kind;  // nullopt: every kind
    std::string pattern;             // of the address
    std::string text;                // as it is written
    Span span;
    bool operator==(const ForbidRule&) const = default;
};

// What the branches of the spec must be is checked when it is read; `forbid` is for plans.
struct PolicySpec {
    std::vector<PolicyPattern> branch_names = {};
    std::vector<PolicyPattern> require_ttl = {};
    std::vector<PolicyPattern> protected_branches = {};
    std::optional<uint64_t> max_branches = {};
    std::vector<ForbidRule> forbid = {};
    bool operator==(const PolicySpec&) const = default;
};

// What has another name than before.
struct MovedSpec {
    Address from;
    Address to;
    Span span;
    bool operator==(const MovedSpec&) const = default;
};

struct ProjectSpec {
    std::string name;
    Span span;
    uint32_t pg_version = 15;
    std::string default_branch = "main";
    std::chrono::seconds history_retention = kHistoryRetentionUsual;
    Settings settings = {};                    // PostgreSQL's, of all servers
    std::vector<BranchSpec> branches = {};     // sorted by name; includes the default branch
    std::vector<RoleSpec> roles = {};          // sorted by name; on the default branch
    std::vector<DatabaseSpec> databases = {};  // sorted by name; on the default branch

    std::vector<ForgetSpec> forgotten = {};  // sorted by address; none of these is declared
    std::vector<MovedSpec> moved = {};       // sorted by `from`
    PolicySpec policy = {};
    // Hash of what the files say, in hexadecimal: the same for any order, form and number of files.
    std::string content_hash = {};

    const BranchSpec* find_branch(std::string_view branch) const;
    bool operator==(const ProjectSpec&) const = default;
};

}  // namespace lb::specs
