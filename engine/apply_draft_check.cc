#include "engine/apply_draft_check.h"

#include <algorithm>
#include <set>

#include "base/text.h"

namespace lb::engine {

Error error_of(ErrorCode code, std::string message, std::string help) {
    return Error{.code = code, .message = std::move(message), .help = std::move(help)};
}

Error refused(std::string message, std::string help) {
    return error_of(ErrorCode::kRefused, std::move(message), std::move(help));
}

namespace {

class DraftCheck {
public:
    DraftCheck(const ApplyDraft& draft, const Project* live) : draft_(draft), live_(live) {}

    Status run() const {
        LB_TRY(check_project());
        LB_TRY(check_tree());
        return check_moves();
    }

private:
    bool will_exist(const std::string& name) const {
        auto found = draft_.branches.find(name);
        if (found != draft_.branches.end()) return found->second.after.has_value();
        return live_ != nullptr && live_->find_branch(name) != nullptr;
    }

    Status check_project() const {
        if (draft_.removes_project) return check_removal();
        if (!will_exist(draft_.default_branch)) {
            auto found = draft_.branches.find(draft_.default_branch);
            if (found != draft_.branches.end() && found->second.is_deleted()) {
                return refused(cat("branch ", quoted(draft_.default_branch),
                                   " is the default branch of the project"),
                               "name another default_branch first, or destroy the project");
            }
            return refused(
                cat("default branch ", quoted(draft_.default_branch), " does not exist"));
        }
        return ok();
    }

    // A destroy names every branch: one that was made after the plan must not go unseen.
    Status check_removal() const {
        Error stale = error_of(ErrorCode::kPlanStale,
                               "the plan is stale: it does not delete every branch of the project",
                               "plan again: `lb destroy`");
        for (const auto& [name, branch] : live_->branches) {
            if (branch.is_protected) {
                return refused(cat("branch ", quoted(name), " is protected"),
                               "set protected = false, apply, and then destroy the project");
            }
            if (will_exist(name)) {
                stale.notes.push_back(cat("branch ", quoted(name), " would be left"));
            }
        }
        for (const auto& [name, branch] : draft_.branches) {
            if (branch.is_created()) {
                return error_of(ErrorCode::kBadRequest,
                                cat("branch ", quoted(name), " is made in a project that goes"));
            }
        }
        if (!stale.notes.empty()) return stale;
        return ok();
    }

    // Roles and databases of the other state are not known before the branch has it.
    Status check_moves() const {
        for (const auto& [name, branch] : draft_.branches) {
            if (!branch.move || branch.sql_changes.empty()) continue;
            return refused(cat("roles or databases of branch ", quoted(name),
                               " cannot change in the apply that restores it"),
                           "apply the restore first, then plan again");
        }
        for (const auto& [name, branch] : draft_.branches) {
            bool is_taken_name =
                std::ranges::any_of(draft_.branches, [&name = name](const auto& entry) {
                    const auto& move = entry.second.move;
                    return move && move->backup && move->backup->name == name;
                });
            if (!is_taken_name) continue;
            return error_of(ErrorCode::kAlreadyExists,
                            cat("branch ", quoted(name), " is made and is the name of a backup"));
        }
        return ok();
    }

    Status check_tree() const {
        for (const auto& [name, branch] : draft_.branches) {
            if (!branch.is_created() || branch.parent.empty()) continue;
            if (will_exist(branch.parent)) continue;
            return error_of(ErrorCode::kNotFound,
                            cat("branch ", quoted(name), " has parent ", quoted(branch.parent),
                                ", which does not exist"));
        }
        LB_TRY(check_cycles());
        return check_orphans();
    }

    // Only branches that are made can hang in a ring: they have no parent record yet.
    Status check_cycles() const {
        for (const auto& [name, branch] : draft_.branches) {
            std::string ancestor = name;
            for (size_t steps = 0; steps <= draft_.branches.size(); ++steps) {
                auto found = draft_.branches.find(ancestor);
                if (found == draft_.branches.end() || !found->second.is_created()) break;
                ancestor = found->second.parent;
                if (ancestor == name) {
                    return error_of(ErrorCode::kBadRequest,
                                    cat("branch ", quoted(name), " is its own ancestor"));
                }
            }
        }
        return ok();
    }

    Status check_orphans() const {
        std::set<BranchId> deleted;
        for (const auto& [name, branch] : draft_.branches) {
            if (branch.is_deleted()) deleted.insert(branch.before->id);
        }
        if (deleted.empty()) return ok();
        for (const auto& [name, branch] : live_->branches) {
            if (!deleted.contains(branch.parent) || !will_exist(name)) continue;
            const std::string& parent = live_->branch_names.at(branch.parent);
            return error_of(ErrorCode::kHasChildren,
                            cat("branch ", quoted(parent), " has the child ", quoted(name)),
                            cat("delete ", quoted(name), " first, or both in one apply"));
        }
        return ok();
    }

    const ApplyDraft& draft_;
    const Project* live_;
};

}  // namespace

Status check_draft(const ApplyDraft& draft, const Project* live) {
    return DraftCheck(draft, live).run();
}

}  // namespace lb::engine
