// lb serve, lb stop, lb restart.
#include <sys/types.h>

#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/daemon/daemon.h"
#include "cli/daemon/start.h"
#include "cli/session.h"

namespace lb::cli {
namespace {

// Fast shutdown of many computes may take this long; after it the user should look.
constexpr int kStopPatienceSeconds = 300;

// --scrub-rate, else LB_SCRUB_RATE, in MB per second.
Result<uint64_t> scrub_rate(const Arguments& arguments) {
    const char* of_environment = std::getenv("LB_SCRUB_RATE");
    std::string text =
        arguments.text("scrub-rate", of_environment != nullptr ? of_environment : "");
    if (text.empty()) return DaemonOptions{}.scrub_bytes_per_second;
    constexpr uint64_t kMost = 1'000'000;
    uint64_t rate = 0;
    auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), rate);
    if (failure != std::errc{} || end != text.data() + text.size() || rate > kMost) {
        return Error{.code = ErrorCode::kUsage,
                     .message = cat("the scrubber's rate cannot be ", lb::quoted(text)),
                     .help = "write whole MB per second: --scrub-rate 4; 0 switches it off"};
    }
    return rate << 20;
}

Result<std::optional<int>> descriptor_of(const Arguments& arguments, std::string_view option) {
    if (!arguments.has(option)) return std::optional<int>{};
    std::string text = arguments.text(option);
    int descriptor = -1;
    std::from_chars(text.data(), text.data() + text.size(), descriptor);
    if (descriptor >= 0) return std::optional(descriptor);
    return Error{.code = ErrorCode::kUsage,
                 .message = cat("--", option, " cannot be ", lb::quoted(text)),
                 .help = "write the number of an open descriptor"};
}

// This program, whatever name it was called by.
Result<std::string> own_path() {
    std::error_code failure;
    std::string path = std::filesystem::read_symlink("/proc/self/exe", failure).native();
    if (!failure) return path;
    return system_error(ErrorCode::kHandoverRefused, "cannot tell where this program is",
                        failure.value());
}

// What the daemon that comes after the hand-over says of itself. It takes requests as soon as it is
// ready; until then they wait at the socket. If it has ended, another one is started.
Result<Json> successor(Session& session, uint64_t count_before) {
    Json now = LB_TRY(LB_TRY(session.client()).version());
    uint64_t count = LB_TRY(now.unsigned_at("handover_count"));
    std::string failure = count > 0 ? LB_TRY(now.text_at("handover_failure")) : std::string();
    if (count == count_before + 1 && failure.empty()) return now;
    return Error{.code = ErrorCode::kHandoverRefused,
                 .message = failure.empty() ? "the daemon ended during the hand-over"
                                            : cat("the new daemon could not take over: ", failure),
                 .help = "computes were ended and recover by themselves: lb status"};
}

}  // namespace

Result<ExitCode> run_serve(const Arguments& arguments, Output& output) {
    Session session(arguments, output);
    PostgresChoice choice = postgres_choice_of_environment();
    DaemonOptions options{
        .home = LB_TRY(session.home()),
        .postgres_user = arguments.text("postgres-user", choice.user),
        .postgres_bin_directory = arguments.text("postgres-bin", choice.bin_directory)};
    options.scrub_bytes_per_second = LB_TRY(scrub_rate(arguments));
    options.ready_descriptor = LB_TRY(descriptor_of(arguments, "ready-fd"));
    options.handover_descriptor = LB_TRY(descriptor_of(arguments, "handover-fd"));
    LB_TRY(run_daemon(options));  // in the background its log gets the error too
    return ExitCode::kOk;
}

Result<ExitCode> run_stop(const Arguments& arguments, Output& output) {
    Session session(arguments, output);
    Home home = LB_TRY(session.home());
    const bool is_running = home_holder(home).has_value();
    if (is_running) {
        // One that is starting or already stopping does not listen; it only has to be waited for.
        if (is_daemon_listening(home)) LB_TRY(Client(home.socket_path()).stop_daemon());
        LB_TRY(wait_until_stopped(home, kStopPatienceSeconds));
    }
    if (output.is_json()) {
        Json json = Json::object();
        json.set("stopped", is_running);
        output.document(json);
    } else {
        output.notice(is_running ? "stopped" : "no daemon was running");
    }
    return ExitCode::kOk;
}

Result<ExitCode> run_restart(const Arguments& arguments, Output& output) {
    Session session(arguments, output);
    Home home = LB_TRY(session.home());
    if (!is_daemon_listening(home)) {
        LB_TRY(session.client());
        Json json = Json::object();
        json.set("handed_over", false);
        if (output.is_json()) output.document(json);
        if (!output.is_json()) output.notice("no daemon was running; started one");
        return ExitCode::kOk;
    }
    Client client(home.socket_path());
    Json before = LB_TRY(client.version());
    // A daemon from before there were hand-overs does not count them, and refuses.
    Result<uint64_t> count = before.unsigned_at("handover_count");
    LB_TRY(client.hand_over(LB_TRY(own_path())));
    Json after = LB_TRY(successor(session, count ? *count : 0));
    if (output.is_json()) {
        Json json = Json::object();
        json.set("handed_over", true);
        json.set("version", LB_TRY(after.text_at("version")));
        json.set("process_id", LB_TRY(after.unsigned_at("process_id")));
        json.set("held_ms", LB_TRY(after.unsigned_at("handover_held_ms")));
        output.document(json);
    } else {
        output.notice(cat("lb ", LB_TRY(after.text_at("version")), " took over (process ",
                          LB_TRY(after.unsigned_at("process_id")), "); requests waited ",
                          LB_TRY(after.unsigned_at("handover_held_ms")), " ms"));
    }
    return ExitCode::kOk;
}

}  // namespace lb::cli
