#include "engine/branch_history.h"

#include <algorithm>
#include <functional>

#include "base/text.h"
#include "engine/branch_moment.h"

namespace lb::engine {

namespace {

struct Found {
    ProjectId project;
    BranchRecord branch;
    LoadsRecord loads;
};

Result<Found> find(Context& context, const std::string& project, const std::string& branch) {
    std::lock_guard lock(context.catalog_mutex);
    const BranchRecord* record = LB_TRY(context.catalog.branch(project, branch));
    const Project& found = *context.catalog.find(project);
    Found result{.project = found.record.id, .branch = *record};
    if (auto loads = found.loads.find(record->id); loads != found.loads.end()) {
        result.loads = loads->second;
    }
    return result;
}

// What an apply did with the branch; of others it is a mark if it has a git commit, because then
// data and code of that moment belong together.
std::optional<HistoryMark> mark_of(const GenerationRecord& record, const std::string& branch) {
    HistoryMark mark{.at = record.applied_at,
                     .position = record.position,
                     .kind = "apply",
                     .generation = record.number,
                     .author = record.author,
                     .git_commit = record.git_commit};
    size_t count = 0;
    for (const GenerationChange& change : record.changes) {
        if (change.address.branch != branch) continue;
        // A compute comes and goes with its branch; that says nothing new.
        bool is_update = change.kind == ChangeKind::kUpdate;
        if (change.address.kind == ResourceKind::kCompute && !is_update) continue;
        ++count;
        bool is_move = change.kind == ChangeKind::kRestore || change.kind == ChangeKind::kReset;
        if (is_move) {
            mark.kind = std::string(to_text(change.kind));
            mark.message = change.detail;
        } else if (mark.message.empty()) {
            mark.message = cat(to_text(change.kind), ' ', to_text(change.address));
        }
    }
    if (count == 0 && record.git_commit.empty()) return std::nullopt;
    if (count > 1) mark.message += cat(" and ", count - 1, " more");
    if (count == 0) mark.message = "other branches";
    return mark;
}

HistoryMark mark_of(const LoadMark& load) {
    return HistoryMark{
        .at = load.at,
        .position = load.position,
        .kind = "load",
        .author = load.author,
        .message = cat(load.file, " into ", load.database, ", ", format_bytes(load.read_bytes))};
}

}  // namespace

Result<BranchHistory> branch_history(Context& context, const std::string& project,
                                     const std::string& branch) {
    Found found = LB_TRY(find(context, project, branch));
    HistoryRange range = LB_TRY(history_range(context, project, found.branch));
    BranchHistory history{.branch = branch,
                          .first_at = range.first_at,
                          .first = range.first,
                          .every_from = range.every_from,
                          .last = range.last,
                          .window = range.window,
                          .made_from = range.made_from,
                          .made_at = range.made_at};
    if (range.wal) {
        history.first_lsn = to_text(range.wal->first);
        history.last_lsn = to_text(range.wal->last);
    }
    std::string prefix = cat(kGenerationPrefix, found.project.value(), '/');
    std::vector<store::Note> notes = LB_TRY(context.store().notes(prefix));
    for (auto note = notes.rbegin(); note != notes.rend(); ++note) {
        GenerationRecord record = LB_TRY(decode_generation(note->value.value_or("")));
        if (auto mark = mark_of(record, branch)) history.marks.push_back(*std::move(mark));
    }
    for (const LoadMark& load : found.loads.loads) history.marks.push_back(mark_of(load));
    std::ranges::stable_sort(history.marks, std::ranges::greater{}, &HistoryMark::at);
    return history;
}

Status add_load_mark(Context& context, const std::string& project, const std::string& branch,
                     LoadMark load) {
    std::lock_guard lock(context.catalog_mutex);
    const BranchRecord* record = LB_TRY(context.catalog.branch(project, branch));
    Project& found = *context.catalog.find(project);
    load.at = context.now();
    load.position = LB_TRY(context.store().line(record->line)).head;
    LoadsRecord loads = found.loads[record->id];
    loads.loads.insert(loads.loads.begin(), std::move(load));
    if (loads.loads.size() > kLoadMarksKept) loads.loads.resize(kLoadMarksKept);
    store::Commit commit;
    commit.notes.push_back({.key = loads_key(found.record.id, record->id), .value = encode(loads)});
    LB_TRY(context.store().commit(commit));
    found.loads[record->id] = std::move(loads);
    return ok();
}

}  // namespace lb::engine
