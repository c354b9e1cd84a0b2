#include "engine/apply_stale.h"

#include "base/text.h"

namespace lb::engine {

namespace {

Generation version_of(const ManagedRecord& managed, const Address& address) {
    const ManagedResource* found = managed.find(address);
    return found == nullptr ? Generation{} : found->version;
}

Generation current_version(const Address& address, const Project* project) {
    if (project == nullptr) return Generation{};
    if (address.kind == ResourceKind::kProject) return project->record.version;
    const BranchRecord* branch = project->find_branch(address.branch);
    if (branch == nullptr) return Generation{};
    switch (address.kind) {
        case ResourceKind::kProject: return project->record.version;
        case ResourceKind::kBranch:
        case ResourceKind::kCompute: return branch->version;
        case ResourceKind::kRole:
        case ResourceKind::kDatabase:
        case ResourceKind::kSchema:
        case ResourceKind::kExtension: return version_of(project->managed_of(branch->id), address);
    }
    return Generation{};
}

bool fits(const BaseVersion& base, Generation current, const Project* project,
          Generation base_generation) {
    bool is_exact =
        base.address.kind == ResourceKind::kBranch || base.address.kind == ResourceKind::kCompute;
    bool is_project = base.address.kind == ResourceKind::kProject;
    // What lb once made and somebody dropped by hand is made anew.
    if (base.version == Generation{} && !is_exact && !is_project) {
        return current <= base_generation;
    }
    if (is_exact || base.version == Generation{}) return base.version == current;
    if (is_project && current == Generation{}) return false;
    return current <= base.version && project != nullptr &&
           base.version <= project->record.generation;
}

std::string describe(const BaseVersion& base, Generation current) {
    std::string before = base.version == Generation{} ? std::string("it did not exist")
                                                      : cat("version ", base.version.value());
    std::string now = current == Generation{} ? std::string("it does not exist")
                                              : cat("version ", current.value());
    return cat(to_text(base.address), ": planned with ", before, ", now ", now);
}

}  // namespace

Status check_base_versions(const ChangeSet& changes, const Project* project) {
    std::vector<std::string> stale;
    for (const BaseVersion& base : changes.base_versions) {
        Generation current = current_version(base.address, project);
        if (!fits(base, current, project, changes.base_generation))
            stale.push_back(describe(base, current));
    }
    if (stale.empty()) return ok();
    return Error{.code = ErrorCode::kPlanStale,
                 .message = cat("the plan is stale: ", stale.size(),
                                stale.size() == 1 ? " resource that it touches has changed"
                                                  : " resources that it touches have changed"),
                 .help = "plan again: `lb plan`",
                 .notes = std::move(stale)};
}

}  // namespace lb::engine
