// Catalog: what projects and branches there are, in memory as the store's notes have it. docs/
// catalog.md describes keys and records.
//
// A change is a CatalogEdit: to_notes() gives what the commit frame must carry, and once that frame
// is durable, adopt() makes the same change here. Only touched records are written.
//
// Not thread-safe: the engine guards it with one mutex.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/catalog_records.h"
#include "store/store.h"

namespace lb::engine {

struct Project {
    ProjectRecord record;
    std::map<std::string, BranchRecord, std::less<>> branches = {};  // by name
    std::map<BranchId, std::string> branch_names = {};
    std::map<BranchId, ManagedRecord> managed = {};  // only branches that have any
    std::map<BranchId, ObservationRecord> observed = {};
    std::map<BranchId, DeletedRecord> deleted = {};
    std::map<BranchId, LoadsRecord> loads = {};

    const BranchRecord* find_branch(std::string_view name) const;
    BranchRecord* find_branch(std::string_view name);
    const BranchRecord* find_branch(BranchId id) const;
    // Never null.
    const BranchRecord& default_branch() const;
    const ManagedRecord& managed_of(BranchId id) const;
    // The nearest ancestor of a deleted branch that still exists; the default branch at the latest.
    const BranchRecord& living_ancestor(const DeletedRecord& of) const;
    // Names of the branches made from `id`, sorted.
    std::vector<std::string> children(BranchId id) const;
};

// The branch's own restore window, or its project's.
inline std::chrono::seconds window_of(const Project& project, const BranchRecord& branch) {
    return branch.history_retention.value_or(project.record.history_retention);
}

// All changes of one project in one commit frame.
struct CatalogEdit {
    ProjectRecord project;
    bool removes_project = false;  // then the rest but `generation` is empty
    std::vector<BranchRecord> put_branches = {};
    std::vector<std::string> removed_branches = {};
    std::vector<std::pair<BranchId, ManagedRecord>> put_managed = {};
    std::vector<DeletedRecord> put_deleted = {};
    std::vector<BranchId> removed_deleted = {};
    GenerationRecord generation = {};
};

class Catalog {
public:
    // Reads all records and checks that they fit together and that each branch's line exists.
    // Errors: kStoreFormatNewer, kStoreDamaged naming the note.
    static Result<Catalog> load(const store::Store& store);

    const std::map<std::string, Project, std::less<>>& projects() const { return projects_; }
    const Project* find(std::string_view project) const;
    Project* find(std::string_view project);
    // Errors: kNotFound naming the nearest spelling.
    Result<const Project*> project(std::string_view name) const;
    Result<const BranchRecord*> branch(std::string_view project, std::string_view name) const;

    const std::map<uint32_t, TemplateRecord>& templates() const { return templates_; }
    void put_template(uint32_t major_version, TemplateRecord record);

    // Every port that a compute of this home has or asks for, but not `except`'s.
    std::vector<uint16_t> taken_ports(BranchId except) const;

    std::vector<store::Note> to_notes(const CatalogEdit& edit) const;
    void adopt(const CatalogEdit& edit);
    // Takes a deleted branch out, whose note and line are gone.
    void forget_deleted(std::string_view project, BranchId branch);

private:
    Status load_projects(const store::Store& store);
    Status load_branches(const store::Store& store);
    Status load_details(const store::Store& store);
    Status check_relations(const store::Store& store) const;
    Result<Project*> project_of_key(std::string_view key, const std::vector<uint64_t>& numbers);

    std::map<std::string, Project, std::less<>> projects_;
    std::map<ProjectId, std::string> project_names_;
    std::map<uint32_t, TemplateRecord> templates_;
};

// The generation at which a project of this name goes on counting: 0, or that of a destroyed one.
Result<Generation> last_generation_of_destroyed(const store::Store& store,
                                                std::string_view project);

// Removes the generation records that a destroy left behind, in batches: there may be more of them
// than one frame holds. Goes on after a crash, because a note marks the project as to be swept.
Status sweep_destroyed_projects(store::Store& store);

// True if `transaction` is that of an apply whose commit frame exists.
Result<bool> is_transaction_committed(const store::Store& store, ProjectId project,
                                      std::string_view transaction);

// The name of an apply's prepared transactions: "lb-shop-7-4711". `attempt` is the store's position
// when the attempt began: an attempt that prepared anything has moved it.
std::string transaction_name(std::string_view project, Generation generation, Position attempt);

}  // namespace lb::engine
