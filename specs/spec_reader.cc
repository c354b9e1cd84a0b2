#include "specs/spec_reader.h"

#include <algorithm>

#include "base/assert.h"
#include "base/text.h"
#include "specs/diagnostic_codes.h"
#include "specs/internal/draft.h"
#include "specs/internal/source_text.h"
#include "specs/internal/variables.h"

namespace lb::specs {

namespace {

// The default branch is always on, and "main" need not be declared.
void complete_default_branch(SpecDraft& draft, Reporter& reporter) {
    auto at = std::lower_bound(
        draft.branches.begin(), draft.branches.end(), draft.default_branch,
        [](const BranchDraft& branch, std::string_view name) { return branch.spec.name < name; });
    if (at == draft.branches.end() || at->spec.name != draft.default_branch) {
        Span span = reporter.span(draft.project_place);
        at = draft.branches.insert(
            at, BranchDraft{.spec = {.name = draft.default_branch, .span = std::move(span)},
                            .name_place = draft.project_place});
    }
    if (!at->spec.compute) {
        at->spec.compute = ComputeSettings{};
        at->spec.compute->always_on = true;
        at->spec.compute_span = at->spec.span;
    }
}

ProjectSpec finish(SpecDraft draft, Reporter& reporter) {
    complete_default_branch(draft, reporter);
    ProjectSpec spec{.name = std::move(draft.project_name),
                     .span = reporter.span(draft.project_place),
                     .pg_version = draft.pg_version,
                     .default_branch = std::move(draft.default_branch),
                     .history_retention = draft.history_retention,
                     .settings = std::move(draft.settings)};
    for (BranchDraft& branch : draft.branches) spec.branches.push_back(std::move(branch.spec));
    for (RoleDraft& role : draft.roles) spec.roles.push_back(std::move(role.spec));
    for (DatabaseDraft& database : draft.databases) {
        spec.databases.push_back(std::move(database.spec));
    }
    for (ForgetDraft& forgotten : draft.forgotten) {
        spec.forgotten.push_back(
            {.address = std::move(forgotten.address), .span = reporter.span(forgotten.place)});
    }
    std::ranges::sort(spec.forgotten, {}, &ForgetSpec::address);
    spec.policy = std::move(draft.policy);
    return spec;
}

// From the line "[project]" to the next table; empty if there is no such line. A reader of it can
// only be misled by a spec that is refused anyway: no value of a spec has such lines in it.
std::string_view project_table_text(std::string_view text) {
    constexpr std::string_view kHeader = "[project]\n";
    size_t start = text.starts_with(kHeader) ? 0 : text.find(cat("\n", kHeader));
    if (start == std::string_view::npos) return {};
    size_t end = text.find("\n[", start + kHeader.size());
    return text.substr(start, end == std::string_view::npos ? end : end - start);
}

// All files, also after one that is no TOML, so that each is reported.
std::optional<TomlTable> read_files(const std::vector<SourceFile>& files, DiagnosticSink& sink,
                                    Reporter& reporter) {
    size_t size_bytes = 0;
    for (const SourceFile& file : files) size_bytes += file.text.size();
    if (files.size() > 1 && size_bytes > kSpecMaxBytes) {
        reporter.error(codes::kTooLarge, {},
                       cat("the files of the spec have ", format_bytes(size_bytes), ", ",
                           format_bytes(kSpecMaxBytes), " are allowed"),
                       "split the project");
        return std::nullopt;
    }
    std::vector<TomlTable> tables;
    for (size_t index = 0; index < files.size(); ++index) {
        Reporter of_file({files[index].name}, sink);
        std::optional<TomlTable> table = read_source(files[index].text, of_file);
        if (!table) continue;
        set_file(*table, static_cast<uint16_t>(index));
        tables.push_back(*std::move(table));
    }
    if (tables.size() < files.size()) return std::nullopt;
    return merge_files(std::move(tables), reporter);
}

std::vector<std::string> names_of(const std::vector<SourceFile>& files) {
    std::vector<std::string> names;
    for (const SourceFile& file : files) names.push_back(file.name);
    return names;
}

}  // namespace

std::optional<std::string> read_project_name(std::string_view text) {
    for (std::string_view part : {project_table_text(text), text}) {
        DiagnosticSink sink;
        std::optional<ProjectSpec> spec = read_spec(part, "", sink);
        if (spec) return std::move(spec->name);
    }
    return std::nullopt;
}

std::optional<ProjectSpec> read_spec(std::string_view text, const std::string& file_name,
                                     DiagnosticSink& sink) {
    return read_spec({.files = {{.name = file_name, .text = std::string(text)}}}, sink);
}

std::optional<ProjectSpec> read_spec(const SpecSource& source, DiagnosticSink& sink) {
    LB_ASSERT(!source.files.empty() && source.files.size() <= kSpecFilesMax);
    Reporter reporter(names_of(source.files), sink);
    std::optional<TomlTable> root = read_files(source.files, sink, reporter);
    if (!root) return std::nullopt;

    SpecDraft draft;
    read_variables(*root, source, draft, reporter);
    TableReader spec(*root, kSpecRules, reporter);
    read_project_table(spec, draft, reporter);
    read_branches(spec, draft, reporter);
    read_roles(spec, draft, reporter);
    read_databases(spec, draft, reporter);
    read_forget(spec, draft, reporter);
    read_policy(spec, draft, reporter);
    check_branches(draft, reporter);
    check_roles_and_databases(draft, reporter);
    check_forget(draft, reporter);
    check_policy(draft, reporter);
    if (reporter.has_errors()) return std::nullopt;
    ProjectSpec read = finish(std::move(draft), reporter);
    read.content_hash = content_hash(*root);
    return read;
}

}  // namespace lb::specs
