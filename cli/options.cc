#include "cli/options.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <memory>

#include "base/text.h"

namespace lb::cli {
namespace {

Error usage_error(std::string message, std::string help) {
    return {.code = ErrorCode::kUsage, .message = std::move(message), .help = std::move(help)};
}

// "-b,--branch"; CLI11 knows positionals by their bare names.
std::string cli11_name(const OptionInfo& option) {
    if (option.letter.empty()) return std::string(option.name);
    return cat(option.letter, ",", option.name);
}

bool is_positional(const OptionInfo& option) { return option.name[0] != '-'; }
bool is_flag(const OptionInfo& option) { return !is_positional(option) && option.value.empty(); }

// A table's entry beside CLI11's.
struct BoundOption {
    const OptionInfo* info;
    CLI::Option* option;
};

BoundOption bind(CLI::App& app, const OptionInfo& info) {
    if (is_flag(info)) return {&info, app.add_flag(cli11_name(info))->disable_flag_override()};
    CLI::Option* option = app.add_option(cli11_name(info));
    // Exactly one value per mention, so that "[a]" is not taken for a list.
    option->type_size(1)->expected(1)->allow_extra_args(false);
    if (info.is_repeatable) option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    if (info.is_repeatable && is_positional(info)) {
        option->expected(1, CLI::detail::expected_max_vector_size)->allow_extra_args(true);
    }
    return {&info, option};
}

// The words of a command line, taken apart before CLI11 sees them. (CLI11's own subcommands would
// take `lb branch delete stop` for `lb stop`.)
struct SplitWords {
    std::vector<std::string> command = {};  // at most a group and a command of it
    std::vector<std::string> others = {};   // options and arguments
    std::vector<std::string> rest = {};     // after "--"
    bool has_rest = false;
};

bool is_group(std::string_view word) {
    for (const GroupInfo& group : group_table()) {
        if (group.name == word) return true;
    }
    return false;
}

// "--home" and its like: the word after it is its value.
bool takes_next_word(std::string_view word) {
    for (const OptionInfo& option : global_options()) {
        if (!option.value.empty() && (word == option.name || word == option.letter)) return true;
    }
    return false;
}

SplitWords split_words(const std::vector<std::string>& words) {
    SplitWords result;
    size_t index = 0;
    for (; index < words.size() && words[index] != "--"; ++index) {
        const std::string& word = words[index];
        const bool is_option = word.size() > 1 && word[0] == '-';
        const bool wants_command =
            result.command.empty() || (result.command.size() == 1 && is_group(result.command[0]));
        if (!is_option && wants_command) {
            result.command.push_back(word);
            continue;
        }
        result.others.push_back(word);
        if (wants_command && takes_next_word(word) && index + 1 < words.size()) {
            result.others.push_back(words[++index]);
        }
    }
    result.has_rest = index < words.size();
    if (result.has_rest)
        result.rest.assign(words.begin() + static_cast<std::ptrdiff_t>(index) + 1, words.end());
    return result;
}

// What can stand after `group` ("" for the first word), for did-you-mean.
std::vector<std::string_view> command_words(const std::string& group) {
    std::vector<std::string_view> words;
    const std::string prefix = group.empty() ? "" : group + " ";
    for (const CommandInfo& command : command_table()) {
        if (command.name.substr(0, prefix.size()) != prefix) continue;
        std::string_view word = command.name.substr(prefix.size());
        if (word.find(' ') == std::string_view::npos) words.push_back(word);
    }
    if (group.empty()) {
        for (const GroupInfo& other : group_table()) words.push_back(other.name);
    }
    return words;
}

std::string help_for(std::string_view word, const std::vector<std::string_view>& candidates,
                     std::string_view place) {
    std::string_view meant = nearest(word, candidates);
    if (!meant.empty()) return cat("did you mean ", meant, "?");
    return cat(place, " --help shows what there is");
}

Error unknown_command(const std::vector<std::string>& words) {
    std::string group = words.size() == 2 ? words[0] : "";
    return usage_error(
        cat("unknown command ", lb::quoted(join(words, " "))),
        help_for(words.back(), command_words(group), group.empty() ? "lb" : cat("lb ", group)));
}

// Parses the options and arguments of one command (or of none).
class Parser {
public:
    explicit Parser(const CommandInfo* command) : command_(command) {
        app_.set_help_flag();
        app_.set_config();
        app_.allow_extras();  // reported by us, with what was probably meant
        bind_all(global_options());
        if (command == nullptr) return;
        bind_all(command->positionals);
        bind_all(command->options);
    }

    Result<Arguments> parse(const SplitWords& words);

private:
    void bind_all(const std::vector<OptionInfo>& options) {
        for (const OptionInfo& option : options) options_.push_back(bind(app_, option));
    }
    std::string place() const {
        return command_ == nullptr ? std::string("lb") : cat("lb ", command_->name);
    }

    Status run_cli11(std::vector<std::string> words);
    Error explain(const std::string& cli11_message) const;
    Status check_extras() const;
    Status check_required() const;

    const CommandInfo* command_;
    CLI::App app_{"lb"};
    std::vector<BoundOption> options_;
};

// The one place where CLI11's exceptions are caught.
Status Parser::run_cli11(std::vector<std::string> words) {
    std::reverse(words.begin(), words.end());  // as CLI11 wants them
    try {
        app_.parse(std::move(words));
        return ok();
    } catch (const CLI::ParseError& error) {
        return explain(error.what());
    }
}

// CLI11's messages begin with the option's name: "--branch: 1 required  missing".
Error Parser::explain(const std::string& cli11_message) const {
    std::string name = cli11_message.substr(0, cli11_message.find_first_of(": "));
    const std::string help = cat(place(), " --help shows the options");
    for (const BoundOption& option : options_) {
        std::string_view known = option.info->name;
        if (known != name && known != cat("--", name)) continue;
        if (is_flag(*option.info)) return usage_error(cat(known, " takes no value"), help);
        if (option.option->count() > 1) {
            return usage_error(cat(known, " is given more than once"), help);
        }
        return usage_error(cat(known, " needs a value: ", known, " ", option.info->value), help);
    }
    return usage_error(cli11_message, help);
}

Status Parser::check_extras() const {
    std::vector<std::string> extras = app_.remaining();
    if (extras.empty()) return ok();
    const std::string& word = extras.front();
    if (word.size() < 2 || word[0] != '-') {
        return usage_error(cat("unexpected argument ", lb::quoted(word)),
                           command_ == nullptr ? "lb --help" : usage_line(*command_));
    }
    std::string name = word.substr(0, word.find('='));
    std::string message = cat(place(), " has no option ", name);
    if (command_ != nullptr && !command_->rest.empty()) {
        return usage_error(message, cat(command_->rest, " go after --: ", place(), " -- ", name));
    }
    std::vector<std::string_view> candidates;
    for (const BoundOption& option : options_) {
        if (!is_positional(*option.info)) candidates.push_back(option.info->name);
    }
    return usage_error(message, help_for(name, candidates, place()));
}

Status Parser::check_required() const {
    for (const BoundOption& option : options_) {
        if (option.info->is_required && option.option->count() == 0) {
            return usage_error(cat(option.info->name, " is missing"), usage_line(*command_));
        }
    }
    return ok();
}

Result<Arguments> Parser::parse(const SplitWords& words) {
    LB_TRY(run_cli11(words.others));
    LB_TRY(check_extras());
    if (words.has_rest && (command_ == nullptr || command_->rest.empty())) {
        return usage_error("unexpected --", "options and arguments stand before it");
    }
    Arguments::Values values;
    for (const BoundOption& bound : options_) {
        values[option_key(*bound.info)] = bound.option->results();
    }
    const bool wants_help = !values["help"].empty();
    if (!wants_help) LB_TRY(check_required());
    return Arguments(std::move(values), words.rest);
}

}  // namespace

std::string Arguments::text(std::string_view key, std::string_view fallback) const {
    const std::vector<std::string>& values = list(key);
    return values.empty() ? std::string(fallback) : values.back();
}

const std::vector<std::string>& Arguments::list(std::string_view key) const {
    auto entry = values_.find(key);
    LB_ASSERT(entry != values_.end());
    return entry->second;
}

Result<CommandLine> parse_command_line(const std::vector<std::string>& words) {
    if (!words.empty() && words[0] == "help") {  // lb help branch create
        std::vector<std::string> others(words.begin() + 1, words.end());
        others.emplace_back("--help");
        return parse_command_line(others);
    }
    SplitWords parts = split_words(words);
    std::string name = join(parts.command, " ");
    const CommandInfo* command = find_command(name);
    std::string group =
        !parts.command.empty() && is_group(parts.command[0]) ? parts.command[0] : "";
    const bool is_bare = parts.command.empty() || (parts.command.size() == 1 && !group.empty());
    if (command == nullptr && !is_bare) return unknown_command(parts.command);
    Arguments arguments = LB_TRY(Parser(command).parse(parts));
    const bool wants_help = arguments.has("help");
    return CommandLine{.command = command,
                       .group = std::move(group),
                       .wants_help = wants_help,
                       .arguments = std::move(arguments)};
}

}  // namespace lb::cli
