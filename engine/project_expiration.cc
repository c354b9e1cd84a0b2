#include "engine/project_expiration.h"

#include <set>

#include "engine/apply_run.h"

namespace lb::engine {

namespace {

constexpr std::chrono::seconds kInterval{1};
constexpr size_t kGoneBatch = 1000;

bool may_expire(const Project& project, const BranchRecord& branch, WallTime now) {
    return branch.expire_time && *branch.expire_time <= now && !branch.is_protected &&
           branch.id != project.record.default_branch;
}

}  // namespace

std::optional<ChangeSet> expired_branches(const Project& project, WallTime now) {
    std::set<BranchId> expired;
    for (const auto& [name, branch] : project.branches) {
        if (may_expire(project, branch, now)) expired.insert(branch.id);
    }
    if (expired.empty()) return std::nullopt;
    // A branch that stays keeps its ancestors.
    for (const auto& [name, branch] : project.branches) {
        if (expired.contains(branch.id)) continue;
        for (const BranchRecord* ancestor = &branch; ancestor != nullptr;
             ancestor = project.find_branch(ancestor->parent)) {
            expired.erase(ancestor->id);
        }
    }
    if (expired.empty()) return std::nullopt;
    ChangeSet changes{.project = project.record.name, .author = "lb expiration"};
    // Children have higher numbers than their parents.
    for (auto id = expired.rbegin(); id != expired.rend(); ++id) {
        const BranchRecord& branch = *project.find_branch(*id);
        Address address = Address::of_branch(branch.name);
        changes.changes.push_back(
            {.address = address, .kind = ChangeKind::kDelete, .origin = Origin::kCommand});
        changes.base_versions.push_back({.address = address, .version = branch.version});
    }
    return changes;
}

ExpirationThread::ExpirationThread(Context& context)
    : context_(context), thread_([this] { run(); }) {}

ExpirationThread::~ExpirationThread() {
    {
        std::lock_guard lock(mutex_);
        is_stopping_ = true;
    }
    wake_.notify_all();
    thread_.join();
}

void ExpirationThread::run() {
    std::unique_lock lock(mutex_);
    while (!is_stopping_) {
        lock.unlock();
        delete_expired();
        remove_gone();
        lock.lock();
        wake_.wait_for(lock, kInterval, [this] { return is_stopping_; });
    }
}

// One frame takes away record and line, so a crash leaves both or neither.
void ExpirationThread::remove_gone() {
    std::unique_lock apply_lock(context_.apply_mutex, std::try_to_lock);
    if (!apply_lock.owns_lock()) return;  // the next look tries again
    std::vector<LineId> lines;
    {
        std::lock_guard lock(context_.catalog_mutex);
        std::vector<std::pair<std::string, BranchId>> gone;
        store::Commit frame;
        for (const auto& [name, project] : context_.catalog.projects()) {
            for (const auto& [id, deleted] : project.deleted) {
                if (deleted.gone_at > context_.now() || gone.size() == kGoneBatch) continue;
                gone.emplace_back(name, id);
                frame.remove.push_back(deleted.branch.line);
                frame.notes.push_back({.key = deleted_key(project.record.id, id)});
            }
        }
        if (gone.empty() || !context_.store().commit(frame).is_ok()) return;
        for (const auto& [project, id] : gone) context_.catalog.forget_deleted(project, id);
        lines = std::move(frame.remove);
    }
    for (LineId line : lines) {
        context_.pool.remove(line);
        context_.line_is_gone(line);
    }
}

void ExpirationThread::delete_expired() {
    std::vector<ChangeSet> due;
    {
        std::lock_guard lock(context_.catalog_mutex);
        for (const auto& [name, project] : context_.catalog.projects()) {
            if (auto changes = expired_branches(project, context_.now())) {
                due.push_back(*std::move(changes));
            }
        }
    }
    for (const ChangeSet& changes : due) {
        ProgressSink silent;
        // A busy home, a branch whose ttl was just prolonged: the next look tries again.
        [[maybe_unused]] Result<Applied> applied =
            ApplyRun(context_, changes, silent).run(kApplyPatience);
    }
}

}  // namespace lb::engine
