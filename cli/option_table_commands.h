// The entries of the option table, by subject, each in the order in which help lists them. Private
// to option_table*.cc.
#pragma once

#include <vector>

#include "cli/option_table.h"

namespace lb::cli {

std::vector<CommandInfo> spec_commands();     // what works with a spec
std::vector<CommandInfo> branch_commands();   // branches and their computes
std::vector<CommandInfo> data_commands();     // getting at the data
std::vector<CommandInfo> store_commands();    // looking at the store and what it does
std::vector<CommandInfo> service_commands();  // the daemon, lb itself

// Options that several commands have.
OptionInfo branch_option();
OptionInfo branch_argument(bool is_required);
OptionInfo database_option();
OptionInfo allow_destroy_option();
OptionInfo lock_timeout_option();
OptionInfo rehearse_option();
OptionInfo no_rehearse_option();

}  // namespace lb::cli
