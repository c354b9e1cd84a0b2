// Command lines, understood. CLI11 is seen by options.cc alone.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/option_table.h"

namespace lb::cli {

// The values of one command line. Keys are option_key()s; asking for one that the command does not
// have is a bug.
class Arguments {
public:
    using Values = std::map<std::string, std::vector<std::string>, std::less<>>;

    // `values` has an entry for each key that the command has.
    Arguments(Values values, std::vector<std::string> rest)
        : values_(std::move(values)), rest_(std::move(rest)) {}

    bool has(std::string_view key) const { return !list(key).empty(); }
    // The value, or `fallback` if the option was not given.
    std::string text(std::string_view key, std::string_view fallback = {}) const;
    // All values of a repeatable option.
    const std::vector<std::string>& list(std::string_view key) const;
    // What follows "--".
    const std::vector<std::string>& rest() const { return rest_; }

private:
    Values values_;
    std::vector<std::string> rest_;
};

struct CommandLine {
    const CommandInfo* command = nullptr;  // nullptr: none was named
    std::string group = {};                // "branch" for "lb branch"
    bool wants_help = false;
    Arguments arguments;
};

// `words` without the program's name. Errors: kUsage with what was probably meant. With --help,
// required arguments may be absent.
Result<CommandLine> parse_command_line(const std::vector<std::string>& words);

}  // namespace lb::cli
