// A branch's history as JSON, both ways.
#include "cli/protocol.h"
#include "store/history.h"

namespace lb::cli {

namespace {

// How many positions are kept, and how far back; the restore window ends it all.
Json density() {
    auto part = [](std::string_view step, std::chrono::seconds back) {
        Json json = Json::object();
        json.set("one_per", step);
        json.set("back_to_s", seconds_to_json(back));
        return json;
    };
    Json list = Json::array();
    list.push(part("position", store::kDenseHistory));
    list.push(part("second", store::kSecondsHistory));
    list.push(part("minute", store::kRestoreWindowMax));
    return list;
}

}  // namespace

Json to_json(const engine::BranchHistory& history) {
    Json json = Json::object();
    json.set("branch", history.branch);
    json.set("first_at", time_to_json(history.first_at));
    json.set("first_position", history.first.value());
    json.set("every_position_from", history.every_from.value());
    json.set("last_position", history.last.value());
    json.set(kHistoryRetentionKey, seconds_to_json(history.window));
    json.set("first_lsn", history.first_lsn);
    json.set("last_lsn", history.last_lsn);
    json.set("made_from", history.made_from);
    json.set("made_at_position", history.made_at.value());
    json.set("density", density());
    Json marks = Json::array();
    for (const engine::HistoryMark& mark : history.marks) {
        Json item = Json::object();
        item.set("at", time_to_json(mark.at));
        item.set("position", mark.position.value());
        item.set("kind", mark.kind);
        item.set("generation", mark.generation.value());
        item.set("author", mark.author);
        item.set("git_commit", mark.git_commit);
        item.set("message", mark.message);
        marks.push(std::move(item));
    }
    json.set("marks", std::move(marks));
    return json;
}

Json to_json(const engine::BranchUsage& usage) {
    Json json = Json::object();
    json.set("shared_bytes", usage.shared_bytes);
    json.set("own_bytes", usage.own_bytes);
    json.set("history_bytes", usage.history_bytes);
    json.set("freed_by_delete_bytes", usage.freed_by_delete_bytes);
    bool has_window = usage.freed_by_window_bytes.has_value();
    json.set("freed_by_window_bytes", has_window ? Json(*usage.freed_by_window_bytes) : Json());
    return json;
}

Result<engine::BranchUsage> usage_from_json(const Json& json) {
    engine::BranchUsage usage{
        .shared_bytes = LB_TRY(json.unsigned_at("shared_bytes")),
        .own_bytes = LB_TRY(json.unsigned_at("own_bytes")),
        .history_bytes = LB_TRY(json.unsigned_at("history_bytes")),
        .freed_by_delete_bytes = LB_TRY(json.unsigned_at("freed_by_delete_bytes"))};
    const Json* window = json.find("freed_by_window_bytes");
    if (window == nullptr || !window->is_null()) {
        usage.freed_by_window_bytes = LB_TRY(json.unsigned_at("freed_by_window_bytes"));
    }
    return usage;
}

Result<engine::BranchHistory> history_from_json(const Json& json) {
    engine::BranchHistory history{.branch = LB_TRY(json.text_at("branch"))};
    history.first_at = LB_TRY(optional_time_at(json, "first_at")).value_or(WallTime{});
    history.first = Position{LB_TRY(json.unsigned_at("first_position"))};
    history.every_from = Position{LB_TRY(json.unsigned_at("every_position_from"))};
    history.last = Position{LB_TRY(json.unsigned_at("last_position"))};
    history.window = LB_TRY(history_retention_at(json));
    history.first_lsn = LB_TRY(json.text_at("first_lsn"));
    history.last_lsn = LB_TRY(json.text_at("last_lsn"));
    history.made_from = LB_TRY(json.text_at("made_from"));
    history.made_at = Position{LB_TRY(json.unsigned_at("made_at_position"))};
    for (const Json& item : *LB_TRY(json.array_at("marks"))) {
        engine::HistoryMark mark{.kind = LB_TRY(item.text_at("kind"))};
        mark.at = LB_TRY(optional_time_at(item, "at")).value_or(WallTime{});
        mark.position = Position{LB_TRY(item.unsigned_at("position"))};
        mark.generation = Generation{LB_TRY(item.unsigned_at("generation"))};
        mark.author = LB_TRY(item.text_at("author"));
        mark.git_commit = LB_TRY(item.text_at("git_commit"));
        mark.message = LB_TRY(item.text_at("message"));
        history.marks.push_back(std::move(mark));
    }
    return history;
}

Json to_json(const std::vector<GenerationRecord>& generations) {
    Json list = Json::array();
    for (const GenerationRecord& record : generations) list.push(to_json(record));
    Json json = Json::object();
    json.set("generations", std::move(list));
    return json;
}

Result<std::vector<GenerationRecord>> generations_from_json(const Json& json) {
    std::vector<GenerationRecord> generations;
    for (const Json& item : *LB_TRY(json.array_at("generations"))) {
        generations.push_back(LB_TRY(generation_record_from_json(item)));
    }
    return generations;
}

}  // namespace lb::cli
