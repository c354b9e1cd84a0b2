#include "cli/help.h"

#include <algorithm>

#include "base/text.h"

namespace lb::cli {
namespace {

constexpr size_t kTextColumns = 80;
constexpr size_t kSummaryColumn = 20;
constexpr size_t kOptionColumn = 30;

// Breaks text at spaces; lines after the first are indented.
std::string wrap(std::string_view text, size_t first_column, size_t indent) {
    std::string out;
    size_t column = first_column;
    for (const std::string& word : split(text, ' ')) {
        if (column > indent && column + 1 + word.size() > kTextColumns) {
            out += cat("\n", std::string(indent, ' '));
            column = indent;
        } else if (!out.empty()) {
            out += ' ';
            ++column;
        }
        out += word;
        column += word.size();
    }
    return out;
}

std::string row(const std::string& left, std::string_view right, size_t column) {
    std::string line = "  " + left;
    if (line.size() + 2 > column) {
        line += cat("\n", std::string(column, ' '));
    } else {
        line += std::string(column - line.size(), ' ');
    }
    return cat(line, wrap(right, column, column), "\n");
}

std::string option_rows(const std::vector<OptionInfo>& options) {
    std::string text;
    for (const OptionInfo& option : options) {
        std::string left =
            option.name[0] == '-'
                ? cat(option.letter.empty() ? "    " : cat(option.letter, ", "), option.name)
                : std::string(option.name);
        if (!option.value.empty()) left += cat(" ", option.value);
        text += row(left, option.help, kOptionColumn);
    }
    return text;
}

std::string command_rows(std::string_view group) {
    std::string text;
    for (const CommandInfo& command : command_table()) {
        size_t space = command.name.find(' ');
        std::string_view first = command.name.substr(0, space);
        bool is_in_group = space != std::string_view::npos;
        if (group.empty() ? is_in_group : first != group || !is_in_group) continue;
        text += row(std::string(command.name), command.summary, kSummaryColumn);
    }
    return text;
}

}  // namespace

std::string overview_help(std::string_view group) {
    if (!group.empty()) {
        return cat("Usage: lb ", group, " COMMAND [options]\n\nCommands:\n", command_rows(group),
                   "\nlb ", group, " COMMAND --help says more about a command.\n");
    }
    std::string text =
        "lb: Postgres projects with instant, copy-on-write branches, from one TOML file\n\n"
        "Usage: lb COMMAND [options]\n\nCommands:\n";
    text += command_rows("");
    for (const GroupInfo& other : group_table()) {
        text += row(std::string(other.name) + " ...", other.summary, kSummaryColumn);
    }
    return cat(text, "\nGlobal options:\n", option_rows(global_options()),
               "\nlb COMMAND --help says more about a command. To begin: lb init, lb apply.\n");
}

std::string command_help(const CommandInfo& command) {
    std::string text = cat(command.summary, "\n\nUsage: ", usage_line(command), "\n\n",
                           wrap(command.description, 0, 0), "\n");
    if (!command.positionals.empty()) {
        text += cat("\nArguments:\n", option_rows(command.positionals));
    }
    if (!command.options.empty()) text += cat("\nOptions:\n", option_rows(command.options));
    text += cat("\nGlobal options:\n", option_rows(global_options()));
    text += command.examples.size() == 1 ? "\nExample:\n" : "\nExamples:\n";
    for (const ExampleInfo& example : command.examples) {
        text += cat("  ", example.command, "\n");
        if (!example.says.empty()) text += cat("      ", example.says, "\n");
    }
    return text;
}

}  // namespace lb::cli
