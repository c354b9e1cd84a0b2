#include "cli/option_table_commands.h"

#include "cli/commands/commands.h"

namespace lb::cli {
namespace {

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

}  // namespace

std::vector<CommandInfo> data_commands() {
    return {
        psql_command(),
        url_command(),
        load_command(),
        logs_command(),
    };
}

}  // namespace lb::cli
