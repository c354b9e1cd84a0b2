#include "cli/version.h"

namespace lb::cli {

std::string_view version() { return LB_VERSION; }

}  // namespace lb::cli
