// Plan: what would change and why, as a value. Made by make_plan(), a pure function: no I/O, no
// clock, no randomness; byte-equal output for equal input. Renderers and the engine only read it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/model/change.h"
#include "base/result.h"
#include "specs/project_spec.h"

namespace lb::planner {

enum class Reason : uint8_t {
    kNewInSpec,           // create
    kChangedInSpec,       // update: spec and live state differ
    kNoLongerInSpec,      // delete: lb made it from a spec that has dropped it
    kRequestedByCommand,  // lb branch create and friends
    kParentDeleted,       // goes with something else
    kForgottenInSpec,     // forget
    kRolledBack,          // lb rollback: as it was in an earlier generation
};
std::string_view to_text(Reason reason);

enum class Risk : uint8_t { kNone, kRestartsCompute, kDeletesHistory, kDeletesData };
std::string_view to_text(Risk risk);

// One attribute that differs, for people and for JSON. Secrets show as "(set)" / "(new)".
struct AttributeDiff {
    std::string name;
    std::optional<std::string> before = {};
    std::optional<std::string> after = {};
    bool operator==(const AttributeDiff&) const = default;
};

// Why a change may not be carried out as it stands. The last three come only from requests, never
// from a spec that read_spec() accepted, unless something was changed by hand.
enum class Refusal : uint8_t {
    kNone,
    kProtected,     // the live branch is protected
    kNotSupported,  // e.g. another parent for an existing branch
    kWouldOrphan,   // children outside of the plan
    kInUse,         // something that stays needs it
    kNotFound,      // it, or what it is made from, does not exist
    kAlreadyExists,
    kInvalidName,
    kNotInHistory,  // a moment outside of a restore window
    kForbidden,     // by the spec's policy
};
std::string_view to_text(Refusal refusal);

// What a shorter restore window makes unreachable of a branch's past.
struct LostHistory {
    std::string branch;
    WallTime restorable_from{};
    WallTime afterwards_from{};
    std::optional<uint64_t> freed_bytes = {};  // nullopt: nobody asked the store
    bool operator==(const LostHistory&) const = default;
};

// What carrying out a change costs. Deleted bytes stand beside it, in the change.
struct Cost {
    std::optional<uint64_t> shared_bytes = {};  // a new branch has these without a copy
    uint64_t freed_bytes = 0;                   // at once; other deletes free with their window
    bool restarts_compute = false;
    bool is_in_commit = true;  // false: part of it happens after the commit, at once
    bool operator==(const Cost&) const = default;
};

// How far a change can be taken back once it is applied.
enum class Undoable : uint8_t { kYes, kPartly, kNo };
std::string_view to_text(Undoable undoable);

// One step of the way back, as a change of the state that the plan leads to.
struct UndoStep {
    ResourceChange change;
    Undoable undoable = Undoable::kYes;
    std::string lost = {};                            // what stays lost; empty: nothing
    std::optional<std::chrono::seconds> window = {};  // after the apply; nullopt: no limit
    bool is_undelete = false;                         // the deleted branch comes back, with data
    bool operator==(const UndoStep&) const = default;
};

struct PlannedChange {
    ResourceChange change;
    Reason reason = Reason::kNewInSpec;
    Risk risk = Risk::kNone;
    std::vector<AttributeDiff> diffs = {};
    uint64_t deleted_bytes = 0;                  // for kDeletesData: what only this resource has
    std::vector<LostHistory> lost_history = {};  // for kDeletesHistory; sorted by branch
    bool is_window_longer = false;               // a restore window grows
    Cost cost = {};
    specs::Span span = {};  // where the spec asks for it
    Refusal refusal = Refusal::kNone;
    std::string refusal_message = {};  // one line
    std::string refusal_help = {};
    bool operator==(const PlannedChange&) const = default;
};

// Refused changes count as refused only.
struct PlanSummary {
    uint64_t create_count = 0;
    uint64_t update_count = 0;
    uint64_t delete_count = 0;
    uint64_t forget_count = 0;
    uint64_t unchanged_count = 0;
    uint64_t refused_count = 0;
    uint64_t left_out_count = 0;  // by a selection (planner/select.h)
    uint64_t branch_count = 0;    // of the live state

    bool operator==(const PlanSummary&) const = default;
};

// A live resource that the spec does not mention and lb did not make from a spec. Left alone.
struct Unmanaged {
    Address address;
    Origin origin = Origin::kManual;
    bool operator==(const Unmanaged&) const = default;
};

// A change that a selection did not name but needs, or one that it named but could not keep.
struct SelectionNote {
    enum class Kind : uint8_t { kAdded, kDropped };
    Address address;
    Kind kind = Kind::kAdded;
    Address because;  // what needs it; what it needs
    bool operator==(const SelectionNote&) const = default;
};
std::string_view to_text(SelectionNote::Kind kind);

struct Plan {
    std::string project;
    Generation base_generation = {};
    std::vector<PlannedChange> changes = {};  // in the order in which they are carried out
    std::vector<Unmanaged> unmanaged = {};
    std::vector<SelectionNote> selection_notes = {};  // sorted by address
    std::vector<std::string> notes = {};  // what the plan leaves to be done, one line each
    std::vector<BaseVersion> base_versions = {};
    std::vector<UndoStep> undo = {};  // in the order in which they would be carried out
    PlanSummary summary = {};
    // "p-7f3a91c2": hash of the changes and base versions.
    std::string id = {};

    bool is_empty() const { return changes.empty(); }
    bool operator==(const Plan&) const = default;
};

// Live state against the spec. `live.branches[default]` must be observed if it exists.
Plan make_plan(const specs::ProjectSpec& spec, const ProjectState& live);

// A plan from single changes that a command asks for (`lb branch create`): checks them against the
// live state with the same rules.
Plan make_plan_for(const std::vector<ResourceChange>& changes, const ProjectState& live);

// Everything of the project goes.
Plan make_destroy_plan(const ProjectState& live);

// What an apply must be allowed to do. Errors: kRefused (any refusal), kDestroyNotAllowed (a change
// that deletes data whose address is not in `allowed`; the help is the complete option to type).
Status check_policy(const Plan& plan, const std::vector<std::string>& allowed_destroys);

ChangeSet to_change_set(const Plan& plan);

}  // namespace lb::planner
