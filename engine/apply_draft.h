// ApplyDraft: a ChangeSet checked against the catalog and worked out: which branch records there
// will be, which SQL runs where. Pure: it reads the catalog and changes nothing.
//
// The rules are checked here although the planner has checked them on the client's side: what
// counts is the state that the apply finds, not the one that the plan was made from.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/model/change.h"
#include "base/model/moment.h"
#include "base/result.h"
#include "engine/catalog.h"

namespace lb::engine {

// A restore or a reset.
struct BranchMove {
    Moment to = Present{};
    std::string from = {};  // whose history: the branch itself, another, its parent
    std::optional<BranchRecord> backup = {};  // who gets the line that the branch had; id 0 so far
};

struct BranchDraft {
    std::optional<BranchRecord> before = {};  // absent: the apply makes the branch
    std::optional<BranchRecord> after = {};   // absent: the apply deletes it
    // Lines of branches that the apply makes are not reserved yet: 0, and so are their ids.
    std::string parent = {};  // name, of a branch that is made; empty: root
    Moment at = Present{};    // where it is made
    std::optional<BranchMove> move = {};
    std::optional<DeletedRecord> undeleted = {};   // is_created(), but with the line it had
    std::optional<DeletedRecord> deleted = {};     // is_deleted(), and can be had back
    std::vector<ResourceChange> sql_changes = {};  // roles, databases and contents
    ManagedRecord managed = {};                    // afterwards
    bool is_managed_changed = false;
    bool is_compute_changed = false;

    bool is_created() const { return !before && after; }
    bool is_deleted() const { return before && !after; }
};

struct ApplyDraft {
    ProjectRecord project;  // afterwards; of a new one id and default_branch are 0
    std::string default_branch;
    bool creates_project = false;
    bool removes_project = false;
    bool are_settings_changed = false;                 // of all the project's servers
    std::map<std::string, BranchDraft> branches = {};  // those that the apply touches
    std::vector<DeletedRecord> purged = {};            // deleted earlier, and now for good

    // Their names, parents before children, otherwise sorted.
    std::vector<std::string> in_order() const;
};

struct DraftInput {
    const ChangeSet& changes;
    const Project* project = nullptr;  // null: does not exist
    Generation last_generation = {};   // of a destroyed project of the same name
    WallTime now{};
};

// Errors: kBadRequest, kInvalidName, kPlanStale (with a note for each resource that changed),
// kNotFound, kAlreadyExists, kHasChildren, kRefused.
Result<ApplyDraft> make_draft(const DraftInput& input);

}  // namespace lb::engine
