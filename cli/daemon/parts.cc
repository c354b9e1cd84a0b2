#include "cli/daemon/parts.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "base/clock.h"
#include "base/text.h"
#include "cli/version.h"
#include "engine/compute.h"

namespace lb::cli {
namespace {

using std::chrono::steady_clock;

std::chrono::milliseconds since(int64_t steady_ns) {
    auto now = steady_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(
        now - std::chrono::nanoseconds(steady_ns));
}

}  // namespace

void log_line(std::string_view text) {
    std::string line = cat(format_time(system_clock().now()), " ", text, "\n");
    std::fwrite(line.data(), 1, line.size(), stderr);
}

Status DaemonParts::open(const std::optional<Result<HandoverState>>& state) {
    user_ = LB_TRY(find_compute_user(options_.postgres_user));
    if (!state) return open_anew();
    Status taken = state->is_ok() ? take_over(**state) : Status(state->error());
    if (taken.is_ok()) return taken;
    log_line(cat("cannot take over, so computes start again: ", to_text(taken.error())));
    outcome_.failure = taken.error().message;
    outcome_.count = std::max(outcome_.count, 1u);
    if (state->is_ok()) give_up(**state);
    return open_anew();
}

Status DaemonParts::open_anew() {
    const Home& home = options_.home;
    LB_TRY(prepare_home(home, user_));
    if (!parts_.lock) parts_.lock.emplace(LB_TRY(HomeLock::take(home)));
    // Servers that outlived a killed daemon hang on its dead mount.
    if (size_t count = engine::kill_processes_in(home.mount_directory()); count > 0) {
        log_line(cat("ended ", count, " processes that an earlier daemon left"));
    }
    LB_TRY(open_store({}));
    parts_.transport = LB_TRY(store::FuseTransport::mount(*parts_.store, fuse_options()));
    parts_.engine = LB_TRY(engine::Engine::open(engine_options()));
    return start_server({});
}

Status DaemonParts::take_over(const HandoverState& state) {
    parts_.lock.emplace(HomeLock::adopt(state.lock));
    outcome_.count = state.count;
    LB_TRY(open_store(state.mount.open_inodes));
    parts_.transport = LB_TRY(
        store::FuseTransport::adopt(*parts_.store, fuse_options(), state.connection, state.mount));
    outcome_.held = since(state.paused_at_ns);
    engine::EngineOptions options = engine_options();
    options.handed_computes = state.computes;
    parts_.engine = LB_TRY(engine::Engine::open(std::move(options)));
    log_line(cat("took over ", state.computes.size(), " computes; requests waited ",
                 outcome_.held.count(), " ms"));
    return start_server(state.listener);
}

// Leaves nothing of what was handed over but the lock.
void DaemonParts::give_up(const HandoverState& state) {
    if (parts_.transport == nullptr) ::close(state.connection);
    if (parts_.server == nullptr) ::close(state.listener);
    static_cast<void>(close().is_ok());  // its errors are in the log
    engine::kill_processes_in(options_.home.mount_directory());
    for (const engine::HandedCompute& compute : state.computes) {
        if (compute.pid != 0) waitpid(compute.pid, nullptr, 0);
    }
}

Status DaemonParts::open_store(const std::vector<store::OpenInode>& open_inodes) {
    parts_.damage_log = std::make_unique<DamageLog>(log_line);
    DamageLog* damage_log = parts_.damage_log.get();
    parts_.store = LB_TRY(store::Store::open(
        {.directory = options_.home.store_directory(),
         .open_inodes = open_inodes,
         .on_damage = [damage_log](const store::DamageMet& met) { damage_log->met(met); }}));
    damage_log->start(*parts_.store);
    start_scrubber();
    return ok();
}

void DaemonParts::start_scrubber() {
    if (options_.scrub_bytes_per_second == 0) return;
    DamageLog* damage_log = parts_.damage_log.get();
    parts_.scrubber = store::Scrubber::start(
        *parts_.store,
        {.directory = options_.home.store_directory(),
         .bytes_per_second = options_.scrub_bytes_per_second,
         .on_problem = [damage_log](const store::Problem& p) { damage_log->found(p); }});
}

store::FuseOptions DaemonParts::fuse_options() const {
    return {.mount_directory = options_.home.mount_directory(),
            .uid = user_.user_id,
            .gid = user_.group_id};
}

engine::EngineOptions DaemonParts::engine_options() const {
    return {.store = parts_.store.get(),
            .mount_directory = options_.home.mount_directory(),
            .run_directory = options_.home.computes_directory(),
            .log_directory = options_.home.log_directory(),
            .postgres_user = user_.name,
            .postgres_bin_directory = options_.postgres_bin_directory};
}

Status DaemonParts::start_server(std::optional<int> listener) {
    parts_.api = std::make_unique<Api>(ApiParts{
        .engine = parts_.engine.get(),
        .store = parts_.store.get(),
        .transport = parts_.transport.get(),
        .scrubber = parts_.scrubber.get(),
        .check_directory = options_.home.check_directory(),
        .request_stop = hooks_.request_stop,
        .ask_for_handover =
            [desk = hooks_.desk](std::string program) { return desk->ask(std::move(program)); },
        .handover = outcome_,
        .log_line = log_line});
    Api* api = parts_.api.get();
    parts_.server = LB_TRY(
        HttpServer::start({.socket_path = options_.home.socket_path(),
                           .body_max_bytes = kRequestMaxBytes,
                           .listener = listener},
                          [api](const HttpRequest& request) { return api->handle(request); }));
    return ok();
}

Status DaemonParts::close() {
    Status first = ok();
    auto note = [&first](Status status) {
        if (status.is_ok()) return;
        log_line(cat("while stopping: ", to_text(status.error())));
        if (first.is_ok()) first = std::move(status);
    };
    if (parts_.api != nullptr) parts_.api->stop();
    if (parts_.server != nullptr) parts_.server->stop();
    parts_.server.reset();
    parts_.api.reset();
    // Servers that wait for a paused mount would not end.
    if (is_lost_ && parts_.transport != nullptr) note(parts_.transport->unmount());
    if (parts_.engine != nullptr) note(parts_.engine->close());
    parts_.engine.reset();
    if (parts_.transport != nullptr) note(parts_.transport->unmount());
    parts_.transport.reset();
    parts_.scrubber.reset();
    if (parts_.damage_log != nullptr) parts_.damage_log->stop();
    if (parts_.store != nullptr) note(parts_.store->close());
    parts_.store.reset();
    return first;
}

}  // namespace lb::cli
