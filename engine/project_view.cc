#include "engine/project_view.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "engine/branch_moment.h"
#include "engine/project_computes.h"
#include "engine/project_observation.h"

namespace lb::engine {

namespace {

Result<BranchState> view_branch(Context& context, const Project& project,
                                const BranchRecord& record) {
    store::LineInfo line = LB_TRY(context.store().line(record.line));
    const BranchRecord* parent = project.find_branch(record.parent);
    HistoryBegin begin = LB_TRY(history_begin(context, line, window_of(project, record)));
    return BranchState{
        .name = record.name,
        .origin = record.origin,
        .parent = parent == nullptr ? std::string() : parent->name,
        .branch_point = parent == nullptr ? Position{} : line.fork_position,
        .requested_at = record.requested_at,
        .is_protected = record.is_protected,
        .expire_time = record.expire_time,
        .ttl = record.ttl,
        .history_retention = record.history_retention,
        .restore = record.restore,
        .created_at = record.created_at,
        .created_in = record.created_in,
        .line = record.line,
        .head = line.head,
        .logical_bytes = line.logical_bytes,
        .own_bytes = line.own_bytes,
        .restorable_from = begin.at,
        .compute = {.settings = record.compute, .active_port = active_port(record)},
        .version = record.version,
    };
}

Origin origin_of(const ManagedRecord& managed, const Address& address) {
    const ManagedResource* found = managed.find(address);
    return found == nullptr ? Origin::kManual : found->origin;
}

void add_contents_origins(DatabaseState& database, const ManagedRecord& managed) {
    for (SchemaState& schema : database.schemas) {
        schema.origin = origin_of(managed, Address::of_schema({}, database.name, schema.name));
    }
    for (ExtensionState& extension : database.extensions) {
        extension.origin =
            origin_of(managed, Address::of_extension({}, database.name, extension.name));
    }
}

void add_observation(BranchState& branch, Observation observation, const ManagedRecord& managed) {
    branch.is_observed = true;
    branch.roles = std::move(observation.roles);
    branch.databases = std::move(observation.databases);
    for (RoleState& role : branch.roles) {
        role.origin = origin_of(managed, Address::of_role({}, role.name));
    }
    for (DatabaseState& database : branch.databases) {
        database.origin = origin_of(managed, Address::of_database({}, database.name));
        add_contents_origins(database, managed);
    }
    std::ranges::sort(branch.roles, {}, &RoleState::name);
    std::ranges::sort(branch.databases, {}, &DatabaseState::name);
}

std::optional<std::string> default_branch_of(Context& context, const std::string& project) {
    std::lock_guard lock(context.catalog_mutex);
    const Project* found = context.catalog.find(project);
    if (found == nullptr) return std::nullopt;
    return found->default_branch().name;
}

ProjectState view_settings(const std::string& name, const Project* project, WallTime now) {
    ProjectState state{.name = name};
    if (project == nullptr) return state;
    state.exists = true;
    state.generation = project->record.generation;
    state.pg_version = project->record.pg_version;
    state.default_branch = project->default_branch().name;
    state.history_retention = project->record.history_retention;
    state.settings = project->record.settings;
    state.seen_at = now;
    return state;
}

// Of all branches, or only those that had one of the names.
Status add_deleted(Context& context, const Project& project, const std::vector<std::string>* names,
                   ProjectState& state) {
    for (const auto& [id, deleted] : project.deleted) {
        const BranchRecord& branch = deleted.branch;
        if (names != nullptr && !std::ranges::count(*names, branch.name)) continue;
        store::LineInfo line = LB_TRY(context.store().line(branch.line));
        state.deleted_branches.push_back({.id = id.value(),
                                          .name = branch.name,
                                          .parent = project.living_ancestor(deleted).name,
                                          .line = branch.line,
                                          .deleted_at = deleted.deleted_at,
                                          .gone_at = deleted.gone_at,
                                          .logical_bytes = line.logical_bytes,
                                          .own_bytes = line.own_bytes});
    }
    std::ranges::sort(state.deleted_branches, [](const auto& left, const auto& right) {
        if (left.name != right.name) return left.name < right.name;
        return left.deleted_at > right.deleted_at;
    });
    return ok();
}

// Requires: the finish mutex, shared.
Result<ProjectState> view_catalog(Context& context, const std::string& name,
                                  std::optional<Observation> observation) {
    std::lock_guard lock(context.catalog_mutex);
    const Project* project = context.catalog.find(name);
    ProjectState state = view_settings(name, project, context.now());
    if (project == nullptr) return state;
    state.branches.reserve(project->branches.size());
    for (const auto& [branch_name, record] : project->branches) {
        BranchState branch = LB_TRY(view_branch(context, *project, record));
        if (observation && record.id == project->record.default_branch) {
            add_observation(branch, *std::exchange(observation, std::nullopt),
                            project->managed_of(record.id));
        }
        state.branches.push_back(std::move(branch));
    }
    LB_TRY(add_deleted(context, *project, nullptr, state));
    return state;
}

// Enough to know that there are some, and to name them.
constexpr size_t kChildrenShownMax = 10;

std::set<std::string> names_around(const Project& project,
                                   const std::vector<std::string>& branches) {
    std::set<std::string> names = {project.default_branch().name};
    for (const std::string& name : branches) {
        const BranchRecord* branch = project.find_branch(name);
        if (branch == nullptr) continue;
        names.insert(name);
        const BranchRecord* parent = project.find_branch(branch->parent);
        if (parent != nullptr) names.insert(parent->name);
        std::vector<std::string> children = project.children(branch->id);
        children.resize(std::min(children.size(), kChildrenShownMax));
        names.insert(children.begin(), children.end());
    }
    for (const auto& [id, deleted] : project.deleted) {
        bool is_asked = std::ranges::count(branches, deleted.branch.name) > 0;
        if (is_asked) names.insert(project.living_ancestor(deleted).name);
    }
    return names;
}

void add_health(Context& context, ProjectState& state) {
    for (BranchState& branch : state.branches) {
        ComputeHealth health = context.pool.health(branch.line);
        branch.compute.status = health.status;
        branch.compute.failure = std::move(health.failure);
    }
}

}  // namespace

Result<ProjectState> view_project(Context& context, const std::string& project, Observe observe) {
    std::optional<std::string> default_branch;
    if (observe == Observe::kYes) default_branch = default_branch_of(context, project);
    // A server that has to start does so before the lock, which would hold up an apply.
    if (default_branch && !is_observable_asleep(context, project, *default_branch)) {
        LB_TRY(start_branch(context, project, *default_branch));
    }
    ProjectState state;
    {
        std::shared_lock lock(context.finish_mutex);
        std::optional<Observation> observation;
        if (default_branch) {
            observation = LB_TRY(observe_branch(context, project, *default_branch));
        }
        state = LB_TRY(view_catalog(context, project, std::move(observation)));
    }
    add_health(context, state);
    return state;
}

Result<ProjectState> view_project_around(Context& context, const std::string& project_name,
                                         const std::vector<std::string>& branches) {
    ProjectState state;
    {
        std::shared_lock finish_lock(context.finish_mutex);
        std::lock_guard lock(context.catalog_mutex);
        const Project* project = context.catalog.find(project_name);
        state = view_settings(project_name, project, context.now());
        if (project == nullptr) return state;
        for (const std::string& name : names_around(*project, branches)) {
            state.branches.push_back(
                LB_TRY(view_branch(context, *project, *project->find_branch(name))));
        }
        LB_TRY(add_deleted(context, *project, &branches, state));
    }
    add_health(context, state);
    return state;
}

Result<BranchUsage> branch_usage(Context& context, const std::string& project,
                                 const std::string& branch,
                                 std::optional<std::chrono::seconds> window) {
    LineId line;
    {
        std::lock_guard lock(context.catalog_mutex);
        line = LB_TRY(context.catalog.branch(project, branch))->line;
    }
    store::LineUsage usage = LB_TRY(context.store().usage(line));
    BranchUsage result{.shared_bytes = usage.shared_bytes,
                       .own_bytes = usage.own_bytes,
                       .history_bytes = usage.history_bytes,
                       .freed_by_delete_bytes = usage.freed_by_delete_bytes};
    if (window) {
        result.freed_by_window_bytes = LB_TRY(context.store().freed_by_window(line, *window));
    }
    return result;
}

Result<Connection> connect_branch(Context& context, const std::string& project_name,
                                  const std::string& branch_name) {
    SqlTarget target = LB_TRY(start_branch(context, project_name, branch_name));
    std::lock_guard lock(context.catalog_mutex);
    const BranchRecord* branch = LB_TRY(context.catalog.branch(project_name, branch_name));
    const Project& project = *context.catalog.find(project_name);
    PostgresInstallation postgres =
        LB_TRY(find_postgres(project.record.pg_version, context.options.postgres_bin_directory));
    const ManagedRecord& managed = project.managed_of(project.record.default_branch);
    return Connection{
        .socket_directory = target.socket_directory,
        .port = target.port,
        .listen_addresses = branch->compute.listen_addresses,
        .superuser = target.user,
        .default_database =
            managed.databases.empty() ? std::string("postgres") : managed.databases.begin()->first,
        .program_directory = postgres.program_directory,
    };
}

}  // namespace lb::engine
