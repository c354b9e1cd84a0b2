// The parser and what is made from the option table.
#include "cli/options.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <fstream>
#include <set>

#include "base/text.h"
#include "cli/help.h"
#include "tests/cli/support.h"

namespace lb::cli {
namespace {

using Words = std::vector<std::string>;

CommandLine parsed(const Words& words) { return LB_MUST(parse_command_line(words)); }

Error refused(const Words& words) {
    Result<CommandLine> line = parse_command_line(words);
    EXPECT_FALSE(line.is_ok());
    return line.is_ok() ? Error{} : line.error();
}

TEST(Options, CommandWithOptions) {
    CommandLine line = parsed({"branch", "create", "feature/cart", "--parent", "main", "--ttl=7d"});
    ASSERT_NE(line.command, nullptr);
    EXPECT_EQ(line.command->name, "branch create");
    EXPECT_EQ(line.arguments.text("branch"), "feature/cart");
    EXPECT_EQ(line.arguments.text("parent"), "main");
    EXPECT_EQ(line.arguments.text("ttl"), "7d");
    EXPECT_FALSE(line.arguments.has("protected"));
    EXPECT_EQ(line.arguments.text("at", "fallback"), "fallback");
}

TEST(Options, GlobalOptionsStandAnywhere) {
    for (const Words& words :
         {Words{"--home", "/h", "--json", "status"}, Words{"status", "--home", "/h", "--json"},
          Words{"status", "--json", "--home=/h"}}) {
        CommandLine line = parsed(words);
        EXPECT_EQ(line.command->name, "status");
        EXPECT_EQ(line.arguments.text("home"), "/h");
        EXPECT_TRUE(line.arguments.has("json"));
    }
    EXPECT_EQ(parsed({"branch", "list", "--home", "/h"}).arguments.text("home"), "/h");
    EXPECT_EQ(parsed({"branch", "--home", "/h", "list"}).arguments.text("home"), "/h");
}

TEST(Options, RepeatedOptionKeepsAll) {
    CommandLine line = parsed({"apply", "--allow-destroy", "branch.a", "--allow-destroy=branch.b"});
    EXPECT_EQ(line.arguments.list("allow-destroy"), (Words{"branch.a", "branch.b"}));
    EXPECT_EQ(refused({"psql", "-b", "a", "-b", "b"}).code, ErrorCode::kUsage);
}

// A branch may have the name of a command.
TEST(Options, ArgumentsAreNoCommands) {
    for (const char* name : {"stop", "plan", "branch", "list", "delete"}) {
        CommandLine line = parsed({"branch", "delete", name, "--yes"});
        EXPECT_EQ(line.command->name, "branch delete");
        EXPECT_EQ(line.arguments.text("branch"), name);
    }
    EXPECT_EQ(parsed({"--project", "plan", "status"}).command->name, "status");
    EXPECT_EQ(parsed({"status", "--project", "plan"}).arguments.text("project"), "plan");
    EXPECT_EQ(parsed({"-s", "branch", "plan"}).arguments.text("spec"), "branch");
    EXPECT_EQ(parsed({"load", "-"}).arguments.text("file"), "-");
}

TEST(Options, ValuesAreNotInterpreted) {
    CommandLine line = parsed({"psql", "-d", "[a,b]", "--role", "\"x\"", "--", "-c", "[1]", "--"});
    EXPECT_EQ(line.arguments.text("database"), "[a,b]");
    EXPECT_EQ(line.arguments.text("role"), "\"x\"");
    EXPECT_EQ(line.arguments.rest(), (Words{"-c", "[1]", "--"}));
}

TEST(Options, MistakesNameWhatWasMeant) {
    EXPECT_EQ(refused({"aply"}).help, "did you mean apply?");
    EXPECT_EQ(refused({"aply"}).message, "unknown command \"aply\"");
    EXPECT_EQ(refused({"branch", "crate", "x"}).help, "did you mean create?");
    EXPECT_EQ(refused({"apply", "--auto-aprove"}).help, "did you mean --auto-approve?");
    EXPECT_EQ(refused({"apply", "--auto-aprove=1"}).message,
              "lb apply has no option --auto-aprove");
    EXPECT_EQ(refused({"status", "extra"}).message, "unexpected argument \"extra\"");
    EXPECT_EQ(refused({"branch", "create"}).message, "BRANCH is missing");
    EXPECT_NE(refused({"psql", "-c", "SELECT 1"}).help.find("-- -c"), std::string::npos);
    EXPECT_EQ(refused({"plan", "--", "x"}).message, "unexpected --");
    EXPECT_EQ(refused({"--home"}).message, "--home needs a value: --home DIRECTORY");
    EXPECT_EQ(refused({"logs", "-n"}).message, "--lines needs a value: --lines N");
    EXPECT_EQ(refused({"psql", "-b", "a", "-b", "b"}).message, "--branch is given more than once");
    EXPECT_EQ(refused({"plan", "--json=yes"}).message, "--json takes no value");
    EXPECT_EQ(refused({""}).message, "unknown command \"\"");
    EXPECT_EQ(refused({"plan", "apply"}).code, ErrorCode::kUsage);
}

TEST(Options, EveryErrorIsAUsageErrorWithHelp) {
    for (const Words& words : {Words{"nonsense"}, Words{"--nonsense"}, Words{"plan", "--nonsense"},
                               Words{"load"}, Words{"psql", "--branch"}, Words{"logs", "-n"},
                               Words{"plan", "--json=maybe"}, Words{""}}) {
        Error error = refused(words);
        EXPECT_EQ(error.code, ErrorCode::kUsage) << join(words, " ");
        EXPECT_FALSE(error.help.empty()) << error.message;
        EXPECT_EQ(error.message.find('\n'), std::string::npos) << error.message;
    }
}

TEST(Options, HelpNeedsNoArguments) {
    EXPECT_TRUE(parsed({"--help"}).wants_help);
    EXPECT_TRUE(parsed({}).command == nullptr);
    EXPECT_EQ(parsed({"branch", "--help"}).group, "branch");
    EXPECT_TRUE(parsed({"help"}).wants_help);
    EXPECT_EQ(parsed({"help", "branch", "create"}).command->name, "branch create");
    for (const CommandInfo& command : command_table()) {
        Words words = split(command.name, ' ');
        words.push_back("-h");
        CommandLine line = parsed(words);
        EXPECT_TRUE(line.wants_help) << command.name;
        ASSERT_NE(line.command, nullptr) << command.name;
        EXPECT_EQ(line.command->name, command.name);
    }
}

TEST(OptionTable, IsComplete) {
    for (const CommandInfo& command : command_table()) {
        EXPECT_FALSE(command.summary.empty()) << command.name;
        EXPECT_FALSE(command.description.empty()) << command.name;
        EXPECT_FALSE(command.examples.empty()) << command.name;
        EXPECT_NE(command.run, nullptr) << command.name;
        std::set<std::string> keys;
        std::vector<OptionInfo> all = command.options;
        all.insert(all.end(), command.positionals.begin(), command.positionals.end());
        all.insert(all.end(), global_options().begin(), global_options().end());
        for (const OptionInfo& option : all) {
            EXPECT_TRUE(keys.insert(option_key(option)).second) << command.name << option.name;
            EXPECT_FALSE(option.help.empty()) << command.name << option.name;
            EXPECT_NE(option.help.back(), '.') << command.name << option.name;
        }
    }
}

// An example that does not parse is worse than none.
TEST(OptionTable, ExamplesParse) {
    for (const CommandInfo& command : command_table()) {
        for (const ExampleInfo& example : command.examples) {
            std::string text(example.command);
            if (text.find_first_of("|<>$\"'~") != std::string::npos) continue;
            Words words = split(text, ' ');
            ASSERT_EQ(words.front(), "lb") << text;
            words.erase(words.begin());
            Result<CommandLine> line = parse_command_line(words);
            ASSERT_TRUE(line.is_ok()) << text << "\n" << to_text(line.error());
            EXPECT_EQ(line->command->name, command.name) << text;
        }
    }
}

TEST(Help, FitsATerminalAndNamesEverything) {
    for (const CommandInfo& command : command_table()) {
        const std::string help = command_help(command);
        for (const std::string& line : split(help, '\n')) EXPECT_LE(line.size(), 90u) << line;
        for (const OptionInfo& option : command.options) {
            EXPECT_NE(help.find(option.name), std::string::npos) << command.name;
        }
    }
    const std::string overview = overview_help("");
    for (const CommandInfo& command : command_table()) {
        EXPECT_NE(overview.find(split(command.name, ' ').front()), std::string::npos);
    }
}

TEST(ManualPage, NamesEverything) {
    const std::string page = manual_page();
    for (const CommandInfo& command : command_table()) {
        EXPECT_NE(page.find(cat(".SS lb ", command.name)), std::string::npos) << command.name;
    }
}

// docs/cli-reference.md is written by people; it must not lag behind the table.
TEST(Documentation, ReferenceNamesEverything) {
    const std::string reference = tests::read_file(LB_SOURCE_DIRECTORY "/docs/cli-reference.md");
    for (const CommandInfo& command : command_table()) {
        EXPECT_NE(reference.find(cat("lb ", command.name)), std::string::npos) << command.name;
        for (const OptionInfo& option : command.options) {
            EXPECT_NE(reference.find(option.name), std::string::npos)
                << command.name << " " << option.name;
        }
    }
    for (const OptionInfo& option : global_options()) {
        EXPECT_NE(reference.find(option.name), std::string::npos) << option.name;
    }
}

// Whatever is typed, the parser answers; it never ends the process.
RC_GTEST_PROP(Options, AnyWordsGetAnAnswer, ()) {
    const auto pool = std::vector<std::string>{"plan",
                                               "apply",
                                               "branch",
                                               "create",
                                               "list",
                                               "--json",
                                               "--home",
                                               "-b",
                                               "--",
                                               "-",
                                               "",
                                               "--x=y",
                                               "psql",
                                               "-c",
                                               "load",
                                               "x.sql",
                                               "--spec",
                                               "-qh",
                                               "-n",
                                               "5",
                                               "'",
                                               "[a",
                                               "--allow-destroy",
                                               "\xff",
                                               "=",
                                               "--=",
                                               "-=",
                                               "debug"};
    const auto indexes =
        *rc::gen::container<std::vector<size_t>>(rc::gen::inRange<size_t>(0, pool.size()));
    Words words;
    for (size_t index : indexes) words.push_back(pool[index]);
    Result<CommandLine> line = parse_command_line(words);
    if (!line.is_ok()) RC_ASSERT(line.error().code == ErrorCode::kUsage);
}

}  // namespace
}  // namespace lb::cli
