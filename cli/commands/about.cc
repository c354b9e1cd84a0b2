// lb version, lb completion, lb man: what needs no daemon.
#include <algorithm>

#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/daemon/handover_state.h"
#include "cli/daemon/start.h"
#include "cli/help.h"
#include "cli/session.h"
#include "cli/version.h"
#include "planner/select.h"
#include "store/format.h"

namespace lb::cli {
namespace {

// A shell expands what it is offered. Names of roles and databases may hold anything.
bool is_shell_word(std::string_view text) {
    return std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '_' || c == '-' || c == '/';
    });
}

// For the completion scripts: nothing rather than an error, and no daemon is started for it.
Status print_names(Session& session, std::string_view kind) {
    Home home = LB_TRY(session.home());
    if (!is_daemon_listening(home)) return ok();
    std::vector<std::string> names;
    if (kind == "projects") {
        names = LB_TRY(Client(home.socket_path()).projects());
    } else if (kind == "branches") {
        ProjectState live = LB_TRY(session.live_project(engine::Observe::kNo));
        for (const BranchState& branch : live.branches) names.push_back(branch.name);
    } else if (kind == "addresses") {
        ProjectState live = LB_TRY(session.live_project(engine::Observe::kNo));
        for (const std::string& address : planner::live_addresses(live)) {
            if (is_shell_word(address)) names.push_back(address);
        }
    } else {
        return Error{.code = ErrorCode::kUsage,
                     .message = cat("no names of ", quoted(kind)),
                     .help = "there are: addresses, branches, projects"};
    }
    for (const std::string& name : names) session.output().text(name + "\n");
    return ok();
}

}  // namespace

Result<ExitCode> run_version(const Arguments&, Output& output) {
    if (output.is_json()) {
        Json json = Json::object();
        json.set("version", version());
        json.set("store_format", static_cast<int64_t>(store::kFormatVersion));
        json.set("handover_format", static_cast<uint64_t>(kHandoverFormat));
        output.document(json);
    } else {
        output.text(cat("lb ", version(), "\n"));
    }
    return ExitCode::kOk;
}

Result<ExitCode> run_completion(const Arguments& arguments, Output& output) {
    if (arguments.has("names")) {
        Session session(arguments, output);
        LB_TRY(print_names(session, arguments.text("names")));
        return ExitCode::kOk;
    }
    if (!arguments.has("shell")) {
        return Error{.code = ErrorCode::kUsage,
                     .message = "SHELL is missing",
                     .help = "lb completion bash, zsh or fish"};
    }
    output.text(LB_TRY(completion_script(arguments.text("shell"))));
    return ExitCode::kOk;
}

Result<ExitCode> run_man(const Arguments&, Output& output) {
    output.text(manual_page());
    return ExitCode::kOk;
}

}  // namespace lb::cli
