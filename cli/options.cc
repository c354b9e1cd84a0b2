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

// What is parsed for one command: the table's entry beside CLI11's.
struct BoundOption {
    const OptionInfo* info;
    CLI::Option* option;
};
struct BoundCommand {
    const CommandInfo* info;
    CLI::App* app;
    std::vector<BoundOption> options;
};

BoundOption bind(CLI::App& app, const OptionInfo& info) {
    if (is_flag(info)) return {&info, app.add_flag(cli11_name(info))};
    CLI::Option* option = app.add_option(cli11_name(info));
    option->type_size(1);
    if (is_positional(info) && info.is_repeatable) {
        option->expected(-1);
    } else {
        // Exactly one value per mention, so that "[a]" is not taken for a list.
        option->expected(1)->allow_extra_args(false);
    }
    if (info.is_repeatable) option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    return {&info, option};
}

// CLI11's picture of the whole table.
class Parser {
public:
    Parser() : app_("lb") {
        prepare(app_);
        for (const OptionInfo& option : global_options()) {
            global_options_.push_back(bind(app_, option));
        }
        for (const GroupInfo& group : group_table()) add_app(app_, std::string(group.name));
        for (const CommandInfo& command : command_table()) add_command(command);
    }

    Result<CommandLine> parse(std::vector<std::string> words);

private:
    static void prepare(CLI::App& app) {
        app.set_help_flag();
        app.set_config();
        app.allow_extras();  // reported by us, with what was probably meant
        app.fallthrough();
    }

    static CLI::App* add_app(CLI::App& parent, const std::string& name) {
        CLI::App* app = parent.add_subcommand(name);
        prepare(*app);
        return app;
    }

    void add_command(const CommandInfo& command) {
        size_t space = command.name.find(' ');
        std::string last(command.name.substr(space == std::string_view::npos ? 0 : space + 1));
        CLI::App* parent = space == std::string_view::npos
                               ? &app_
                               : app_.get_subcommand(std::string(command.name.substr(0, space)));
        BoundCommand bound{&command, add_app(*parent, last), {}};
        for (const OptionInfo& option : command.positionals) {
            bound.options.push_back(bind(*bound.app, option));
        }
        for (const OptionInfo& option : command.options) {
            bound.options.push_back(bind(*bound.app, option));
        }
        commands_.push_back(std::move(bound));
    }

    Status run_cli11(std::vector<std::string> words);
    const BoundCommand* parsed_command() const;
    std::string parsed_group() const;
    Status check_extras(const BoundCommand* command, const std::string& group) const;
    static Status check_required(const BoundCommand& command, const Arguments& arguments);

    CLI::App app_;
    std::vector<BoundOption> global_options_;
    std::vector<BoundCommand> commands_;
};

// The one place where CLI11's exceptions are caught.
Status Parser::run_cli11(std::vector<std::string> words) {
    std::reverse(words.begin(), words.end());  // as CLI11 wants them
    try {
        app_.parse(std::move(words));
        return ok();
    } catch (const CLI::ParseError& error) {
        return usage_error(error.what(), "lb --help lists the commands and options");
    }
}

const BoundCommand* Parser::parsed_command() const {
    for (const BoundCommand& command : commands_) {
        if (command.app->count() > 0 || command.app->parsed()) return &command;
    }
    return nullptr;
}

std::string Parser::parsed_group() const {
    for (const GroupInfo& group : group_table()) {
        std::string name(group.name);
        if (app_.got_subcommand(name)) return name;
    }
    return {};
}

// The words after which the user may have typed something unknown, for did-you-mean.
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

std::vector<std::string_view> option_words(const BoundCommand* command) {
    std::vector<std::string_view> words;
    for (const OptionInfo& option : global_options()) words.push_back(option.name);
    if (command == nullptr) return words;
    for (const OptionInfo& option : command->info->options) words.push_back(option.name);
    return words;
}

std::string help_for(std::string_view word, const std::vector<std::string_view>& candidates,
                     std::string_view help_command) {
    std::string_view meant = nearest(word, candidates);
    if (!meant.empty()) return cat("did you mean ", meant, "?");
    return cat(help_command, " --help shows what there is");
}

Status Parser::check_extras(const BoundCommand* command, const std::string& group) const {
    std::vector<std::string> extras = app_.remaining(true);
    if (extras.empty()) return ok();
    const std::string& word = extras.front();
    const std::string place = command != nullptr ? cat("lb ", command->info->name)
                              : group.empty()    ? std::string("lb")
                                                 : cat("lb ", group);
    if (word.size() > 1 && word[0] == '-') {
        std::string name = word.substr(0, word.find('='));
        if (command != nullptr && !command->info->rest.empty()) {
            return usage_error(cat(place, " has no option ", name),
                               cat(command->info->rest, " go after --: ", place, " -- ", name));
        }
        return usage_error(cat(place, " has no option ", name),
                           help_for(name, option_words(command), place));
    }
    if (command != nullptr) {
        return usage_error(cat("unexpected argument ", lb::quoted(word)),
                           usage_line(*command->info));
    }
    return usage_error(
        cat("unknown command ", lb::quoted(group.empty() ? word : cat(group, " ", word))),
        help_for(word, command_words(group), place));
}

Status Parser::check_required(const BoundCommand& command, const Arguments& arguments) {
    std::vector<OptionInfo> all = command.info->positionals;
    all.insert(all.end(), command.info->options.begin(), command.info->options.end());
    for (const OptionInfo& option : all) {
        if (option.is_required && !arguments.has(option_key(option))) {
            return usage_error(cat(option.name, " is missing"), usage_line(*command.info));
        }
    }
    return ok();
}

Result<CommandLine> Parser::parse(std::vector<std::string> words) {
    std::vector<std::string> rest;
    auto separator = std::find(words.begin(), words.end(), "--");
    const bool has_separator = separator != words.end();
    if (has_separator) {
        rest.assign(separator + 1, words.end());
        words.erase(separator, words.end());
    }
    LB_TRY(run_cli11(std::move(words)));
    const BoundCommand* command = parsed_command();
    const std::string group = parsed_group();
    LB_TRY(check_extras(command, group));
    if (has_separator && (command == nullptr || command->info->rest.empty())) {
        return usage_error("unexpected --", "options and arguments stand before it");
    }
    std::vector<BoundOption> options = global_options_;
    if (command != nullptr) {
        options.insert(options.end(), command->options.begin(), command->options.end());
    }
    Arguments::Values values;
    for (const BoundOption& bound : options) {
        values[option_key(*bound.info)] = bound.option->results();
    }
    CommandLine line{.command = command == nullptr ? nullptr : command->info,
                     .group = group,
                     .wants_help = !values["help"].empty(),
                     .arguments = Arguments(std::move(values), std::move(rest))};
    if (command != nullptr && !line.wants_help) {
        LB_TRY(check_required(*command, line.arguments));
    }
    return line;
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
    return Parser().parse(words);
}

}  // namespace lb::cli
