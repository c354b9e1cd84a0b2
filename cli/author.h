// Who asks, for the audit.
#pragma once

#include <string>

namespace lb::cli {

// "ada@workshop"
std::string author();

}  // namespace lb::cli
