#include "store/scrub_state.h"

#include "base/json.h"
#include "base/text.h"

namespace lb::store {

namespace {

constexpr int64_t kVersion = 1;
constexpr uint64_t kMaxBytes = 4096;

std::string state_path(const std::string& store_directory) {
    return cat(store_directory, "/scrub.json");
}

Result<std::string> read_text(Disk& disk, const std::string& path) {
    std::unique_ptr<File> file = LB_TRY(disk.open(path, OpenMode::kRead));
    Bytes bytes(std::min(LB_TRY(file->size_bytes()), kMaxBytes));
    LB_TRY(file->read_at(0, bytes));
    return std::string(as_text(bytes));
}

Result<ScrubState> parse(std::string_view text) {
    Json json = LB_TRY(Json::parse(text));
    Error unknown{.code = ErrorCode::kBadRequest, .message = "not the scrubber's state"};
    if (LB_TRY(json.integer_at("version")) != kVersion) return unknown;
    ScrubState state{.next_segment = SegmentId{LB_TRY(json.unsigned_at("next_segment"))},
                     .pass_count = LB_TRY(json.unsigned_at("passes")),
                     .problem_count = LB_TRY(json.unsigned_at("problems")),
                     .last_problem_count = LB_TRY(json.unsigned_at("last_problems"))};
    if (state.next_segment == SegmentId{}) return unknown;
    int64_t completed_at = LB_TRY(json.integer_at("completed_at_ns"));
    if (completed_at != 0) state.completed_at = WallTime(std::chrono::nanoseconds(completed_at));
    return state;
}

}  // namespace

std::string encode_scrub_state(const ScrubState& state) {
    Json json = Json::object();
    json.set("version", kVersion);
    json.set("next_segment", state.next_segment.value());
    json.set("passes", state.pass_count);
    json.set("problems", state.problem_count);
    json.set("last_problems", state.last_problem_count);
    int64_t completed_at_ns =
        state.completed_at ? state.completed_at->time_since_epoch().count() : 0;
    json.set("completed_at_ns", completed_at_ns);
    return json.dump() + "\n";
}

std::optional<ScrubState> decode_scrub_state(std::string_view text) {
    Result<ScrubState> state = parse(text);
    return state ? std::optional(*state) : std::nullopt;
}

ScrubState read_scrub_state(Disk& disk, const std::string& store_directory) {
    Result<std::string> text = read_text(disk, state_path(store_directory));
    return text ? decode_scrub_state(*text).value_or(ScrubState{}) : ScrubState{};
}

Status write_scrub_state(Disk& disk, const std::string& store_directory, const ScrubState& state) {
    std::string path = state_path(store_directory);
    std::string temporary_path = path + ".tmp";
    if (LB_TRY(disk.exists(temporary_path))) LB_TRY(disk.remove(temporary_path));
    std::unique_ptr<File> file = LB_TRY(disk.open(temporary_path, OpenMode::kCreate));
    std::string text = encode_scrub_state(state);
    ByteView piece = as_bytes(text);
    LB_TRY(file->write_at(0, {&piece, 1}));
    return disk.rename(temporary_path, path);
}

}  // namespace lb::store
