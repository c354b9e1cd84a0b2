#include "engine/apply_draft.h"

#include <algorithm>
#include <set>

#include "base/model/names.h"
#include "base/text.h"
#include "engine/apply_draft_check.h"
#include "engine/apply_move.h"
#include "engine/apply_stale.h"
#include "engine/postgres_setting_check.h"

namespace lb::engine {

namespace {

Result<Moment> moment_of(const std::string& text) {
    if (auto moment = parse_moment(text)) return *moment;
    return error_of(ErrorCode::kBadRequest, cat(quoted(text), " is no moment of a history"),
                    std::string(kMomentHelp));
}

// Folds the changes, in their order, into a draft.
class Drafter {
public:
    explicit Drafter(const DraftInput& input) : input_(input), live_(input.project) {}

    Result<ApplyDraft> run() {
        LB_TRY(check_request());
        LB_TRY(check_base_versions(input_.changes, live_));
        start();
        for (const ResourceChange& change : input_.changes.changes) {
            LB_TRY(fold(change));
        }
        LB_TRY(check_draft(draft_, live_));
        return std::move(draft_);
    }

private:
    Status check_request() {
        LB_TRY(check_project_name(input_.changes.project));
        if (input_.changes.changes.empty()) {
            return error_of(ErrorCode::kBadRequest, "there is nothing to apply");
        }
        std::set<Address> seen;
        for (const ResourceChange& change : input_.changes.changes) {
            if (!seen.insert(change.address).second) {
                return error_of(ErrorCode::kBadRequest,
                                cat("two changes of ", to_text(change.address)));
            }
        }
        return ok();
    }

    void start() {
        if (live_ != nullptr) {
            draft_.project = live_->record;
            draft_.default_branch = live_->default_branch().name;
        } else {
            draft_.project.name = input_.changes.project;
            draft_.project.generation = input_.last_generation;
            draft_.project.created_at = input_.now;
        }
        generation_ = Generation{draft_.project.generation.value() + 1};
        draft_.project.generation = generation_;
    }

    Status fold(const ResourceChange& change) {
        bool is_project = change.address.kind == ResourceKind::kProject;
        if (live_ == nullptr && !is_project && !draft_.creates_project) {
            return error_of(ErrorCode::kNotFound,
                            cat("project ", quoted(input_.changes.project), " does not exist"),
                            "`lb apply` makes the project of the spec");
        }
        switch (change.address.kind) {
            case ResourceKind::kProject: return fold_project(change);
            case ResourceKind::kBranch: return fold_branch(change);
            case ResourceKind::kCompute: return fold_compute(change);
            case ResourceKind::kRole:
            case ResourceKind::kDatabase:
            case ResourceKind::kSchema:
            case ResourceKind::kExtension: return fold_sql(change);
        }
        return ok();
    }

    Status fold_project(const ResourceChange& change) {
        if (change.kind == ChangeKind::kCreate && live_ != nullptr) {
            return error_of(ErrorCode::kAlreadyExists,
                            cat("project ", quoted(live_->record.name), " exists already"));
        }
        if (change.kind != ChangeKind::kCreate && live_ == nullptr) {
            return error_of(ErrorCode::kNotFound,
                            cat("project ", quoted(input_.changes.project), " does not exist"));
        }
        if (change.kind == ChangeKind::kRestore || change.kind == ChangeKind::kReset ||
            change.kind == ChangeKind::kForget) {
            return wrong_value(change);
        }
        if (change.kind == ChangeKind::kDelete) {
            draft_.removes_project = true;
            return ok();
        }
        auto* value = std::get_if<ProjectValue>(&change.value);
        if (value == nullptr) return wrong_value(change);
        if (live_ != nullptr && value->pg_version != live_->record.pg_version) {
            return refused(cat("PostgreSQL's major version cannot change (",
                               live_->record.pg_version, " -> ", value->pg_version, ")"),
                           "make a new project and load a dump into it");
        }
        draft_.creates_project = live_ == nullptr;
        LB_TRY(check_history_retention(value->history_retention));
        draft_.project.pg_version = value->pg_version;
        draft_.project.history_retention = value->history_retention;
        LB_TRY(check_setting_names(value->settings));
        draft_.are_settings_changed = draft_.project.settings != value->settings;
        draft_.project.settings = value->settings;
        draft_.project.version = generation_;
        draft_.default_branch = value->default_branch;
        return ok();
    }

    static Error wrong_value(const ResourceChange& change) {
        return error_of(ErrorCode::kBadRequest,
                        cat("the value of ", to_text(change.address), " is of another kind"));
    }

    static Status check_history_retention(std::chrono::seconds window) {
        if (window.count() >= 0 && window <= kHistoryRetentionMax) return ok();
        return error_of(ErrorCode::kBadRequest, "the restore window is out of its range");
    }

    const BranchRecord* live_branch(const std::string& name) const {
        return live_ == nullptr ? nullptr : live_->find_branch(name);
    }

    // The draft of a branch; starts as the live one. Null if there is none.
    BranchDraft* touch(const std::string& name) {
        auto found = draft_.branches.find(name);
        if (found != draft_.branches.end()) return &found->second;
        const BranchRecord* live = live_branch(name);
        if (live == nullptr) return nullptr;
        BranchDraft& branch = draft_.branches[name];
        branch.before = *live;
        branch.after = *live;
        branch.after->version = generation_;
        branch.managed = live_->managed_of(live->id);
        return &branch;
    }

    Status fold_branch(const ResourceChange& change) {
        switch (change.kind) {
            case ChangeKind::kCreate: return create_branch(change);
            case ChangeKind::kUpdate: return update_branch(change);
            case ChangeKind::kDelete: return delete_branch(change);
            case ChangeKind::kRestore:
            case ChangeKind::kReset: return move_branch(change);
            case ChangeKind::kForget: return forget_branch(change);
        }
        return ok();
    }

    Status create_branch(const ResourceChange& change) {
        const std::string& name = change.address.branch;
        LB_TRY(check_branch_name(name));
        auto* value = std::get_if<BranchValue>(&change.value);
        if (value == nullptr) return wrong_value(change);
        if (live_branch(name) != nullptr) {
            return error_of(ErrorCode::kAlreadyExists,
                            cat("branch ", quoted(name), " exists already"),
                            value->undelete ? "give it another name: --as NAME" : "");
        }
        if (value->undelete) return undelete_branch(name, BranchId{*value->undelete});
        if (value->parent.empty() && !value->requested_at.empty()) {
            return refused(cat("branch ", quoted(name), " has a branch point but no parent"));
        }
        BranchDraft& branch = draft_.branches[name];
        branch.at = LB_TRY(moment_of(value->requested_at));
        branch.parent = value->parent;
        branch.after = BranchRecord{.name = name,
                                    .origin = change.origin,
                                    .requested_at = value->requested_at,
                                    .created_at = input_.now,
                                    .created_in = generation_,
                                    .version = generation_};
        return take_over(*value, *branch.after);
    }

    // The nearest ancestor that is there, or comes back in the same apply.
    const BranchRecord& undelete_parent(const DeletedRecord& deleted) const {
        for (BranchId id : deleted.ancestors) {
            if (const BranchRecord* branch = live_->find_branch(id)) return *branch;
            for (const auto& [name, branch] : draft_.branches) {
                if (branch.undeleted && branch.after->id == id) return *branch.after;
            }
        }
        return live_->default_branch();
    }

    // Comes back as it was, but for what depends on time and on others: its compute starts when it
    // is used, an expiration that has passed is over, and its parent may be gone.
    Status undelete_branch(const std::string& name, BranchId id) {
        const DeletedRecord* found = nullptr;
        if (live_ != nullptr) {
            auto deleted = live_->deleted.find(id);
            if (deleted != live_->deleted.end()) found = &deleted->second;
        }
        if (found == nullptr || found->gone_at <= input_.now) {
            return error_of(ErrorCode::kNotFound,
                            cat("the deleted branch of ", quoted(name), " is gone"),
                            "`lb branch list --deleted` shows which can be had back");
        }
        const BranchRecord& parent = undelete_parent(*found);
        BranchDraft& branch = draft_.branches[name];
        branch.parent = parent.name;
        branch.undeleted = *found;
        branch.managed = found->managed;
        branch.after = found->branch;
        branch.after->name = name;
        branch.after->parent = parent.id;
        branch.after->version = generation_;
        branch.after->compute.always_on = false;
        if (branch.after->expire_time && *branch.after->expire_time <= input_.now) {
            branch.after->expire_time.reset();
            branch.after->ttl.reset();
        }
        return ok();
    }

    // What of a branch may change later.
    Status take_over(const BranchValue& value, BranchRecord& record) const {
        record.is_protected = value.is_protected;
        if (value.ttl && value.ttl->count() <= 0) {
            return error_of(ErrorCode::kBadRequest,
                            cat("the ttl of branch ", quoted(record.name), " is not positive"));
        }
        if (!value.ttl) {
            record.expire_time = value.expire_time;
        } else if (record.ttl != value.ttl) {
            record.expire_time = input_.now + *value.ttl;
        }
        record.ttl = value.ttl;
        if (value.history_retention) LB_TRY(check_history_retention(*value.history_retention));
        record.history_retention = value.history_retention;
        return ok();
    }

    Status not_found(const Address& address) const {
        return error_of(ErrorCode::kNotFound, cat(to_text(address), " does not exist"),
                        "`lb status` shows what there is");
    }

    Status update_branch(const ResourceChange& change) {
        const std::string& name = change.address.branch;
        auto* value = std::get_if<BranchValue>(&change.value);
        if (value == nullptr) return wrong_value(change);
        BranchDraft* branch = touch(name);
        if (branch == nullptr || !branch->after) return not_found(change.address);
        if (change.kind == ChangeKind::kUpdate && value->restore != branch->after->restore) {
            return error_of(ErrorCode::kBadRequest,
                            cat("the update of branch ", quoted(name), " holds a restore"));
        }
        const BranchRecord* parent = live_->find_branch(branch->after->parent);
        std::string parent_name = parent == nullptr ? std::string() : parent->name;
        if (value->parent != parent_name || value->requested_at != branch->after->requested_at) {
            return refused(cat("branch ", quoted(name), " cannot get another branch point"),
                           "delete the branch and make it anew");
        }
        // A command may change what a spec made; that does not take it away from the spec.
        if (change.origin == Origin::kSpec) branch->after->origin = Origin::kSpec;
        return take_over(*value, *branch->after);
    }

    Status move_branch(const ResourceChange& change) {
        const std::string& name = change.address.branch;
        LB_TRY(update_branch(change));
        BranchDraft& branch = draft_.branches.at(name);
        if (branch.before->is_protected) {
            return refused(cat("branch ", quoted(name), " is protected"),
                           "set protected = false, apply, and then do it");
        }
        const auto& value = std::get<BranchValue>(change.value);
        RestoreValue wish = value.restore.value_or(RestoreValue{});
        branch.move = BranchMove{.from = wish.from.empty() ? name : wish.from};
        bool is_reset = change.kind == ChangeKind::kReset;
        if (is_reset) {
            if (value.parent.empty()) {
                return refused(cat("branch ", quoted(name), " has no parent to be reset to"));
            }
            branch.move->from = value.parent;
            if (branch.after->ttl) branch.after->expire_time = input_.now + *branch.after->ttl;
        } else {
            branch.move->to = LB_TRY(moment_of(wish.to));
            if (change.origin == Origin::kSpec) branch.after->restore = value.restore;
        }
        if (live_branch(branch.move->from) == nullptr) {
            return not_found(Address::of_branch(branch.move->from));
        }
        if (!is_reset || !wish.backup.empty()) return add_backup(wish.backup, branch);
        return ok();
    }

    bool is_taken(const std::string& name) const {
        if (live_branch(name) != nullptr || draft_.branches.contains(name)) return true;
        return std::ranges::any_of(draft_.branches, [&](const auto& entry) {
            const auto& move = entry.second.move;
            return move && move->backup && move->backup->name == name;
        });
    }

    Status add_backup(const std::string& wanted, BranchDraft& branch) {
        const BranchRecord& before = *branch.before;
        auto taken = [this](const std::string& name) { return is_taken(name); };
        std::string name = wanted.empty() ? backup_name(before.name, input_.now, taken) : wanted;
        LB_TRY(check_branch_name(name));
        if (is_taken(name)) {
            return error_of(ErrorCode::kAlreadyExists,
                            cat("branch ", quoted(name), " exists already"),
                            "choose another name for the backup");
        }
        branch.move->backup = BranchRecord{.name = std::move(name),
                                           .line = before.line,
                                           .parent = before.parent,
                                           .origin = Origin::kCommand,
                                           .requested_at = before.requested_at,
                                           .history_retention = before.history_retention,
                                           .created_at = input_.now,
                                           .created_in = generation_,
                                           .version = generation_};
        return ok();
    }

    std::vector<BranchId> ancestors_of(const BranchRecord& branch) const {
        std::vector<BranchId> ancestors;
        const BranchRecord* parent = live_->find_branch(branch.parent);
        for (; parent != nullptr; parent = live_->find_branch(parent->parent)) {
            ancestors.push_back(parent->id);
        }
        return ancestors;
    }

    // Returns whether there was one.
    bool purge_deleted(const std::string& name) {
        size_t before = draft_.purged.size();
        for (const auto& [id, deleted] : live_->deleted) {
            if (deleted.branch.name == name) draft_.purged.push_back(deleted);
        }
        return draft_.purged.size() > before;
    }

    Status delete_branch(const ResourceChange& change) {
        bool has_purged = change.is_purge && purge_deleted(change.address.branch);
        BranchDraft* branch = touch(change.address.branch);
        if (branch == nullptr && has_purged) return ok();
        if (branch == nullptr || !branch->before) return not_found(change.address);
        if (branch->before->is_protected) {
            return refused(cat("branch ", quoted(change.address.branch), " is protected"),
                           "set protected = false, apply, and then delete it");
        }
        branch->after.reset();
        std::chrono::seconds window = window_of(*live_, *branch->before);
        if (change.is_purge || window.count() == 0) return ok();
        branch->deleted = DeletedRecord{.branch = *branch->before,
                                        .ancestors = ancestors_of(*branch->before),
                                        .managed = live_->managed_of(branch->before->id),
                                        .deleted_at = input_.now,
                                        .gone_at = input_.now + window};
        return ok();
    }

    Status forget_branch(const ResourceChange& change) {
        BranchDraft* branch = touch(change.address.branch);
        if (branch == nullptr || !branch->after) return not_found(change.address);
        branch->after->origin = Origin::kManual;
        return ok();
    }

    Status fold_compute(const ResourceChange& change) {
        if (change.kind == ChangeKind::kForget) return wrong_value(change);
        BranchDraft* branch = touch(change.address.branch);
        if (branch == nullptr) return not_found(change.address);
        if (!branch->after) {
            if (change.kind == ChangeKind::kDelete) return ok();  // goes with its branch
            return not_found(change.address);
        }
        ComputeSettings settings;
        if (change.kind != ChangeKind::kDelete) {
            auto* value = std::get_if<ComputeSettings>(&change.value);
            if (value == nullptr) return wrong_value(change);
            settings = *value;
        }
        LB_TRY(check_setting_names(settings.settings));
        branch->is_compute_changed = branch->after->compute != settings;
        branch->after->compute = std::move(settings);
        return ok();
    }

    // Of roles, databases, and what is inside of databases.
    static Status check_content_name(const Address& address) {
        switch (address.kind) {
            case ResourceKind::kProject:
            case ResourceKind::kBranch:
            case ResourceKind::kCompute: break;
            case ResourceKind::kRole: return check_role_name(address.name);
            case ResourceKind::kDatabase: return check_database_name(address.name);
            case ResourceKind::kSchema:
                LB_TRY(check_database_name(address.database));
                return check_schema_name(address.name);
            case ResourceKind::kExtension:
                LB_TRY(check_database_name(address.database));
                return check_extension_name(address.name);
        }
        return ok();
    }

    Status fold_sql(const ResourceChange& change) {
        const Address& address = change.address;
        LB_TRY(check_content_name(address));
        BranchDraft* branch = touch(address.branch);
        if (branch == nullptr) return not_found(Address::of_branch(address.branch));
        if (!branch->after) {
            if (change.kind == ChangeKind::kDelete) return ok();  // goes with its branch
            return not_found(Address::of_branch(address.branch));
        }
        ManagedRecord& managed = branch->managed;
        branch->is_managed_changed = true;
        bool is_forget = change.kind == ChangeKind::kForget;
        bool is_of_spec = is_forget || change.kind == ChangeKind::kDelete;
        // Specs are about the default branch only; what others have is inherited. What is inside
        // of a database goes with it.
        bool is_of_default = address.branch == draft_.default_branch;
        if (is_of_spec && is_of_default && change.origin == Origin::kSpec &&
            !address.is_inside_database() && managed.find(address) == nullptr) {
            return error_of(ErrorCode::kPlanStale,
                            cat("the plan is stale: ", to_text(address), " is not lb's any more"),
                            "plan again: `lb plan`");
        }
        if (is_of_spec) {
            managed.erase(address);
        } else {
            if (!is_value_of(address.kind, change.value)) return wrong_value(change);
            const ManagedResource* present = managed.find(address);
            bool is_owned = change.kind == ChangeKind::kUpdate && present != nullptr &&
                            change.origin != Origin::kSpec;
            Origin origin = is_owned ? present->origin : change.origin;
            managed.put(address, {.origin = origin, .version = generation_});
        }
        if (!is_forget) branch->sql_changes.push_back(change);
        return ok();
    }

    const DraftInput& input_;
    const Project* live_;
    Generation generation_;
    ApplyDraft draft_;
};

}  // namespace

std::vector<std::string> ApplyDraft::in_order() const {
    std::vector<std::string> order;
    std::set<std::string> done;
    std::vector<std::string> chain;
    for (const auto& [name, branch] : branches) {
        // Up to the first ancestor that is done or is not made here, then down again.
        chain.clear();
        std::string current = name;
        while (!done.contains(current)) {
            auto found = branches.find(current);
            if (found == branches.end()) break;
            chain.push_back(current);
            if (!found->second.is_created() || found->second.parent.empty()) break;
            current = found->second.parent;
        }
        for (auto one = chain.rbegin(); one != chain.rend(); ++one) {
            done.insert(*one);
            order.push_back(*one);
        }
    }
    return order;
}

Result<ApplyDraft> make_draft(const DraftInput& input) { return Drafter(input).run(); }

}  // namespace lb::engine
