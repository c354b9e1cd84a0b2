#include "base/model/moment.h"
#include "planner/policy.h"
#include "planner/render.h"

namespace lb::planner {

namespace {

constexpr std::string_view kFormatVersion = "1.3";

Json text_or_null(const std::optional<std::string>& text) { return text ? Json(*text) : Json(); }

Json span_to_json(const specs::Span& span) {
    if (span.line == 0) return Json();
    Json json = Json::object();
    json.set("file", span.file);
    json.set("line", int64_t{span.line});
    json.set("column", int64_t{span.column});
    json.set("end_line", int64_t{span.end_line});
    json.set("end_column", int64_t{span.end_column});
    return json;
}

Json refusal_to_json(const PlannedChange& planned) {
    if (planned.refusal == Refusal::kNone) return Json();
    Json json = Json::object();
    json.set("kind", to_text(planned.refusal));
    json.set("message", planned.refusal_message);
    json.set("help", planned.refusal_help);
    return json;
}

Json attributes_to_json(const std::vector<AttributeDiff>& diffs) {
    Json list = Json::array();
    for (const AttributeDiff& diff : diffs) {
        Json json = Json::object();
        json.set("name", diff.name);
        json.set("before", text_or_null(diff.before));
        json.set("after", text_or_null(diff.after));
        list.push(std::move(json));
    }
    return list;
}

Json lost_history_to_json(const std::vector<LostHistory>& losses) {
    Json list = Json::array();
    for (const LostHistory& loss : losses) {
        Json json = Json::object();
        json.set("branch", loss.branch);
        json.set("restorable_from", exact_time_text(loss.restorable_from));
        json.set("afterwards_from", exact_time_text(loss.afterwards_from));
        json.set("freed_bytes", loss.freed_bytes ? Json(*loss.freed_bytes) : Json());
        list.push(std::move(json));
    }
    return list;
}

bool is_undelete(const ResourceChange& change) {
    auto* branch = std::get_if<BranchValue>(&change.value);
    return branch != nullptr && branch->undelete;
}

Json cost_to_json(const Cost& cost) {
    Json json = Json::object();
    json.set("shared_bytes", cost.shared_bytes ? Json(*cost.shared_bytes) : Json());
    json.set("freed_bytes", cost.freed_bytes);
    json.set("restarts_compute", cost.restarts_compute);
    json.set("in_commit", cost.is_in_commit);
    return json;
}

Json undo_to_json(const std::vector<UndoStep>& steps) {
    Json list = Json::array();
    for (const UndoStep& step : steps) {
        Json json = Json::object();
        json.set("address", to_text(step.change.address));
        json.set("action", to_text(step.change.kind));
        json.set("undoable", to_text(step.undoable));
        json.set("undelete", step.is_undelete);
        json.set("within_s", step.window ? Json(int64_t{step.window->count()}) : Json());
        json.set("lost", step.lost);
        list.push(std::move(json));
    }
    return list;
}

Json change_to_json(const PlannedChange& planned) {
    const ResourceChange& change = planned.change;
    Json json = Json::object();
    json.set("address", to_text(change.address));
    json.set("kind", to_text(change.address.kind));
    json.set("action", to_text(change.kind));
    json.set("reason", to_text(planned.reason));
    json.set("origin", to_text(change.origin));
    json.set("risk", to_text(planned.risk));
    json.set("deleted_bytes", planned.deleted_bytes);
    json.set("purge", change.is_purge);
    json.set("undelete", is_undelete(change));
    json.set("lost_history", lost_history_to_json(planned.lost_history));
    json.set("window_longer", planned.is_window_longer);
    json.set("needs_allow_destroy", needs_permission(planned));
    json.set("cost", cost_to_json(planned.cost));
    json.set("attributes", attributes_to_json(planned.diffs));
    json.set("span", span_to_json(planned.span));
    json.set("refusal", refusal_to_json(planned));
    return json;
}

Json summary_to_json(const PlanSummary& summary) {
    Json json = Json::object();
    json.set("create", summary.create_count);
    json.set("update", summary.update_count);
    json.set("delete", summary.delete_count);
    json.set("forget", summary.forget_count);
    json.set("unchanged", summary.unchanged_count);
    json.set("refused", summary.refused_count);
    json.set("left_out", summary.left_out_count);
    return json;
}

}  // namespace

Json to_json(const Plan& plan) {
    Json json = Json::object();
    json.set("format_version", kFormatVersion);
    json.set("plan_id", plan.id);
    json.set("project", plan.project);
    json.set("base_generation", plan.base_generation.value());
    json.set("branch_count", plan.summary.branch_count);
    json.set("applyable", !plan.is_empty() && plan.summary.refused_count == 0);
    json.set("summary", summary_to_json(plan.summary));
    Json changes = Json::array();
    for (const PlannedChange& planned : plan.changes) changes.push(change_to_json(planned));
    json.set("changes", std::move(changes));
    json.set("undo", undo_to_json(plan.undo));
    Json unmanaged = Json::array();
    for (const Unmanaged& resource : plan.unmanaged) {
        Json item = Json::object();
        item.set("address", to_text(resource.address));
        item.set("origin", to_text(resource.origin));
        unmanaged.push(std::move(item));
    }
    json.set("unmanaged", std::move(unmanaged));
    Json notes = Json::array();
    for (const std::string& note : plan.notes) notes.push(note);
    json.set("notes", std::move(notes));
    Json selection = Json::array();
    for (const SelectionNote& note : plan.selection_notes) {
        Json item = Json::object();
        item.set("address", to_text(note.address));
        item.set("action", to_text(note.kind));
        item.set("because", to_text(note.because));
        selection.push(std::move(item));
    }
    json.set("selection_notes", std::move(selection));
    Json versions = Json::array();
    for (const BaseVersion& base : plan.base_versions) {
        Json item = Json::object();
        item.set("address", to_text(base.address));
        item.set("version", base.version.value());
        versions.push(std::move(item));
    }
    json.set("base_versions", std::move(versions));
    return json;
}

}  // namespace lb::planner
