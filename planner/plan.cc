#include "planner/plan.h"

namespace lb::planner {

std::string_view to_text(Reason reason) {
    switch (reason) {
        case Reason::kNewInSpec: return "new_in_spec";
        case Reason::kChangedInSpec: return "changed_in_spec";
        case Reason::kNoLongerInSpec: return "no_longer_in_spec";
        case Reason::kRequestedByCommand: return "requested_by_command";
        case Reason::kParentDeleted: return "parent_deleted";
        case Reason::kForgottenInSpec: return "forgotten_in_spec";
        case Reason::kRolledBack: return "rolled_back";
    }
    return "";
}

std::string_view to_text(Risk risk) {
    switch (risk) {
        case Risk::kNone: return "none";
        case Risk::kRestartsCompute: return "restarts_compute";
        case Risk::kDeletesHistory: return "deletes_history";
        case Risk::kDeletesData: return "deletes_data";
    }
    return "";
}

std::string_view to_text(Refusal refusal) {
    switch (refusal) {
        case Refusal::kNone: return "none";
        case Refusal::kProtected: return "protected";
        case Refusal::kNotSupported: return "not_supported";
        case Refusal::kWouldOrphan: return "would_orphan";
        case Refusal::kInUse: return "in_use";
        case Refusal::kNotFound: return "not_found";
        case Refusal::kAlreadyExists: return "already_exists";
        case Refusal::kInvalidName: return "invalid_name";
        case Refusal::kNotInHistory: return "not_in_history";
        case Refusal::kForbidden: return "forbidden";
    }
    return "";
}

std::string_view to_text(SelectionNote::Kind kind) {
    switch (kind) {
        case SelectionNote::Kind::kAdded: return "added";
        case SelectionNote::Kind::kDropped: return "dropped";
    }
    return "";
}

ChangeSet to_change_set(const Plan& plan) {
    ChangeSet set;
    set.project = plan.project;
    set.changes.reserve(plan.changes.size());
    for (const PlannedChange& planned : plan.changes) set.changes.push_back(planned.change);
    set.base_versions = plan.base_versions;
    set.base_generation = plan.base_generation;
    set.plan_id = plan.id;
    return set;
}

}  // namespace lb::planner
