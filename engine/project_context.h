// What the engine's parts share: the store, the catalog with its mutex, the computes, and the locks
// that order applies.
//
// Locks, in the order in which they are taken:
//   apply_mutex     one apply at a time in a home
//   finish_mutex    held alone from the commit frame until its prepared transactions are committed,
//                   shared by state(): so nobody sees a catalog and roles of different generations
//   catalog_mutex   the catalog and the ports; never held while waiting for a server
#pragma once

#include <mutex>
#include <shared_mutex>
#include <vector>

#include "engine/catalog.h"
#include "engine/compute_pool.h"
#include "engine/engine.h"
#include "store/store.h"

namespace lb::engine {

struct Context {
    Context(EngineOptions engine_options, Catalog loaded)
        : options(std::move(engine_options)),
          catalog(std::move(loaded)),
          pool({.mount_directory = options.mount_directory,
                .run_directory = options.run_directory,
                .log_directory = options.log_directory,
                .postgres_user = options.postgres_user,
                .postgres_bin_directory = options.postgres_bin_directory}) {}

    store::Store& store() const { return *options.store; }
    WallTime now() const { return options.clock->now(); }
    void line_is_gone(LineId line) const {
        if (options.on_line_removed) options.on_line_removed(line);
    }

    const EngineOptions options;
    std::timed_mutex apply_mutex;
    std::shared_mutex finish_mutex;

    std::mutex catalog_mutex;
    Catalog catalog;                        // guarded by catalog_mutex
    std::vector<uint16_t> reserved_ports;   // guarded; chosen by an apply that has not committed
    store::RestoreWindows restore_windows;  // guarded; what the store was told

    ComputePool pool;
};

}  // namespace lb::engine
