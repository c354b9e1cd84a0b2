#include "specs/spec_reader.h"

#include <algorithm>

#include "base/text.h"
#include "specs/diagnostic_codes.h"
#include "specs/internal/draft.h"
#include "specs/internal/place.h"
#include "specs/internal/toml_reader.h"
#include "specs/internal/toml_scanner.h"
#include "specs/internal/utf8.h"

namespace lb::specs {

namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

// What must hold before a parser sees the text.
void check_text(std::string_view text, Reporter& reporter) {
    if (text.size() > kSpecMaxBytes) {
        reporter.error(codes::kTooLarge, {},
                       cat("the spec has ", format_bytes(text.size()), ", ",
                           format_bytes(kSpecMaxBytes), " are allowed"),
                       "split the project");
        return;
    }
    if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff")) {
        reporter.error(codes::kNotText, {}, "the spec is UTF-16, not UTF-8",
                       "save it as UTF-8, as in iconv -f UTF-16 -t UTF-8");
        return;
    }
    if (size_t offset = find_invalid_utf8(text); offset != std::string_view::npos) {
        reporter.error(codes::kNotText, place_of_offset(text, offset), "the spec is not UTF-8",
                       "save it as UTF-8");
        return;
    }
    if (size_t offset = text.find('\0'); offset != std::string_view::npos) {
        reporter.error(codes::kNotText, place_of_offset(text, offset),
                       "the spec contains a NUL byte", "remove it; a spec is plain text");
        return;
    }
    TomlExcess excess = find_excess(text);
    if (excess.key_parts_at != std::string_view::npos) {
        reporter.error(codes::kTooDeep, place_of_offset(text, excess.key_parts_at),
                       cat("the key has more than ", kKeyPartsMax, " parts"),
                       "no key of a spec has so many; remove it");
    }
    if (excess.tables_at != std::string_view::npos) {
        reporter.error(codes::kTooMany, place_of_offset(text, excess.tables_at),
                       cat("there are more than ", kTablesMax, " tables and dotted keys"),
                       "split the project");
    }
}

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
                     .history_retention = draft.history_retention};
    for (BranchDraft& branch : draft.branches) spec.branches.push_back(std::move(branch.spec));
    for (RoleDraft& role : draft.roles) spec.roles.push_back(std::move(role.spec));
    for (DatabaseDraft& database : draft.databases) {
        spec.databases.push_back(std::move(database.spec));
    }
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
    Reporter reporter(file_name, sink);
    if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
    check_text(text, reporter);
    if (reporter.has_errors()) return std::nullopt;
    std::optional<TomlTable> root = read_toml(text, reporter);
    if (!root) return std::nullopt;

    SpecDraft draft;
    TableReader spec(*root, kSpecRules, reporter);
    read_project_table(spec, draft, reporter);
    read_branches(spec, draft, reporter);
    read_roles(spec, draft, reporter);
    read_databases(spec, draft, reporter);
    check_branches(draft, reporter);
    check_roles_and_databases(draft, reporter);
    if (reporter.has_errors()) return std::nullopt;
    return finish(std::move(draft), reporter);
}

}  // namespace lb::specs
