// lb status, lb branch list, lb branch show, lb statistics.
#include <chrono>
#include <map>

#include "base/text.h"
#include "cli/branch_view.h"
#include "cli/commands/commands.h"
#include "cli/session.h"
#include "cli/table.h"
#include "cli/version.h"

namespace lb::cli {
namespace {

using Align = Table::Align;
using Clock = std::chrono::steady_clock;

// For all branches of a status; one that is not measured by then shows as "-".
constexpr std::chrono::milliseconds kUsagePatience{1000};

struct Usages {
    std::map<std::string, engine::BranchUsage> by_branch;
    size_t unmeasured_count = 0;
};

Usages measure(const Client& client, const ProjectState& live) {
    Usages usages;
    Clock::time_point until = Clock::now() + kUsagePatience;
    for (const BranchState& branch : live.branches) {
        bool has_time = Clock::now() < until;
        Result<engine::BranchUsage> usage =
            has_time ? client.usage(live.name, branch.name) : Error{.code = ErrorCode::kBusy};
        if (usage.is_ok()) {
            usages.by_branch[branch.name] = *usage;
        } else {
            ++usages.unmeasured_count;  // no time, or just deleted
        }
    }
    return usages;
}

Json usages_json(const Usages& usages) {
    Json list = Json::array();
    for (const auto& [branch, usage] : usages.by_branch) {
        Json json = Json::object();
        json.set("branch", branch);
        json.set("shared_bytes", usage.shared_bytes);
        json.set("own_bytes", usage.own_bytes);
        json.set("history_bytes", usage.history_bytes);
        json.set("freed_by_delete_bytes", usage.freed_by_delete_bytes);
        list.push(std::move(json));
    }
    return list;
}

std::string flags_of(const ProjectState& live, const BranchState& branch) {
    std::vector<std::string> flags;
    if (branch.name == live.default_branch) flags.push_back("default");
    if (branch.is_protected) flags.push_back("protected");
    if (branch.expire_time.has_value()) flags.push_back(cat("expires ", expiration_text(branch)));
    if (branch.history_retention) {
        flags.push_back(cat("restore window ", format_short_duration(*branch.history_retention)));
    }
    return join(flags, ", ");
}

// The members of `object` after the version of their format.
Json document_of(const Json& object) {
    Json document = Json::object();
    document.set("format_version", kJsonFormatVersion);
    for (const Json::Member& member : *object.if_object()) {
        document.append_member(member.first, member.second);
    }
    return document;
}

std::string restorable_text(const BranchState& branch) {
    if (!branch.restorable_from) return "-";
    return cat("from ", format_time(*branch.restorable_from), " to now");
}

std::string show_text(const ProjectState& live, const BranchState& branch,
                      const engine::BranchUsage& usage) {
    std::vector<std::pair<std::string, std::string>> lines = {
        {"branch", branch.name},
        {"project", live.name},
        {"parent", branch.parent.empty() ? "-" : branch.parent},
        {"branch point", branch_point_text(branch)},
        {"head", cat("position:", branch.head.value())},
        {"created", format_time(branch.created_at)},
        {"made by", branch.origin == Origin::kSpec ? "spec" : "command"},
        {"protected", branch.is_protected ? "yes" : "no"},
        {"expires", expiration_text(branch)},
        {"restore window", cat(format_short_duration(live.history_retention_of(branch)),
                               branch.history_retention ? "" : " (the project's)")},
        {"restorable", restorable_text(branch)},
        {"compute", compute_text(branch.compute)},
        {"size", format_bytes(branch.logical_bytes)},
        {"shared", format_bytes(usage.shared_bytes)},
        {"own", format_bytes(usage.own_bytes)},
        {"history", format_bytes(usage.history_bytes)},
        {"delete frees", format_bytes(usage.freed_by_delete_bytes)},
    };
    for (const RoleState& role : branch.roles) lines.emplace_back("role", role.name);
    for (const DatabaseState& database : branch.databases) {
        lines.emplace_back("database", cat(database.name, " (owner ", database.owner, ")"));
    }
    std::string text;
    for (const auto& [name, value] : lines) {
        text += cat(name, std::string(16 - name.size(), ' '), value, "\n");
    }
    return text;
}

// The part of the state's own document.
Json member_of_state(const ProjectState& live, std::string_view key) {
    const Json state = to_json(live);
    const Json* found = state.find(key);
    return found == nullptr ? Json::array() : *found;
}

void print_deleted(const ProjectState& live, Output& output) {
    if (output.is_json()) {
        Json list = Json::object();
        list.set("deleted_branches", member_of_state(live, "deleted_branches"));
        output.document(document_of(list));
        return;
    }
    Table table({{"BRANCH"},
                 {"PARENT"},
                 {"DELETED"},
                 {"GONE"},
                 {"SIZE", Align::kRight},
                 {"OWN", Align::kRight}});
    for (const DeletedBranchState& branch : live.deleted_branches) {
        table.add_row({branch.name, branch.parent, format_time(branch.deleted_at),
                       format_time(branch.gone_at), format_bytes(branch.logical_bytes),
                       format_bytes(branch.own_bytes)});
    }
    output.text(table.to_text());
}

uint64_t count_at(const Json& statistics, std::string_view part, std::string_view key) {
    const Json* found = statistics.find(part);
    Result<uint64_t> count = found == nullptr ? Result<uint64_t>(0) : found->unsigned_at(key);
    return count.is_ok() ? *count : 0;
}

std::string bytes_of(const Usages& usages, const BranchState& branch,
                     uint64_t engine::BranchUsage::*bytes) {
    auto found = usages.by_branch.find(branch.name);
    return found == usages.by_branch.end() ? "-" : format_bytes(found->second.*bytes);
}

std::string deleted_text(const ProjectState& live) {
    if (live.deleted_branches.empty()) return {};
    size_t count = live.deleted_branches.size();
    return cat("\n", count, count == 1 ? " deleted branch" : " deleted branches",
               " can be had back: lb branch list --deleted\n");
}

// Nothing if the daemon has met none.
std::string damage_text(const Json& statistics) {
    uint64_t met = count_at(statistics, "store", "damage_met_count");
    uint64_t found = count_at(statistics, "scrub", "problem_count");
    if (met + found == 0) return {};
    return cat("\nthe store is damaged: ", met, " reads or writes failed, scrubbing found ", found,
               " problems; run: lb fsck\n");
}

}  // namespace

Result<ExitCode> run_status(const Arguments& arguments, Output& output) {
    Session session(arguments, output);
    ProjectState live = LB_TRY(session.live_project(engine::Observe::kNo));
    Client client = LB_TRY(session.client());
    Usages usages = measure(client, live);
    if (output.is_json()) {
        Json document = document_of(to_json(live));
        document.set("usage", usages_json(usages));
        document.set("unmeasured_branch_count", uint64_t{usages.unmeasured_count});
        output.document(document);
        return ExitCode::kOk;
    }
    output.text(cat("project ", live.name, ": PostgreSQL ", live.pg_version, ", generation ",
                    live.generation.value(), ", ", live.branches.size(),
                    live.branches.size() == 1 ? " branch" : " branches", ", restore window ",
                    format_short_duration(live.history_retention), "\n\n"));
    Table table({{"BRANCH"},
                 {"POINT"},
                 {"COMPUTE"},
                 {"SIZE", Align::kRight},
                 {"SHARED", Align::kRight},
                 {"OWN", Align::kRight},
                 {"HISTORY", Align::kRight},
                 {"NOTES"}});
    for (const TreeRow& row : branch_tree(live)) {
        const BranchState& branch = *row.branch;
        table.add_row({row.label, branch_point_text(branch), compute_text(branch.compute),
                       format_bytes(branch.logical_bytes),
                       bytes_of(usages, branch, &engine::BranchUsage::shared_bytes),
                       bytes_of(usages, branch, &engine::BranchUsage::own_bytes),
                       bytes_of(usages, branch, &engine::BranchUsage::history_bytes),
                       flags_of(live, branch)});
    }
    output.text(table.to_text());
    if (usages.unmeasured_count > 0) {
        output.text(cat("\n", usages.unmeasured_count,
                        " branches were not measured in time: lb branch show NAME\n"));
    }
    output.text(deleted_text(live));
    output.text(damage_text(LB_TRY(client.statistics())));
    return ExitCode::kOk;
}

Result<ExitCode> run_branch_list(const Arguments& arguments, Output& output) {
    Session session(arguments, output);
    ProjectState live = LB_TRY(session.live_project(engine::Observe::kNo));
    if (arguments.has("deleted")) {
        print_deleted(live, output);
        return ExitCode::kOk;
    }
    if (output.is_json()) {
        Json list = Json::object();
        list.set("branches", member_of_state(live, "branches"));
        output.document(document_of(list));
        return ExitCode::kOk;
    }
    Table table({{"BRANCH"},
                 {"PARENT"},
                 {"COMPUTE"},
                 {"SIZE", Align::kRight},
                 {"OWN", Align::kRight},
                 {"WINDOW"},
                 {"EXPIRES"},
                 {"PROTECTED"}});
    for (const BranchState& branch : live.branches) {
        table.add_row({branch.name, branch.parent.empty() ? "-" : branch.parent,
                       compute_text(branch.compute), format_bytes(branch.logical_bytes),
                       format_bytes(branch.own_bytes),
                       format_short_duration(live.history_retention_of(branch)),
                       expiration_text(branch), branch.is_protected ? "yes" : "no"});
    }
    output.text(table.to_text());
    return ExitCode::kOk;
}

Result<ExitCode> run_branch_show(const Arguments& arguments, Output& output) {
    Session session(arguments, output);
    ProjectState live = LB_TRY(session.live_project(engine::Observe::kYes));
    std::string name = LB_TRY(session.branch_of(live, arguments.text("branch")));
    const BranchState& branch = *live.find_branch(name);
    engine::BranchUsage usage = LB_TRY(LB_TRY(session.client()).usage(live.name, name));
    if (!output.is_json()) {
        output.text(show_text(live, branch, usage));
        return ExitCode::kOk;
    }
    const Json branches = member_of_state(live, "branches");
    for (const Json& candidate : *branches.if_array()) {
        const Json* candidate_name = candidate.find("name");
        if (candidate_name != nullptr && *candidate_name == Json(name)) {
            Json document = document_of(candidate);
            document.set("usage", to_json(usage));
            output.document(document);
        }
    }
    return ExitCode::kOk;
}

Result<ExitCode> run_statistics(const Arguments& arguments, Output& output) {
    Session session(arguments, output);
    Json statistics = LB_TRY(LB_TRY(session.client()).statistics());
    if (output.is_json()) {
        output.document(statistics);
        return ExitCode::kOk;
    }
    for (const Json::Member& member : *statistics.if_object()) {
        if (member.second.if_object() == nullptr) {
            output.text(cat(member.first, " ", member.second.dump(), "\n"));
            continue;
        }
        for (const Json::Member& inner : *member.second.if_object()) {
            output.text(cat(member.first, ".", inner.first, " ", inner.second.dump(), "\n"));
        }
    }
    return ExitCode::kOk;
}

}  // namespace lb::cli
