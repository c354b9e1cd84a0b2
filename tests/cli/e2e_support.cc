#include "tests/cli/e2e_support.h"

#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>

#include "base/text.h"
#include "tests/cli/support.h"

namespace lb::tests {

Shell::Shell() : home_(LB_BINARY) {
    std::filesystem::create_directory(path("bin"));
    std::filesystem::create_symlink(LB_BINARY, path("bin/lb"));
}

ShellResult Shell::run(const std::string& command) const {
    write_file(path("command.sh"), command + "\n");
    const std::string line =
        cat("cd ", home_.directory(), " && PATH=", path("bin"), ":$PATH LB_HOME=", path("home"),
            " NO_COLOR=1 bash command.sh >out.txt 2>err.txt </dev/null");
    int status = std::system(line.c_str());
    ShellResult result{
        .exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
        .out = read_file(path("out.txt")),
        .err = read_file(path("err.txt"))};
    return result;
}

std::string Shell::must(const std::string& command) const {
    ShellResult result = run(command);
    EXPECT_EQ(result.exit_code, 0) << command << "\n" << result.out << result.err;
    return result.out;
}

std::string Shell::refused(const std::string& command, int exit_code,
                           const std::string& error) const {
    ShellResult result = run(command);
    EXPECT_EQ(result.exit_code, exit_code) << command << "\n" << result.out << result.err;
    EXPECT_NE(result.err.find(error), std::string::npos) << command << "\n" << result.err;
    return result.err;
}

Json Shell::json(const std::string& command) const {
    std::string text = must(command);
    Result<Json> json = Json::parse(text);
    EXPECT_TRUE(json.is_ok()) << command << "\n" << text;
    return json.is_ok() ? *json : Json::object();
}

std::string Shell::sql(const std::string& branch, const std::string& database,
                       const std::string& statement) const {
    std::string out = must(cat("lb psql -b '", branch, "' -d '", database,
                               "' -- -X -q -A -t -v ON_ERROR_STOP=1 -c \"", statement, "\""));
    while (!out.empty() && out.back() == '\n') out.pop_back();
    return out;
}

}  // namespace lb::tests
