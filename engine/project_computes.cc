#include "engine/project_computes.h"

#include <algorithm>

#include "base/text.h"

namespace lb::engine {

namespace {

struct Found {
    ProjectRecord project;
    BranchRecord branch;
};

Result<Found> find_branch(Context& context, const std::string& project, const std::string& branch) {
    std::lock_guard lock(context.catalog_mutex);
    const BranchRecord* record = LB_TRY(context.catalog.branch(project, branch));
    return Found{.project = context.catalog.find(project)->record, .branch = *record};
}

// Writes `port` into the branch's record, unless somebody chose one since `found` was read. Returns
// the port that counts.
Result<uint16_t> keep_port(Context& context, const Found& found, uint16_t port) {
    std::lock_guard lock(context.catalog_mutex);
    Project* project = context.catalog.find(found.project.name);
    BranchRecord* branch = project == nullptr ? nullptr : project->find_branch(found.branch.name);
    if (branch == nullptr || branch->id != found.branch.id) {
        return Error{.code = ErrorCode::kNotFound,
                     .message = cat("branch ", quoted(found.branch.name), " was deleted")};
    }
    if (branch->port != found.branch.port) return branch->port;
    BranchRecord changed = *branch;
    changed.port = port;
    store::Commit commit;
    commit.notes.push_back(
        {.key = branch_key(found.project.id, changed.id), .value = encode(changed)});
    LB_TRY(context.store().commit(commit));
    *branch = std::move(changed);
    return port;
}

Status choose_and_keep_port(Context& context, Found& found) {
    uint16_t port = LB_TRY(reserve_port(context, found.branch));
    Result<uint16_t> kept = keep_port(context, found, port);
    give_back_port(context, port);
    found.branch.port = LB_TRY(std::move(kept));
    return ok();
}

Result<bool> has_prepared_transaction(const SqlTarget& target) {
    std::unique_ptr<SqlSession> session = LB_TRY(SqlSession::connect(target));
    auto rows = LB_TRY(
        session->query("SELECT FROM pg_prepared_xacts WHERE starts_with(gid, 'lb-') AND owner = $1",
                       {target.user}));
    return !rows.empty();
}

}  // namespace

uint16_t active_port(const BranchRecord& branch) {
    return branch.compute.port != 0 ? branch.compute.port : branch.port;
}

Result<uint16_t> reserve_port(Context& context, const BranchRecord& branch) {
    std::lock_guard lock(context.catalog_mutex);
    std::vector<uint16_t> taken = context.catalog.taken_ports(branch.id);
    taken.insert(taken.end(), context.reserved_ports.begin(), context.reserved_ports.end());
    uint16_t port = LB_TRY(choose_port(branch.compute.listen_addresses, taken));
    context.reserved_ports.push_back(port);
    return port;
}

void give_back_port(Context& context, uint16_t port) {
    std::lock_guard lock(context.catalog_mutex);
    std::erase(context.reserved_ports, port);
}

ComputeRequest compute_request(Context& context, const ProjectRecord& project,
                               const BranchRecord& branch, const std::string& assumed_committed) {
    auto settle = [&store = context.store(), id = project.id,
                   assumed_committed](const SqlTarget& target) -> Status {
        auto is_committed = [&](std::string_view name) -> Result<bool> {
            if (name == assumed_committed) return true;
            return is_transaction_committed(store, id, name);
        };
        Status settled = settle_transactions(target, is_committed);
        if (settled.is_ok() || LB_TRY(has_prepared_transaction(target))) return settled;
        // Every transaction has its end. What could not be dropped, such as a database that
        // somebody has a prepared transaction in, is only in the way; the next start tries again.
        return ok();
    };
    // Whether lb keeps the server running is nothing that the server has to be restarted for.
    ComputeSettings settings = branch.compute;
    settings.always_on = false;
    settings.settings.insert(project.settings.begin(), project.settings.end());
    return {.line = branch.line,
            .label = cat(project.name, '/', branch.name),
            .pg_version = project.pg_version,
            .settings = std::move(settings),
            .port = active_port(branch),
            .run_number = branch.id.value(),
            .settle = std::move(settle)};
}

Result<SqlTarget> start_branch(Context& context, const std::string& project,
                               const std::string& branch) {
    Found found = LB_TRY(find_branch(context, project, branch));
    bool is_chosen_by_lb = found.branch.compute.port == 0;
    if (active_port(found.branch) == 0) LB_TRY(choose_and_keep_port(context, found));
    for (int attempt = 1;; ++attempt) {
        Result<SqlTarget> started =
            context.pool.start(compute_request(context, found.project, found.branch, {}));
        bool is_port_taken =
            !started.is_ok() && started.error().code == ErrorCode::kPortInUse && is_chosen_by_lb;
        if (started.is_ok() &&
            LB_TRY(find_branch(context, project, branch)).branch.line != found.branch.line) {
            // A restore came in between, and this server would be in the way of the right one.
            LB_TRY(context.pool.stop(found.branch.line));
            return start_branch(context, project, branch);
        }
        if (!is_port_taken || attempt == kPortAttempts) return started;
        // Somebody else took the port while the compute was stopped, or just now. lb chose it, so
        // lb may choose again.
        LB_TRY(choose_and_keep_port(context, found));
    }
}

}  // namespace lb::engine
