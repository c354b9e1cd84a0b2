// lb status, lb branch list, lb branch show, lb statistics.
#include "base/text.h"
#include "cli/branch_view.h"
#include "cli/commands/commands.h"
#include "cli/session.h"
#include "cli/table.h"
#include "cli/version.h"

namespace lb::cli {
namespace {

using Align = Table::Align;

std::string flags_of(const ProjectState& live, const BranchState& branch) {
    std::vector<std::string> flags;
    if (branch.name == live.default_branch) flags.push_back("default");
    if (branch.is_protected) flags.push_back("protected");
    if (branch.expire_time.has_value()) flags.push_back(cat("expires ", expiration_text(branch)));
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

// The branches as they are in the state's own document.
Json branches_json(const ProjectState& live) {
    const Json state = to_json(live);
    const Json* branches = state.find("branches");
    return branches == nullptr ? Json::array() : *branches;
}

std::string show_text(const ProjectState& live, const BranchState& branch) {
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
        {"compute", compute_text(branch.compute)},
        {"size", format_bytes(branch.logical_bytes)},
        {"shared", format_bytes(shared_bytes(branch))},
        {"own", format_bytes(branch.own_bytes)},
    };
    for (const RoleState& role : branch.roles) lines.emplace_back("role", role.name);
    for (const DatabaseState& database : branch.databases) {
        lines.emplace_back("database", cat(database.name, " (owner ", database.owner, ")"));
    }
    std::string text;
    for (const auto& [name, value] : lines) {
        text += cat(name, std::string(14 - name.size(), ' '), value, "\n");
    }
    return text;
}

uint64_t count_at(const Json& statistics, std::string_view part, std::string_view key) {
    const Json* found = statistics.find(part);
    Result<uint64_t> count = found == nullptr ? Result<uint64_t>(0) : found->unsigned_at(key);
    return count.is_ok() ? *count : 0;
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
    if (output.is_json()) {
        output.document(document_of(to_json(live)));
        return ExitCode::kOk;
    }
    output.text(cat("project ", live.name, ": PostgreSQL ", live.pg_version, ", generation ",
                    live.generation.value(), ", ", live.branches.size(),
                    live.branches.size() == 1 ? " branch" : " branches", "\n\n"));
    Table table({{"BRANCH"},
                 {"POINT"},
                 {"COMPUTE"},
                 {"SIZE", Align::kRight},
                 {"SHARED", Align::kRight},
                 {"OWN", Align::kRight},
                 {"NOTES"}});
    for (const TreeRow& row : branch_tree(live)) {
        const BranchState& branch = *row.branch;
        table.add_row({row.label, branch_point_text(branch), compute_text(branch.compute),
                       format_bytes(branch.logical_bytes), format_bytes(shared_bytes(branch)),
                       format_bytes(branch.own_bytes), flags_of(live, branch)});
    }
    output.text(table.to_text());
    output.text(damage_text(LB_TRY(LB_TRY(session.client()).statistics())));
    return ExitCode::kOk;
}

Result<ExitCode> run_branch_list(const Arguments& arguments, Output& output) {
    Session session(arguments, output);
    ProjectState live = LB_TRY(session.live_project(engine::Observe::kNo));
    if (output.is_json()) {
        Json list = Json::object();
        list.set("branches", branches_json(live));
        output.document(document_of(list));
        return ExitCode::kOk;
    }
    Table table({{"BRANCH"},
                 {"PARENT"},
                 {"COMPUTE"},
                 {"SIZE", Align::kRight},
                 {"OWN", Align::kRight},
                 {"EXPIRES"},
                 {"PROTECTED"}});
    for (const BranchState& branch : live.branches) {
        table.add_row({branch.name, branch.parent.empty() ? "-" : branch.parent,
                       compute_text(branch.compute), format_bytes(branch.logical_bytes),
                       format_bytes(branch.own_bytes), expiration_text(branch),
                       branch.is_protected ? "yes" : "no"});
    }
    output.text(table.to_text());
    return ExitCode::kOk;
}

Result<ExitCode> run_branch_show(const Arguments& arguments, Output& output) {
    Session session(arguments, output);
    ProjectState live = LB_TRY(session.live_project(engine::Observe::kYes));
    std::string name = LB_TRY(session.branch_of(live, arguments.text("branch")));
    const BranchState& branch = *live.find_branch(name);
    if (!output.is_json()) {
        output.text(show_text(live, branch));
        return ExitCode::kOk;
    }
    const Json branches = branches_json(live);
    for (const Json& candidate : *branches.if_array()) {
        const Json* candidate_name = candidate.find("name");
        if (candidate_name != nullptr && *candidate_name == Json(name)) {
            output.document(document_of(candidate));
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
