// Starting and stopping a home's daemon from a client.
//
// A background daemon gets a pipe and writes one line into it when it knows how its start went:
// {"ready":true} or an error document. So its error is shown by the command that needed it.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "cli/home.h"

namespace lb::cli {

// How a background daemon is to find PostgreSQL.
struct PostgresChoice {
    std::string user = {};
    std::string bin_directory = {};
};

// The line that a starting daemon writes for its client.
std::string ready_line(const Status& start);

// Returns when the home's daemon answers; starts one if there is none. `notice` gets a line for
// people when that takes long. Errors: the daemon's own start error, kDaemonStartFailed with the
// last lines of its log, kHomeUnusable, kDaemonUnreachable.
Status ensure_daemon(const Home& home, const PostgresChoice& postgres,
                     const std::function<void(std::string_view)>& notice);

// True if something listens on the home's socket.
bool is_daemon_listening(const Home& home);

// Waits until no daemon holds the home. Errors: kDaemonUnreachable after `patience_s`.
Status wait_until_stopped(const Home& home, int patience_s);

}  // namespace lb::cli
