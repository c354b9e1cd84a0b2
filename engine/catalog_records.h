// The catalog's records, and how each becomes a note in the store (docs/catalog.md has the keys and
// the JSON). Encoding is byte-equal for equal records.
//
// Decoders accept any text: kStoreFormatNewer for a record that a newer lb wrote, kStoreDamaged for
// anything else that is no record; the caller adds the note's key.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/model/generation.h"
#include "base/model/state.h"
#include "base/result.h"
#include "engine/sql.h"

namespace lb::engine {

inline constexpr int64_t kCatalogVersion = 1;

// Both are the number of the first line that belonged to the branch (for a project: to its default
// branch), which the store never gives out again. They stay when a branch moves to another line.
using ProjectId = StrongId<struct ProjectIdTag>;
using BranchId = StrongId<struct BranchIdTag>;

struct ProjectRecord {
    ProjectId id = {};
    std::string name;
    uint32_t pg_version = 15;
    BranchId default_branch = {};
    std::chrono::seconds history_retention = kHistoryRetentionUsual;
    Settings settings = {};      // PostgreSQL's, of all servers
    Generation generation = {};  // newest apply
    Generation version = {};     // generation that last changed the project's own settings
    WallTime created_at{};
    bool operator==(const ProjectRecord&) const = default;
};

struct BranchRecord {
    BranchId id = {};
    std::string name;
    LineId line = {};
    BranchId parent = {};  // 0: root branch
    Origin origin = Origin::kSpec;
    std::string requested_at = {};
    bool is_protected = false;
    std::optional<WallTime> expire_time = {};
    std::optional<std::chrono::seconds> ttl = {};
    std::optional<std::chrono::seconds> history_retention = {};  // nullopt: the project's
    std::optional<RestoreValue> restore = {};  // the newest one that a spec asked for
    WallTime created_at{};
    Generation created_in = {};
    Generation version =
        {};  // generation that last changed the branch, its compute, roles or databases
    ComputeSettings compute = {};
    uint16_t port = 0;  // chosen at the first start of the compute; 0: not yet
    bool operator==(const BranchRecord&) const = default;
};

// Which roles, databases, and things inside of databases lb made in a branch, and for whom.
struct ManagedResource {
    Origin origin = Origin::kSpec;
    Generation version = {};  // generation that last changed it
    bool operator==(const ManagedResource&) const = default;
};
struct ManagedRecord {
    std::map<std::string, ManagedResource> roles = {};
    std::map<std::string, ManagedResource> databases = {};
    std::map<Address, ManagedResource> contents = {};  // schemas and extensions; without a branch
    bool operator==(const ManagedRecord&) const = default;
    bool is_empty() const { return roles.empty() && databases.empty() && contents.empty(); }

    // Of a role, a database, or what is inside of one; null if lb did not make it.
    const ManagedResource* find(const Address& address) const;
    void put(const Address& address, ManagedResource resource);
    // A database goes with what is inside.
    void erase(const Address& address);
};

// A deleted branch that can be had back: its line stays in the store until `gone_at`.
struct DeletedRecord {
    BranchRecord branch;                   // as it was
    std::vector<BranchId> ancestors = {};  // that it had, its parent first
    ManagedRecord managed = {};
    WallTime deleted_at{};
    WallTime gone_at{};
    bool operator==(const DeletedRecord&) const = default;
};

// What a branch's roles and databases were when its line's head was `position`.
struct ObservationRecord {
    LineId line = {};
    Position position = {};
    Observation observation = {};
};

// A dump that `lb load` brought into the branch.
struct LoadMark {
    WallTime at{};
    Position position = {};  // a branch of it has what was loaded
    std::string author = {};
    std::string file = {};  // its name, without directories; "stdin"
    std::string database = {};
    uint64_t read_bytes = 0;
    bool operator==(const LoadMark&) const = default;
};
inline constexpr size_t kLoadMarksKept = 100;
struct LoadsRecord {
    std::vector<LoadMark> loads = {};  // newest first, at most kLoadMarksKept
    bool operator==(const LoadsRecord&) const = default;
};

// The cached result of initdb for one major version.
struct TemplateRecord {
    LineId line = {};
    std::string postgres_version;  // "15.20"
    bool operator==(const TemplateRecord&) const = default;
};

// What is left of a destroyed project: its last generation, so that a project made anew under the
// name goes on counting and an old plan can never fit it.
struct TombstoneRecord {
    GenerationRecord last;
    bool operator==(const TombstoneRecord&) const = default;
};

// -- Keys. Names never appear in keys except in tombstones (a project name, at the end). ---------

inline constexpr std::string_view kProjectPrefix = "project/";
inline constexpr std::string_view kBranchPrefix = "branch/";
inline constexpr std::string_view kDeletedPrefix = "deleted/";
inline constexpr std::string_view kManagedPrefix = "managed/";
inline constexpr std::string_view kObservedPrefix = "observed/";
inline constexpr std::string_view kLoadsPrefix = "loads/";
inline constexpr std::string_view kGenerationPrefix = "generation/";
inline constexpr std::string_view kTemplatePrefix = "template/";

std::string project_key(ProjectId project);
std::string branch_key(ProjectId project, BranchId branch);
std::string deleted_key(ProjectId project, BranchId branch);
std::string managed_key(ProjectId project, BranchId branch);
std::string observed_key(ProjectId project, BranchId branch);
std::string loads_key(ProjectId project, BranchId branch);
std::string generation_key(ProjectId project, Generation generation);
std::string template_key(uint32_t major_version);
std::string tombstone_key(std::string_view project_name);

// The numbers after a key's first slash, at most two: "branch/3/17" -> {3, 17}.
Result<std::vector<uint64_t>> key_numbers(std::string_view key);

// -- Values -----------------------------------------------------------------------------------

std::string encode(const ProjectRecord& record);
std::string encode(const BranchRecord& record);
std::string encode(const DeletedRecord& record);
std::string encode(const ManagedRecord& record);
std::string encode(const ObservationRecord& record);
std::string encode(const LoadsRecord& record);
std::string encode(const GenerationRecord& record);
std::string encode(const TemplateRecord& record);
std::string encode(const TombstoneRecord& record);

// Of the note "catalog", which a newer lb that changes the meaning of keys will raise.
Status check_catalog_version(std::string_view text);
Result<ProjectRecord> decode_project(std::string_view text);
Result<BranchRecord> decode_branch(std::string_view text);
Result<DeletedRecord> decode_deleted(std::string_view text);
Result<ManagedRecord> decode_managed(std::string_view text);
Result<ObservationRecord> decode_observation(std::string_view text);
Result<LoadsRecord> decode_loads(std::string_view text);
Result<GenerationRecord> decode_generation(std::string_view text);
Result<TemplateRecord> decode_template(std::string_view text);
Result<TombstoneRecord> decode_tombstone(std::string_view text);

}  // namespace lb::engine
