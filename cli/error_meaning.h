// What an error code means, for `lb explain`; docs/exit-codes.md says the same (a test compares).
#pragma once

#include <string_view>

#include "base/error.h"

namespace lb::cli {

std::string_view meaning_of(ErrorCode code);

}  // namespace lb::cli
