// Daemon: the process that owns a home. It opens the store, mounts it, opens the engine, listens on
// the socket, and takes it all down again in the opposite order.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "cli/home.h"

namespace lb::cli {

struct DaemonOptions {
    Home home;
    std::string postgres_user = {};                       // see find_compute_user()
    std::string postgres_bin_directory = {};              // see engine::EngineOptions
    uint64_t scrub_bytes_per_second = uint64_t{4} << 20;  // 0: no scrubbing
    // Pipe to the client that started us; gets one line, see daemon/start.h.
    std::optional<int> ready_descriptor = {};
};

// Runs until SIGTERM, SIGINT or a stop request; returns after everything is closed. Writes its log
// to stderr. Errors: those of the parts, before the daemon is ready and when it closes them.
Status run_daemon(const DaemonOptions& options);

}  // namespace lb::cli
