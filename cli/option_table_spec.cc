#include "cli/option_table_commands.h"

#include "cli/commands/commands.h"

namespace lb::cli {
namespace {

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

OptionInfo only_option() {
    return {.name = "--only",
            .value = "PATTERN",
            .help =
                "only changes of these addresses and what they need, e.g. branch.pr-*; may be "
                "repeated",
            .completes = Completes::kAddress,
            .is_repeatable = true};
}

OptionInfo except_option() {
    return {.name = "--except",
            .value = "PATTERN",
            .help = "no changes of these addresses, nor what needs them; may be repeated",
            .completes = Completes::kAddress,
            .is_repeatable = true};
}

CommandInfo plan_command() {
    return {.name = "plan",
            .summary = "Show what would change: the spec against the live state",
            .description =
                "Compares the spec with what is there and prints one line per change and a summary "
                "line. Changes nothing. Exit code 0, with --detailed-exitcode 2 if there are "
                "changes; 3 if the spec is not right.",
            .positionals = {},
            .options =
                {{.name = "--detailed-exitcode",
                  .help = "exit with 2 if there are changes, refused ones too"},
                 {.name = "--markdown",
                  .help = "print it as a comment for a pull request; fits 65,535 characters"},
                 {.name = "--out",
                  .value = "FILE",
                  .help = "save the plan, for: lb apply FILE",
                  .completes = Completes::kFile},
                 {.name = "--rebase",
                  .value = "FILE",
                  .help = "and say what is other than in this saved plan of the same spec",
                  .completes = Completes::kFile},
                 {.name = "--rehearse",
                  .help = "run its SQL on hidden copies of the branches; exit with 7 if "
                          "that fails"},
                 only_option(),
                 except_option(),
                 {.name = "--verbose", .help = "show each attribute that changes", .letter = "-v"}},
            .examples = {{"lb plan", "what apply would do"},
                         {"lb plan --detailed-exitcode", "in CI: 0 no changes, 2 changes"},
                         {"lb plan --rehearse", "and whether its SQL would go through"},
                         {"lb plan --out shop.plan", "save it; then: lb apply shop.plan"},
                         {"lb plan --rebase shop.plan --out shop.plan", "when it is stale"},
                         {"lb plan --only 'branch.pr-*'", "a part of it"},
                         {"lb plan --markdown > plan.md", "for a comment of the pull request"},
                         {"lb plan --json > plan.json", "for programs; docs/plan-json.md"}},
            .run = run_plan};
}

CommandInfo apply_command() {
    return {
        .name = "apply",
        .summary = "Make the live state what the spec says, all or nothing",
        .description =
            "Plans, shows the plan, asks, and carries it out. Either everything of the plan "
            "happens or nothing. Where nobody can be asked, --auto-approve is needed. What "
            "deletes data needs its address named with --allow-destroy. Where a plan changes "
            "roles, "
            "databases or what is in them on a protected branch, its SQL is rehearsed on a "
            "hidden copy first; if that fails, nothing is applied and the exit code is 7.",
        .positionals = {{.name = "FILE",
                         .help = "a plan saved by \"lb plan --out\", to be carried out as it is",
                         .completes = Completes::kFile}},
        .options = {{.name = "--auto-approve", .help = "do not ask"},
                    allow_destroy_option(),
                    only_option(),
                    except_option(),
                    lock_timeout_option(),
                    rehearse_option(),
                    no_rehearse_option(),
                    {.name = "--verbose",
                     .help = "show each attribute that changes",
                     .letter = "-v"}},
        .examples = {{"lb apply", "plan, ask, apply"},
                     {"lb apply --auto-approve", "in CI"},
                     {"lb apply shop.plan", "exactly the plan that was saved"},
                     {"lb apply --auto-approve --allow-destroy branch.old",
                      "when the spec has dropped the branch old"}},
        .run = run_apply};
}

CommandInfo show_command() {
    return {
        .name = "show",
        .summary = "Show one live resource, or a saved plan",
        .description =
            "With an address: the live resource, its attributes that are not the usual ones, who "
            "made it, since which generation it is like this, and where the spec declares it. With "
            "the name of a file: a plan that \"lb plan --out\" saved, as \"lb plan\" printed it. "
            "What "
            "can be read as an address is one; a file of such a name is ./NAME.",
        .positionals = {{.name = "WHAT",
                         .help =
                             "an address, such as branch.main or role.main.app, or a saved plan",
                         .completes = Completes::kAddressOrFile,
                         .is_required = true}},
        .options = {{.name = "--markdown",
                     .help =
                         "print a plan as a comment for a pull request; fits 65,535 characters"},
                    {.name = "--verbose",
                     .help = "show each attribute that a plan changes",
                     .letter = "-v"}},
        .examples = {{"lb show role.main.app", "one role of the branch main"},
                     {"lb show shop.plan", "what a saved plan would do"},
                     {"lb show shop.plan --json", "the plan document; docs/plan-json.md"}},
        .run = run_show};
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
                         .help = "its name once more, instead of the question"},
                        lock_timeout_option()},
            .examples = {{"lb destroy shop --confirm shop", ""}},
            .run = run_destroy};
}

CommandInfo validate_command() {
    return {.name = "validate",
            .summary = "Check the spec, without a daemon",
            .description =
                "Reports everything that is wrong with the spec, with file, line and column. Exit "
                "code 0 if it is right, 3 if not.",
            .positionals = {},
            .options = {},
            .examples = {{"lb validate", "the nearest lb.toml"},
                         {"lb validate --json", "in CI, for annotations"}},
            .run = run_validate};
}

CommandInfo fmt_command() {
    return {.name = "fmt",
            .summary = "Write the spec in its canonical form",
            .description =
                "Rewrites spacing, quotes and blank lines; comments, order and meaning stay. "
                "Prints the names of the files that it changed. A file that is no TOML is left "
                "alone.",
            .positionals = {{.name = "FILE",
                             .help = "what to format, - for stdin; without it, the spec",
                             .completes = Completes::kFile,
                             .is_repeatable = true}},
            .options = {{.name = "--check",
                         .help = "change nothing; exit with 1 if something would change"},
                        {.name = "--diff", .help = "change nothing; print what would change"}},
            .examples = {{"lb fmt", "the nearest lb.toml"},
                         {"lb fmt --check --diff", "in CI"},
                         {"lb fmt - < lb.toml", "from an editor"}},
            .run = run_fmt};
}

CommandInfo explain_command() {
    return {.name = "explain",
            .summary = "Say in more words what a code means",
            .description =
                "Explains a diagnostic of a spec or an error of a command: why it is reported, an "
                "example, and what to do.",
            .positionals = {{.name = "CODE", .help = "as in LB0102", .is_required = true}},
            .options = {},
            .examples = {{"lb explain LB0102", ""}},
            .run = run_explain};
}

CommandInfo schema_command() {
    return {
        .name = "schema",
        .summary = "Print the JSON Schema of specs, for editors",
        .description =
            "Prints the JSON Schema (draft 2020-12) of lb.toml, with the documentation of every "
            "key. An editor that knows TOML completes and checks keys with it, if the first "
            "line of lb.toml is: #:schema ./lb.schema.json",
        .positionals = {},
        .options = {},
        .examples = {{"lb schema > lb.schema.json", "beside lb.toml"}},
        .run = run_schema};
}

}  // namespace

std::vector<CommandInfo> spec_commands() {
    return {
        init_command(),     plan_command(), apply_command(),   show_command(),   destroy_command(),
        validate_command(), fmt_command(),  explain_command(), schema_command(),
    };
}

}  // namespace lb::cli
