// The reverse of plan_json.cc. A field that is added there has to be read here: decode_plan_file()
// refuses a document that does not come out as it went in, and the tests would fail.
#include "base/model/moment.h"
#include "base/text.h"
#include "planner/plan_file.h"
#include "planner/render.h"

namespace lb::planner {

namespace {

Error bad(std::string message) {
    return Error{.code = ErrorCode::kBadRequest, .message = std::move(message)};
}

// The value of `Word` with that text; the values are counted from 0, and have no text after the
// last.
template <class Word>
Result<Word> word_at(const Json& json, std::string_view key) {
    std::string text = LB_TRY(json.text_at(key));
    for (uint8_t number = 0; !to_text(static_cast<Word>(number)).empty(); ++number) {
        if (to_text(static_cast<Word>(number)) == text) return static_cast<Word>(number);
    }
    return bad(cat(quoted(key), " cannot be ", quoted(text)));
}

bool is_null(const Json& json, std::string_view key) {
    const Json* value = json.find(key);
    return value != nullptr && value->is_null();
}

Result<std::optional<std::string>> optional_text_at(const Json& json, std::string_view key) {
    if (is_null(json, key)) return std::optional<std::string>();
    return std::optional<std::string>(LB_TRY(json.text_at(key)));
}

Result<std::optional<uint64_t>> optional_count_at(const Json& json, std::string_view key) {
    if (is_null(json, key)) return std::optional<uint64_t>();
    return std::optional<uint64_t>(LB_TRY(json.unsigned_at(key)));
}

Result<WallTime> time_text_at(const Json& json, std::string_view key) {
    auto time = parse_time(LB_TRY(json.text_at(key)));
    if (!time) return bad(cat(quoted(key), " is no time"));
    return *time;
}

Result<Address> address_at(const Json& json, std::string_view key = "address") {
    Result<Address> address = parse_address(LB_TRY(json.text_at(key)));
    if (!address.is_ok()) return bad(address.error().message);
    return address;
}

Result<uint32_t> place_at(const Json& json, std::string_view key) {
    uint64_t number = LB_TRY(json.unsigned_at(key));
    if (number > UINT32_MAX) return bad(cat(quoted(key), " is too large"));
    return static_cast<uint32_t>(number);
}

Result<specs::Span> span_at(const Json& json) {
    specs::Span span;
    if (is_null(json, "span")) return span;
    const Json* place = LB_TRY(json.object_at("span"));
    span.file = LB_TRY(place->text_at("file"));
    span.line = LB_TRY(place_at(*place, "line"));
    span.column = LB_TRY(place_at(*place, "column"));
    span.end_line = LB_TRY(place_at(*place, "end_line"));
    span.end_column = LB_TRY(place_at(*place, "end_column"));
    return span;
}

Status read_refusal(const Json& json, PlannedChange& planned) {
    if (is_null(json, "refusal")) return ok();
    const Json* refusal = LB_TRY(json.object_at("refusal"));
    planned.refusal = LB_TRY(word_at<Refusal>(*refusal, "kind"));
    planned.refusal_message = LB_TRY(refusal->text_at("message"));
    planned.refusal_help = LB_TRY(refusal->text_at("help"));
    return ok();
}

Result<Cost> cost_at(const Json& json) {
    const Json* item = LB_TRY(json.object_at("cost"));
    Cost cost;
    cost.shared_bytes = LB_TRY(optional_count_at(*item, "shared_bytes"));
    cost.freed_bytes = LB_TRY(item->unsigned_at("freed_bytes"));
    cost.restarts_compute = LB_TRY(item->bool_at("restarts_compute"));
    cost.is_in_commit = LB_TRY(item->bool_at("in_commit"));
    return cost;
}

Result<LostHistory> loss_from(const Json& item) {
    LostHistory loss;
    loss.branch = LB_TRY(item.text_at("branch"));
    loss.restorable_from = LB_TRY(time_text_at(item, "restorable_from"));
    loss.afterwards_from = LB_TRY(time_text_at(item, "afterwards_from"));
    loss.freed_bytes = LB_TRY(optional_count_at(item, "freed_bytes"));
    return loss;
}

Result<PlannedChange> change_from(const Json& json, ResourceChange change) {
    PlannedChange planned;
    planned.change = std::move(change);
    planned.reason = LB_TRY(word_at<Reason>(json, "reason"));
    planned.risk = LB_TRY(word_at<Risk>(json, "risk"));
    planned.deleted_bytes = LB_TRY(json.unsigned_at("deleted_bytes"));
    for (const Json& item : *LB_TRY(json.array_at("lost_history"))) {
        planned.lost_history.push_back(LB_TRY(loss_from(item)));
    }
    planned.is_window_longer = LB_TRY(json.bool_at("window_longer"));
    planned.cost = LB_TRY(cost_at(json));
    for (const Json& item : *LB_TRY(json.array_at("attributes"))) {
        AttributeDiff& diff = planned.diffs.emplace_back();
        diff.name = LB_TRY(item.text_at("name"));
        diff.before = LB_TRY(optional_text_at(item, "before"));
        diff.after = LB_TRY(optional_text_at(item, "after"));
    }
    planned.span = LB_TRY(span_at(json));
    LB_TRY(read_refusal(json, planned));
    return planned;
}

Result<UndoStep> undo_from(const Json& json) {
    UndoStep step;
    step.change.address = LB_TRY(address_at(json));
    step.change.kind = LB_TRY(word_at<ChangeKind>(json, "action"));
    step.undoable = LB_TRY(word_at<Undoable>(json, "undoable"));
    step.is_undelete = LB_TRY(json.bool_at("undelete"));
    step.lost = LB_TRY(json.text_at("lost"));
    if (auto seconds = LB_TRY(optional_count_at(json, "within_s"))) {
        if (*seconds > INT64_MAX / 2) return bad("\"within_s\" is too large");
        step.window = std::chrono::seconds(static_cast<int64_t>(*seconds));
    }
    return step;
}

Result<PlanSummary> summary_at(const Json& json) {
    const Json* item = LB_TRY(json.object_at("summary"));
    PlanSummary summary;
    summary.create_count = LB_TRY(item->unsigned_at("create"));
    summary.update_count = LB_TRY(item->unsigned_at("update"));
    summary.delete_count = LB_TRY(item->unsigned_at("delete"));
    summary.forget_count = LB_TRY(item->unsigned_at("forget"));
    summary.unchanged_count = LB_TRY(item->unsigned_at("unchanged"));
    summary.refused_count = LB_TRY(item->unsigned_at("refused"));
    summary.left_out_count = LB_TRY(item->unsigned_at("left_out"));
    summary.branch_count = LB_TRY(json.unsigned_at("branch_count"));
    return summary;
}

}  // namespace

Result<Plan> plan_from_json(const Json& json, ChangeSet changes) {
    Plan plan;
    plan.id = LB_TRY(json.text_at("plan_id"));
    plan.project = LB_TRY(json.text_at("project"));
    plan.base_generation = Generation{LB_TRY(json.unsigned_at("base_generation"))};
    plan.summary = LB_TRY(summary_at(json));
    const Json::Array& items = *LB_TRY(json.array_at("changes"));
    if (items.size() != changes.changes.size()) return bad("the plan and its changes differ");
    for (size_t i = 0; i < items.size(); ++i) {
        plan.changes.push_back(LB_TRY(change_from(items[i], std::move(changes.changes[i]))));
    }
    for (const Json& item : *LB_TRY(json.array_at("undo"))) {
        plan.undo.push_back(LB_TRY(undo_from(item)));
    }
    for (const Json& item : *LB_TRY(json.array_at("unmanaged"))) {
        Unmanaged& resource = plan.unmanaged.emplace_back();
        resource.address = LB_TRY(address_at(item));
        resource.origin = LB_TRY(word_at<Origin>(item, "origin"));
    }
    for (const Json& item : *LB_TRY(json.array_at("notes"))) {
        if (item.if_text() == nullptr) return bad("a note is no text");
        plan.notes.push_back(*item.if_text());
    }
    for (const Json& item : *LB_TRY(json.array_at("selection_notes"))) {
        SelectionNote& note = plan.selection_notes.emplace_back();
        note.address = LB_TRY(address_at(item));
        note.kind = LB_TRY(word_at<SelectionNote::Kind>(item, "action"));
        note.because = LB_TRY(address_at(item, "because"));
    }
    plan.base_versions = std::move(changes.base_versions);
    if (to_json(plan) != json) return bad("the plan and its changes differ");
    return plan;
}

}  // namespace lb::planner
