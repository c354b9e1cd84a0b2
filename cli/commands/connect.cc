// lb psql, lb url, lb compute start|stop|restart, lb logs.
#include <unistd.h>

#include <cerrno>
#include <charconv>

#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/session.h"
#include "cli/terminal.h"
#include "cli/text_file.h"

namespace lb::cli {
namespace {

// What a command needs to reach a branch's compute.
struct Reached {
    ProjectState live;
    std::string branch;
    engine::Connection connection;
};

Result<Reached> reach(Session& session, engine::Observe observe) {
    ProjectState live =
        LB_TRY(observe == engine::Observe::kYes ? session.live_project(observe)
                                                : session.live_branches(session.asked_branches()));
    std::string branch = LB_TRY(session.branch_of(live, session.arguments().text("branch")));
    engine::Connection connection = LB_TRY(LB_TRY(session.client()).connect(live.name, branch));
    return Reached{std::move(live), std::move(branch), std::move(connection)};
}

// The owner of the database, as the default branch has it: the role that an application uses.
std::string owner_of(const Reached& reached, const std::string& database) {
    const BranchState* main = reached.live.find_branch(reached.live.default_branch);
    if (main == nullptr) return reached.connection.superuser;
    for (const DatabaseState& candidate : main->databases) {
        if (candidate.name == database) return candidate.owner;
    }
    return reached.connection.superuser;
}

// An address to connect to for one to listen on.
std::string host_of(const std::vector<std::string>& listen_addresses) {
    if (listen_addresses.empty()) return "127.0.0.1";
    const std::string& address = listen_addresses.front();
    if (address == "*" || address == "0.0.0.0") return "127.0.0.1";
    if (address == "::") return "[::1]";
    return address.find(':') == std::string::npos ? address : cat("[", address, "]");
}

Json url_document(const std::string& url, const std::string& role, const std::string& database,
                  const Reached& reached) {
    Json json = Json::object();
    json.set("url", url);
    json.set("role", role);
    json.set("database", database);
    json.set("branch", reached.branch);
    json.set("port", static_cast<int64_t>(reached.connection.port));
    json.set("socket_directory", reached.connection.socket_directory);
    return json;
}

Result<ExitCode> act_on_compute(const Arguments& arguments, Output& output,
                                Status (Client::*act)(const std::string&, const std::string&) const,
                                std::string_view done) {
    Session session(arguments, output);
    ProjectState live = LB_TRY(session.live_branches(session.asked_branches()));
    std::string branch = LB_TRY(session.branch_of(live, arguments.text("branch")));
    Client client = LB_TRY(session.client());
    LB_TRY((client.*act)(live.name, branch));
    ProjectState after = LB_TRY(session.live_branches({branch}));
    if (output.is_json()) {
        Json json = Json::object();
        const BranchState* state = after.find_branch(branch);
        json.set("branch", branch);
        if (state != nullptr) json.set("status", to_text(state->compute.status));
        output.document(json);
    } else {
        output.notice(cat(done, " the compute of ", branch));
    }
    return ExitCode::kOk;
}

Result<size_t> line_count(const Arguments& arguments) {
    std::string text = arguments.text("lines", "50");
    size_t count = 0;
    auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (failure == std::errc{} && end == text.data() + text.size()) return count;
    return Error{.code = ErrorCode::kUsage,
                 .message = cat("--lines cannot be ", quoted(text)),
                 .help = "write a number of lines, e.g. -n 100"};
}

Result<std::string> log_file(Session& session) {
    if (session.arguments().has("daemon")) return LB_TRY(session.home()).daemon_log_path();
    ProjectState live = LB_TRY(session.live_branches(session.asked_branches()));
    std::string branch = LB_TRY(session.branch_of(live, session.arguments().text("branch")));
    return LB_TRY(session.client()).log_path(live.name, branch);
}

}  // namespace

Result<ExitCode> run_psql(const Arguments& arguments, Output& output) {
    Session session(arguments, output);
    Reached reached = LB_TRY(reach(session, engine::Observe::kNo));
    const engine::Connection& connection = reached.connection;
    std::vector<std::string> words = {
        connection.program_directory + "/psql", "--host=" + connection.socket_directory,
        cat("--port=", connection.port),
        "--username=" + arguments.text("role", connection.superuser),
        "--dbname=" + arguments.text("database", connection.default_database)};
    words.insert(words.end(), arguments.rest().begin(), arguments.rest().end());
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    LB_TRY(output.finish());
    execv(pointers[0], pointers.data());
    Error error = system_error(ErrorCode::kPostgresMissing, cat("cannot run ", words[0]), errno);
    error.help = "apt-get install postgresql-client-15";
    return error;
}

Result<ExitCode> run_url(const Arguments& arguments, Output& output) {
    Session session(arguments, output);
    const bool is_socket = arguments.has("socket");
    // Only the owner's name has to be observed.
    const bool needs_owner = !is_socket && !arguments.has("role");
    Reached reached =
        LB_TRY(reach(session, needs_owner ? engine::Observe::kYes : engine::Observe::kNo));
    const engine::Connection& connection = reached.connection;
    std::string database = arguments.text("database", connection.default_database);
    std::string role =
        arguments.text("role", is_socket ? connection.superuser : owner_of(reached, database));
    std::string url;
    if (is_socket) {
        url = cat("postgresql://", percent_encode(role), "@/", percent_encode(database),
                  "?host=", percent_encode(connection.socket_directory), "&port=", connection.port);
    } else {
        url = cat("postgresql://", percent_encode(role), "@", host_of(connection.listen_addresses),
                  ":", connection.port, "/", percent_encode(database));
    }
    if (output.is_json()) {
        output.document(url_document(url, role, database, reached));
    } else {
        output.text(url + "\n");
    }
    return ExitCode::kOk;
}

Result<ExitCode> run_compute_start(const Arguments& arguments, Output& output) {
    Session session(arguments, output);
    Reached reached = LB_TRY(reach(session, engine::Observe::kNo));
    if (output.is_json()) {
        output.document(to_json(reached.connection));
    } else {
        output.notice(
            cat("the compute of ", reached.branch, " runs on port ", reached.connection.port));
    }
    return ExitCode::kOk;
}

Result<ExitCode> run_compute_stop(const Arguments& arguments, Output& output) {
    return act_on_compute(arguments, output, &Client::stop_compute, "stopped");
}

Result<ExitCode> run_compute_restart(const Arguments& arguments, Output& output) {
    return act_on_compute(arguments, output, &Client::restart_compute, "restarted");
}

Result<ExitCode> run_logs(const Arguments& arguments, Output& output) {
    Session session(arguments, output);
    size_t count = LB_TRY(line_count(arguments));
    std::string path = LB_TRY(log_file(session));
    FileTail tail = LB_TRY(last_lines(path, count));
    output.text(tail.text);
    if (!arguments.has("follow")) return ExitCode::kOk;
    InterruptGuard guard;
    LB_TRY(follow_file(
        path, tail.end_offset,
        [&](std::string_view text) {
            output.text(text);
            return output.finish();
        },
        [] { return InterruptGuard::count() > 0; }));
    return ExitCode::kOk;
}

}  // namespace lb::cli
