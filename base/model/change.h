// ChangeSet: what an apply is asked to do. The planner produces it inside a Plan; the engine
// carries it out, all or nothing. Each change holds the complete wanted value, so that the engine
// never has to look at a spec.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/model/address.h"
#include "base/model/state.h"

namespace lb {

// A restore and a reset are updates of a branch that move it to another state of its data as well.
enum class ChangeKind : uint8_t {
    kCreate = 0,
    kUpdate = 1,
    kDelete = 2,
    kRestore = 3,  // to BranchValue::restore
    kReset = 4,    // to its parent's present state
    kForget = 5,   // of a branch, role or database: it stays, and lb manages it no more
};
std::string_view to_text(ChangeKind kind);  // "create", "update", ..., "forget"
// nullopt for text that is none.
std::optional<ChangeKind> change_kind_from_text(std::string_view text);

struct ProjectValue {
    uint32_t pg_version = 15;
    std::string default_branch;
    std::chrono::seconds history_retention = kHistoryRetentionUsual;
    Settings settings = {};  // PostgreSQL's, of all servers
    bool operator==(const ProjectValue&) const = default;
};

struct BranchValue {
    std::string parent = {};        // empty: root branch
    std::string requested_at = {};  // a moment's canonical text (base/model/moment.h)
    bool is_protected = false;
    std::optional<WallTime> expire_time = {};      // absolute, or
    std::optional<std::chrono::seconds> ttl = {};  // counted by the engine from creation or update
    std::optional<std::chrono::seconds> history_retention = {};  // nullopt: the project's
    // kRestore: what to restore to. kReset: the name for the old state, if it is to stay. Otherwise
    // what the live branch has.
    std::optional<RestoreValue> restore = {};
    // kCreate: not a new branch but the deleted one with this id comes back, under the address's
    // name and with the settings that it had.
    std::optional<uint64_t> undelete = {};
    bool operator==(const BranchValue&) const = default;
};

struct RoleValue {
    RoleAttributes attributes;
    bool operator==(const RoleValue&) const = default;
};

struct DatabaseValue {
    std::string owner;
    int32_t connection_limit = -1;  // -1: none
    // What a new database is made with; empty: as its template is. Of one that exists: as it is.
    std::string encoding = {};
    std::string locale = {};
    std::string template_name = {};  // of a new one; empty: lb chooses
    Settings settings = {};
    bool operator==(const DatabaseValue&) const = default;
};

struct SchemaValue {
    std::string owner;
    bool operator==(const SchemaValue&) const = default;
};

struct ExtensionValue {
    std::string schema = {};   // empty: where its author or lb puts it
    std::string version = {};  // empty: the default one
    bool operator==(const ExtensionValue&) const = default;
};

// The alternative matches the address's kind. Monostate for deletes and forgets.
using ResourceValue = std::variant<std::monostate, ProjectValue, BranchValue, ComputeSettings,
                                   RoleValue, DatabaseValue, SchemaValue, ExtensionValue>;
// Whether `value` is the alternative for `kind`.
bool is_value_of(ResourceKind kind, const ResourceValue& value);

struct ResourceChange {
    Address address;
    ChangeKind kind = ChangeKind::kCreate;
    ResourceValue value = {};
    Origin origin = Origin::kSpec;  // who asks
    // kUpdate of a branch, role or database: what it was called until now.
    std::optional<Address> moved_from = {};
    // kDelete of a branch: it cannot be had back, nor those of its name that were deleted before.
    bool is_purge = false;
    bool operator==(const ResourceChange&) const = default;
};

// A version that the plan read and relies on. The engine refuses the ChangeSet as stale if the
// resource has another version now.
struct BaseVersion {
    Address address;
    Generation version = {};  // 0: did not exist
    bool operator==(const BaseVersion&) const = default;
};

struct ChangeSet {
    std::string project;
    std::vector<ResourceChange> changes = {};  // in the order in which they are carried out
    std::vector<BaseVersion> base_versions = {};
    Generation base_generation = {};  // of the live state that the plan was made from
    std::string plan_id = {};
    std::string author = {};      // user@host of the client, for the audit
    std::string spec_hash = {};   // SHA-256 of the spec's files, empty if no spec asks
    std::string git_commit = {};  // HEAD of the spec's repository, empty if there is none
    bool operator==(const ChangeSet&) const = default;
};

Json to_json(const ResourceValue& value);
// Errors: kBadRequest.
Result<ResourceValue> resource_value_from_json(ResourceKind kind, const Json& json);
Json to_json(const ChangeSet& changes);
// Errors: kBadRequest. Checks that each value's alternative matches its address's kind.
Result<ChangeSet> change_set_from_json(const Json& json);

}  // namespace lb
