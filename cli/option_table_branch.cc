#include "cli/option_table_commands.h"

#include "cli/commands/commands.h"

namespace lb::cli {
namespace {

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

CommandInfo branch_list_command() {
    return {
        .name = "branch list",
        .summary = "List the branches",
        .description = "Prints one line per branch, sorted by name.",
        .positionals = {},
        .options = {{.name = "--deleted", .help = "those that were deleted and can be had back"}},
        .examples = {{"lb branch list", "a table"},
                     {"lb branch list --deleted", "what lb branch undelete can bring back"},
                     {"lb branch list --json", "for programs"}},
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
                "Creates a branch of the parent's present state, or of an earlier moment. It "
                "costs milliseconds and kilobytes, whatever the parent's size. The spec leaves "
                "such branches alone: apply neither changes nor deletes them.",
            .positionals = {{.name = "BRANCH", .help = "name of the new one", .is_required = true}},
            .options = {{.name = "--parent",
                         .value = "BRANCH",
                         .help = "the parent; without it, the default branch",
                         .letter = "-p",
                         .completes = Completes::kBranch},
                        {.name = "--at",
                         .value = "MOMENT",
                         .help = "the branch point: a time, an LSN, position:N, -15m; now"},
                        {.name = "--ttl",
                         .value = "DURATION",
                         .help = "delete it after this time, e.g. 12h or 7d"},
                        {.name = "--expires",
                         .value = "TIME",
                         .help = "delete it at this time, e.g. 2030-01-31T12:00:00Z"},
                        {.name = "--protected", .help = "refuse to delete it"},
                        lock_timeout_option()},
            .examples = {{"lb branch create feature/cart --ttl 7d", "of the default branch"},
                         {"lb branch create oops --parent main --at 2026-04-12T09:30:00Z",
                          "of a past state"},
                         {"lb branch create look --at -15m", "of a quarter of an hour ago"}},
            .run = run_branch_create};
}

CommandInfo branch_delete_command() {
    return {.name = "branch delete",
            .summary = "Delete a branch and its data",
            .description =
                "Deletes a branch that has no children and is not protected. lb branch undelete "
                "brings it back until its restore window has passed; only then its space is free, "
                "or at once with --purge. Asks first; where nobody can be asked, --yes is needed.",
            .positionals = {branch_argument(true)},
            .options = {{.name = "--purge",
                         .help = "for good, with those of its name that were deleted before"},
                        {.name = "--yes", .help = "do not ask", .letter = "-y"},
                        lock_timeout_option()},
            .examples = {{"lb branch delete feature/cart --yes", ""},
                         {"lb branch delete feature/cart --purge --yes", "free its space now"}},
            .run = run_branch_delete};
}

CommandInfo branch_undelete_command() {
    return {
        .name = "branch undelete",
        .summary = "Bring a deleted branch back",
        .description =
            "The branch comes back with its data, roles, databases and settings, as it was when "
            "it was deleted, until its restore window has passed since. Of several of one name "
            "it is the one that was deleted last. Its compute starts with its first use. If its "
            "parent is deleted, it becomes a child of the nearest ancestor that exists.",
        .positionals = {{.name = "BRANCH", .help = "the name it had", .is_required = true}},
        .options = {{.name = "--as", .value = "NAME", .help = "another name, if its own is taken"},
                    lock_timeout_option()},
        .examples = {{"lb branch undelete feature/cart", ""},
                     {"lb branch undelete staging --as staging-before", ""}},
        .run = run_branch_undelete};
}

CommandInfo branch_reset_command() {
    return {.name = "branch reset",
            .summary = "Give a branch its parent's present state",
            .description =
                "The branch keeps its name, port, settings and children, and its ttl counts anew. "
                "Its present state is lost unless --backup names a branch that keeps it; so it "
                "asks first, or needs --yes. Protected branches are refused.",
            .positionals = {branch_argument(true)},
            .options = {{.name = "--backup",
                         .value = "NAME",
                         .help = "keep the present state as a branch of this name"},
                        {.name = "--yes", .help = "do not ask", .letter = "-y"},
                        lock_timeout_option()},
            .examples = {{"lb branch reset staging --yes", ""},
                         {"lb branch reset staging --backup staging-before", ""}},
            .run = run_branch_reset};
}

CommandInfo restore_command() {
    return {.name = "restore",
            .summary = "Take a branch back to an earlier moment",
            .description =
                "The branch keeps its name, port, settings and children. What it had until now "
                "stays as a backup branch, so nothing is lost. A time means the newest state at "
                "or before it, an LSN everything before it. Protected branches are refused.",
            .positionals = {branch_argument(true)},
            .options = {{.name = "--to",
                         .value = "MOMENT",
                         .help = "a time with its zone, an LSN, position:N, or -15m"},
                        {.name = "--from",
                         .value = "BRANCH",
                         .help = "whose history; without it, the branch's own",
                         .completes = Completes::kBranch},
                        {.name = "--backup",
                         .value = "NAME",
                         .help = "name of the backup branch; BRANCH-old-DATE-TIME"},
                        lock_timeout_option()},
            .examples = {{"lb restore main --to 2026-04-12T09:30:00Z", "to a time"},
                         {"lb restore main --to 0/16B3748", "to before a transaction committed"},
                         {"lb restore main --to -15m --backup main-broken", ""}},
            .run = run_restore};
}

CommandInfo history_command() {
    return {.name = "history",
            .summary = "Show what of a branch's past can be restored, and what happened in it",
            .description =
                "Prints from when to when the branch can be restored or branched from, as times, "
                "positions and LSNs, and the applies, restores, resets and loads, newest first.",
            .positionals = {branch_argument(false)},
            .options = {{.name = "--lines",
                         .value = "N",
                         .help = "how many of them, or all; without it, 15",
                         .letter = "-n"}},
            .examples = {{"lb history main", ""}, {"lb history main --json", "for programs"}},
            .run = run_history};
}

CommandInfo generations_command() {
    return {.name = "generations",
            .summary = "List the applies of a project, or show what one of them changed",
            .description =
                "Each apply makes a generation: its number, time, author, plan, the commit and "
                "hash of its spec, and what it changed. The newest 1,000 are kept. Secrets do not "
                "show.",
            .positionals = {{.name = "GENERATION", .help = "show what this one changed"}},
            .options = {{.name = "--limit",
                         .value = "N",
                         .help = "how many, or all; without it, 20",
                         .letter = "-n"}},
            .examples = {{"lb generations", "the newest first"},
                         {"lb generations 12", "what it changed"},
                         {"lb generations --limit all --json", "for programs"}},
            .run = run_generations};
}

CommandInfo rollback_command() {
    return {.name = "rollback",
            .summary = "Go back to an earlier generation: undo what later applies did",
            .description =
                "Plans, shows the plan, asks, and carries it out, as apply does. Settings, roles "
                "and databases get back what they had, deleted branches come back while their "
                "restore window lasts, what was made since is deleted (--allow-destroy). What no "
                "apply has touched since stays. Rows are not taken back: lb restore does that.",
            .positionals = {{.name = "GENERATION",
                             .help = "the generation; without it, the one before the newest"}},
            .options = {{.name = "--auto-approve", .help = "do not ask"},
                        allow_destroy_option(),
                        lock_timeout_option(),
                        rehearse_option(),
                        no_rehearse_option(),
                        {.name = "--dry-run", .help = "only show the plan"},
                        {.name = "--detailed-exitcode",
                         .help = "with --dry-run: exit with 2 if there are changes"},
                        {.name = "--verbose",
                         .help = "show each attribute that changes",
                         .letter = "-v"}},
            .examples = {{"lb rollback", "undo the last apply"},
                         {"lb rollback 12 --dry-run", "what would have to change"},
                         {"lb rollback 12 --auto-approve --allow-destroy branch.new", "in CI"}},
            .run = run_rollback};
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

}  // namespace

std::vector<CommandInfo> branch_commands() {
    return {
        status_command(),
        branch_list_command(),
        branch_show_command(),
        branch_create_command(),
        branch_delete_command(),
        branch_undelete_command(),
        branch_reset_command(),
        restore_command(),
        history_command(),
        generations_command(),
        rollback_command(),
        compute_command("compute start", "Start a branch's compute", "lb compute start staging",
                        run_compute_start),
        compute_command("compute stop", "Stop a branch's compute; its next use starts it again",
                        "lb compute stop staging", run_compute_stop),
        compute_command("compute restart", "Restart a branch's compute",
                        "lb compute restart staging", run_compute_restart),
    };
}

}  // namespace lb::cli
