#include "engine/catalog_check.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "engine/catalog_records.h"

namespace lb::engine {

namespace {

bool has_prefix(std::string_view text, std::string_view prefix) {
    return text.substr(0, prefix.size()) == prefix;
}

template <class Record>
Status status_of(const Result<Record>& record) {
    return record ? ok() : Status(record.error());
}

// Decodes the value as its key says.
Status check_value(const std::string& key, const std::string& value) {
    if (has_prefix(key, kProjectPrefix)) return status_of(decode_project(value));
    if (has_prefix(key, kBranchPrefix)) return status_of(decode_branch(value));
    if (has_prefix(key, kDeletedPrefix)) return status_of(decode_deleted(value));
    if (has_prefix(key, kManagedPrefix)) return status_of(decode_managed(value));
    if (has_prefix(key, kObservedPrefix)) return status_of(decode_observation(value));
    if (has_prefix(key, kGenerationPrefix)) return status_of(decode_generation(value));
    if (has_prefix(key, kTemplatePrefix)) return status_of(decode_template(value));
    if (has_prefix(key, tombstone_key(""))) return status_of(decode_tombstone(value));
    // The rest is a version and nothing else, or what another version of lb keeps there.
    return check_catalog_version(value);
}

class CatalogCheck {
public:
    CatalogCheck(const std::vector<store::Note>& notes, const std::vector<store::LineInfo>& lines)
        : notes_(notes) {
        for (const store::LineInfo& line : lines) lines_.insert(line.line);
    }

    std::vector<CatalogProblem> run() {
        for (const store::Note& note : notes_) {
            Status decoded = check_value(note.key, note.value.value_or(""));
            if (!decoded) add(note.key, decoded.error().message);
            Result<ProjectRecord> project = decode_project(note.value.value_or(""));
            if (has_prefix(note.key, kProjectPrefix) && project) projects_.insert(project->id);
        }
        for (const store::Note& note : notes_) check_relations(note);
        return std::move(problems_);
    }

private:
    void check_relations(const store::Note& note) {
        const std::string text = note.value.value_or("");
        if (has_prefix(note.key, kProjectPrefix)) {
            Result<ProjectRecord> project = decode_project(text);
            if (!project) return;
            if (note.key != project_key(project->id)) add(note.key, "it is of another project");
            std::string branch = branch_key(project->id, project->default_branch);
            if (!has_note(branch)) add(note.key, "the default branch does not exist");
        } else if (has_prefix(note.key, kBranchPrefix)) {
            check_branch(note.key, decode_branch(text));
        } else if (has_prefix(note.key, kDeletedPrefix)) {
            Result<std::vector<uint64_t>> numbers = key_numbers(note.key);
            if (!numbers || numbers->size() != 2) return add(note.key, "the key cannot be read");
            if (!projects_.contains(ProjectId{numbers->front()})) {
                add(note.key, "it belongs to no project");
            }
            Result<DeletedRecord> record = decode_deleted(text);
            if (record) check_line(note.key, record->branch.line);
        } else if (has_prefix(note.key, kTemplatePrefix)) {
            Result<TemplateRecord> record = decode_template(text);
            if (record) check_line(note.key, record->line);
        } else if (has_prefix(note.key, kManagedPrefix) || has_prefix(note.key, kObservedPrefix)) {
            Result<std::vector<uint64_t>> numbers = key_numbers(note.key);
            if (!numbers || numbers->size() != 2) return add(note.key, "the key cannot be read");
            if (!has_note(branch_key(ProjectId{numbers->front()}, BranchId{numbers->back()}))) {
                add(note.key, "it belongs to no branch");
            }
        }
    }

    void check_branch(const std::string& key, const Result<BranchRecord>& branch) {
        Result<std::vector<uint64_t>> numbers = key_numbers(key);
        if (!numbers || numbers->size() != 2) return add(key, "the key cannot be read");
        ProjectId project{numbers->front()};
        if (!projects_.contains(project)) add(key, "it belongs to no project");
        if (!branch) return;
        if (branch->id.value() != numbers->back()) add(key, "it is of another branch");
        if (branch->parent != BranchId{} && !has_note(branch_key(project, branch->parent))) {
            add(key, cat("branch ", quoted(branch->name), " has a parent that does not exist"));
        }
        check_line(key, branch->line);
    }

    void check_line(const std::string& key, LineId line) {
        if (!lines_.contains(line)) add(key, cat("line ", line.value(), " does not exist"));
    }

    bool has_note(const std::string& key) const {
        auto found = std::lower_bound(
            notes_.begin(), notes_.end(), key,
            [](const store::Note& note, const std::string& wanted) { return note.key < wanted; });
        return found != notes_.end() && found->key == key;
    }

    void add(const std::string& key, std::string message) {
        problems_.push_back({key, std::move(message)});
    }

    const std::vector<store::Note>& notes_;  // sorted by key
    std::set<LineId> lines_;
    std::set<ProjectId> projects_;
    std::vector<CatalogProblem> problems_;
};

}  // namespace

std::vector<CatalogProblem> check_catalog(const std::vector<store::Note>& notes,
                                          const std::vector<store::LineInfo>& lines) {
    return CatalogCheck(notes, lines).run();
}

std::map<LineId, std::string> names_of_lines(const std::vector<store::Note>& notes) {
    std::map<uint64_t, std::string> projects;
    for (const store::Note& note : notes) {
        if (!has_prefix(note.key, kProjectPrefix)) continue;
        Result<ProjectRecord> project = decode_project(note.value.value_or(""));
        if (project) projects[project->id.value()] = project->name;
    }
    std::map<LineId, std::string> names;
    for (const store::Note& note : notes) {
        Result<std::vector<uint64_t>> numbers = key_numbers(note.key);
        if (!numbers) continue;
        const std::string text = note.value.value_or("");
        if (has_prefix(note.key, kBranchPrefix)) {
            Result<BranchRecord> branch = decode_branch(text);
            auto project = projects.find(numbers->front());
            if (branch && project != projects.end()) {
                names[branch->line] = cat(project->second, "/", branch->name);
            }
        } else if (has_prefix(note.key, kDeletedPrefix)) {
            Result<DeletedRecord> record = decode_deleted(text);
            auto project = projects.find(numbers->front());
            if (record && project != projects.end()) {
                names[record->branch.line] =
                    cat(project->second, "/", record->branch.name, " (deleted)");
            }
        } else if (has_prefix(note.key, kTemplatePrefix)) {
            Result<TemplateRecord> record = decode_template(text);
            if (record) names[record->line] = cat("template of PostgreSQL ", numbers->front());
        }
    }
    return names;
}

Json note_json(const store::Note& note) {
    const std::string text = note.value.value_or("");
    Json json = Json::object();
    json.set("key", note.key);
    Status readable = check_value(note.key, text);
    Result<Json> value = Json::parse(text);
    if (value) {
        json.set("value", *value);
    } else {
        json.set("text", text);
    }
    if (!readable) json.set("problem", readable.error().message);
    return json;
}

}  // namespace lb::engine
