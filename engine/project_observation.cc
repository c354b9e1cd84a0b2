#include "engine/project_observation.h"

#include <charconv>

#include "base/text.h"
#include "engine/project_computes.h"
#include "engine/project_control_file.h"

namespace lb::engine {

namespace {

struct Remembered {
    ProjectId project;
    BranchId branch;
    LineId line;
    std::optional<ObservationRecord> observation = {};  // only if it is still true
};

Result<Remembered> remembered(Context& context, const std::string& project_name,
                              const std::string& branch_name) {
    std::lock_guard lock(context.catalog_mutex);
    const BranchRecord* branch = LB_TRY(context.catalog.branch(project_name, branch_name));
    const Project& project = *context.catalog.find(project_name);
    Remembered result{.project = project.record.id, .branch = branch->id, .line = branch->line};
    auto found = project.observed.find(branch->id);
    if (found == project.observed.end() || found->second.line != branch->line) return result;
    store::LineInfo line = LB_TRY(context.store().line(branch->line));
    if (line.head == found->second.position) result.observation = found->second;
    return result;
}

// In memory, and in the store as well if `persist`.
Status remember(Context& context, const std::string& project_name, const Remembered& of,
                ObservationRecord record, bool persist) {
    std::lock_guard lock(context.catalog_mutex);
    Project* project = context.catalog.find(project_name);
    if (project == nullptr || project->find_branch(of.branch) == nullptr) return ok();
    if (persist) {
        store::Commit commit;
        commit.notes.push_back(
            {.key = observed_key(of.project, of.branch), .value = encode(record)});
        LB_TRY(context.store().commit(commit));
    }
    project->observed[of.branch] = std::move(record);
    return ok();
}

// The newest transaction id that was not yet given out; nullopt while any transaction with an id is
// under way, prepared ones included.
Result<std::optional<uint64_t>> quiet_transaction_id(SqlSession& session) {
    auto rows = LB_TRY(session.query(
        "SELECT pg_snapshot_xmin(s), pg_snapshot_xmax(s) FROM pg_current_snapshot() AS s"));
    if (rows.size() != 1 || rows[0].size() != 2 || rows[0][0] != rows[0][1] || !rows[0][1]) {
        return std::optional<uint64_t>{};
    }
    uint64_t id = 0;
    const std::string& digits = *rows[0][1];
    auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), id);
    if (failure != std::errc{}) return std::optional<uint64_t>{};
    return std::optional{id};
}

struct LastLook {
    Observation observation;
    uint64_t next_transaction_id = 0;
};

Result<std::optional<LastLook>> last_look(const SqlTarget& target) {
    std::unique_ptr<SqlSession> session = LB_TRY(SqlSession::connect(target));
    std::optional<uint64_t> id = LB_TRY(quiet_transaction_id(*session));
    if (!id) return std::optional<LastLook>{};
    Observation observation = LB_TRY(observe(target));
    return std::optional{
        LastLook{.observation = std::move(observation), .next_transaction_id = *id}};
}

}  // namespace

Result<Observation> observe_branch(Context& context, const std::string& project,
                                   const std::string& branch) {
    Remembered before = LB_TRY(remembered(context, project, branch));
    if (before.observation) return before.observation->observation;
    SqlTarget target = LB_TRY(start_branch(context, project, branch));
    // The position first: what is written from here on makes the observation out of date.
    Position position = LB_TRY(context.store().line(before.line)).head;
    Observation observation = LB_TRY(observe(target));
    LB_TRY(remember(context, project, before,
                    {.line = before.line, .position = position, .observation = observation},
                    /*persist=*/false));
    return observation;
}

bool is_observable_asleep(Context& context, const std::string& project, const std::string& branch) {
    Result<Remembered> before = remembered(context, project, branch);
    return before.is_ok() && before->observation.has_value();
}

Status stop_branch(Context& context, const std::string& project_name,
                   const std::string& branch_name) {
    Remembered of = LB_TRY(remembered(context, project_name, branch_name));
    bool is_default = false;
    {
        std::lock_guard lock(context.catalog_mutex);
        const Project* project = context.catalog.find(project_name);
        is_default = project != nullptr && project->record.default_branch == of.branch;
    }
    std::optional<SqlTarget> target = context.pool.running(of.line);
    std::optional<LastLook> look;
    if (is_default && target) {
        // A server that cannot be asked can still be stopped.
        Result<std::optional<LastLook>> seen = last_look(*target);
        if (seen.is_ok()) look = *std::move(seen);
    }
    LB_TRY(context.pool.stop(of.line));
    if (!look) return ok();
    // The head first: if somebody starts the server again, the control file tells.
    Position head = LB_TRY(context.store().line(of.line)).head;
    std::optional<ControlFile> control = read_control_file(context.store(), of.line);
    if (!control || !control->is_shut_down ||
        control->next_transaction_id != look->next_transaction_id) {
        return ok();
    }
    return remember(context, project_name, of,
                    {.line = of.line, .position = head, .observation = look->observation},
                    /*persist=*/true);
}

}  // namespace lb::engine
