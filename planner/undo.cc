#include "planner/undo.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"
#include "planner/attributes.h"

namespace lb::planner {

namespace {

bool is_adopted(const PlannedChange& planned) {
    return planned.change.kind == ChangeKind::kUpdate &&
           std::ranges::count(planned.diffs, std::string_view("origin"), &AttributeDiff::name) > 0;
}

bool is_move(ChangeKind kind) { return kind == ChangeKind::kRestore || kind == ChangeKind::kReset; }

class Undo {
public:
    Undo(const Plan& plan, const ProjectState& live) : plan_(plan), live_(live) {
        for (const PlannedChange& planned : plan.changes) {
            if (planned.refusal != Refusal::kNone) continue;
            changed_[planned.change.address] = &planned;
            is_destroy_ |= is_end_of_project(planned);
        }
    }

    std::vector<UndoStep> run() {
        for (auto planned = plan_.changes.rbegin(); planned != plan_.changes.rend(); ++planned) {
            if (planned->refusal == Refusal::kNone) take_back(*planned);
        }
        restore_memberships();
        return std::move(steps_);
    }

private:
    static bool is_end_of_project(const PlannedChange& planned) {
        return planned.change.address.kind == ResourceKind::kProject &&
               planned.change.kind == ChangeKind::kDelete;
    }

    UndoStep& add(const Address& address, ChangeKind kind, ResourceValue value = {}) {
        UndoStep& step = steps_.emplace_back();
        step.change = {.address = address, .kind = kind, .value = std::move(value)};
        // A resource that was deleted came from a spec, and is one of a spec again.
        if (kind != ChangeKind::kCreate) step.change.origin = Origin::kCommand;
        return step;
    }

    static void lose(UndoStep& step, Undoable undoable, std::string_view what) {
        step.undoable = undoable;
        step.lost += cat(step.lost.empty() ? "" : ", ", what);
    }

    void take_back(const PlannedChange& planned) {
        const ResourceChange& change = planned.change;
        if (change.kind == ChangeKind::kCreate) return take_back_create(change);
        if (change.kind == ChangeKind::kDelete) return take_back_delete(planned);
        std::optional<ResourceValue> before = live_value(live_, change.address);
        if (!before) return;
        if (change.kind == ChangeKind::kForget) {
            return take_back_forget(change.address, std::move(*before));
        }
        if (is_move(change.kind)) return take_back_move(planned, std::move(*before));
        take_back_update(planned, std::move(*before));
    }

    void take_back_create(const ResourceChange& change) {
        // It goes with its branch.
        if (change.address.kind == ResourceKind::kCompute) return;
        auto* branch = std::get_if<BranchValue>(&change.value);
        if (branch != nullptr && branch->is_protected) {
            BranchValue open = *branch;
            open.is_protected = false;
            add(change.address, ChangeKind::kUpdate, std::move(open));
        }
        add(change.address, ChangeKind::kDelete);
    }

    void take_back_update(const PlannedChange& planned, ResourceValue before) {
        const ResourceChange& change = planned.change;
        UndoStep& step = add(change.address, ChangeKind::kUpdate, std::move(before));
        if (planned.risk == Risk::kDeletesHistory) {
            lose(step, Undoable::kPartly, "the history that was given up");
        }
        if (is_adopted(planned)) lose(step, Undoable::kPartly, "its origin");
        auto* old = std::get_if<BranchValue>(&step.change.value);
        auto* now = std::get_if<BranchValue>(&change.value);
        if (old != nullptr && now != nullptr && old->ttl && old->ttl != now->ttl) {
            lose(step, Undoable::kPartly, "the time that its ttl had run");
        }
    }

    // The spec's again, but for what is inside of a database: that comes back with its declaration.
    void take_back_forget(const Address& address, ResourceValue before) {
        UndoStep& step = add(address, ChangeKind::kUpdate, std::move(before));
        step.change.origin = Origin::kSpec;
        if (address.kind != ResourceKind::kDatabase) return;
        for (const DatabaseState& database : live_.find_branch(address.branch)->databases) {
            bool has_contents = !database.schemas.empty() || !database.extensions.empty();
            if (database.name != address.name || !has_contents) continue;
            lose(step, Undoable::kPartly, "whose its schemas and extensions are");
        }
    }

    void take_back_move(const PlannedChange& planned, ResourceValue before) {
        UndoStep& step = add(planned.change.address, ChangeKind::kRestore, std::move(before));
        const BranchState* branch = live_.find_branch(planned.change.address.branch);
        step.window =
            branch == nullptr ? std::chrono::seconds(0) : window_after(plan_, live_, *branch);
        bool has_backup = planned.risk != Risk::kDeletesData;
        if (has_backup) step.window.reset();
        bool has_way_back = has_backup || step.window > std::chrono::seconds(0);
        lose(step, has_way_back ? Undoable::kPartly : Undoable::kNo,
             has_way_back ? "what is written after it" : "the state before it");
    }

    void take_back_delete(const PlannedChange& planned) {
        const Address& address = planned.change.address;
        if (is_end_of_project(planned)) {
            return lose(add(address, ChangeKind::kCreate), Undoable::kNo, "everything in it");
        }
        if (is_destroy_) return;
        if (address.kind == ResourceKind::kRole) return recreate_role(address);
        std::optional<ResourceValue> before = live_value(live_, address);
        UndoStep& step =
            add(address, ChangeKind::kCreate, std::move(before).value_or(ResourceValue{}));
        const BranchState* branch = live_.find_branch(address.branch);
        if (branch != nullptr) step.window = window_after(plan_, live_, *branch);
        bool is_kept = step.window.value_or(std::chrono::seconds(0)) > std::chrono::seconds(0) &&
                       !planned.change.is_purge;
        if (!is_kept) step.window.reset();
        if (address.kind == ResourceKind::kBranch) {
            step.is_undelete = is_kept;
            if (!is_kept) lose(step, Undoable::kNo, "its data");
        } else if (risk_of_delete(address) == Risk::kDeletesData) {
            lose(step, Undoable::kPartly,
                 is_kept ? "what is in it (a branch of the time before has it)" : "what is in it");
        } else {
            step.window.reset();  // Nothing is in it: it is made again at any time.
        }
    }

    // After the roles that it is a member of.
    void recreate_role(const Address& address) {
        if (!recreated_.insert(address).second) return;
        std::optional<ResourceValue> before = live_value(live_, address);
        if (!before) return;
        for (const std::string& group : std::get<RoleValue>(*before).attributes.member_of) {
            Address role = Address::of_role(address.branch, group);
            if (is_deleted(role)) recreate_role(role);
        }
        add(address, ChangeKind::kCreate, std::move(*before));
    }

    bool is_deleted(const Address& address) const {
        auto found = changed_.find(address);
        return found != changed_.end() && found->second->change.kind == ChangeKind::kDelete;
    }

    // A dropped role leaves the memberships of roles that the plan does not touch, too.
    void restore_memberships() {
        std::set<std::string> branches;
        for (const Address& role : recreated_) branches.insert(role.branch);
        for (const std::string& name : branches) {
            for (const RoleState& role : live_.find_branch(name)->roles) {
                Address address = Address::of_role(name, role.name);
                bool is_member =
                    std::ranges::any_of(role.attributes.member_of, [&](const std::string& group) {
                        return is_deleted(Address::of_role(name, group));
                    });
                if (!is_member || changed_.contains(address)) continue;
                add(address, ChangeKind::kUpdate, RoleValue{role.attributes});
            }
        }
    }

    const Plan& plan_;
    const ProjectState& live_;
    std::map<Address, const PlannedChange*> changed_;
    std::set<Address> recreated_;
    bool is_destroy_ = false;
    std::vector<UndoStep> steps_;
};

}  // namespace

std::string_view to_text(Undoable undoable) {
    switch (undoable) {
        case Undoable::kYes: return "yes";
        case Undoable::kPartly: return "partly";
        case Undoable::kNo: return "no";
    }
    return "";
}

std::chrono::seconds window_after(const Plan& plan, const ProjectState& live,
                                  const BranchState& branch) {
    if (branch.history_retention) return *branch.history_retention;
    // The project's change is the first one, if there is one.
    if (plan.changes.empty()) return live.history_retention;
    auto* project = std::get_if<ProjectValue>(&plan.changes.front().change.value);
    return project == nullptr ? live.history_retention : project->history_retention;
}

std::vector<UndoStep> undo_of(const Plan& plan, const ProjectState& live) {
    return Undo(plan, live).run();
}

Cost cost_of(const PlannedChange& planned, const ProjectState& live) {
    Cost cost;
    const ResourceChange& change = planned.change;
    auto* branch = std::get_if<BranchValue>(&change.value);
    if (change.kind == ChangeKind::kCreate && branch != nullptr && branch->requested_at.empty()) {
        const BranchState* parent = live.find_branch(branch->parent);
        if (parent != nullptr && !branch->undelete) cost.shared_bytes = parent->logical_bytes;
    }
    if (change.is_purge) cost.freed_bytes = planned.deleted_bytes;
    cost.restarts_compute = planned.risk == Risk::kRestartsCompute || is_move(change.kind);
    bool is_drop =
        change.kind == ChangeKind::kDelete && change.address.kind == ResourceKind::kDatabase;
    // The commit switches the catalog; these follow it.
    cost.is_in_commit = !cost.restarts_compute && !is_drop;
    return cost;
}

}  // namespace lb::planner
