#include "engine/apply_run.h"

#include "base/text.h"
#include "engine/generation_log.h"
#include "engine/restore_windows.h"

namespace lb::engine {

Result<std::unique_lock<std::timed_mutex>> ApplyRun::take_turn(std::chrono::milliseconds patience) {
    std::unique_lock apply_lock(context_.apply_mutex, std::try_to_lock);
    if (!apply_lock.owns_lock()) tell("wait", {}, "another apply is under way");
    if (apply_lock.owns_lock() || apply_lock.try_lock_for(patience)) return apply_lock;
    return Error{.code = ErrorCode::kBusy,
                 .message = cat("another apply is under way and was not over after ",
                                format_duration(patience)),
                 .help = "try again when it is done, or wait longer: --lock-timeout 5m"};
}

Result<Applied> ApplyRun::run(std::chrono::milliseconds patience) {
    auto apply_lock = LB_TRY(take_turn(patience));
    LB_TRY(draft());
    Status prepared = prepare();
    if (!prepared.is_ok()) {
        undo();
        return std::move(prepared).error();
    }
    Applied applied{.generation = draft_.project.generation, .position = {}};
    {
        std::unique_lock finish_lock(context_.finish_mutex);
        tell("commit");
        Result<Position> position = commit();
        if (!position.is_ok()) {
            finish_lock.unlock();
            undo();
            return std::move(position).error();
        }
        applied.position = *position;
        tell("committed");
        end_transactions(Outcome::kCommit);
    }
    for (const auto& [name, line] : retired_lines_) context_.pool.revive(line);
    remove_computes();
    apply_lock.unlock();
    start_computes();
    tell("done");
    return applied;
}

void ApplyRun::tell(std::string step, std::string address, std::string message) {
    if (!progress_) return;
    std::lock_guard lock(progress_mutex_);
    progress_(
        {.step = std::move(step), .address = std::move(address), .message = std::move(message)});
}

Status ApplyRun::draft() {
    Generation destroyed = LB_TRY(last_generation_of_destroyed(context_.store(), changes_.project));
    std::lock_guard lock(context_.catalog_mutex);
    const Project* project = context_.catalog.find(changes_.project);
    draft_ = LB_TRY(make_draft({.changes = changes_,
                                .project = project,
                                .last_generation = destroyed,
                                .now = context_.now()}));
    if (project == nullptr) return ok();
    for (const auto& [name, branch] : draft_.branches) {
        if (!branch.is_created() && !branch.move) continue;
        const BranchRecord* source =
            project->find_branch(branch.move ? branch.move->from : branch.parent);
        if (source == nullptr) continue;
        live_parents_[name] = {.id = source->id, .line = source->line};
        live_sources_[name] = *source;
    }
    const BranchRecord* default_branch = project->find_branch(draft_.default_branch);
    if (default_branch != nullptr) live_default_branch_ = default_branch->id;
    if (!draft_.removes_project) return ok();
    for (const auto& [name, branch] : project->branches) removed_lines_.push_back(branch.line);
    for (const auto& [id, deleted] : project->deleted) {
        removed_lines_.push_back(deleted.branch.line);
    }
    return ok();
}

// Requires: the catalog's mutex.
CatalogEdit ApplyRun::catalog_edit() const {
    const Project* project = context_.catalog.find(draft_.project.name);
    CatalogEdit edit{.project = draft_.project,
                     .removes_project = draft_.removes_project,
                     .generation = generation_record(project)};
    if (draft_.removes_project) return edit;
    for (const DeletedRecord& purged : draft_.purged) {
        edit.removed_deleted.push_back(purged.branch.id);
    }
    for (const auto& [name, branch] : draft_.branches) {
        if (branch.is_deleted()) {
            edit.removed_branches.push_back(name);
            if (branch.deleted) edit.put_deleted.push_back(*branch.deleted);
            continue;
        }
        if (!branch.after) continue;
        BranchRecord record = *branch.after;
        // A first start may have chosen the port since the draft was made.
        const BranchRecord* current = project == nullptr ? nullptr : project->find_branch(name);
        if (current != nullptr && record.port == branch.before->port) record.port = current->port;
        if (branch.undeleted) edit.removed_deleted.push_back(record.id);
        if (branch.is_managed_changed || branch.move || branch.undeleted)
            edit.put_managed.emplace_back(record.id, branch.managed);
        edit.put_branches.push_back(std::move(record));
        if (branch.move && branch.move->backup) edit.put_branches.push_back(*branch.move->backup);
    }
    return edit;
}

Result<Position> ApplyRun::commit() {
    std::lock_guard lock(context_.catalog_mutex);
    CatalogEdit edit = catalog_edit();
    store::Commit frame{.notes = context_.catalog.to_notes(edit)};
    if (!draft_.removes_project) {
        auto faded =
            LB_TRY(faded_generation(context_.store(), edit.project.id, edit.project.generation));
        if (faded) frame.notes.push_back(*std::move(faded));
    }
    for (const std::string& name : draft_.in_order()) {
        const BranchDraft& branch = draft_.branches.at(name);
        if (branch.is_deleted() && !draft_.removes_project) {
            (branch.deleted ? kept_lines_ : removed_lines_).push_back(branch.before->line);
        }
        if (branch.undeleted) continue;
        if (branch.move && !branch.move->backup) removed_lines_.push_back(branch.before->line);
        bool gets_line = branch.is_created() || branch.move.has_value();
        if (!gets_line || hidden_.contains(name)) continue;
        Parent parent = LB_TRY(parent_of(branch));
        frame.create.push_back(
            {.line = branch.after->line, .parent = parent.line, .at = position_of(name)});
    }
    if (!draft_.removes_project) {
        for (const DeletedRecord& purged : draft_.purged) {
            removed_lines_.push_back(purged.branch.line);
        }
    }
    frame.remove = removed_lines_;
    Result<Position> committed = context_.store().commit(frame);
    if (!committed.is_ok()) return commit_error(std::move(committed).error());
    context_.catalog.adopt(edit);
    update_restore_windows(context_, edit);
    for (uint16_t port : reserved_ports_) std::erase(context_.reserved_ports, port);
    return *committed;
}

}  // namespace lb::engine
