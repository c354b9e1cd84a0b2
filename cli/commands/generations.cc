// lb generations: what the applies of a project did.
#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/generation_option.h"
#include "cli/session.h"
#include "cli/table.h"
#include "cli/version.h"
#include "planner/attributes.h"

namespace lb::cli {
namespace {

constexpr uint64_t kUsualCount = 20;

Result<uint64_t> count_wanted(const Arguments& arguments) {
    if (!arguments.has("limit")) return kUsualCount;
    std::string text = arguments.text("limit");
    if (text == "all") return engine::kGenerationsKept;
    return generation_number("--limit", text);
}

bool is_absent(const ResourceValue& value) { return std::holds_alternative<std::monostate>(value); }

// Secrets do not show: attributes.h sees to it.
std::vector<planner::AttributeDiff> diffs_of(const GenerationChange& change) {
    if (is_absent(change.before) && is_absent(change.after)) return {};
    if (is_absent(change.before)) return planner::diffs_of_create(change.after);
    if (is_absent(change.after)) return planner::diffs_of_delete(change.before);
    return planner::diffs_of_update(change.before, change.after);
}

std::string what_changed(const GenerationRecord& record) {
    if (record.changes.empty()) return "-";
    const GenerationChange& first = record.changes.front();
    std::string text = cat(to_text(first.kind), " ", to_text(first.address));
    if (record.changes.size() > 1) text += cat(" and ", record.changes.size() - 1, " more");
    return text;
}

std::string list_text(const std::vector<GenerationRecord>& records) {
    Table table({{"GENERATION", Table::Align::kRight},
                 {"TIME"},
                 {"BY"},
                 {"PLAN"},
                 {"COMMIT"},
                 {"CHANGES"}});
    auto or_dash = [](std::string text) { return text.empty() ? std::string("-") : text; };
    for (const GenerationRecord& record : records) {
        table.add_row({cat(record.number.value()), format_time(record.applied_at),
                       or_dash(record.author), or_dash(record.plan_id),
                       or_dash(record.git_commit.substr(0, 8)), what_changed(record)});
    }
    return table.to_text();
}

std::string diff_text(const planner::AttributeDiff& diff) {
    return cat("      ", diff.name, ": ", diff.before.value_or("(none)"), " -> ",
               diff.after.value_or("(none)"), "\n");
}

std::string generation_text(const GenerationRecord& record) {
    std::string text =
        cat("generation ", record.number.value(), "\n  applied   ", format_time(record.applied_at),
            " by ", record.author, "\n  plan      ", record.plan_id,
            "\n  position  position:", record.position.value(), "\n");
    if (!record.spec_hash.empty()) text += cat("  spec      sha256:", record.spec_hash, "\n");
    if (!record.git_commit.empty()) text += cat("  commit    ", record.git_commit, "\n");
    text += "\n";
    for (const GenerationChange& change : record.changes) {
        text += cat("  ", to_text(change.kind), " ", to_text(change.address));
        if (!change.detail.empty()) text += cat("  ", change.detail);
        text += "\n";
        for (const planner::AttributeDiff& diff : diffs_of(change)) text += diff_text(diff);
    }
    if (!record.has_values) text += "  (what the resources were before and after was not kept)\n";
    return text;
}

Json change_json(const GenerationChange& change) {
    auto text_or_null = [](const std::optional<std::string>& text) {
        return text ? Json(*text) : Json();
    };
    Json json = Json::object();
    json.set("address", to_text(change.address));
    json.set("kind", to_text(change.kind));
    json.set("origin", to_text(change.origin));
    json.set("detail", change.detail);
    Json attributes = Json::array();
    for (const planner::AttributeDiff& diff : diffs_of(change)) {
        Json item = Json::object();
        item.set("name", diff.name);
        item.set("before", text_or_null(diff.before));
        item.set("after", text_or_null(diff.after));
        attributes.push(std::move(item));
    }
    json.set("attributes", std::move(attributes));
    return json;
}

Json generation_json(const GenerationRecord& record) {
    Json json = Json::object();
    json.set("generation", record.number.value());
    json.set("applied_at", format_time(record.applied_at));
    json.set("author", record.author);
    json.set("plan_id", record.plan_id);
    json.set("spec_hash", record.spec_hash);
    json.set("git_commit", record.git_commit);
    json.set("position", record.position.value());
    json.set("values_kept", record.has_values);
    Json changes = Json::array();
    for (const GenerationChange& change : record.changes) changes.push(change_json(change));
    json.set("changes", std::move(changes));
    return json;
}

Error not_kept(uint64_t number, const std::string& project) {
    return {.code = ErrorCode::kNotFound,
            .message = cat("generation ", number, " of project ", project, " is not known"),
            .help = cat("lb generations lists what there is; the newest ", engine::kGenerationsKept,
                        " are kept")};
}

}  // namespace

Result<ExitCode> run_generations(const Arguments& arguments, Output& output) {
    Session session(arguments, output);
    std::string project = LB_TRY(session.project());
    engine::GenerationRange range{.count_max = LB_TRY(count_wanted(arguments))};
    bool is_one = arguments.has("generation");
    uint64_t number = 0;
    if (is_one) {
        number = LB_TRY(generation_number("GENERATION", arguments.text("generation")));
        range = {.after = Generation{number - 1}};
    }
    Client client = LB_TRY(session.client());
    std::vector<GenerationRecord> records = LB_TRY(client.generations(project, range));
    if (is_one) {
        if (records.empty() || records.back().number.value() != number) {
            return not_kept(number, project);
        }
        records.erase(records.begin(), records.end() - 1);
    }
    if (!output.is_json()) {
        output.text(is_one ? generation_text(records.front()) : list_text(records));
        return ExitCode::kOk;
    }
    Json list = Json::array();
    for (const GenerationRecord& record : records) list.push(generation_json(record));
    Json document = Json::object();
    document.set("format_version", kJsonFormatVersion);
    document.set("project", project);
    document.set("generations", std::move(list));
    output.document(document);
    return ExitCode::kOk;
}

}  // namespace lb::cli
