#include "cli/check_document.h"

#include "base/text.h"
#include "cli/version.h"
#include "engine/catalog_check.h"
#include "store/format_text.h"

namespace lb::cli {
namespace {

Json record_json(const store::RecordHeader& record) {
    Json json = Json::object();
    json.set("type", store::type_name(record.type));
    json.set("line", uint64_t{record.line});
    json.set("object", record.object);
    json.set("block", uint64_t{record.block});
    json.set("sequence", record.sequence);
    return json;
}

Json counts_json(const store::CheckCounts& counts) {
    Json json = Json::object();
    json.set("segments", counts.segments);
    json.set("frames", counts.frames);
    json.set("records", counts.records);
    json.set("bytes", counts.bytes);
    json.set("index_entries", counts.index_entries);
    json.set("lines", counts.lines);
    json.set("position", counts.position.value());
    json.set("index_position", counts.index_position.value());
    return json;
}

std::string text_of(const Json& json, std::string_view key) {
    const Json* found = json.find(key);
    const std::string* text = found == nullptr ? nullptr : found->if_text();
    return text == nullptr ? std::string() : *text;
}

uint64_t number_of(const Json& json, std::string_view key) {
    return json.unsigned_at(key).is_ok() ? json.unsigned_at(key).value() : 0;
}

// "block line=1 object=184 block=7 sequence=4711"
std::string record_text(const Json& record) {
    return cat(text_of(record, "type"), " line=", number_of(record, "line"),
               " object=", number_of(record, "object"), " block=", number_of(record, "block"),
               " sequence=", number_of(record, "sequence"));
}

std::string joined_branches(const Json& problem) {
    constexpr size_t kMostNames = 5;
    std::vector<std::string> names;
    const Json* branches = problem.find("branches");
    if (branches == nullptr || branches->if_array() == nullptr) return {};
    for (const Json& name : *branches->if_array()) {
        if (const std::string* text = name.if_text()) names.push_back(*text);
    }
    size_t more = names.size() > kMostNames ? names.size() - kMostNames : 0;
    names.resize(names.size() - more);
    return cat(join(names, ", "), more > 0 ? cat(" and ", more, " more") : "");
}

}  // namespace

Json problem_json(const store::Problem& problem, const LineNames& names) {
    Json json = Json::object();
    json.set("code", store::problem_name(problem.code));
    json.set("damage", store::is_damage(problem.code));
    if (problem.segment.value() != 0) {
        json.set("segment", problem.segment.value());
        json.set("offset", problem.offset);
    }
    if (problem.record) json.set("record", record_json(*problem.record));
    Json branches = Json::array();
    for (LineId line : problem.lines) {
        auto name = names.find(line);
        branches.push(name != names.end() ? name->second : cat("line ", line.value()));
    }
    json.set("branches", std::move(branches));
    json.set("path", problem.path);
    json.set("message", problem.message);
    return json;
}

Json check_document(store::CheckReport report) {
    LineNames names = engine::names_of_lines(report.notes);
    for (engine::CatalogProblem& problem : engine::check_catalog(report.notes, report.lines)) {
        report.add({.code = store::ProblemCode::kCatalog,
                    .message = cat("note ", quoted(problem.key), ": ", problem.message)});
    }
    Json json = Json::object();
    json.set("format_version", kJsonFormatVersion);
    json.set("clean", report.is_clean());
    json.set("problem_count", report.problem_count);
    json.set("counts", counts_json(report.counts));
    Json problems = Json::array();
    for (const store::Problem& problem : report.problems) {
        problems.push(problem_json(problem, names));
    }
    json.set("problems", std::move(problems));
    return json;
}

std::string problem_line(const Json& problem) {
    std::string line = text_of(problem, "code");
    if (problem.find("segment") != nullptr) {
        line += cat(" segment ", number_of(problem, "segment"), " offset ",
                    number_of(problem, "offset"));
    }
    if (const Json* record = problem.find("record")) line += cat(" ", record_text(*record));
    std::string branches = joined_branches(problem);
    if (!branches.empty()) line += cat(" of ", branches);
    std::string path = text_of(problem, "path");
    if (!path.empty()) line += cat(" file ", path);
    return cat(line, ": ", text_of(problem, "message"));
}

std::string check_summary(const Json& document) {
    const Json* counts = document.find("counts");
    if (counts == nullptr) return {};
    uint64_t problems = number_of(document, "problem_count");
    return cat(problems == 0 ? std::string("clean")
                             : cat("damaged: ", problems, problems == 1 ? " problem" : " problems"),
               ": ", number_of(*counts, "segments"), " segments, ", number_of(*counts, "records"),
               " records, ", format_bytes(number_of(*counts, "bytes")), ", ",
               number_of(*counts, "index_entries"), " index entries, ", number_of(*counts, "lines"),
               " lines, position ", number_of(*counts, "position"));
}

Result<bool> is_clean(const Json& document) { return document.bool_at("clean"); }

}  // namespace lb::cli
