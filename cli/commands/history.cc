// lb history, lb restore, lb branch reset.
#include <charconv>

#include "base/clock.h"
#include "base/model/moment.h"
#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/moment_option.h"
#include "cli/plan_flow.h"
#include "cli/table.h"
#include "cli/terminal.h"
#include "cli/version.h"
#include "planner/attributes.h"
#include "store/history.h"

namespace lb::cli {
namespace {

constexpr size_t kUsualMarks = 15;

Result<size_t> mark_count(const Arguments& arguments) {
    if (!arguments.has("lines")) return kUsualMarks;
    std::string text = arguments.text("lines");
    if (text == "all") return SIZE_MAX;
    size_t count = 0;
    auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (failure == std::errc{} && end == text.data() + text.size()) return count;
    return Error{.code = ErrorCode::kUsage,
                 .message = cat("--lines cannot be ", quoted(text)),
                 .help = "give a number, or all"};
}

// Nothing while every position is there.
std::string density_text(const engine::BranchHistory& history) {
    if (history.every_from == history.first) return {};
    auto age = system_clock().now() - history.first_at;
    std::string text = cat("  density    every position from position:", history.every_from.value(),
                           " on, the last hour");
    if (age > store::kDenseHistory) text += "; one a second up to a day ago";
    if (age > store::kSecondsHistory) text += "; one a minute before that";
    return text + "\n";
}

std::string history_text(const engine::BranchHistory& history, size_t count_max) {
    std::string text =
        cat("branch ", history.branch, ": restorable from ", exact_time_text(history.first_at),
            " to now", history.every_from == history.first ? ", at every position" : "",
            "\n  window     ", format_short_duration(history.window), "\n", density_text(history),
            "  positions  position:", history.first.value(), " to position:", history.last.value(),
            "\n");
    if (!history.last_lsn.empty()) {
        text += cat("  WAL        ", history.first_lsn, " to ", history.last_lsn, "\n");
    }
    if (!history.made_from.empty()) {
        text += cat("  made from  ", history.made_from, " at position:", history.made_at.value(),
                    "; what was before is in the history of ", history.made_from, "\n");
    }
    if (history.marks.empty()) return text;
    Table table({{"TIME"}, {"POSITION"}, {"WHAT"}, {"GENERATION"}, {"BY"}, {"COMMIT"}, {""}});
    for (size_t i = 0; i < std::min(count_max, history.marks.size()); ++i) {
        const engine::HistoryMark& mark = history.marks[i];
        table.add_row({format_time(mark.at), cat("position:", mark.position.value()), mark.kind,
                       mark.generation == Generation{} ? "-" : cat(mark.generation.value()),
                       mark.author.empty() ? "-" : mark.author,
                       mark.git_commit.empty() ? "-" : mark.git_commit.substr(0, 8), mark.message});
    }
    text += cat("\n", table.to_text());
    if (history.marks.size() > count_max) {
        text += cat("and ", history.marks.size() - count_max, " older ones (--lines all)\n");
    }
    return text;
}

Result<planner::Plan> move_plan(const BranchState& branch, const ProjectState& live,
                                ChangeKind kind, std::optional<RestoreValue> wish) {
    BranchValue value = planner::value_of(branch);
    value.restore = std::move(wish);
    return planner::make_plan_for({{.address = Address::of_branch(branch.name),
                                    .kind = kind,
                                    .value = std::move(value),
                                    .origin = Origin::kCommand}},
                                  live);
}

Status approve_reset(Session& session, const std::string& branch) {
    if (session.arguments().has("yes")) return ok();
    if (session.output().is_json() || !can_ask()) {
        return Error{.code = ErrorCode::kApprovalNeeded,
                     .message = cat("nobody can be asked whether to reset branch ", branch),
                     .help = cat("lb branch reset ", branch, " --yes, or --backup NAME to keep ",
                                 "its present state")};
    }
    if (LB_TRY(ask_yes_no(cat("Reset branch ", branch, " and lose its present state? [y/N] ")))) {
        return ok();
    }
    return interrupted_error();
}

}  // namespace

Result<ExitCode> run_history(const Arguments& arguments, Output& output) {
    Session session(arguments, output);
    size_t count_max = LB_TRY(mark_count(arguments));
    ProjectState live = LB_TRY(session.live_project(engine::Observe::kNo));
    std::string branch = LB_TRY(session.branch_of(live, arguments.text("branch")));
    engine::BranchHistory history = LB_TRY(LB_TRY(session.client()).history(live.name, branch));
    if (output.is_json()) {
        Json document = Json::object();
        document.set("format_version", kJsonFormatVersion);
        const Json members = to_json(history);
        for (const Json::Member& member : *members.if_object()) {
            document.append_member(member.first, member.second);
        }
        output.document(document);
    } else {
        output.text(history_text(history, count_max));
    }
    return ExitCode::kOk;
}

Result<ExitCode> run_restore(const Arguments& arguments, Output& output) {
    Session session(arguments, output);
    if (!arguments.has("to")) {
        return Error{.code = ErrorCode::kUsage,
                     .message = "restore needs --to: the moment to go back to",
                     .help = cat(kMomentHelp, ", or -15m; lb history shows what there is")};
    }
    RestoreValue wish{.to = LB_TRY(moment_option("--to", arguments.text("to"), system_clock())),
                      .from = arguments.text("from"),
                      .backup = arguments.text("backup")};
    ProjectState live = LB_TRY(session.live_project(engine::Observe::kNo));
    std::string name = LB_TRY(session.branch_of(live, arguments.text("branch")));
    if (!wish.from.empty()) wish.from = LB_TRY(session.branch_of(live, wish.from));
    planner::Plan plan =
        LB_TRY(move_plan(*live.find_branch(name), live, ChangeKind::kRestore, std::move(wish)));
    LB_TRY(planner::check_policy(plan, {}));
    if (!output.is_json()) output.text(plan_text(plan, output, false));
    LB_TRY(carry_out(session, plan));
    return ExitCode::kOk;
}

Result<ExitCode> run_branch_reset(const Arguments& arguments, Output& output) {
    Session session(arguments, output);
    ProjectState live = LB_TRY(session.live_project(engine::Observe::kNo));
    std::string name = LB_TRY(session.branch_of(live, arguments.text("branch")));
    std::optional<RestoreValue> wish;
    if (arguments.has("backup")) wish = RestoreValue{.backup = arguments.text("backup")};
    planner::Plan plan = LB_TRY(move_plan(*live.find_branch(name), live, ChangeKind::kReset, wish));
    if (!output.is_json()) output.text(plan_text(plan, output, false));
    LB_TRY(planner::check_policy(plan, {to_text(Address::of_branch(name))}));
    if (!wish) LB_TRY(approve_reset(session, name));
    LB_TRY(carry_out(session, plan));
    return ExitCode::kOk;
}

}  // namespace lb::cli
