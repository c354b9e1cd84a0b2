// ProjectState: the live state of one project as the engine saw it at one moment. A plain value:
// the planner compares it with a ProjectSpec, the socket carries it as JSON, `lb status` prints it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/json.h"
#include "base/model/contents.h"
#include "base/result.h"

namespace lb {

// Attributes of a role that lb manages. Defaults are PostgreSQL's.
struct RoleAttributes {
    bool login = false;
    bool superuser = false;
    bool create_database = false;
    bool create_role = false;
    bool inherit = true;
    bool replication = false;
    bool bypass_row_security = false;
    int32_t connection_limit = -1;            // -1: none
    std::vector<std::string> member_of = {};  // sorted, unique
    // SCRAM-SHA-256 verifier, never a password; empty: no password.
    std::string password_verifier = {};
    std::optional<WallTime> valid_until = {};  // of the password; in whole microseconds
    Settings settings = {};                    // of the role's sessions

    bool operator==(const RoleAttributes&) const = default;
};

struct RoleState {
    std::string name;
    Origin origin = Origin::kManual;
    RoleAttributes attributes;
    bool operator==(const RoleState&) const = default;
};

struct DatabaseState {
    std::string name;
    Origin origin = Origin::kManual;
    std::string owner;
    int32_t connection_limit = -1;                // -1: none
    std::string encoding = {};                    // "UTF8"
    std::string locale = {};                      // "C.UTF-8"; "COLLATE/CTYPE" where the two differ
    Settings settings = {};                       // of sessions in the database
    std::vector<SchemaState> schemas = {};        // sorted by name; without PostgreSQL's own
    std::vector<ExtensionState> extensions = {};  // sorted by name
    bool operator==(const DatabaseState&) const = default;
};

// Settings of a compute that the spec decides.
struct ComputeSettings {
    // Compute units in hundredths (25 = 0.25 CU). 1 CU = 2 GiB of memory.
    uint32_t size_centi_cu = 25;
    // TCP port on listen_addresses; 0: lb chooses one when the compute is first started and keeps
    // it.
    uint16_t port = 0;
    std::vector<std::string> listen_addresses = {"127.0.0.1"};
    // lb keeps the compute running; otherwise it is started by its first use.
    bool always_on = false;
    Settings settings = {};  // PostgreSQL's, of the branch; they win over the project's

    bool operator==(const ComputeSettings&) const = default;
};

// Restore windows: how far back a branch can be branched from or restored. Zero: no history.
inline constexpr std::chrono::seconds kHistoryRetentionUsual = std::chrono::days(7);
inline constexpr std::chrono::seconds kHistoryRetentionMax = std::chrono::days(30);

// What a restore was asked for.
struct RestoreValue {
    std::string to = {};      // a moment's canonical text (base/model/moment.h); empty: the present
    std::string from = {};    // whose history; empty: the branch's own
    std::string backup = {};  // name for the old state; empty: the engine chooses one
    bool operator==(const RestoreValue&) const = default;
};

enum class ComputeStatus : uint8_t {
    kStopped = 0,
    kStarting = 1,
    kRunning = 2,
    kStopping = 3,
    kFailed = 4,
};
std::string_view to_text(ComputeStatus status);

struct ComputeState {
    ComputeSettings settings;
    ComputeStatus status = ComputeStatus::kStopped;
    uint16_t active_port = 0;  // 0: none chosen yet
    std::string failure = {};  // why it is kFailed
    bool operator==(const ComputeState&) const = default;
};

struct BranchState {
    std::string name;
    Origin origin = Origin::kSpec;
    std::string parent = {};     // empty: root branch
    Position branch_point = {};  // position on the parent
    // The branch point as it was asked for (base/model/moment.h), empty for "the parent's head
    // then".
    std::string requested_at = {};
    bool is_protected = false;
    std::optional<WallTime> expire_time = {};
    // The `ttl` that expire_time was computed from, if it was given so.
    std::optional<std::chrono::seconds> ttl = {};
    // The branch's own restore window; nullopt: the project's.
    std::optional<std::chrono::seconds> history_retention = {};
    // The newest restore that a spec asked for and that was carried out.
    std::optional<RestoreValue> restore = {};
    WallTime created_at = {};
    Generation created_in = {};
    LineId line = {};
    Position head = {};          // newest position of the line
    uint64_t logical_bytes = 0;  // sizes of the files that the branch shows
    uint64_t own_bytes = 0;      // bytes in the store that only this branch brought
    // The earliest moment that the branch can be taken back to; nullopt: not known.
    std::optional<WallTime> restorable_from = {};
    ComputeState compute;
    // Generation in which this branch or its settings last changed; a plan binds to it.
    Generation version = {};

    // Roles and databases, sorted by name. Known only where `is_observed`.
    bool is_observed = false;
    std::vector<RoleState> roles = {};
    std::vector<DatabaseState> databases = {};

    bool operator==(const BranchState&) const = default;
};

// A branch that was deleted and can be had back until its restore window has passed since.
struct DeletedBranchState {
    uint64_t id = 0;  // tells apart those of one name
    std::string name;
    std::string parent = {};  // the nearest ancestor that still exists
    LineId line = {};
    WallTime deleted_at{};
    WallTime gone_at{};
    uint64_t logical_bytes = 0;
    uint64_t own_bytes = 0;
    bool operator==(const DeletedBranchState&) const = default;
};

struct ProjectState {
    std::string name;
    bool exists = false;  // false: nothing was ever applied under this name
    Generation generation = {};
    uint32_t pg_version = 0;
    std::string default_branch = {};
    std::chrono::seconds history_retention = kHistoryRetentionUsual;  // of branches without own
    Settings settings = {};                  // PostgreSQL's, of all servers
    std::optional<WallTime> seen_at = {};    // when the state was like this; nullopt: not known
    std::vector<BranchState> branches = {};  // sorted by name
    std::vector<DeletedBranchState> deleted_branches = {};  // by name, the newest of a name first

    // The newest of that name; null if there is none.
    const DeletedBranchState* find_deleted(std::string_view branch) const;
    const BranchState* find_branch(std::string_view branch) const;
    std::chrono::seconds history_retention_of(const BranchState& branch) const {
        return branch.history_retention.value_or(history_retention);
    }
    bool operator==(const ProjectState&) const = default;
};

Json to_json(const ProjectState& state);
// Errors: kBadRequest.
Result<ProjectState> project_state_from_json(const Json& json);

Json to_json(const DatabaseState& database);
Result<DatabaseState> database_from_json(const Json& json);
Json to_json(const RoleAttributes& attributes);
Result<RoleAttributes> role_attributes_from_json(const Json& json);
Json to_json(const ComputeSettings& settings);
Result<ComputeSettings> compute_settings_from_json(const Json& json);

Json to_json(const std::optional<RestoreValue>& restore);  // null: none
Result<std::optional<RestoreValue>> optional_restore_at(const Json& json, std::string_view key);

Result<Origin> origin_at(const Json& json, std::string_view key);

// Times travel as nanoseconds since the Unix epoch, durations as seconds; null is none.
Json time_to_json(std::optional<WallTime> time);
Result<std::optional<WallTime>> optional_time_at(const Json& json, std::string_view key);
Json seconds_to_json(std::optional<std::chrono::seconds> duration);
Result<std::optional<std::chrono::seconds>> optional_seconds_at(const Json& json,
                                                                std::string_view key);
// A restore window within its bounds; the optional one may be null.
Result<std::chrono::seconds> history_retention_at(const Json& json);
Result<std::optional<std::chrono::seconds>> optional_history_retention_at(const Json& json);
// Of a role or database: -1 (none) or more.
Result<int32_t> connection_limit_at(const Json& json);
inline constexpr std::string_view kHistoryRetentionKey = "history_retention_s";

}  // namespace lb
