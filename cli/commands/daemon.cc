// lb serve, lb stop.
#include <sys/types.h>

#include <charconv>
#include <cstdlib>

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
                     .message = cat("the scrubber's rate cannot be ", quoted(text)),
                     .help = "write whole MB per second: --scrub-rate 4; 0 switches it off"};
    }
    return rate << 20;
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
    if (arguments.has("ready-fd")) {
        std::string text = arguments.text("ready-fd");
        int descriptor = -1;
        std::from_chars(text.data(), text.data() + text.size(), descriptor);
        if (descriptor < 0) {
            return Error{.code = ErrorCode::kUsage,
                         .message = cat("--ready-fd cannot be ", quoted(text)),
                         .help = "write the number of an open descriptor"};
        }
        options.ready_descriptor = descriptor;
    }
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

}  // namespace lb::cli
