#include "planner/rules.h"

#include <algorithm>

#include "base/model/moment.h"
#include "base/model/names.h"
#include "base/text.h"
#include "planner/attributes.h"

namespace lb::planner {

namespace {

constexpr size_t kListedNamesMax = 5;

// [branches.main], [branches."feature/cart"]
std::string branch_table(std::string_view branch) {
    bool is_bare = branch.find_first_of("./") == std::string_view::npos;
    return cat("[branches.", is_bare ? std::string(branch) : quoted(branch), "]");
}

void check_project_update(PlannedChange& planned, const ProjectState& live) {
    const auto& value = std::get<ProjectValue>(planned.change.value);
    if (value.default_branch != live.default_branch) {
        refuse(planned, Refusal::kNotSupported,
               cat("the default branch of project ", live.name, " is ", live.default_branch,
                   " and cannot be changed"),
               cat("set default_branch = ", quoted(live.default_branch)));
    }
    if (value.pg_version != live.pg_version) {
        refuse(planned, Refusal::kNotSupported,
               cat("project ", live.name, " has PostgreSQL ", live.pg_version,
                   " and cannot change to ", value.pg_version, " in place"),
               cat("set pg_version = ", live.pg_version,
                   ", or make a new project and load a dump into it"));
    }
}

void check_project_delete(PlannedChange& planned, const ProjectState& live) {
    std::vector<std::string> kept;
    for (const BranchState& branch : live.branches) {
        if (branch.is_protected) kept.push_back(branch.name);
    }
    if (kept.empty()) return;
    refuse(planned, Refusal::kProtected,
           cat("project ", live.name, " has protected branches: ", list_names(kept)),
           "set protected = false for them in the spec and run \"lb apply\" first");
}

void check_project(PlannedChange& planned, const World& world) {
    check_existence(planned, world);
    if (planned.refusal != Refusal::kNone) return;
    switch (planned.change.kind) {
        case ChangeKind::kCreate: return;
        case ChangeKind::kUpdate: check_project_update(planned, world.live()); return;
        case ChangeKind::kRestore:
        case ChangeKind::kReset:
        case ChangeKind::kForget: return;  // of what a project has only
        case ChangeKind::kDelete: check_project_delete(planned, world.live()); return;
    }
}

void check_branch_parent(PlannedChange& planned, const World& world) {
    const ProjectState& live = world.live();
    const std::string& name = planned.change.address.branch;
    const std::string& parent = std::get<BranchValue>(planned.change.value).parent;
    if (parent.empty()) {
        bool has_root = std::ranges::any_of(
            live.branches, [](const BranchState& branch) { return branch.parent.empty(); });
        if (!has_root) return;
        refuse(planned, Refusal::kNotSupported,
               cat("branch ", name, " has no parent, and project ", live.name,
                   " has a root branch already"),
               cat("name its parent, for example ", live.default_branch));
    } else if (!world.will_have_branch(parent)) {
        refuse(planned, Refusal::kNotFound,
               cat("branch ", parent, ", the parent of ", name, ", does not exist"),
               "see what there is with: lb branch list");
    } else if (world.tree().find(name)->is_circular) {
        refuse(planned, Refusal::kNotSupported, cat("branch ", name, " would descend from itself"),
               "give it a parent that exists");
    } else if (world.tree().find(parent)->expires) {
        refuse(planned, Refusal::kNotSupported,
               cat("branch ", parent, ", the parent of ", name, ", expires"),
               "branch from one that stays, or remove the parent's expiration");
    }
}

// A branch that expires is deleted without anybody at hand to ask, so nothing may depend on it.
void check_may_expire(PlannedChange& planned, const World& world) {
    const auto& value = std::get<BranchValue>(planned.change.value);
    if (!value.ttl && !value.expire_time) return;
    const std::string& name = planned.change.address.branch;
    if (value.is_protected) {
        refuse(planned, Refusal::kNotSupported,
               cat("branch ", name, " is protected and cannot expire"),
               "remove the expiration or the protection");
    }
    if (value.parent.empty()) {
        refuse(planned, Refusal::kNotSupported,
               cat("branch ", name, " is the root branch and cannot expire"),
               "remove the expiration");
    }
    const std::vector<std::string>& children = world.children_after(name);
    if (children.empty()) return;
    refuse(planned, Refusal::kWouldOrphan,
           cat("branch ", name, " has children and cannot expire: ", list_names(children)),
           "remove the expiration, or delete the children first");
}

void check_undelete(PlannedChange& planned, const World& world) {
    const auto& value = std::get<BranchValue>(planned.change.value);
    bool is_there = std::ranges::any_of(
        world.live().deleted_branches,
        [&](const DeletedBranchState& deleted) { return deleted.id == value.undelete; });
    if (is_there) return;
    refuse(planned, Refusal::kNotFound,
           cat("the deleted branch of ", planned.change.address.branch, " is gone"),
           "see which can be had back with: lb branch list --deleted");
}

void check_branch_create(PlannedChange& planned, const World& world) {
    const auto& value = std::get<BranchValue>(planned.change.value);
    if (value.undelete) check_undelete(planned, world);
    refuse_invalid_name(planned, check_branch_name(planned.change.address.branch));
    if (!world.live().exists && !world.is_created(Address::project())) {
        refuse(planned, Refusal::kNotFound, cat("project ", world.live().name, " does not exist"),
               "make it from a spec first: lb apply");
    }
    if (!parse_moment(value.requested_at)) {
        refuse(planned, Refusal::kNotSupported,
               cat(quoted(value.requested_at), " is not a point in a branch's history"),
               cat("leave it out for the parent's present state, or ", kMomentHelp));
    }
    if (value.restore) {
        refuse(planned, Refusal::kNotSupported,
               cat("branch ", planned.change.address.branch, " does not exist yet, so there is ",
                   "nothing to restore"),
               "remove \"restore\"; \"at\" makes a branch of a past state");
    }
    check_branch_parent(planned, world);
    check_may_expire(planned, world);
}

void check_branch_update(PlannedChange& planned, const World& world) {
    const BranchState& live = *world.live().find_branch(planned.change.address.branch);
    const auto& value = std::get<BranchValue>(planned.change.value);
    std::string help = cat("give the new branch another name; or remove ", live.name,
                           " from the spec, run \"lb apply\", and put it back");
    if (value.parent != live.parent) {
        std::string made =
            live.parent.empty() ? "is a root branch" : cat("was made from ", live.parent);
        refuse(planned, Refusal::kNotSupported,
               cat("branch ", live.name, " ", made, "; its parent cannot be changed"), help);
    }
    if (value.requested_at != live.requested_at) {
        std::string from = live.requested_at.empty() ? "its parent's head" : live.requested_at;
        refuse(planned, Refusal::kNotSupported,
               cat("branch ", live.name, " was made at ", from,
                   "; its branch point cannot be changed"),
               help);
    }
    BranchValue before = value_of(live);
    bool is_expiration_new = value.ttl != before.ttl || value.expire_time != before.expire_time;
    if (is_expiration_new || value.is_protected != live.is_protected) {
        check_may_expire(planned, world);
    }
}

void refuse_protected_move(PlannedChange& planned, std::string_view action) {
    const std::string& name = planned.change.address.branch;
    refuse(planned, Refusal::kProtected,
           cat("branch ", name, " is protected and cannot be ", action),
           cat("set protected = false in ", branch_table(name), " and run \"lb apply\" first"));
}

void check_backup_name(PlannedChange& planned, const World& world) {
    const auto& restore = std::get<BranchValue>(planned.change.value).restore;
    if (!restore || restore->backup.empty()) return;
    refuse_invalid_name(planned, check_branch_name(restore->backup));
    Address backup = Address::of_branch(restore->backup);
    if (!world.exists(backup) && !world.is_created(backup)) return;
    refuse(planned, Refusal::kAlreadyExists,
           cat("branch ", restore->backup, " exists already, so the old state cannot stay as it"),
           "choose another name for the backup");
}

void check_branch_restore(PlannedChange& planned, const World& world) {
    const auto& value = std::get<BranchValue>(planned.change.value);
    const std::string& name = planned.change.address.branch;
    if (world.live().find_branch(name)->is_protected) refuse_protected_move(planned, "restored");
    RestoreValue wish = value.restore.value_or(RestoreValue{});
    if (wish.to.empty() || !parse_moment(wish.to)) {
        refuse(planned, Refusal::kNotSupported,
               cat(quoted(wish.to), " is not a moment of a branch's history"),
               std::string(kMomentHelp));
    }
    if (!wish.from.empty() && world.live().find_branch(wish.from) == nullptr) {
        refuse(planned, Refusal::kNotFound,
               cat("branch ", wish.from, ", whose history is asked for, does not exist"),
               "see what there is with: lb branch list");
    }
    check_backup_name(planned, world);
    check_branch_update(planned, world);
}

void check_branch_reset(PlannedChange& planned, const World& world) {
    const std::string& name = planned.change.address.branch;
    const BranchState& live = *world.live().find_branch(name);
    if (live.is_protected) refuse_protected_move(planned, "reset");
    if (live.parent.empty()) {
        refuse(
            planned, Refusal::kNotSupported,
            cat("branch ", name, " is a root branch: it has no parent whose state it could take"),
            cat("to go back to a past state of its own: lb restore ", name, " --to TIME"));
    }
    check_backup_name(planned, world);
    check_branch_update(planned, world);
}

void check_compute(PlannedChange& planned, const World& world) {
    const ResourceChange& change = planned.change;
    const std::string& branch = change.address.branch;
    if (change.kind == ChangeKind::kDelete || change.kind == ChangeKind::kForget) {
        refuse(planned, Refusal::kNotSupported,
               cat("compute ", branch, " goes with its branch only"), "delete the branch");
    } else if (!world.will_have_branch(branch)) {
        refuse(planned, Refusal::kNotFound, cat("branch ", branch, " does not exist"),
               "see what there is with: lb branch list");
    } else if (change.kind == ChangeKind::kCreate) {
        check_existence(planned, world);
    }
}

// Sees the deletes in their order, children before their parents, so that a child that must stay is
// known when its parent's turn comes.
class BranchDeletes {
public:
    explicit BranchDeletes(const World& world) : world_(world) {}

    void check(PlannedChange& planned) {
        const ProjectState& project = world_.live();
        const BranchState& live = *project.find_branch(planned.change.address.branch);
        std::vector<std::string> children = world_.children_after(live.name);
        auto refused = refused_children_.find(live.name);
        if (refused != refused_children_.end()) {
            children.insert(children.end(), refused->second.begin(), refused->second.end());
        }
        if (live.is_protected) {
            refuse_protected(planned);
        } else if (!children.empty()) {
            refuse(planned, Refusal::kWouldOrphan,
                   cat("branch ", live.name, " has children that stay: ", list_names(children)),
                   cat("delete the children first, or keep ", live.name));
        } else if (live.name == project.default_branch && !world_.is_deleted(Address::project())) {
            refuse(planned, Refusal::kInUse,
                   cat("branch ", live.name, " is the default branch of project ", project.name),
                   "to remove the whole project: lb destroy");
        }
        if (planned.refusal != Refusal::kNone) refused_children_[live.parent].push_back(live.name);
    }

private:
    static void refuse_protected(PlannedChange& planned) {
        const std::string& name = planned.change.address.branch;
        std::string table = branch_table(name);
        bool is_spec = planned.reason == Reason::kNoLongerInSpec;
        refuse(planned, Refusal::kProtected, cat("branch ", name, " is protected"),
               is_spec ? cat("put ", table,
                             " back with protected = false, run \"lb apply\", then remove it")
                       : cat("set protected = false in ", table, " and run \"lb apply\" first"));
    }

    const World& world_;
    std::map<std::string, std::vector<std::string>, std::less<>> refused_children_;
};

// Of one that is deleted already, and is to be gone at once.
bool is_late_purge(const ResourceChange& change, const ProjectState& live) {
    return change.is_purge && live.find_branch(change.address.branch) == nullptr &&
           live.find_deleted(change.address.branch) != nullptr;
}

void check_branch(PlannedChange& planned, const World& world, BranchDeletes& deletes) {
    if (is_late_purge(planned.change, world.live())) return;
    check_existence(planned, world);
    if (planned.refusal != Refusal::kNone) return;
    switch (planned.change.kind) {
        case ChangeKind::kCreate: check_branch_create(planned, world); return;
        case ChangeKind::kUpdate: check_branch_update(planned, world); return;
        case ChangeKind::kDelete: deletes.check(planned); return;
        case ChangeKind::kRestore: check_branch_restore(planned, world); return;
        case ChangeKind::kReset: check_branch_reset(planned, world); return;
        case ChangeKind::kForget: return;
    }
}

}  // namespace

std::string list_names(const std::vector<std::string>& names) {
    size_t shown_count = std::min(names.size(), kListedNamesMax);
    std::string text =
        join({names.begin(), names.begin() + static_cast<ptrdiff_t>(shown_count)}, ", ");
    if (names.size() > shown_count) text += cat(" and ", names.size() - shown_count, " more");
    return text;
}

void refuse(PlannedChange& planned, Refusal refusal, std::string message, std::string help) {
    if (planned.refusal != Refusal::kNone) return;
    planned.refusal = refusal;
    planned.refusal_message = std::move(message);
    planned.refusal_help = std::move(help);
}

void refuse_invalid_name(PlannedChange& planned, const Status& name_check) {
    if (name_check.is_ok()) return;
    refuse(planned, Refusal::kInvalidName, name_check.error().message, name_check.error().help);
}

void check_existence(PlannedChange& planned, const World& world) {
    const Address& address = planned.change.address;
    bool is_create = planned.change.kind == ChangeKind::kCreate;
    if (world.exists(address) != is_create) return;
    if (is_create) {
        auto* branch = std::get_if<BranchValue>(&planned.change.value);
        bool is_undelete = branch != nullptr && branch->undelete;
        refuse(planned, Refusal::kAlreadyExists, cat(to_text(address), " exists already"),
               is_undelete ? "bring it back under another name: --as NAME"
                           : "choose another name, or change the one that exists");
    } else {
        refuse(planned, Refusal::kNotFound, cat(to_text(address), " does not exist"),
               "see what there is with: lb status");
    }
}

void check_rules(std::vector<PlannedChange>& changes, const World& world) {
    BranchDeletes deletes(world);
    std::set<Address> seen;
    for (PlannedChange& planned : changes) {
        const Address& address = planned.change.address;
        if (!seen.insert(address).second) {
            refuse(planned, Refusal::kNotSupported,
                   cat(to_text(address), " is changed twice in one plan"),
                   "ask for one change of it at a time");
        }
        switch (address.kind) {
            case ResourceKind::kProject: check_project(planned, world); break;
            case ResourceKind::kBranch: check_branch(planned, world, deletes); break;
            case ResourceKind::kCompute: check_compute(planned, world); break;
            case ResourceKind::kRole: check_role(planned, world); break;
            case ResourceKind::kDatabase: check_database(planned, world); break;
            case ResourceKind::kSchema: check_schema(planned, world); break;
            case ResourceKind::kExtension: check_extension(planned, world); break;
        }
    }
}

}  // namespace lb::planner
