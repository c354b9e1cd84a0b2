#include <algorithm>
#include <map>

#include "base/text.h"
#include "specs/diagnostic_codes.h"
#include "specs/internal/cycle.h"
#include "specs/internal/draft.h"

namespace lb::specs {

namespace {

class BranchChecker {
public:
    BranchChecker(SpecDraft& draft, Reporter& reporter) : draft_(draft), reporter_(reporter) {
        for (const BranchDraft& branch : draft_.branches) names_.push_back(branch.spec.name);
        parents_ = names_;
        parents_.push_back(draft_.default_branch);
    }

    void run() {
        check_default_branch();
        for (BranchDraft& branch : draft_.branches) {
            if (branch.spec.name == draft_.default_branch) {
                check_is_root(branch);
            } else {
                resolve_parent(branch);
            }
            check_may_expire(branch);
        }
        check_cycles();
        for (const BranchDraft& branch : draft_.branches) check_parent_stays(branch);
        check_ports();
    }

private:
    const BranchDraft* find(std::string_view name) const {
        auto at = std::lower_bound(draft_.branches.begin(), draft_.branches.end(), name,
                                   [](const BranchDraft& branch, std::string_view wanted) {
                                       return branch.spec.name < wanted;
                                   });
        return at != draft_.branches.end() && at->spec.name == name ? &*at : nullptr;
    }

    bool is_default(const BranchDraft& branch) const {
        return branch.spec.name == draft_.default_branch;
    }

    // A misspelt `default_branch` must not make an empty branch; so only "main", the name that
    // nobody wrote, may be left undeclared.
    void check_default_branch() {
        if (!draft_.is_default_branch_valid || find(draft_.default_branch) != nullptr) return;
        if (draft_.default_branch == "main") return;
        std::string_view near = reporter_.suggest(draft_.default_branch, names_);
        reporter_.error(
            codes::kDefaultBranchMissing, draft_.default_branch_place,
            cat("the default branch ", quoted(draft_.default_branch), " is not in the spec"),
            near.empty() ? cat("add the table [branches.", draft_.default_branch, "]")
                         : cat("did you mean ", quoted(near), "?"));
    }

    void check_is_root(const BranchDraft& branch) {
        if (branch.has_parent_key()) {
            reporter_.error(
                codes::kDefaultBranchHasParent, branch.parent_place,
                cat("the default branch ", quoted(branch.spec.name), " cannot have a parent"),
                "remove \"parent\", or name another default_branch in [project]");
        }
        if (branch.at_place.line != 0) {
            reporter_.error(codes::kDefaultBranchHasParent, branch.at_place,
                            cat("the default branch ", quoted(branch.spec.name),
                                " has no parent to branch from"),
                            "remove \"at\"");
        }
    }

    void resolve_parent(BranchDraft& branch) {
        if (!branch.has_parent_key()) {
            branch.spec.parent = draft_.default_branch;
            branch.spec.parent_span = branch.spec.span;
            return;
        }
        branch.spec.parent_span = reporter_.span(branch.parent_place);
        const std::string& parent = branch.spec.parent;
        if (parent == draft_.default_branch || find(parent) != nullptr) return;
        std::string_view near = reporter_.suggest(parent, parents_);
        reporter_.error(codes::kUnknownParent, branch.parent_place,
                        cat("the parent ", quoted(parent), " is not in the spec"),
                        near.empty() ? "name a branch of this spec, or remove \"parent\" to branch "
                                       "from the default branch"
                                     : cat("did you mean ", quoted(near), "?"));
    }

    void check_may_expire(const BranchDraft& branch) {
        if (!branch.expires()) return;
        if (is_default(branch)) {
            reporter_.error(codes::kMayNotExpire, branch.expiration_place,
                            cat("the default branch ", quoted(branch.spec.name), " cannot expire"),
                            "remove the expiration");
        } else if (branch.spec.is_protected) {
            reporter_.conflict(
                codes::kMayNotExpire, branch.expiration_place,
                cat("the protected branch ", quoted(branch.spec.name), " cannot expire"),
                {.place = branch.protected_place, .message = "protected here"},
                "remove the expiration or the protection");
        }
    }

    // Deleting an expired branch would take its children's data away.
    void check_parent_stays(const BranchDraft& branch) {
        if (is_default(branch) || branch.spec.parent == draft_.default_branch) return;
        const BranchDraft* parent = find(branch.spec.parent);
        if (parent == nullptr || parent == &branch || !parent->expires()) return;
        reporter_.conflict(codes::kParentExpires, branch.parent_place,
                           cat("the parent ", quoted(branch.spec.parent), " expires"),
                           {.place = parent->expiration_place, .message = "expires here"},
                           "branch from one that stays, or remove the parent's expiration");
    }

    void check_cycles() {
        std::vector<std::vector<size_t>> parents(draft_.branches.size());
        for (size_t index = 0; index < draft_.branches.size(); ++index) {
            const BranchDraft& branch = draft_.branches[index];
            if (is_default(branch)) continue;
            const BranchDraft* parent = find(branch.spec.parent);
            if (parent == nullptr) continue;
            parents[index].push_back(static_cast<size_t>(parent - draft_.branches.data()));
        }
        for (const std::vector<size_t>& cycle : find_cycles(parents)) {
            const BranchDraft& first = draft_.branches[cycle.front()];
            reporter_.error(
                codes::kParentCycle, first.parent_place,
                cycle.size() == 1
                    ? cat("branch ", quoted(first.spec.name), " is its own parent")
                    : cat("branches are each other's parents: ", cycle_text(cycle, names_)),
                "give one of them a parent outside of the cycle");
        }
    }

    void check_ports() {
        std::vector<const BranchDraft*> with_port;
        for (const BranchDraft& branch : draft_.branches) {
            if (branch.port_place.line != 0) with_port.push_back(&branch);
        }
        std::sort(with_port.begin(), with_port.end(),
                  [](const BranchDraft* left, const BranchDraft* right) {
                      return left->port_place < right->port_place;
                  });
        std::map<uint16_t, const BranchDraft*> first_of;
        for (const BranchDraft* branch : with_port) {
            uint16_t port = branch->spec.compute->port;
            auto [first, is_new] = first_of.emplace(port, branch);
            if (is_new) continue;
            reporter_.conflict(codes::kPortUsedTwice, branch->port_place,
                               cat("port ", port, " is used twice"),
                               {.place = first->second->port_place,
                                .message = cat("by branch ", quoted(first->second->spec.name))},
                               "choose another port, or remove \"port\" and lb chooses one");
        }
    }

    SpecDraft& draft_;
    Reporter& reporter_;
    std::vector<std::string_view> names_ = {};
    std::vector<std::string_view> parents_ =
        {};  // what a parent may be: these and the default branch
};

}  // namespace

void check_branches(SpecDraft& draft, Reporter& reporter) { BranchChecker(draft, reporter).run(); }

}  // namespace lb::specs
