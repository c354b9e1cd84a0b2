// The option table: every command, option and example of lb, as data. The parser (options.cc),
// --help, the man page and the shell completions are all made from it, so they cannot differ.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace lb::cli {

class Arguments;
class Output;
using CommandFunction = Result<ExitCode> (*)(const Arguments&, Output&);

// What a shell offers for a value.
enum class Completes : uint8_t {
    kNothing,
    kFile,
    kDirectory,
    kBranch,
    kProject,
    kAddress,
    kAddressOrFile,
    kShell,
};

// An option, or a positional argument (then `name` is in capitals and `value` is empty).
struct OptionInfo {
    std::string_view name;         // "--branch"; how commands ask for it: "branch"
    std::string_view value = {};   // "BRANCH"; empty: a flag
    std::string_view help;         // one line, no period
    std::string_view letter = {};  // "-b"
    Completes completes = Completes::kNothing;
    bool is_required = false;
    bool is_repeatable = false;
};

struct ExampleInfo {
    std::string_view command;
    std::string_view says;  // what it does
};

struct CommandInfo {
    std::string_view name;  // "branch create"
    std::string_view summary;
    std::string_view description;
    std::vector<OptionInfo> positionals;
    std::vector<OptionInfo> options;
    std::vector<ExampleInfo> examples;
    CommandFunction run;
    std::string_view rest = {};  // what "-- ARGS" are for; empty: not allowed
};

// A first word that has commands below it.
struct GroupInfo {
    std::string_view name;  // "branch"
    std::string_view summary;
};

const std::vector<CommandInfo>& command_table();
const std::vector<GroupInfo>& group_table();
const std::vector<OptionInfo>& global_options();

// nullptr if there is none.
const CommandInfo* find_command(std::string_view name);

// "--allow-destroy" -> "allow-destroy", "FILE" -> "file": the key in Arguments.
std::string option_key(const OptionInfo& option);

// "lb branch create NAME [options]"
std::string usage_line(const CommandInfo& command);

}  // namespace lb::cli
