// Texts made from the option table: help, the manual page, shell completions.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "cli/option_table.h"

namespace lb::cli {

// `lb --help`; of one group only if `group` is not empty.
std::string overview_help(std::string_view group);
std::string command_help(const CommandInfo& command);
// roff, man(7).
std::string manual_page();
// `shell`: bash, zsh or fish. Errors: kUsage.
Result<std::string> completion_script(std::string_view shell);

}  // namespace lb::cli
