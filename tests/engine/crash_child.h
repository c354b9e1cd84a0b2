// Runs a piece of a test in a process of its own that is killed on the way.
//
// The child is this test program again (a fork of a process with threads would not do), with the
// scenario's name, its home and the step at which to die in the environment.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <map>
#include <string>

#include "engine/engine.h"

namespace lb::engine {

// A scenario gets the home's directory and a sink that counts events and kills the process at the
// wanted one.
using CrashScenario = std::function<void(const std::string& directory, const ProgressSink& sink)>;

// Scenarios by name; filled by static objects of the test files.
std::map<std::string, CrashScenario>& crash_scenarios();

struct RegisterCrashScenario {
    RegisterCrashScenario(const std::string& name, CrashScenario scenario) {
        crash_scenarios()[name] = std::move(scenario);
    }
};

enum class ChildEnd { kKilled, kCompleted, kFailed };

// Dies with SIGKILL at its `step`th event (from 1), or runs to its end.
ChildEnd run_until_step(const std::string& scenario, const std::string& directory, int step);
// Is killed from outside after `delay`.
ChildEnd run_until_killed(const std::string& scenario, const std::string& directory,
                          std::chrono::milliseconds delay);
// Is killed from outside as soon as `has_come` says so.
ChildEnd run_until(const std::string& scenario, const std::string& directory,
                   const std::function<bool()>& has_come);

}  // namespace lb::engine
