#include "planner/finish.h"

#include <algorithm>

#include "base/codec.h"
#include "base/hash.h"
#include "base/text.h"
#include "planner/change_order.h"
#include "planner/lost_history.h"
#include "planner/rules.h"
#include "planner/undo.h"

namespace lb::planner {

namespace {

Generation branch_version(std::string_view branch, const ProjectState& live) {
    const BranchState* found = live.find_branch(branch);
    return found == nullptr ? Generation{} : found->version;
}

// A compute changes with its branch and has its version. A role or database has one that the live
// state does not show: it is at most the branch's, and any later change raises it above that.
BaseVersion base_of_content(const ResourceChange& change, const ProjectState& live) {
    bool is_new = change.kind == ChangeKind::kCreate;
    return {.address = change.address,
            .version = is_new ? Generation{} : branch_version(change.address.branch, live)};
}

void add_base_versions(const ResourceChange& change, const ProjectState& live,
                       std::vector<BaseVersion>& versions) {
    const std::string& branch = change.address.branch;
    switch (change.address.kind) {
        case ResourceKind::kProject:
            versions.push_back({.address = change.address,
                                .version = live.exists ? live.generation : Generation{}});
            return;
        case ResourceKind::kRole:
        case ResourceKind::kDatabase:
        case ResourceKind::kSchema:
        case ResourceKind::kExtension: versions.push_back(base_of_content(change, live)); return;
        case ResourceKind::kBranch:
        case ResourceKind::kCompute: break;
    }
    auto add_branch = [&](const std::string& name) {
        versions.push_back(
            {.address = Address::of_branch(name), .version = branch_version(name, live)});
    };
    add_branch(branch);
    auto* value = std::get_if<BranchValue>(&change.value);
    bool is_child = value != nullptr && !value->parent.empty();
    bool takes_from_parent =
        change.kind == ChangeKind::kCreate || change.kind == ChangeKind::kReset;
    if (is_child && takes_from_parent) add_branch(value->parent);
    bool is_move = change.kind == ChangeKind::kRestore || change.kind == ChangeKind::kReset;
    if (!is_move || value == nullptr || !value->restore) return;
    if (!value->restore->from.empty()) add_branch(value->restore->from);
    if (!value->restore->backup.empty()) add_branch(value->restore->backup);
}

std::vector<BaseVersion> base_versions(const Plan& plan, const ProjectState& live) {
    std::vector<BaseVersion> versions;
    for (const PlannedChange& planned : plan.changes) {
        add_base_versions(planned.change, live, versions);
    }
    std::ranges::sort(versions, {}, &BaseVersion::address);
    versions.erase(std::unique(versions.begin(), versions.end()), versions.end());
    return versions;
}

void summarise(Plan& plan, const ProjectState& live) {
    PlanSummary& summary = plan.summary;
    summary.branch_count = live.branches.size();
    for (const PlannedChange& planned : plan.changes) {
        if (planned.refusal != Refusal::kNone) {
            ++summary.refused_count;
            continue;
        }
        switch (planned.change.kind) {
            case ChangeKind::kCreate: ++summary.create_count; break;
            case ChangeKind::kUpdate:
            case ChangeKind::kRestore:
            case ChangeKind::kReset: ++summary.update_count; break;
            case ChangeKind::kDelete: ++summary.delete_count; break;
            case ChangeKind::kForget: ++summary.forget_count; break;
        }
    }
}

// Over what is shown and what the plan is bound to. Verifiers are left out: their salt would give
// the same plan another id each time a new password's verifier is computed.
std::string plan_id(const Plan& plan) {
    Encoder encoder;
    auto put = [&](const std::optional<std::string>& text) {
        encoder.u8(text ? 1 : 0);
        encoder.text(text.value_or(""));
    };
    encoder.text(plan.project);
    encoder.u64(plan.changes.size());
    for (const PlannedChange& planned : plan.changes) {
        encoder.text(to_text(planned.change.address));
        encoder.text(to_text(planned.change.kind));
        encoder.text(to_text(planned.change.origin));
        if (planned.change.is_purge) encoder.text("purge");
        encoder.text(to_text(planned.reason));
        encoder.text(to_text(planned.refusal));
        encoder.u64(planned.diffs.size());
        for (const AttributeDiff& diff : planned.diffs) {
            encoder.text(diff.name);
            put(diff.before);
            put(diff.after);
        }
    }
    for (const BaseVersion& base : plan.base_versions) {
        encoder.text(to_text(base.address));
        encoder.u64(base.version.value());
    }
    std::byte hash_bytes[sizeof(uint64_t)];
    store_little_endian(hash_bytes, hash64(encoder.out()));
    return cat("p-", hex(as_text(ByteView(hash_bytes).first(4))));
}

}  // namespace

void finish_plan(Plan& plan, const ProjectState& live) {
    plan.base_generation = live.generation;
    if (!plan.changes.empty()) {
        World world(live, plan.changes);
        sort_changes(plan.changes, world);
        check_rules(plan.changes, world);
        check_history(plan.changes, live);
        for (PlannedChange& planned : plan.changes) planned.cost = cost_of(planned, live);
        plan.undo = undo_of(plan, live);
    }
    std::ranges::sort(plan.unmanaged, {}, &Unmanaged::address);
    plan.base_versions = base_versions(plan, live);
    summarise(plan, live);
    plan.id = plan_id(plan);
}

}  // namespace lb::planner
