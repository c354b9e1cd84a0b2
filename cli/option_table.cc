#include "cli/option_table.h"

#include <cctype>

#include "base/text.h"
#include "cli/commands/commands.h"

namespace lb::cli {
namespace {

// -- Options that several commands have ----------------------------------------------------------

OptionInfo branch_option() {
    return {.name = "--branch",
            .value = "BRANCH",
            .help = "the branch; without it, the project's default branch",
            .letter = "-b",
            .completes = Completes::kBranch};
}

OptionInfo branch_argument(bool is_required) {
    return {.name = "BRANCH",
            .help = is_required ? "the branch" : "the branch; without it, the default branch",
            .completes = Completes::kBranch,
            .is_required = is_required};
}

OptionInfo database_option() {
    return {.name = "--database",
            .value = "DATABASE",
            .help = "the database; without it, the project's first one",
            .letter = "-d"};
}

OptionInfo allow_destroy_option() {
    return {.name = "--allow-destroy",
            .value = "ADDRESS",
            .help = "allow this deletion of data, e.g. branch.old; may be repeated",
            .is_repeatable = true};
}

// -- Commands, in the order in which help lists them ---------------------------------------------

CommandInfo init_command() {
    return {.name = "init",
            .summary = "Write a commented lb.toml to begin with",
            .description =
                "Writes lb.toml into the directory (without one: this one), with a project named "
                "after the directory. An existing file is left alone.",
            .positionals = {{.name = "DIRECTORY",
                             .help = "where to write it",
                             .completes = Completes::kDirectory}},
            .options = {{.name = "--name", .value = "NAME", .help = "name of the project"}},
            .examples = {{"lb init", "a spec for a project named after this directory"},
                         {"lb init shop --name web-shop", "the same in shop/, with another name"}},
            .run = run_init};
}

CommandInfo plan_command() {
    return {.name = "plan",
            .summary = "Show what would change: the spec against the live state",
            .description =
                "Compares the spec with what is there and prints one line per change and a summary "
                "line. Changes nothing. Exit code 0, with --detailed-exitcode 2 if there are "
                "changes; 3 if the spec is not right.",
            .positionals = {},
            .options = {{.name = "--detailed-exitcode", .help = "exit with 2 if there are changes"},
                        {.name = "--verbose",
                         .help = "show each attribute that changes",
                         .letter = "-v"}},
            .examples = {{"lb plan", "what apply would do"},
                         {"lb plan --detailed-exitcode", "in CI: 0 no changes, 2 changes"},
                         {"lb plan --json > plan.json", "for programs; docs/plan-json.md"}},
            .run = run_plan};
}

CommandInfo apply_command() {
    return {.name = "apply",
            .summary = "Make the live state what the spec says, all or nothing",
            .description =
                "Plans, shows the plan, asks, and carries it out. Either everything of the plan "
                "happens or nothing. Where nobody can be asked, --auto-approve is needed. What "
                "deletes data needs its address named with --allow-destroy.",
            .positionals = {},
            .options = {{.name = "--auto-approve", .help = "do not ask"},
                        allow_destroy_option(),
                        {.name = "--verbose",
                         .help = "show each attribute that changes",
                         .letter = "-v"}},
            .examples = {{"lb apply", "plan, ask, apply"},
                         {"lb apply --auto-approve", "in CI"},
                         {"lb apply --auto-approve --allow-destroy branch.old",
                          "when the spec has dropped the branch old"}},
            .run = run_apply};
}

CommandInfo status_command() {
    return {.name = "status",
            .summary = "Show the branch tree: computes, sizes, expiration, protection",
            .description =
                "Prints the project's branches as a tree, each with its branch point, the state "
                "and port of its compute, its size, how much of it is shared with its parent and "
                "how much is its own, when it expires and whether it is protected.",
            .positionals = {},
            .options = {},
            .examples = {{"lb status", "the tree"}, {"lb status --json", "for programs"}},
            .run = run_status};
}

CommandInfo psql_command() {
    return {.name = "psql",
            .summary = "Open psql on a branch",
            .description =
                "Starts the branch's compute if needed and runs psql of the same PostgreSQL "
                "version, as the superuser through the compute's Unix socket: no password is "
                "needed. What follows -- goes to psql.",
            .positionals = {},
            .options = {branch_option(),
                        database_option(),
                        {.name = "--role",
                         .value = "ROLE",
                         .help = "connect as this role, with its password; the superuser",
                         .letter = "-U"}},
            .examples = {{"lb psql", "the default branch"},
                         {"lb psql -b staging -d shop", "a branch and a database"},
                         {"lb psql -b staging -- -c 'SELECT 1'", "one statement"}},
            .run = run_psql,
            .rest = "psql's own options"};
}

CommandInfo url_command() {
    return {
        .name = "url",
        .summary = "Print a branch's connection URL",
        .description =
            "Prints postgresql://ROLE@HOST:PORT/DATABASE without a password. Starts the "
            "branch's compute if needed.",
        .positionals = {},
        .options = {branch_option(),
                    database_option(),
                    {.name = "--role",
                     .value = "ROLE",
                     .help = "the role; without it, the database's owner",
                     .letter = "-U"},
                    {.name = "--socket", .help = "the superuser's way in through the Unix socket"}},
        .examples = {{"lb url -b staging", "for an application's DATABASE_URL"},
                     {"psql \"$(lb url -b staging --socket)\"", "for any libpq program"}},
        .run = run_url};
}

CommandInfo load_command() {
    return {.name = "load",
            .summary = "Load a dump into a branch: plain SQL or a pg_dump archive",
            .description =
                "Feeds the file to psql (plain SQL) or pg_restore (archives of pg_dump -Fc, -Ft, "
                "-Fd), as one transaction: all or nothing. Statements at the top that make and "
                "connect to another database are skipped: the file goes where it is told.",
            .positionals = {{.name = "FILE",
                             .help = "the dump; - for stdin (plain SQL)",
                             .completes = Completes::kFile,
                             .is_required = true}},
            .options = {branch_option(),
                        database_option(),
                        {.name = "--role",
                         .value = "ROLE",
                         .help = "who runs it and owns what it makes; the database's owner",
                         .letter = "-U"}},
            .examples = {{"lb load shop.sql -d shop", "into the default branch"},
                         {"pg_dump shop | lb load - -b staging -d shop", "without a file"}},
            .run = run_load};
}

CommandInfo logs_command() {
    return {.name = "logs",
            .summary = "Show the log of a branch's compute, or of the daemon",
            .description = "Prints the last lines of the log and, with -f, what is added to it.",
            .positionals = {},
            .options = {branch_option(),
                        {.name = "--daemon", .help = "the daemon's log instead"},
                        {.name = "--follow", .help = "go on until Ctrl-C", .letter = "-f"},
                        {.name = "--lines",
                         .value = "N",
                         .help = "how many lines of the end; without it, 50",
                         .letter = "-n"}},
            .examples = {{"lb logs -b staging -f", "follow a compute's log"},
                         {"lb logs --daemon -n 20", "the daemon's last 20 lines"}},
            .run = run_logs};
}

CommandInfo branch_list_command() {
    return {.name = "branch list",
            .summary = "List the branches",
            .description = "Prints one line per branch, sorted by name.",
            .positionals = {},
            .options = {},
            .examples = {{"lb branch list", "a table"}, {"lb branch list --json", "for programs"}},
            .run = run_branch_list};
}

CommandInfo branch_show_command() {
    return {.name = "branch show",
            .summary = "Show everything about a branch",
            .description = "Prints the branch's origin, branch point, compute, sizes and settings.",
            .positionals = {branch_argument(true)},
            .options = {},
            .examples = {{"lb branch show staging", ""}},
            .run = run_branch_show};
}

CommandInfo branch_create_command() {
    return {.name = "branch create",
            .summary = "Create a branch without touching the spec",
            .description =
                "Creates a branch of the parent's present state, or of an earlier position. It "
                "costs milliseconds and kilobytes, whatever the parent's size. The spec leaves "
                "such branches alone: apply neither changes nor deletes them.",
            .positionals = {{.name = "BRANCH", .help = "name of the new one", .is_required = true}},
            .options = {{.name = "--parent",
                         .value = "BRANCH",
                         .help = "the parent; without it, the default branch",
                         .letter = "-p",
                         .completes = Completes::kBranch},
                        {.name = "--at",
                         .value = "POSITION",
                         .help = "the branch point on the parent, position:N; without it, now"},
                        {.name = "--ttl",
                         .value = "DURATION",
                         .help = "delete it after this time, e.g. 12h or 7d"},
                        {.name = "--expires",
                         .value = "TIME",
                         .help = "delete it at this time, e.g. 2030-01-31T12:00:00Z"},
                        {.name = "--protected", .help = "refuse to delete it"}},
            .examples = {{"lb branch create feature/cart --ttl 7d", "of the default branch"},
                         {"lb branch create oops --parent main --at position:120455",
                          "of a past state"}},
            .run = run_branch_create};
}

CommandInfo branch_delete_command() {
    return {.name = "branch delete",
            .summary = "Delete a branch and its data",
            .description =
                "Deletes a branch that has no children and is not protected. Asks first; where "
                "nobody can be asked, --yes is needed.",
            .positionals = {branch_argument(true)},
            .options = {{.name = "--yes", .help = "do not ask", .letter = "-y"}},
            .examples = {{"lb branch delete feature/cart --yes", ""}},
            .run = run_branch_delete};
}

CommandInfo compute_command(std::string_view name, std::string_view summary,
                            std::string_view example, CommandFunction run) {
    return {.name = name,
            .summary = summary,
            .description = summary,
            .positionals = {branch_argument(false)},
            .options = {},
            .examples = {{example, ""}},
            .run = run};
}

CommandInfo destroy_command() {
    return {.name = "destroy",
            .summary = "Delete a whole project: all branches, all data",
            .description =
                "Deletes everything of the project. Its name has to be given twice: as the "
                "argument, and as --confirm or at the question. Refused while a branch is "
                "protected.",
            .positionals = {{.name = "NAME",
                             .help = "the project to delete",
                             .completes = Completes::kProject,
                             .is_required = true}},
            .options = {{.name = "--confirm",
                         .value = "NAME",
                         .help = "its name once more, instead of the question"}},
            .examples = {{"lb destroy shop --confirm shop", ""}},
            .run = run_destroy};
}

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

CommandInfo statistics_command() {
    return {.name = "statistics",
            .summary = "Show counters of the store and the transport",
            .description = "Prints what the daemon counts, for benchmarks and bug reports.",
            .positionals = {},
            .options = {},
            .examples = {{"lb statistics --json", ""}},
            .run = run_statistics};
}

CommandInfo debug_segment_command() {
    return {.name = "debug segment",
            .summary = "Print the records of a segment file of the store",
            .description = "Reads the file itself; no daemon is needed. docs/store-format.md.",
            .positionals = {{.name = "FILE",
                             .help = "a file of HOME/store/seg",
                             .completes = Completes::kFile,
                             .is_required = true}},
            .options = {},
            .examples = {{"lb debug segment ~/.local/share/lb/store/seg/0000000000000001.seg", ""}},
            .run = run_debug_segment};
}

CommandInfo completion_command() {
    return {.name = "completion",
            .summary = "Print a shell's completion script",
            .description = "For bash, zsh and fish.",
            .positionals = {{.name = "SHELL",
                             .help = "bash, zsh or fish",
                             .completes = Completes::kShell}},
            .options = {{.name = "--names",
                         .value = "KIND",
                         .help = "print the names of branches or projects, for the scripts"}},
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

const std::vector<CommandInfo>& command_table() {
    static const std::vector<CommandInfo> table = {
        init_command(),
        plan_command(),
        apply_command(),
        status_command(),
        psql_command(),
        url_command(),
        load_command(),
        logs_command(),
        branch_list_command(),
        branch_show_command(),
        branch_create_command(),
        branch_delete_command(),
        compute_command("compute start", "Start a branch's compute", "lb compute start staging",
                        run_compute_start),
        compute_command("compute stop", "Stop a branch's compute; its next use starts it again",
                        "lb compute stop staging", run_compute_stop),
        compute_command("compute restart", "Restart a branch's compute",
                        "lb compute restart staging", run_compute_restart),
        destroy_command(),
        serve_command(),
        stop_command(),
        statistics_command(),
        debug_segment_command(),
        completion_command(),
        man_command(),
        version_command(),
    };
    return table;
}

const std::vector<GroupInfo>& group_table() {
    static const std::vector<GroupInfo> table = {
        {"branch", "List, show, create and delete branches"},
        {"compute", "Start and stop the PostgreSQL servers of branches"},
        {"debug", "Look into the store's files"},
    };
    return table;
}

const std::vector<OptionInfo>& global_options() {
    static const std::vector<OptionInfo> options = {
        {.name = "--home",
         .value = "DIRECTORY",
         .help = "where lb keeps everything; LB_HOME, else ~/.local/share/lb, for root /var/lib/lb",
         .completes = Completes::kDirectory},
        {.name = "--spec",
         .value = "FILE",
         .help = "the spec; without it, lb.toml here or in a directory above",
         .letter = "-s",
         .completes = Completes::kFile},
        {.name = "--project",
         .value = "PROJECT",
         .help = "the project; without it, the spec's, or the only one there is",
         .completes = Completes::kProject},
        {.name = "--json", .help = "print JSON, errors included"},
        {.name = "--no-color", .help = "no colours; NO_COLOR does the same"},
        {.name = "--quiet", .help = "no progress and no notices", .letter = "-q"},
        {.name = "--help", .help = "help for the command", .letter = "-h"},
    };
    return options;
}

const CommandInfo* find_command(std::string_view name) {
    for (const CommandInfo& command : command_table()) {
        if (command.name == name) return &command;
    }
    return nullptr;
}

std::string option_key(const OptionInfo& option) {
    std::string_view name = option.name;
    while (!name.empty() && name.front() == '-') name.remove_prefix(1);
    std::string key(name);
    for (char& c : key) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return key;
}

std::string usage_line(const CommandInfo& command) {
    std::string line = cat("lb ", command.name);
    for (const OptionInfo& option : command.positionals) {
        line += option.is_required ? cat(" ", option.name) : cat(" [", option.name, "]");
    }
    line += " [options]";
    if (!command.rest.empty()) line += " [-- ARGUMENTS]";
    return line;
}

}  // namespace lb::cli
