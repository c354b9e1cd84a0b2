// lb fsck: by the daemon while it serves, else by this process with the home's lock.
#include <sys/stat.h>

#include <cerrno>

#include "base/text.h"
#include "cli/check_document.h"
#include "cli/commands/commands.h"
#include "cli/daemon/start.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "cli/terminal.h"

namespace lb::cli {
namespace {

// A copy of a store need not have the rest of a home.
Result<HomeLock> lock_home(const Home& home) {
    struct stat attributes {};
    if (stat(home.store_directory().c_str(), &attributes) != 0) {
        return Error{.code = ErrorCode::kStoreNotFound,
                     .message = cat("there is no store in ", lb::quoted(home.directory)),
                     .help = "name the home that has one with --home"};
    }
    if (mkdir(home.run_directory().c_str(), 0700) != 0 && errno != EEXIST) {
        return system_error(ErrorCode::kHomeUnusable,
                            cat("cannot create ", lb::quoted(home.run_directory())), errno);
    }
    return HomeLock::take(home);
}

Result<Json> check_offline(const Home& home, bool is_rebuild, ProgressDisplay& display) {
    HomeLock lock = LB_TRY(lock_home(home));
    InterruptGuard guard;
    store::CheckOptions options{.directory = home.store_directory(),
                                .disk = nullptr,
                                .scratch_directory = home.check_directory()};
    store::CheckSink sink{.progress =
                              [&](const store::CheckProgress& progress) {
                                  std::string what = cat("reading ", progress.step);
                                  display.show_bytes(what, progress.done_bytes,
                                                     progress.total_bytes);
                              },
                          .is_cancelled = [] { return InterruptGuard::count() > 0; }};
    return check_document(LB_TRY(is_rebuild ? store::rebuild_index(options, sink)
                                            : store::check_store(options, sink)));
}

Result<Json> check_online(const Home& home, ProgressDisplay& display) {
    InterruptGuard guard;
    return Client(home.socket_path())
        .check(
            [&](std::string_view step, uint64_t done_bytes, uint64_t total_bytes) {
                display.show_bytes(cat("reading ", step), done_bytes, total_bytes);
            },
            [] { return InterruptGuard::count() > 0; });
}

Status print(const Json& document, Output& output) {
    if (output.is_json()) {
        output.document(document);
        return ok();
    }
    for (const Json& problem : *LB_TRY(document.array_at("problems"))) {
        output.text(problem_line(problem) + "\n");
    }
    output.text(check_summary(document) + "\n");
    return ok();
}

}  // namespace

Result<ExitCode> run_fsck(const Arguments& arguments, Output& output) {
    Session session(arguments, output);
    Home home = LB_TRY(session.home());
    const bool is_rebuild = arguments.has("rebuild-index");
    const bool is_online = is_daemon_listening(home);
    if (is_online && is_rebuild) {
        return Error{.code = ErrorCode::kHomeInUse,
                     .message = "the index cannot be made anew while the daemon uses it",
                     .help = "lb stop, then lb fsck --rebuild-index"};
    }
    ProgressDisplay display(output);
    Json document =
        LB_TRY(is_online ? check_online(home, display) : check_offline(home, is_rebuild, display));
    display.clear();
    LB_TRY(print(document, output));
    return LB_TRY(is_clean(document)) ? ExitCode::kOk : ExitCode::kStoreDamaged;
}

}  // namespace lb::cli
