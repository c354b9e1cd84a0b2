#include "engine/catalog.h"

#include <algorithm>
#include <charconv>
#include <unordered_set>

#include "base/text.h"
#include "engine/generation_log.h"

namespace lb::engine {

namespace {

constexpr std::string_view kSweepPrefix = "sweep/";
constexpr std::string_view kCatalogKey = "catalog";  // the version of the catalog as a whole
constexpr std::string_view kVersionRecord = "{\"v\":1}";
static_assert(kCatalogVersion == 1);
constexpr size_t kSweepBatch = 10'000;

Error damaged(std::string message) {
    return Error{.code = ErrorCode::kStoreDamaged,
                 .message = std::move(message),
                 .help = "restore the home's store/ folder from a backup"};
}

std::string sweep_key(ProjectId project) { return cat(kSweepPrefix, project.value()); }

// Each note that starts with `prefix`, decoded; errors name the note.
template <class Decode, class Visit>
Status for_each_record(const store::Store& store, std::string_view prefix, Decode decode,
                       Visit visit) {
    for (const store::Note& note : LB_TRY(store.notes(prefix))) {
        std::vector<uint64_t> numbers = LB_TRY(key_numbers(note.key));
        auto record = decode(note.value.value_or(""));
        if (!record.is_ok()) {
            return std::move(record).error().with(cat("in catalog note ", quoted(note.key)));
        }
        LB_TRY(visit(note.key, numbers, std::move(record).value()));
    }
    return ok();
}

}  // namespace

const BranchRecord* Project::find_branch(std::string_view name) const {
    auto found = branches.find(name);
    return found == branches.end() ? nullptr : &found->second;
}

BranchRecord* Project::find_branch(std::string_view name) {
    auto found = branches.find(name);
    return found == branches.end() ? nullptr : &found->second;
}

const BranchRecord* Project::find_branch(BranchId id) const {
    auto found = branch_names.find(id);
    return found == branch_names.end() ? nullptr : find_branch(found->second);
}

const BranchRecord& Project::default_branch() const {
    const BranchRecord* branch = find_branch(record.default_branch);
    LB_ASSERT(branch != nullptr);
    return *branch;
}

const ManagedRecord& Project::managed_of(BranchId id) const {
    static const ManagedRecord kNothing;
    auto found = managed.find(id);
    return found == managed.end() ? kNothing : found->second;
}

const BranchRecord& Project::living_ancestor(const DeletedRecord& of) const {
    for (BranchId id : of.ancestors) {
        if (const BranchRecord* branch = find_branch(id)) return *branch;
    }
    return default_branch();
}

std::vector<std::string> Project::children(BranchId id) const {
    std::vector<std::string> names;
    for (const auto& [name, branch] : branches) {
        if (branch.parent == id) names.push_back(name);
    }
    return names;
}

Result<Catalog> Catalog::load(const store::Store& store) {
    Catalog catalog;
    if (std::optional<std::string> version = LB_TRY(store.note(kCatalogKey))) {
        LB_TRY(check_catalog_version(*version));
    }
    LB_TRY(catalog.load_projects(store));
    LB_TRY(catalog.load_branches(store));
    LB_TRY(catalog.load_details(store));
    LB_TRY(catalog.check_relations(store));
    return catalog;
}

Status Catalog::load_projects(const store::Store& store) {
    LB_TRY(for_each_record(
        store, kProjectPrefix, decode_project,
        [&](const std::string& key, const auto& numbers, ProjectRecord record) {
            if (record.id.value() != numbers.front()) {
                return Status(damaged(cat("catalog note ", quoted(key), " is of another project")));
            }
            project_names_[record.id] = record.name;
            std::string name = record.name;
            projects_[name].record = std::move(record);
            return ok();
        }));
    if (project_names_.size() != projects_.size()) {
        return damaged("two projects in the catalog have the same name");
    }
    return for_each_record(store, kTemplatePrefix, decode_template,
                           [&](const std::string&, const auto& numbers, TemplateRecord record) {
                               templates_[static_cast<uint32_t>(numbers.front())] =
                                   std::move(record);
                               return ok();
                           });
}

Result<Project*> Catalog::project_of_key(std::string_view key,
                                         const std::vector<uint64_t>& numbers) {
    auto name = project_names_.find(ProjectId{numbers.front()});
    if (name == project_names_.end() || numbers.size() != 2) {
        return damaged(cat("catalog note ", quoted(key), " belongs to no project"));
    }
    return &projects_.at(name->second);
}

Status Catalog::load_branches(const store::Store& store) {
    return for_each_record(
        store, kBranchPrefix, decode_branch,
        [&](const std::string& key, const auto& numbers, BranchRecord record) -> Status {
            Project* project = LB_TRY(project_of_key(key, numbers));
            if (record.id.value() != numbers.back()) {
                return damaged(cat("catalog note ", quoted(key), " is of another branch"));
            }
            project->branch_names[record.id] = record.name;
            std::string name = record.name;
            if (!project->branches.emplace(name, std::move(record)).second) {
                return damaged(cat("two branches of project ", quoted(project->record.name),
                                   " are named ", quoted(name)));
            }
            return ok();
        });
}

Status Catalog::load_details(const store::Store& store) {
    LB_TRY(for_each_record(
        store, kManagedPrefix, decode_managed,
        [&](const std::string& key, const auto& numbers, ManagedRecord record) -> Status {
            Project* project = LB_TRY(project_of_key(key, numbers));
            project->managed[BranchId{numbers.back()}] = std::move(record);
            return ok();
        }));
    LB_TRY(for_each_record(
        store, kDeletedPrefix, decode_deleted,
        [&](const std::string& key, const auto& numbers, DeletedRecord record) -> Status {
            Project* project = LB_TRY(project_of_key(key, numbers));
            BranchId id = record.branch.id;
            if (id.value() != numbers.back() || project->branch_names.contains(id)) {
                return damaged(cat("catalog note ", quoted(key), " is of another branch"));
            }
            project->deleted[id] = std::move(record);
            return ok();
        }));
    LB_TRY(for_each_record(
        store, kLoadsPrefix, decode_loads,
        [&](const std::string& key, const auto& numbers, LoadsRecord record) -> Status {
            Project* project = LB_TRY(project_of_key(key, numbers));
            project->loads[BranchId{numbers.back()}] = std::move(record);
            return ok();
        }));
    return for_each_record(
        store, kObservedPrefix, decode_observation,
        [&](const std::string& key, const auto& numbers, ObservationRecord record) -> Status {
            Project* project = LB_TRY(project_of_key(key, numbers));
            project->observed[BranchId{numbers.back()}] = std::move(record);
            return ok();
        });
}

Status Catalog::check_relations(const store::Store& store) const {
    std::unordered_set<LineId> lines;
    for (const store::LineInfo& info : store.lines()) lines.insert(info.line);
    for (const auto& [project_name, project] : projects_) {
        if (project.find_branch(project.record.default_branch) == nullptr) {
            return damaged(cat("project ", quoted(project_name), " has no default branch"));
        }
        for (const auto& [name, branch] : project.branches) {
            if (!lines.contains(branch.line)) {
                return damaged(cat("branch ", quoted(name), " of project ", quoted(project_name),
                                   " has line ", branch.line.value(), ", which does not exist"));
            }
            if (branch.parent != BranchId{} && project.find_branch(branch.parent) == nullptr) {
                return damaged(cat("branch ", quoted(name), " of project ", quoted(project_name),
                                   " has no parent"));
            }
        }
    }
    for (const auto& [project_name, project] : projects_) {
        for (const auto& [id, deleted] : project.deleted) {
            if (lines.contains(deleted.branch.line)) continue;
            return damaged(cat("deleted branch ", quoted(deleted.branch.name), " of project ",
                               quoted(project_name), " has line ", deleted.branch.line.value(),
                               ", which does not exist"));
        }
    }
    for (const auto& [major_version, record] : templates_) {
        if (!lines.contains(record.line)) {
            return damaged(cat("the template of PostgreSQL ", major_version, " has line ",
                               record.line.value(), ", which does not exist"));
        }
    }
    return ok();
}

const Project* Catalog::find(std::string_view project) const {
    auto found = projects_.find(project);
    return found == projects_.end() ? nullptr : &found->second;
}

Project* Catalog::find(std::string_view project) {
    auto found = projects_.find(project);
    return found == projects_.end() ? nullptr : &found->second;
}

Result<const Project*> Catalog::project(std::string_view name) const {
    if (const Project* project = find(name)) return project;
    std::vector<std::string_view> names;
    for (const auto& [candidate, project] : projects_) names.push_back(candidate);
    std::string_view near = nearest(name, names);
    return Error{.code = ErrorCode::kNotFound,
                 .message = cat("project ", quoted(name), " does not exist"),
                 .help = near.empty() ? std::string("`lb apply` makes the project of the spec")
                                      : cat("did you mean ", quoted(near), "?")};
}

Result<const BranchRecord*> Catalog::branch(std::string_view project_name,
                                            std::string_view name) const {
    const Project* found = LB_TRY(project(project_name));
    if (const BranchRecord* branch = found->find_branch(name)) return branch;
    std::vector<std::string_view> names;
    for (const auto& [candidate, branch] : found->branches) names.push_back(candidate);
    std::string_view near = nearest(name, names);
    return Error{.code = ErrorCode::kNotFound,
                 .message = cat("branch ", quoted(name), " does not exist in project ",
                                quoted(project_name)),
                 .help = near.empty() ? std::string("`lb branch list` shows what there is")
                                      : cat("did you mean ", quoted(near), "?")};
}

void Catalog::put_template(uint32_t major_version, TemplateRecord record) {
    templates_[major_version] = std::move(record);
}

std::vector<uint16_t> Catalog::taken_ports(BranchId except) const {
    std::vector<uint16_t> ports;
    for (const auto& [project_name, project] : projects_) {
        for (const auto& [name, branch] : project.branches) {
            if (branch.id == except) continue;
            if (branch.port != 0) ports.push_back(branch.port);
            if (branch.compute.port != 0) ports.push_back(branch.compute.port);
        }
    }
    return ports;
}

std::vector<store::Note> Catalog::to_notes(const CatalogEdit& edit) const {
    ProjectId id = edit.project.id;
    std::vector<store::Note> notes;
    auto put = [&](std::string key, std::string value) {
        notes.push_back({.key = std::move(key), .value = std::move(value)});
    };
    auto remove = [&](std::string key) { notes.push_back({.key = std::move(key)}); };
    auto remove_branch = [&](const Project& project, BranchId branch) {
        remove(branch_key(id, branch));
        if (project.managed.contains(branch)) remove(managed_key(id, branch));
        if (project.observed.contains(branch)) remove(observed_key(id, branch));
        if (project.loads.contains(branch)) remove(loads_key(id, branch));
    };

    const Project* project = find(edit.project.name);
    LB_ASSERT(project == nullptr || project->record.id == id);
    if (edit.removes_project) {
        LB_ASSERT(project != nullptr);
        remove(project_key(id));
        for (const auto& [name, branch] : project->branches) remove_branch(*project, branch.id);
        for (const auto& [branch, deleted] : project->deleted) remove(deleted_key(id, branch));
        put(tombstone_key(edit.project.name), encode(TombstoneRecord{.last = edit.generation}));
        put(sweep_key(id), std::string(kVersionRecord));
        return notes;
    }
    if (project == nullptr) {
        put(std::string(kCatalogKey), std::string(kVersionRecord));
        remove(tombstone_key(edit.project.name));
    }
    put(project_key(id), encode(edit.project));
    for (const BranchRecord& branch : edit.put_branches)
        put(branch_key(id, branch.id), encode(branch));
    for (const std::string& name : edit.removed_branches) {
        LB_ASSERT(project != nullptr);
        remove_branch(*project, project->branches.at(name).id);
    }
    for (const auto& [branch, managed] : edit.put_managed) {
        if (managed.is_empty()) {
            remove(managed_key(id, branch));
        } else {
            put(managed_key(id, branch), encode(managed));
        }
    }
    for (const DeletedRecord& deleted : edit.put_deleted) {
        put(deleted_key(id, deleted.branch.id), encode(deleted));
    }
    for (BranchId branch : edit.removed_deleted) remove(deleted_key(id, branch));
    put(generation_key(id, edit.generation.number), encode_within_limit(edit.generation));
    return notes;
}

void Catalog::adopt(const CatalogEdit& edit) {
    if (edit.removes_project) {
        project_names_.erase(edit.project.id);
        projects_.erase(edit.project.name);
        return;
    }
    Project& project = projects_[edit.project.name];
    project.record = edit.project;
    project_names_[edit.project.id] = edit.project.name;
    for (const std::string& name : edit.removed_branches) {
        auto found = project.branches.find(name);
        LB_ASSERT(found != project.branches.end());
        BranchId id = found->second.id;
        project.managed.erase(id);
        project.observed.erase(id);
        project.loads.erase(id);
        project.branch_names.erase(id);
        project.branches.erase(found);
    }
    for (const BranchRecord& branch : edit.put_branches) {
        project.branch_names[branch.id] = branch.name;
        project.branches[branch.name] = branch;
    }
    for (const DeletedRecord& deleted : edit.put_deleted) {
        project.deleted[deleted.branch.id] = deleted;
    }
    for (BranchId branch : edit.removed_deleted) project.deleted.erase(branch);
    for (const auto& [branch, managed] : edit.put_managed) {
        if (managed.is_empty()) {
            project.managed.erase(branch);
        } else {
            project.managed[branch] = managed;
        }
    }
}

void Catalog::forget_deleted(std::string_view project, BranchId branch) {
    if (Project* found = find(project)) found->deleted.erase(branch);
}

Result<Generation> last_generation_of_destroyed(const store::Store& store,
                                                std::string_view project) {
    std::optional<std::string> text = LB_TRY(store.note(tombstone_key(project)));
    if (!text) return Generation{};
    return LB_TRY(decode_tombstone(*text)).last.number;
}

Status sweep_destroyed_projects(store::Store& store) {
    for (const store::Note& marker : LB_TRY(store.notes(kSweepPrefix))) {
        std::vector<uint64_t> numbers = LB_TRY(key_numbers(marker.key));
        store::Commit commit;
        for (const store::Note& note :
             LB_TRY(store.notes(cat(kGenerationPrefix, numbers.front(), '/')))) {
            commit.notes.push_back({.key = note.key});
            if (commit.notes.size() < kSweepBatch) continue;
            LB_TRY(store.commit(commit));
            commit.notes.clear();
        }
        commit.notes.push_back({.key = marker.key});
        LB_TRY(store.commit(commit));
    }
    return ok();
}

std::string transaction_name(std::string_view project, Generation generation, Position attempt) {
    return cat("lb-", project, '-', generation.value(), '-', attempt.value());
}

Result<bool> is_transaction_committed(const store::Store& store, ProjectId project,
                                      std::string_view transaction) {
    // The generation is the last but one piece; the project's name may hold hyphens too.
    std::vector<std::string> pieces = split(transaction, '-');
    if (pieces.size() < 4) return false;
    const std::string& digits = pieces[pieces.size() - 2];
    uint64_t number = 0;
    const char* end = digits.data() + digits.size();
    auto [parsed_end, failure] = std::from_chars(digits.data(), end, number);
    if (failure != std::errc{} || parsed_end != end) return false;
    std::optional<std::string> text =
        LB_TRY(store.note(generation_key(project, Generation{number})));
    if (!text) return false;
    return LB_TRY(decode_generation(*text)).transaction == transaction;
}

}  // namespace lb::engine
