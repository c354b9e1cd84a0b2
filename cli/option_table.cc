#include "cli/option_table.h"

#include <cctype>

#include "base/text.h"
#include "cli/option_table_commands.h"

namespace lb::cli {

OptionInfo branch_option() {
    return {.name = "--branch",
            .value = "BRANCH",
            .help = "the branch; without it, the project's default branch",
            .letter = "-b",
            .completes = Completes::kBranch};
}

OptionInfo branch_argument(bool is_required) {
    return {.name = "BRANCH",
            .help = is_required ? "the branch" : "the branch; without it, the default branch",
            .completes = Completes::kBranch,
            .is_required = is_required};
}

OptionInfo database_option() {
    return {.name = "--database",
            .value = "DATABASE",
            .help = "the database; without it, the project's first one",
            .letter = "-d"};
}

OptionInfo allow_destroy_option() {
    return {.name = "--allow-destroy",
            .value = "ADDRESS",
            .help = "allow this deletion of data, e.g. branch.old; may be repeated",
            .completes = Completes::kAddress,
            .is_repeatable = true};
}

OptionInfo lock_timeout_option() {
    return {.name = "--lock-timeout",
            .value = "TIME",
            .help = "how long to wait for another apply that is under way; 10s"};
}

OptionInfo rehearse_option() {
    return {.name = "--rehearse", .help = "rehearse the plan's SQL in any case"};
}

OptionInfo no_rehearse_option() {
    return {.name = "--no-rehearse",
            .help = "do not rehearse, though the plan changes what is in a protected branch"};
}

const std::vector<CommandInfo>& command_table() {
    static const std::vector<CommandInfo> table = [] {
        std::vector<CommandInfo> all;
        for (auto* commands :
             {spec_commands, branch_commands, data_commands, store_commands, service_commands}) {
            for (CommandInfo& command : commands()) all.push_back(std::move(command));
        }
        return all;
    }();
    return table;
}

const std::vector<GroupInfo>& group_table() {
    static const std::vector<GroupInfo> table = {
        {"branch", "List, show, create and delete branches"},
        {"compute", "Start and stop the PostgreSQL servers of branches"},
        {"debug", "Look into the store's files"},
    };
    return table;
}

const std::vector<OptionInfo>& global_options() {
    static const std::vector<OptionInfo> options = {
        {.name = "--home",
         .value = "DIRECTORY",
         .help = "where lb keeps everything; LB_HOME, else ~/.local/share/lb, for root /var/lib/lb",
         .completes = Completes::kDirectory},
        {.name = "--spec",
         .value = "FILE",
         .help = "the spec; without it, lb.toml here or in a directory above",
         .letter = "-s",
         .completes = Completes::kFile},
        {.name = "--project",
         .value = "PROJECT",
         .help = "the project; without it, the spec's, or the only one there is",
         .completes = Completes::kProject},
        {.name = "--var",
         .value = "NAME=VALUE",
         .help = "a value for a variable of the spec; may be repeated",
         .is_repeatable = true},
        {.name = "--json", .help = "print JSON, errors included"},
        {.name = "--no-color", .help = "no colours; NO_COLOR does the same"},
        {.name = "--quiet", .help = "no progress and no notices", .letter = "-q"},
        {.name = "--help", .help = "help for the command", .letter = "-h"},
    };
    return options;
}

const CommandInfo* find_command(std::string_view name) {
    for (const CommandInfo& command : command_table()) {
        if (command.name == name) return &command;
    }
    return nullptr;
}

std::string option_key(const OptionInfo& option) {
    std::string_view name = option.name;
    while (!name.empty() && name.front() == '-') name.remove_prefix(1);
    std::string key(name);
    for (char& c : key) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return key;
}

std::string usage_line(const CommandInfo& command) {
    std::string line = cat("lb ", command.name);
    for (const OptionInfo& option : command.positionals) {
        line += option.is_required ? cat(" ", option.name) : cat(" [", option.name, "]");
        if (option.is_repeatable) line += "...";
    }
    line += " [options]";
    if (!command.rest.empty()) line += " [-- ARGUMENTS]";
    return line;
}

}  // namespace lb::cli
