// run: one invocation of lb, from its words to its exit code.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"

namespace lb::cli {

// `words` without the program's name.
ExitCode run(const std::vector<std::string>& words);

}  // namespace lb::cli
