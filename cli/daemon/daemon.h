// Daemon: the process that owns a home. It opens the store, mounts it, opens the engine, listens on
// the socket, and takes it all down again in the opposite order.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/home.h"

namespace lb::cli {

struct DaemonOptions {
    Home home;
    std::string postgres_user = {};                       // see find_compute_user()
    std::string postgres_bin_directory = {};              // see engine::EngineOptions
    uint64_t scrub_bytes_per_second = uint64_t{4} << 20;  // 0: no scrubbing
    // What an earlier image of the process left (daemon/handover_state.h).
    std::optional<int> handover_descriptor = {};
    // Pipe to the client that started us; gets one line, see daemon/start.h.
    std::optional<int> ready_descriptor = {};
};

// Runs until SIGTERM, SIGINT or a stop request; returns after everything is closed. Writes its log
// to stderr. Errors: those of the parts, before the daemon is ready and when it closes them.
Status run_daemon(const DaemonOptions& options);

// The words after which an image of the daemon goes on with these options and what was handed over.
std::vector<std::string> serve_arguments(const DaemonOptions& options, int handover_descriptor);

}  // namespace lb::cli
