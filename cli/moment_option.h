// A moment on the command line: as in a spec, and also how long ago: "-15m".
#pragma once

#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace lb::cli {

// The canonical text. Errors: kUsage, naming the option.
Result<std::string> moment_option(std::string_view option, const std::string& text, Clock& clock);

}  // namespace lb::cli
