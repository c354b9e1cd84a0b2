// A rehearsal as JSON, both ways.
#include "base/text.h"
#include "cli/protocol.h"

namespace lb::cli {

namespace {

int64_t microseconds(std::chrono::nanoseconds duration) {
    return std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
}

Json to_json(const engine::RehearsedLock& lock) {
    Json json = Json::object();
    json.set("database", lock.database);
    json.set("object", lock.object);
    json.set("mode", lock.mode);
    return json;
}

Result<engine::RehearsedLock> lock_from_json(const Json& json) {
    engine::RehearsedLock lock;
    lock.database = LB_TRY(json.text_at("database"));
    lock.object = LB_TRY(json.text_at("object"));
    lock.mode = LB_TRY(json.text_at("mode"));
    return lock;
}

Json to_json(const engine::RehearsedBranch& branch) {
    Json json = Json::object();
    json.set("branch", branch.branch);
    json.set("ok", !branch.failure.has_value());
    json.set("start_us", microseconds(branch.start_duration));
    json.set("sql_us", microseconds(branch.sql_duration));
    json.set("written_bytes", branch.written_bytes);
    Json locks = Json::array();
    for (const engine::RehearsedLock& lock : branch.locks) locks.push(to_json(lock));
    json.set("locks", std::move(locks));
    if (branch.failure) json.set("error", *cli::to_json(*branch.failure).find("error"));
    return json;
}

Result<engine::RehearsedBranch> branch_from_json(const Json& json) {
    engine::RehearsedBranch branch;
    branch.branch = LB_TRY(json.text_at("branch"));
    branch.start_duration = std::chrono::microseconds(LB_TRY(json.integer_at("start_us")));
    branch.sql_duration = std::chrono::microseconds(LB_TRY(json.integer_at("sql_us")));
    branch.written_bytes = LB_TRY(json.unsigned_at("written_bytes"));
    for (const Json& lock : *LB_TRY(json.array_at("locks"))) {
        branch.locks.push_back(LB_TRY(lock_from_json(lock)));
    }
    if (json.find("error") != nullptr) branch.failure = error_from_json(json);
    return branch;
}

}  // namespace

Json to_json(const engine::Rehearsal& rehearsal) {
    Json branches = Json::array();
    for (const engine::RehearsedBranch& branch : rehearsal.branches) {
        branches.push(to_json(branch));
    }
    Json json = Json::object();
    json.set("ok", rehearsal.is_ok());
    json.set("branches", std::move(branches));
    return json;
}

Result<engine::Rehearsal> rehearsal_from_json(const Json& json) {
    engine::Rehearsal rehearsal;
    for (const Json& branch : *LB_TRY(json.array_at("branches"))) {
        rehearsal.branches.push_back(LB_TRY(branch_from_json(branch)));
    }
    return rehearsal;
}

}  // namespace lb::cli
