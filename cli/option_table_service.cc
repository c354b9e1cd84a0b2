#include "cli/option_table_commands.h"

#include "cli/commands/commands.h"

namespace lb::cli {
namespace {

CommandInfo serve_command() {
    return {.name = "serve",
            .summary = "Run the daemon in the foreground",
            .description =
                "Serves the home until SIGTERM or Ctrl-C. Not needed by hand: commands start the "
                "daemon in the background when there is none. For systemd: Type=notify.",
            .positionals = {},
            .options = {{.name = "--postgres-user",
                         .value = "USER",
                         .help = "OS user that PostgreSQL runs as when lb runs as root; postgres"},
                        {.name = "--postgres-bin",
                         .value = "DIRECTORY",
                         .help = "PostgreSQL's programs; /usr/lib/postgresql/VERSION/bin",
                         .completes = Completes::kDirectory},
                        {.name = "--scrub-rate",
                         .value = "MB",
                         .help = "MB per second that the scrubber reads at most; 4, 0 for never"},
                        {.name = "--handover-fd",
                         .value = "N",
                         .help = "go on with what an earlier daemon left in this descriptor"},
                        {.name = "--ready-fd",
                         .value = "N",
                         .help = "write one line to this descriptor when ready"}},
            .examples = {{"lb serve", "until Ctrl-C"},
                         {"lb --home /srv/lb serve --postgres-user lbdata", "as a service"}},
            .run = run_serve};
}

CommandInfo stop_command() {
    return {.name = "stop",
            .summary = "Stop the daemon and all its computes",
            .description = "Returns when everything is closed. Stopping what does not run is fine.",
            .positionals = {},
            .options = {},
            .examples = {{"lb stop", ""}},
            .run = run_stop};
}

CommandInfo restart_command() {
    return {
        .name = "restart",
        .summary = "Replace the daemon by this lb, under running computes",
        .description =
            "The daemon becomes the program that this command is: computes and their sessions go "
            "on, their reads and writes wait some milliseconds. This is how lb is upgraded. "
            "Waits up to 30 s for an apply that is under way. If the new one cannot take over, "
            "the old one goes on. Starts a daemon if there is none.",
        .positionals = {},
        .options = {},
        .examples = {{"lb restart", "after a new lb was installed"}},
        .run = run_restart};
}

CommandInfo completion_command() {
    return {
        .name = "completion",
        .summary = "Print a shell's completion script",
        .description = "For bash, zsh and fish.",
        .positionals = {{.name = "SHELL",
                         .help = "bash, zsh or fish",
                         .completes = Completes::kShell}},
        .options = {{.name = "--names",
                     .value = "KIND",
                     .help =
                         "print the names of branches or projects, or addresses, for the scripts"}},
        .examples = {{"source <(lb completion bash)", "for this shell"},
                     {"lb completion fish > ~/.config/fish/completions/lb.fish", "for good"}},
        .run = run_completion};
}

CommandInfo man_command() {
    return {.name = "man",
            .summary = "Print the manual page",
            .description = "In roff, made from the same table as the help.",
            .positionals = {},
            .options = {},
            .examples = {{"lb man | man -l -", "read it"},
                         {"lb man > /usr/local/share/man/man1/lb.1", "install it"}},
            .run = run_man};
}

CommandInfo version_command() {
    return {.name = "version",
            .summary = "Print the version",
            .description = "The version of this program. No daemon is needed.",
            .positionals = {},
            .options = {},
            .examples = {{"lb version", ""}},
            .run = run_version};
}

}  // namespace

std::vector<CommandInfo> service_commands() {
    return {
        serve_command(),      stop_command(), restart_command(),
        completion_command(), man_command(),  version_command(),
    };
}

}  // namespace lb::cli
