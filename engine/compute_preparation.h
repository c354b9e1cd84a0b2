// What has to be right before a server is started: who runs it, its data directory, its run
// directory with the generated files, its socket and its ports. Thread-safe.
#pragma once

#include <optional>
#include <string>

#include "engine/compute.h"
#include "engine/process_spawn.h"

namespace lb::engine {

// The user to switch to; nullopt: the server runs as our own user.
// Errors: kComputeStartFailed when that is root, when there is no such user, or when only root
// could switch.
Result<std::optional<OsUser>> server_user(const std::string& postgres_user);

// Everything above, in an order in which the first error is the most telling one; ends processes
// and removes files that an earlier server left. Returns the shared memory segment that it left, -1
// for none (engine/postgres_leftovers.h). Errors: kComputeStartFailed, kPortInUse, kIo.
Result<int> prepare_start(const ComputeOptions& options, const std::optional<OsUser>& user);

// The arguments of the postmaster.
std::vector<std::string> server_arguments(const ComputeOptions& options);

}  // namespace lb::engine
