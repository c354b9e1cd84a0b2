// Computes by branch: which server belongs to a branch, its port, and starting it.
// Thread-safe.
#pragma once

#include <string>

#include "engine/project_context.h"

namespace lb::engine {

// How often another port is chosen when the chosen one is taken: other homes of the machine choose
// among the same ports.
inline constexpr int kPortAttempts = 10;

// The port that a compute with these settings listens on; 0: none chosen yet.
uint16_t active_port(const BranchRecord& branch);

// Starts the branch's server unless it runs. Chooses the port at the first start and keeps it in
// the catalog. Errors: kNotFound, those of ComputePool::start().
Result<SqlTarget> start_branch(Context& context, const std::string& project,
                               const std::string& branch);

// What to start for `branch`, which need not be in the catalog yet. Prepared transactions of
// applies whose commit frame exists are committed, and those of `assumed_committed`, others are
// rolled back.
ComputeRequest compute_request(Context& context, const ProjectRecord& project,
                               const BranchRecord& branch, const std::string& assumed_committed);

// Chooses a port for `branch` and reserves it; the caller puts it into the catalog or gives it
// back. Errors: kPortInUse.
Result<uint16_t> reserve_port(Context& context, const BranchRecord& branch);
void give_back_port(Context& context, uint16_t port);

}  // namespace lb::engine
