// The generation record of an apply: who, when, and what each resource was before and after.
#include <algorithm>

#include "base/text.h"
#include "engine/apply_run.h"

namespace lb::engine {

namespace {

// In the form in which it was asked for, as the planner has it: a ttl hides what it came to.
BranchValue value_of(const BranchRecord& branch, std::string parent) {
    return BranchValue{.parent = std::move(parent),
                       .requested_at = branch.requested_at,
                       .is_protected = branch.is_protected,
                       .expire_time = branch.ttl ? std::nullopt : branch.expire_time,
                       .ttl = branch.ttl,
                       .history_retention = branch.history_retention,
                       .restore = branch.restore};
}

template <class State>
const State* find_named(const std::vector<State>& states, const std::string& name) {
    auto found = std::ranges::find(states, name, &State::name);
    return found == states.end() ? nullptr : &*found;
}

ResourceValue value_of(const DatabaseState& database) {
    return DatabaseValue{.owner = database.owner,
                         .connection_limit = database.connection_limit,
                         .encoding = database.encoding,
                         .locale = database.locale,
                         .settings = database.settings};
}

ResourceValue find_inside(const DatabaseState& database, const Address& address) {
    if (address.kind == ResourceKind::kSchema) {
        const SchemaState* schema = find_named(database.schemas, address.name);
        if (schema != nullptr) return SchemaValue{schema->owner};
    } else if (const ExtensionState* found = find_named(database.extensions, address.name)) {
        return ExtensionValue{.schema = found->schema, .version = found->version};
    }
    return {};
}

ResourceValue find_in(const Observation& contents, const Address& address) {
    if (address.kind == ResourceKind::kRole) {
        const RoleState* role = find_named(contents.roles, address.name);
        return role == nullptr ? ResourceValue{} : RoleValue{role->attributes};
    }
    bool is_inside = address.is_inside_database();
    const DatabaseState* database =
        find_named(contents.databases, is_inside ? address.database : address.name);
    if (database == nullptr) return {};
    return is_inside ? find_inside(*database, address) : value_of(*database);
}

}  // namespace

ResourceValue ApplyRun::value_before(const Address& address, const Project* project) const {
    if (project == nullptr) return {};
    if (address.kind == ResourceKind::kProject) {
        return ProjectValue{.pg_version = project->record.pg_version,
                            .default_branch = project->default_branch().name,
                            .history_retention = project->record.history_retention};
    }
    auto contents = contents_before_.find(address.branch);
    bool is_content =
        address.kind != ResourceKind::kBranch && address.kind != ResourceKind::kCompute;
    if (is_content) {
        return contents == contents_before_.end() ? ResourceValue{}
                                                  : find_in(contents->second, address);
    }
    const BranchRecord* branch = project->find_branch(address.branch);
    if (branch == nullptr) return {};
    if (address.kind == ResourceKind::kCompute) return branch->compute;
    const BranchRecord* parent = project->find_branch(branch->parent);
    return value_of(*branch, parent == nullptr ? std::string() : parent->name);
}

ResourceValue ApplyRun::value_after(const ResourceChange& change) const {
    if (change.address.kind != ResourceKind::kBranch) return change.value;
    auto found = draft_.branches.find(change.address.branch);
    if (found == draft_.branches.end() || !found->second.after) return {};
    const auto& asked = std::get<BranchValue>(change.value);
    BranchValue value = value_of(*found->second.after, asked.parent);
    value.undelete = asked.undelete;
    if (asked.undelete) value.parent = found->second.parent;
    return value;
}

// Requires: the catalog's mutex.
GenerationRecord ApplyRun::generation_record(const Project* project) const {
    GenerationRecord record{.number = draft_.project.generation,
                            .applied_at = context_.now(),
                            .author = changes_.author,
                            .plan_id = changes_.plan_id,
                            .spec_hash = changes_.spec_hash,
                            .git_commit = changes_.git_commit,
                            .transaction = has_sql() ? transaction_ : std::string(),
                            .position = context_.store().position(),
                            .has_values = !draft_.removes_project};
    record.changes.reserve(changes_.changes.size());
    for (const ResourceChange& change : changes_.changes) {
        GenerationChange& made = record.changes.emplace_back();
        made.address = change.address;
        made.kind = change.kind;
        made.origin = change.origin;
        made.detail = move_detail(change.address);
        if (!record.has_values) continue;
        made.before = value_before(change.address, project);
        bool stays = change.kind == ChangeKind::kForget;
        made.after = stays ? made.before : value_after(change);
    }
    if (record.has_values) add_computes(project, record);
    return record;
}

bool ApplyRun::has_sql() const {
    return std::ranges::any_of(draft_.branches,
                               [](const auto& entry) { return !entry.second.sql_changes.empty(); });
}

// A compute comes and goes with its branch, whether anybody says so or not.
void ApplyRun::add_computes(const Project* project, GenerationRecord& record) const {
    for (const auto& [name, branch] : draft_.branches) {
        Address address = Address::of_compute(name);
        bool is_named = std::ranges::any_of(
            record.changes, [&](const auto& change) { return change.address == address; });
        if (is_named || (!branch.is_created() && !branch.is_deleted())) continue;
        GenerationChange& made = record.changes.emplace_back();
        made.address = address;
        made.kind = branch.is_created() ? ChangeKind::kCreate : ChangeKind::kDelete;
        made.origin = branch.is_created() ? branch.after->origin : branch.before->origin;
        made.before = value_before(address, project);
        if (branch.is_created()) made.after = branch.after->compute;
    }
}

// "to 2026-04-12T09:30:00Z, position:4711, old state in main-old-..."
std::string ApplyRun::move_detail(const Address& address) const {
    if (address.kind != ResourceKind::kBranch) return {};
    auto found = draft_.branches.find(address.branch);
    if (found == draft_.branches.end()) return {};
    if (found->second.undeleted) {
        return cat("undeleted, deleted at ", exact_time_text(found->second.undeleted->deleted_at));
    }
    if (!found->second.move) return {};
    const BranchMove& move = *found->second.move;
    bool is_present = std::holds_alternative<Present>(move.to);
    std::string text = cat("to ", is_present ? std::string("now") : to_text(move.to));
    if (move.from != address.branch) text += cat(" of ", move.from);
    if (!is_present) text += cat(", position:", position_of(address.branch).value());
    if (move.backup) text += cat(", old state in ", move.backup->name);
    return text;
}

}  // namespace lb::engine
