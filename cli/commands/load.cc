// lb load: a dump into a branch.
#include "engine/load.h"

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "base/text.h"
#include "cli/author.h"
#include "cli/commands/commands.h"
#include "cli/progress.h"
#include "cli/session.h"

namespace lb::cli {
namespace {

Json summary_document(const engine::LoadSummary& summary, const std::string& branch,
                      const std::string& database, std::chrono::nanoseconds duration) {
    Json json = Json::object();
    json.set("branch", branch);
    json.set("database", database);
    json.set("role", summary.role);
    json.set("read_bytes", summary.read_bytes);
    json.set("one_transaction", summary.was_one_transaction);
    json.set("skipped", to_json(summary.skipped));
    json.set("duration_ms",
             std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
    return json;
}

std::string summary_text(const engine::LoadSummary& summary, const std::string& file,
                         const std::string& branch, const std::string& database,
                         std::chrono::nanoseconds duration) {
    const double seconds = std::max(std::chrono::duration<double>(duration).count(), 1e-3);
    const auto rate = static_cast<uint64_t>(static_cast<double>(summary.read_bytes) / seconds);
    return cat("loaded ", file == "-" ? "stdin" : file, " into ", branch, "/", database, " as ",
               summary.role, ": ", format_bytes(summary.read_bytes), " in ",
               format_duration(duration), " (", format_bytes(rate), "/s)\n");
}

Status mark(Session& session, const std::string& project, const std::string& branch,
            const engine::LoadRequest& request, const engine::LoadSummary& summary) {
    bool is_stdin = request.file == "-";
    std::filesystem::path path = std::filesystem::path(request.file).lexically_normal();
    if (!path.has_filename()) path = path.parent_path();  // an archive that is a directory
    Client client = LB_TRY(session.client());
    return client.mark_load(project, branch,
                            {.author = author(),
                             .file = is_stdin ? std::string("stdin") : path.filename().native(),
                             .database = request.target.database,
                             .read_bytes = summary.read_bytes});
}

}  // namespace

Result<ExitCode> run_load(const Arguments& arguments, Output& output) {
    Session session(arguments, output);
    ProjectState live = LB_TRY(session.live_branches(session.asked_branches()));
    std::string branch = LB_TRY(session.branch_of(live, arguments.text("branch")));
    engine::Connection connection = LB_TRY(LB_TRY(session.client()).connect(live.name, branch));
    engine::LoadRequest request{
        .target = {.socket_directory = connection.socket_directory,
                   .port = connection.port,
                   .user = connection.superuser,
                   .database = arguments.text("database", connection.default_database)},
        .program_directory = connection.program_directory,
        .file = arguments.text("file"),
        .role = arguments.text("role")};
    ProgressDisplay display(output);
    auto started = std::chrono::steady_clock::now();
    engine::LoadSummary summary =
        LB_TRY(engine::load(request, [&](const engine::LoadProgress& progress) {
            display.show_bytes("loading", progress.done_bytes, progress.total_bytes);
        }));
    display.clear();
    auto duration = std::chrono::steady_clock::now() - started;
    Status marked = mark(session, live.name, branch, request, summary);
    if (!marked.is_ok()) {
        output.notice(cat("lb history will not show it: ", marked.error().message));
    }
    if (output.is_json()) {
        output.document(summary_document(summary, branch, request.target.database, duration));
        return ExitCode::kOk;
    }
    for (const std::string& skipped : summary.skipped) output.notice(cat("skipped ", skipped));
    if (!summary.was_one_transaction) {
        output.notice("the file has statements that cannot run in a transaction: loaded without");
    }
    output.text(summary_text(summary, request.file, branch, request.target.database, duration));
    return ExitCode::kOk;
}

}  // namespace lb::cli
