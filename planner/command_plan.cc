// Plans that no spec asks for: what single commands want, and the end of a project.
#include "planner/attributes.h"
#include "planner/finish.h"

namespace lb::planner {

namespace {

bool value_matches(const ResourceChange& change) {
    if (change.kind == ChangeKind::kDelete || change.kind == ChangeKind::kForget) {
        return std::holds_alternative<std::monostate>(change.value);
    }
    return is_value_of(change.address.kind, change.value);
}

// A command's restore is shown as it was asked for, whatever was restored before.
std::vector<AttributeDiff> move_diffs(std::optional<ResourceValue> before,
                                      const ResourceValue& after) {
    if (!before) return diffs_of_create(after);
    std::get<BranchValue>(*before).restore.reset();
    return diffs_of_update(*before, after);
}

// `before` is nothing where the live value is missing or unknown; the rules tell these apart.
void describe(PlannedChange& planned, const std::optional<ResourceValue>& before,
              const ProjectState& live) {
    ResourceChange& change = planned.change;
    const BranchState* branch = live.find_branch(change.address.branch);
    switch (change.kind) {
        case ChangeKind::kCreate: planned.diffs = diffs_of_create(change.value); return;
        case ChangeKind::kUpdate:
            planned.diffs =
                before ? diffs_of_update(*before, change.value) : diffs_of_create(change.value);
            if (branch == nullptr) return;
            if (auto* settings = std::get_if<ComputeSettings>(&change.value)) {
                planned.risk = risk_of_update(branch->compute.settings, *settings);
            }
            return;
        case ChangeKind::kRestore:
            planned.diffs = move_diffs(before, change.value);
            planned.risk = Risk::kRestartsCompute;
            return;
        case ChangeKind::kReset: {
            const auto& value = std::get<BranchValue>(change.value);
            planned.diffs = move_diffs(before, change.value);
            bool has_backup = value.restore && !value.restore->backup.empty();
            planned.risk = has_backup ? Risk::kRestartsCompute : Risk::kDeletesData;
            if (!has_backup && branch != nullptr) planned.deleted_bytes = branch->own_bytes;
            return;
        }
        case ChangeKind::kForget: return;
        case ChangeKind::kDelete:
            if (before) planned.diffs = diffs_of_delete(*before);
            planned.risk = risk_of_delete(change.address);
            if (branch != nullptr && change.address.kind == ResourceKind::kBranch) {
                planned.deleted_bytes = branch->own_bytes;
            }
            if (change.is_purge) {
                for (const DeletedBranchState& deleted : live.deleted_branches) {
                    bool is_meant = deleted.name == change.address.branch;
                    if (is_meant) planned.deleted_bytes += deleted.own_bytes;
                }
            }
            return;
    }
}

void add_change(Plan& plan, ResourceChange change, Reason reason, const ProjectState& live) {
    LB_ASSERT(value_matches(change));
    std::optional<ResourceValue> before = live_value(live, change.address);
    if (change.kind == ChangeKind::kUpdate && before == change.value) {
        ++plan.summary.unchanged_count;
        return;
    }
    PlannedChange planned;
    planned.reason = reason;
    planned.change = std::move(change);
    describe(planned, before, live);
    plan.changes.push_back(std::move(planned));
}

}  // namespace

Plan make_plan_for(const std::vector<ResourceChange>& changes, const ProjectState& live) {
    Plan plan;
    plan.project = live.name;
    for (const ResourceChange& change : changes) {
        add_change(plan, change, Reason::kRequestedByCommand, live);
    }
    finish_plan(plan, live);
    return plan;
}

Plan make_destroy_plan(const ProjectState& live) {
    Plan plan;
    plan.project = live.name;
    for (const BranchState& branch : live.branches) {
        ResourceChange change{.address = Address::of_branch(branch.name),
                              .kind = ChangeKind::kDelete,
                              .origin = Origin::kCommand};
        add_change(plan, std::move(change), Reason::kParentDeleted, live);
    }
    ResourceChange project{.kind = ChangeKind::kDelete, .origin = Origin::kCommand};
    add_change(plan, std::move(project), Reason::kRequestedByCommand, live);
    finish_plan(plan, live);
    return plan;
}

}  // namespace lb::planner
