// The completion scripts, run by the shells that are installed.
#include <gtest/gtest.h>

#include <cstdio>

#include "base/text.h"
#include "cli/help.h"
#include "tests/cli/support.h"

namespace lb::cli {
namespace {

std::string shell_output(const std::string& command) {
    std::string output;
    FILE* pipe = popen(command.c_str(), "r");
    char buffer[4096];
    while (size_t count = std::fread(buffer, 1, sizeof(buffer), pipe)) output.append(buffer, count);
    pclose(pipe);
    return output;
}

// What bash offers for the last word.
std::string completed(const std::vector<std::string>& words) {
    tests::TemporaryDirectory directory;
    tests::write_file(directory.path("lb.bash"), LB_MUST(completion_script("bash")));
    std::string quoted_words;
    for (const std::string& word : words) quoted_words += cat("'", word, "' ");
    tests::write_file(directory.path("try.bash"),
                      cat("source ", directory.path("lb.bash"), "\nCOMP_WORDS=(", quoted_words,
                          ")\nCOMP_CWORD=", words.size() - 1, "\n_lb\necho \"${COMPREPLY[@]}\"\n"));
    std::string output = shell_output(cat("bash ", directory.path("try.bash"), " 2>&1"));
    if (!output.empty() && output.back() == '\n') output.pop_back();
    return output;
}

TEST(BashCompletion, CompletesCommands) {
    EXPECT_EQ(completed({"lb", "app"}), "apply");
    EXPECT_EQ(completed({"lb", "st"}), "statistics status stop");
    EXPECT_EQ(completed({"lb", "branch", "cr"}), "create");
    EXPECT_EQ(completed({"lb", "compute", ""}), "start stop restart");
}

TEST(BashCompletion, CompletesOptions) {
    EXPECT_EQ(completed({"lb", "apply", "--au"}), "--auto-approve");
    EXPECT_EQ(completed({"lb", "branch", "create", "x", "--pro"}), "--protected --project");
    EXPECT_EQ(completed({"lb", "apply", "--auto-approve", "--allow"}), "--allow-destroy");
}

TEST(BashCompletion, CompletesValues) {
    EXPECT_EQ(completed({"lb", "completion", "f"}), "fish");
    EXPECT_EQ(completed({"lb", "load", "/etc/hostn"}), "/etc/hostname");
    EXPECT_EQ(completed({"lb", "plan", "--spec", "/etc/hostn"}), "/etc/hostname");
}

TEST(Completion, ScriptsNameEveryOption) {
    const std::string bash = LB_MUST(completion_script("bash"));
    const std::string fish = LB_MUST(completion_script("fish"));
    for (const CommandInfo& command : command_table()) {
        for (const OptionInfo& option : command.options) {
            EXPECT_NE(bash.find(option.name), std::string::npos) << option.name;
            EXPECT_NE(fish.find(cat("-l ", option_key(option))), std::string::npos) << option.name;
        }
    }
}

TEST(Completion, OtherShellsAreRefused) {
    Result<std::string> script = completion_script("tcsh");
    ASSERT_FALSE(script.is_ok());
    EXPECT_EQ(script.error().code, ErrorCode::kUsage);
}

}  // namespace
}  // namespace lb::cli
