#include "tests/engine/engine_fixture.h"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "base/text.h"
#include "engine/compute.h"

namespace lb::engine {

namespace {

std::string make_directory() {
    std::string path = "/tmp/lb-engine-XXXXXX";
    LB_ASSERT(::mkdtemp(path.data()) != nullptr);
    // The computes' user passes through.
    LB_ASSERT(::chmod(path.c_str(), 0755) == 0);
    return path;
}

// As root, PostgreSQL runs as the account that Debian's package makes.
std::string postgres_user() { return ::geteuid() == 0 ? "postgres" : ""; }

ResourceChange change(Address address, ChangeKind kind, ResourceValue value = {}) {
    return {.address = std::move(address), .kind = kind, .value = std::move(value)};
}

}  // namespace

std::optional<std::string> engine_tests_obstacle() {
    if (::access("/dev/fuse", R_OK | W_OK) != 0) return "/dev/fuse is missing or not permitted";
    Result<PostgresInstallation> postgres = find_postgres(15, "");
    if (!postgres.is_ok()) return postgres.error().message;
    if (::geteuid() == 0 && ::getpwnam("postgres") == nullptr) return "no account \"postgres\"";
    return std::nullopt;
}

ResourceChange create_branch(const std::string& name, BranchValue value) {
    return change(Address::of_branch(name), ChangeKind::kCreate, std::move(value));
}
ResourceChange update_branch(const std::string& name, BranchValue value) {
    return change(Address::of_branch(name), ChangeKind::kUpdate, std::move(value));
}
ResourceChange delete_branch(const std::string& name) {
    return change(Address::of_branch(name), ChangeKind::kDelete);
}
ResourceChange purge_branch(const std::string& name) {
    ResourceChange purge = delete_branch(name);
    purge.is_purge = true;
    return purge;
}
ResourceChange undelete_branch(const ProjectState& state, const std::string& name) {
    const DeletedBranchState* deleted = state.find_deleted(name);
    LB_ASSERT(deleted != nullptr);
    return create_branch(name, {.parent = deleted->parent, .undelete = deleted->id});
}
ResourceChange set_compute(const std::string& branch, ComputeSettings settings) {
    return change(Address::of_compute(branch), ChangeKind::kUpdate, std::move(settings));
}
ResourceChange create_role(const std::string& branch, const std::string& name,
                           RoleAttributes attributes) {
    return change(Address::of_role(branch, name), ChangeKind::kCreate,
                  RoleValue{.attributes = std::move(attributes)});
}
ResourceChange update_role(const std::string& branch, const std::string& name,
                           RoleAttributes attributes) {
    return change(Address::of_role(branch, name), ChangeKind::kUpdate,
                  RoleValue{.attributes = std::move(attributes)});
}
ResourceChange delete_role(const std::string& branch, const std::string& name) {
    return change(Address::of_role(branch, name), ChangeKind::kDelete);
}
ResourceChange create_database(const std::string& branch, const std::string& name,
                               const std::string& owner) {
    return change(Address::of_database(branch, name), ChangeKind::kCreate,
                  DatabaseValue{.owner = owner});
}
ResourceChange create_schema(const std::string& branch, const std::string& database,
                             const std::string& name, const std::string& owner) {
    return {.address = Address::of_schema(branch, database, name), .value = SchemaValue{owner}};
}

ResourceChange create_extension(const std::string& branch, const std::string& database,
                                const std::string& name, ExtensionValue value) {
    return {.address = Address::of_extension(branch, database, name), .value = std::move(value)};
}

ResourceChange delete_content(Address address) {
    return {.address = std::move(address), .kind = ChangeKind::kDelete};
}

ResourceChange delete_database(const std::string& branch, const std::string& name) {
    return change(Address::of_database(branch, name), ChangeKind::kDelete);
}

ChangeSet change_set(std::vector<ResourceChange> changes, const std::string& project) {
    return {.project = project,
            .changes = std::move(changes),
            .plan_id = "p-test",
            .author = "tests@localhost"};
}

ChangeSet new_project(std::vector<ResourceChange> more, const std::string& project) {
    std::vector<ResourceChange> changes;
    changes.push_back(change(Address::project(), ChangeKind::kCreate,
                             ProjectValue{.pg_version = 15, .default_branch = "main"}));
    changes.push_back(create_branch("main", {}));
    changes.insert(changes.end(), more.begin(), more.end());
    ChangeSet set = change_set(std::move(changes), project);
    set.base_versions.push_back({.address = Address::project()});
    return set;
}

ChangeSet destroy_project(const ProjectState& state) {
    std::vector<ResourceChange> changes;
    for (const BranchState& branch : state.branches) changes.push_back(delete_branch(branch.name));
    changes.push_back(change(Address::project(), ChangeKind::kDelete));
    return change_set(std::move(changes), state.name);
}

std::string essence(const ProjectState& state) {
    ProjectState copy = state;
    for (BranchState& branch : copy.branches) {
        branch.head = {};
        branch.own_bytes = 0;
        branch.logical_bytes = 0;
        branch.compute.status = {};
        branch.compute.failure.clear();
        branch.compute.active_port = 0;
        branch.restorable_from.reset();
    }
    copy.seen_at.reset();
    for (DeletedBranchState& branch : copy.deleted_branches) {
        branch.own_bytes = 0;
        branch.logical_bytes = 0;
    }
    return to_json(copy).dump(2);
}

EngineHome::EngineHome() : directory_(make_directory()), owns_directory_(true) { open(); }

EngineHome::EngineHome(std::string directory, Clock* clock)
    : directory_(std::move(directory)), owns_directory_(false), clock_(clock) {
    open();
}

EngineHome::~EngineHome() {
    close();
    if (owns_directory_) std::filesystem::remove_all(directory_);
}

void EngineHome::open() {
    for (const char* name : {"/store", "/mnt", "/run", "/log"}) {
        // The mount of a killed process cannot even be looked at; mounting anew removes it.
        std::error_code ignored;
        std::filesystem::create_directories(directory_ + name, ignored);
    }
    // What a killed process left, before a new mount hides it.
    kill_processes_in(mount_directory());
    uid_t uid = ::geteuid();
    gid_t gid = ::getegid();
    if (const passwd* user = uid == 0 ? ::getpwnam("postgres") : nullptr) {
        uid = user->pw_uid;
        gid = user->pw_gid;
    }
    store_ = LB_MUST(store::Store::open({.directory = directory_ + "/store"}));
    transport_ = LB_MUST(store::FuseTransport::mount(
        *store_, {.mount_directory = mount_directory(), .uid = uid, .gid = gid}));
    store::FuseTransport* transport = transport_.get();
    engine_ = LB_MUST(Engine::open({
        .store = store_.get(),
        .mount_directory = mount_directory(),
        .run_directory = directory_ + "/run",
        .log_directory = directory_ + "/log",
        .postgres_user = postgres_user(),
        .clock = clock_,
        .on_line_removed = [transport](LineId line) { transport->forget_line(line); },
    }));
}

void EngineHome::close() {
    if (engine_ == nullptr) return;
    LB_MUST(engine_->close());
    engine_.reset();
    LB_MUST(transport_->unmount());
    transport_.reset();
    LB_MUST(store_->close());
    store_.reset();
}

Result<Applied> EngineHome::apply(const ChangeSet& changes) {
    return engine_->apply(changes, [this](const ProgressEvent& event) {
        if (event.step == "warning") warnings.push_back(cat(event.address, ": ", event.message));
    });
}

ProjectState EngineHome::state(const std::string& project, Observe observe) {
    return LB_MUST(engine_->state(project, observe));
}

const BranchState EngineHome::branch(const std::string& name, const std::string& project) {
    ProjectState all = state(project, Observe::kNo);
    const BranchState* found = all.find_branch(name);
    LB_ASSERT(found != nullptr);
    return *found;
}

Result<std::string> EngineHome::query(const std::string& branch, const std::string& sql,
                                      const std::string& database, const std::string& project) {
    Connection connection = LB_TRY(engine_->connect(project, branch));
    auto session = LB_TRY(SqlSession::connect({.socket_directory = connection.socket_directory,
                                               .port = connection.port,
                                               .user = connection.superuser,
                                               .database = database}));
    // Sessions of lb see nothing but pg_catalog.
    LB_TRY(session->query("SET search_path TO public"));
    std::vector<std::string> lines;
    for (const SqlRow& row : LB_TRY(session->query(sql))) {
        std::vector<std::string> columns;
        for (const auto& column : row) columns.push_back(column.value_or("NULL"));
        lines.push_back(join(columns, "|"));
    }
    return join(lines, "\n");
}

std::string EngineHome::sql(const std::string& branch, const std::string& sql,
                            const std::string& database, const std::string& project) {
    Result<std::string> rows = query(branch, sql, database, project);
    if (rows.is_ok()) return *rows;
    ADD_FAILURE() << to_text(rows.error());
    return {};
}

}  // namespace lb::engine
