// A home for tests: a temporary directory with a store, its FUSE mount and an engine, and short
// ways to say what an apply shall do and to run SQL on a branch.
//
//   EngineHome home;  // skips the test if /dev/fuse or PostgreSQL is missing
//   LB_MUST(home.apply(new_project("shop", {create(database("main", "shop"))})));
//   home.sql("main", "CREATE TABLE t (n int)", "shop");
//   home.reopen();
//
// Project "shop" where no other is named. Leaves no process, mount or file behind.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/model/change.h"
#include "base/result.h"
#include "engine/engine.h"
#include "engine/sql.h"
#include "store/fuse_transport.h"
#include "store/store.h"

namespace lb::engine {

// Why engine tests cannot run on this machine; nullopt if they can.
std::optional<std::string> engine_tests_obstacle();

#define LB_NEEDS_ENGINE()                                            \
    do {                                                             \
        if (auto obstacle = ::lb::engine::engine_tests_obstacle()) { \
            GTEST_SKIP() << *obstacle;                               \
        }                                                            \
    } while (false)

// -- Changes ----------------------------------------------------------------------------------

ResourceChange create_branch(const std::string& name, BranchValue value = {.parent = "main"});
ResourceChange update_branch(const std::string& name, BranchValue value);
ResourceChange delete_branch(const std::string& name);
ResourceChange purge_branch(const std::string& name);
// The newest deleted one of that name.
ResourceChange undelete_branch(const ProjectState& state, const std::string& name);
ResourceChange set_compute(const std::string& branch, ComputeSettings settings);
ResourceChange create_role(const std::string& branch, const std::string& name,
                           RoleAttributes attributes = {.login = true});
ResourceChange update_role(const std::string& branch, const std::string& name,
                           RoleAttributes attributes);
ResourceChange delete_role(const std::string& branch, const std::string& name);
ResourceChange create_database(const std::string& branch, const std::string& name,
                               const std::string& owner = "postgres");
ResourceChange create_schema(const std::string& branch, const std::string& database,
                             const std::string& name, const std::string& owner = "postgres");
ResourceChange create_extension(const std::string& branch, const std::string& database,
                                const std::string& name, ExtensionValue value = {});
// Of a schema or extension.
ResourceChange delete_content(Address address);
ResourceChange delete_database(const std::string& branch, const std::string& name);

ChangeSet change_set(std::vector<ResourceChange> changes, const std::string& project = "shop");
// A project with the root branch "main" and then `more`.
ChangeSet new_project(std::vector<ResourceChange> more = {}, const std::string& project = "shop");
// Everything of a project goes.
ChangeSet destroy_project(const ProjectState& state);

// What a state says, without what may differ between two looks at the same thing: sizes, heads,
// and whether computes run.
std::string essence(const ProjectState& state);

// -- The home ---------------------------------------------------------------------------------

class EngineHome {
public:
    // An empty temporary directory, or one that another EngineHome made (and will remove).
    EngineHome();
    explicit EngineHome(std::string directory, Clock* clock = nullptr);
    ~EngineHome();
    EngineHome(const EngineHome&) = delete;
    EngineHome& operator=(const EngineHome&) = delete;

    void open();
    void close();
    void reopen() {
        close();
        open();
    }

    Engine& engine() { return *engine_; }
    store::Store& store() { return *store_; }
    store::FuseTransport& transport() { return *transport_; }
    const std::string& directory() const { return directory_; }
    std::string mount_directory() const { return directory_ + "/mnt"; }

    Result<Applied> apply(const ChangeSet& changes);
    ProjectState state(const std::string& project = "shop", Observe observe = Observe::kYes);
    const BranchState branch(const std::string& name, const std::string& project = "shop");

    // Rows of a query as text: columns joined by '|', rows by newlines, NULL as "NULL".
    Result<std::string> query(const std::string& branch, const std::string& sql,
                              const std::string& database = "postgres",
                              const std::string& project = "shop");
    // The same; the test fails on an error.
    std::string sql(const std::string& branch, const std::string& sql,
                    const std::string& database = "postgres", const std::string& project = "shop");

    // Messages of the warnings of all applies so far.
    std::vector<std::string> warnings;

private:
    std::string directory_;
    bool owns_directory_;
    Clock* clock_ = nullptr;
    std::unique_ptr<store::Store> store_;
    std::unique_ptr<store::FuseTransport> transport_;
    std::unique_ptr<Engine> engine_;
};

}  // namespace lb::engine
