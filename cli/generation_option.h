// Numbers of generations on the command line.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace lb::cli {

// `what` names the option or argument. Errors: kUsage for what is no number above 0.
Result<uint64_t> generation_number(std::string_view what, const std::string& text);

}  // namespace lb::cli
