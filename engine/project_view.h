// The catalog, the store and the computes put together into the values that others see.
#pragma once

#include <string>

#include "engine/engine.h"
#include "engine/project_context.h"

namespace lb::engine {

// Errors: those of observe_branch() if `observe` asks for it.
Result<ProjectState> view_project(Context& context, const std::string& project, Observe observe);

// Of the branches only those that `branches` name, their parents and some children, and the
// default.
Result<ProjectState> view_project_around(Context& context, const std::string& project,
                                         const std::vector<std::string>& branches);

Result<BranchUsage> branch_usage(Context& context, const std::string& project,
                                 const std::string& branch,
                                 std::optional<std::chrono::seconds> window);

// Starts the branch's compute and tells how to reach it.
Result<Connection> connect_branch(Context& context, const std::string& project,
                                  const std::string& branch);

}  // namespace lb::engine
