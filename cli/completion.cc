// Completion scripts. They are static: words and options come from the table. Names and addresses
// are asked of a daemon that runs; none is started for that, nor a compute.
#include <algorithm>

#include "base/text.h"
#include "cli/help.h"

namespace lb::cli {
namespace {

// First words: commands without a group, and groups.
std::vector<std::string> first_words() {
    std::vector<std::string> words;
    for (const CommandInfo& command : command_table()) {
        if (command.name.find(' ') == std::string_view::npos) words.emplace_back(command.name);
    }
    for (const GroupInfo& group : group_table()) words.emplace_back(group.name);
    std::sort(words.begin(), words.end());
    return words;
}

std::vector<std::string> words_of_group(std::string_view group) {
    std::vector<std::string> words;
    for (const CommandInfo& command : command_table()) {
        if (command.name.substr(0, group.size() + 1) == cat(group, " ")) {
            words.emplace_back(command.name.substr(group.size() + 1));
        }
    }
    return words;
}

std::vector<OptionInfo> options_of(const CommandInfo& command) {
    std::vector<OptionInfo> options = command.options;
    options.insert(options.end(), global_options().begin(), global_options().end());
    return options;
}

std::vector<std::string> option_names(const CommandInfo& command) {
    std::vector<std::string> names;
    for (const OptionInfo& option : options_of(command)) names.emplace_back(option.name);
    return names;
}

// The bash command that fills COMPREPLY for a value.
std::string bash_action(Completes completes) {
    switch (completes) {
        case Completes::kFile: return "COMPREPLY=($(compgen -f -- \"$current\"))";
        case Completes::kDirectory: return "COMPREPLY=($(compgen -d -- \"$current\"))";
        case Completes::kBranch: return "_lb_names branches";
        case Completes::kProject: return "_lb_names projects";
        case Completes::kAddress: return "_lb_names addresses";
        case Completes::kAddressOrFile:
            return "_lb_names addresses; COMPREPLY+=($(compgen -f -- \"$current\"))";
        case Completes::kShell:
            return "COMPREPLY=($(compgen -W \"bash zsh fish\" -- \"$current\"))";
        case Completes::kNothing: return "COMPREPLY=()";
    }
    return {};
}

// "--home) COMPREPLY=(...); return ;;" for each option that takes a value, once.
std::string bash_value_cases() {
    std::vector<OptionInfo> options = global_options();
    for (const CommandInfo& command : command_table()) {
        options.insert(options.end(), command.options.begin(), command.options.end());
    }
    std::vector<std::string> lines;
    for (const OptionInfo& option : options) {
        if (option.value.empty()) continue;
        std::string pattern(option.name);
        if (!option.letter.empty()) pattern += cat("|", option.letter);
        lines.push_back(
            cat("        ", pattern, ") ", bash_action(option.completes), "; return ;;\n"));
    }
    std::sort(lines.begin(), lines.end());
    lines.erase(std::unique(lines.begin(), lines.end()), lines.end());
    return join(lines, "");
}

std::string bash_command_cases() {
    std::string text;
    for (const CommandInfo& command : command_table()) {
        std::string action = command.positionals.empty()
                                 ? std::string("COMPREPLY=()")
                                 : bash_action(command.positionals.front().completes);
        text += cat("        \"", command.name, "\") options=\"", join(option_names(command), " "),
                    "\"; [[ $current == -* ]] || { ", action, "; return; } ;;\n");
    }
    return text;
}

std::string bash_script() {
    std::string groups;
    std::vector<std::string> group_names;
    for (const GroupInfo& group : group_table()) {
        group_names.emplace_back(group.name);
        groups += cat("        ", group.name, ") COMPREPLY=($(compgen -W \"",
                      join(words_of_group(group.name), " "), "\" -- \"$current\")); return ;;\n");
    }
    return cat(
        "# bash completion for lb. Made by: lb completion bash\n"
        "_lb_names() {\n"
        "    COMPREPLY=($(compgen -W \"$(lb completion --names \"$1\" 2>/dev/null)\" -- "
        "\"$current\"))\n"
        "}\n"
        "_lb() {\n"
        "    local current=\"${COMP_WORDS[COMP_CWORD]}\" previous=\"${COMP_WORDS[COMP_CWORD-1]}\"\n"
        "    local command=\"\" word options=\"\"\n"
        "    case \"$previous\" in\n",
        bash_value_cases(),
        "    esac\n"
        "    for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
        "        [[ $word == -* ]] && continue\n"
        "        case \"$command\" in\n"
        "        \"\") command=\"$word\" ;;\n        ",
        join(group_names, "|"),
        ") command=\"$command $word\" ;;\n"
        "        esac\n"
        "    done\n"
        "    case \"$command\" in\n"
        "        \"\") COMPREPLY=($(compgen -W \"",
        join(first_words(), " "), "\" -- \"$current\")); return ;;\n", groups, bash_command_cases(),
        "    esac\n"
        "    COMPREPLY=($(compgen -W \"$options\" -- \"$current\"))\n"
        "}\n"
        "complete -F _lb lb\n");
}

// zsh runs bash's completion through its own emulation.
std::string zsh_script() {
    return cat(
        "#compdef lb\n"
        "# zsh completion for lb. Made by: lb completion zsh\n"
        "autoload -U +X bashcompinit && bashcompinit\n",
        bash_script());
}

std::string fish_quoted(std::string_view text) {
    std::string out = "'";
    for (char c : text) {
        if (c == '\'' || c == '\\') out += '\\';
        out += c;
    }
    return out + "'";
}

std::string fish_action(Completes completes) {
    switch (completes) {
        case Completes::kFile: return " -r -F";
        case Completes::kDirectory: return " -r -a '(__fish_complete_directories)'";
        case Completes::kBranch: return " -x -a '(lb completion --names branches 2>/dev/null)'";
        case Completes::kProject: return " -x -a '(lb completion --names projects 2>/dev/null)'";
        case Completes::kAddress: return " -x -a '(lb completion --names addresses 2>/dev/null)'";
        case Completes::kAddressOrFile:
            return " -r -F -a '(lb completion --names addresses 2>/dev/null)'";
        case Completes::kShell: return " -x -a 'bash zsh fish'";
        case Completes::kNothing: return " -x";
    }
    return {};
}

std::string fish_option(const std::string& condition, const OptionInfo& option) {
    std::string line = cat("complete -c lb", condition, " -l ", option_key(option));
    if (!option.letter.empty()) line += cat(" -s ", option.letter.substr(1));
    if (!option.value.empty()) line += fish_action(option.completes);
    return cat(line, " -d ", fish_quoted(option.help), "\n");
}

std::string fish_script() {
    std::string text =
        "# fish completion for lb. Made by: lb completion fish\n"
        "complete -c lb -f\n";
    for (const OptionInfo& option : global_options()) text += fish_option("", option);
    for (const GroupInfo& group : group_table()) {
        text += cat("complete -c lb -n __fish_use_subcommand -a ", group.name, " -d ",
                    fish_quoted(group.summary), "\n");
    }
    for (const CommandInfo& command : command_table()) {
        std::vector<std::string> words = split(command.name, ' ');
        std::string condition = " -n __fish_use_subcommand";
        std::string seen = cat("__fish_seen_subcommand_from ", words.back());
        if (words.size() == 2) {
            condition = cat(" -n '__fish_seen_subcommand_from ", words[0],
                            "; and not __fish_seen_subcommand_from ",
                            join(words_of_group(words[0]), " "), "'");
            seen = cat("__fish_seen_subcommand_from ", words[0], "; and ", seen);
        }
        text += cat("complete -c lb", condition, " -a ", words.back(), " -d ",
                    fish_quoted(command.summary), "\n");
        for (const OptionInfo& option : command.options) {
            text += fish_option(cat(" -n '", seen, "'"), option);
        }
        if (!command.positionals.empty()) {
            text += cat("complete -c lb -n '", seen, "'",
                        fish_action(command.positionals.front().completes), "\n");
        }
    }
    return text;
}

}  // namespace

Result<std::string> completion_script(std::string_view shell) {
    if (shell == "bash") return bash_script();
    if (shell == "zsh") return zsh_script();
    if (shell == "fish") return fish_script();
    return Error{.code = ErrorCode::kUsage,
                 .message = cat("no completion for the shell ", quoted(shell)),
                 .help = "there is: bash, zsh, fish"};
}

}  // namespace lb::cli
