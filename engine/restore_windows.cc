#include "engine/restore_windows.h"

#include <algorithm>

namespace lb::engine {

namespace {

// The window that most branches have, so that few lines are exceptions. Lines that no branch has
// (templates, those of an apply under way) have no past that a window could cut off.
std::chrono::nanoseconds standard_window(const Catalog& catalog) {
    const Project* largest = nullptr;
    for (const auto& [name, project] : catalog.projects()) {
        if (largest == nullptr || project.branches.size() > largest->branches.size()) {
            largest = &project;
        }
    }
    if (largest == nullptr) return store::kRestoreWindowStandard;
    return largest->record.history_retention;
}

}  // namespace

store::RestoreWindows restore_windows(const Catalog& catalog) {
    store::RestoreWindows windows{.standard = standard_window(catalog)};
    for (const auto& [project_name, project] : catalog.projects()) {
        for (const auto& [name, branch] : project.branches) {
            std::chrono::nanoseconds window = window_of(project, branch);
            if (window != windows.standard) windows.lines[branch.line] = window;
        }
        for (const auto& [id, deleted] : project.deleted) {
            std::chrono::nanoseconds window = window_of(project, deleted.branch);
            if (window != windows.standard) windows.lines[deleted.branch.line] = window;
        }
    }
    return windows;
}

void set_restore_windows(Context& context) {
    context.restore_windows = restore_windows(context.catalog);
    context.store().set_restore_windows(context.restore_windows);
}

void update_restore_windows(Context& context, const CatalogEdit& edit) {
    const Project* project = context.catalog.find(edit.project.name);
    if (project == nullptr) return;
    auto is_new = [&](const BranchRecord& branch) {
        return context.restore_windows.of(branch.line) != window_of(*project, branch);
    };
    bool is_project_changed = edit.project.version == edit.project.generation;
    bool has_new = std::ranges::any_of(edit.put_branches, is_new) ||
                   (is_project_changed &&
                    (std::ranges::any_of(project->branches,
                                         [&](const auto& entry) { return is_new(entry.second); }) ||
                     std::ranges::any_of(project->deleted, [&](const auto& entry) {
                         return is_new(entry.second.branch);
                     })));
    if (has_new) set_restore_windows(context);
}

}  // namespace lb::engine
