#include "engine/activity.h"

#include <charconv>

#include "engine/project_computes.h"

namespace lb::engine {

namespace {

// The session that asks is not counted.
constexpr const char* kQuery =
    "SELECT greatest(sum(numbackends) - 1, 0)::bigint, sum(xact_commit + xact_rollback)::bigint, "
    "sum(blks_hit)::bigint, sum(blks_read)::bigint FROM pg_catalog.pg_stat_database";

uint64_t number(const std::optional<std::string>& text) {
    uint64_t value = 0;
    if (text) std::from_chars(text->data(), text->data() + text->size(), value);
    return value;
}

}  // namespace

std::optional<ComputeActivity> ActivitySampler::sample(LineId line, const SqlTarget& target) {
    std::lock_guard lock(mutex_);
    Entry& entry = sessions_[line];
    entry.is_used = true;
    if (entry.session == nullptr) {
        Result<std::unique_ptr<SqlSession>> session = SqlSession::connect(target);
        if (!session) return std::nullopt;
        entry.session = *std::move(session);
    }
    Result<std::vector<SqlRow>> rows = entry.session->query(kQuery);
    if (!rows || rows->size() != 1 || rows->front().size() != 4) {
        entry.session.reset();  // the server went away; the next sample connects again
        return std::nullopt;
    }
    const SqlRow& row = rows->front();
    return ComputeActivity{.connections = number(row[0]),
                           .transactions = number(row[1]),
                           .blocks_hit = number(row[2]),
                           .blocks_read = number(row[3])};
}

void ActivitySampler::close_unused() {
    std::lock_guard lock(mutex_);
    std::erase_if(sessions_, [](const auto& entry) { return !entry.second.is_used; });
    for (auto& [line, entry] : sessions_) entry.is_used = false;
}

std::vector<BranchStatistics> branch_statistics(Context& context, ActivitySampler& sampler) {
    std::vector<BranchStatistics> result;
    {
        std::lock_guard lock(context.catalog_mutex);
        for (const auto& [project_name, project] : context.catalog.projects()) {
            for (const auto& [name, branch] : project.branches) {
                result.push_back({.project = project_name,
                                  .branch = name,
                                  .line = branch.line,
                                  .port = active_port(branch)});
            }
        }
    }
    for (BranchStatistics& branch : result) {
        branch.status = context.pool.health(branch.line).status;
        if (branch.status != ComputeStatus::kRunning) continue;
        std::optional<SqlTarget> target = context.pool.running(branch.line);
        if (target) branch.activity = sampler.sample(branch.line, *target);
    }
    sampler.close_unused();
    return result;
}

}  // namespace lb::engine
