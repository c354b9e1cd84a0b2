#include "cli/run.h"

#include <algorithm>

#include "cli/help.h"
#include "cli/options.h"
#include "cli/output.h"

namespace lb::cli {
namespace {

Output output_for(const Arguments& arguments) {
    return Output(arguments.has("json") ? OutputFormat::kJson : OutputFormat::kText,
                  arguments.has("quiet") ? Verbosity::kQuiet : Verbosity::kNormal,
                  arguments.has("no-color") ? ColourWish::kNever : ColourWish::kIfTerminal);
}

ExitCode fail(Output& output, const Error& error) {
    output.error(error);
    return exit_code(error.code);
}

Result<ExitCode> execute(const CommandLine& line, Output& output) {
    if (line.wants_help) {
        output.text(line.command != nullptr ? command_help(*line.command)
                                            : overview_help(line.group));
        return ExitCode::kOk;
    }
    if (line.command != nullptr) return line.command->run(line.arguments, output);
    output.error_text(overview_help(line.group));
    return ExitCode::kUsage;
}

}  // namespace

ExitCode run(const std::vector<std::string>& words) {
    Result<CommandLine> line = parse_command_line(words);
    if (!line.is_ok()) {
        // Programs that ask for JSON get it even for a command line that is not understood.
        const bool is_json = std::find(words.begin(), words.end(), "--json") != words.end();
        Output output(is_json ? OutputFormat::kJson : OutputFormat::kText, Verbosity::kNormal,
                      ColourWish::kNever);
        return fail(output, line.error());
    }
    Output output = output_for(line->arguments);
    Result<ExitCode> code = execute(*line, output);
    if (!code.is_ok()) return fail(output, code.error());
    if (Status written = output.finish(); !written.is_ok()) return fail(output, written.error());
    return *code;
}

}  // namespace lb::cli
