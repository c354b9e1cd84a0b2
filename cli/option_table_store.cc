#include "cli/option_table_commands.h"

#include "cli/commands/commands.h"

namespace lb::cli {
namespace {

CommandInfo statistics_command() {
    return {.name = "statistics",
            .summary = "Show counters of the store and the transport",
            .description = "Prints what the daemon counts, for benchmarks and bug reports.",
            .positionals = {},
            .options = {},
            .examples = {{"lb statistics --json", ""}},
            .run = run_statistics};
}

CommandInfo metrics_command() {
    return {.name = "metrics",
            .summary = "Print the daemon's metrics for Prometheus",
            .description =
                "The same text as GET /metrics on the socket, for node_exporter's textfile "
                "collector. docs/metrics.md.",
            .positionals = {},
            .options = {},
            .examples = {{"lb metrics > /var/lib/node_exporter/lb.prom", "from a timer"}},
            .run = run_metrics};
}

CommandInfo top_command() {
    return {.name = "top",
            .summary = "Watch branches, transactions, bytes and syncs live",
            .description =
                "Refreshes every second; q or Ctrl-C ends it. Wakes no compute. Without a terminal "
                "it prints one screen.",
            .positionals = {},
            .options = {{.name = "--once", .help = "print one screen, over one second"}},
            .examples = {{"lb top", ""}, {"lb top --once", "for scripts"}},
            .run = run_top};
}

CommandInfo fsck_command() {
    return {.name = "fsck",
            .summary = "Check the store: every byte, every index entry, every count",
            .description =
                "Reads the whole log and compares it with the index. Changes nothing. While the "
                "daemon serves, it makes the check, and goes on serving. Exits with 8 if something "
                "is damaged. docs/fsck-and-scrub.md.",
            .positionals = {},
            .options = {{.name = "--rebuild-index",
                         .help = "throw the index away and make it anew from the log; needs lb "
                                 "stop"}},
            .examples = {{"lb fsck", ""}, {"lb fsck --rebuild-index", "after lb stop"}},
            .run = run_fsck};
}

CommandInfo debug_segment_command() {
    return {.name = "debug segment",
            .summary = "Print the records of a segment file of the store",
            .description = "Reads the file itself; no daemon is needed. docs/store-format.md.",
            .positionals = {{.name = "FILE",
                             .help = "a file of HOME/store/seg or HOME/store/cold",
                             .completes = Completes::kFile,
                             .is_required = true}},
            .options = {},
            .examples = {{"lb debug segment ~/.local/share/lb/store/seg/0000000000000001.seg", ""}},
            .run = run_debug_segment};
}

CommandInfo debug_manifest_command() {
    return {.name = "debug manifest",
            .summary = "Print the manifest of the store",
            .description = "Reads the file itself; no daemon is needed. docs/store-format.md.",
            .positionals = {{.name = "FILE",
                             .help = "HOME/store/MANIFEST or HOME/store/MANIFEST.copy",
                             .completes = Completes::kFile,
                             .is_required = true}},
            .options = {},
            .examples = {{"lb debug manifest ~/.local/share/lb/store/MANIFEST", ""}},
            .run = run_debug_manifest};
}

OptionInfo prefix_option(std::string_view help) {
    return {.name = "--prefix", .value = "TEXT", .help = help};
}

CommandInfo debug_index_command() {
    return {.name = "debug index",
            .summary = "Print the entries of the store's index",
            .description =
                "Reads the files themselves; no daemon is needed. One entry per line, with --json "
                "one document per line. docs/store-architecture.md.",
            .positionals = {},
            .options = {prefix_option("only entries whose line begins so: \"block line=1\"")},
            .examples = {{"lb debug index --prefix \"inode line=3\"", ""}},
            .run = run_debug_index};
}

CommandInfo debug_catalog_command() {
    return {.name = "debug catalog",
            .summary = "Print the catalog's notes, read from the log",
            .description =
                "Reads the log itself, going on behind damage; neither a daemon nor the index is "
                "needed. docs/catalog.md.",
            .positionals = {},
            .options = {prefix_option("only notes whose key begins so: \"branch/\"")},
            .examples = {{"lb debug catalog --json", ""}},
            .run = run_debug_catalog};
}

CommandInfo debug_super_command() {
    return {.name = "debug super",
            .summary = "Print what SUPER says: which store, in what format",
            .description = "Reads the file itself, also a damaged one. docs/store-format.md.",
            .positionals = {},
            .options = {},
            .examples = {{"lb debug super", ""}},
            .run = run_debug_super};
}

}  // namespace

std::vector<CommandInfo> store_commands() {
    return {
        top_command(),           metrics_command(),        statistics_command(),
        fsck_command(),          debug_index_command(),    debug_catalog_command(),
        debug_segment_command(), debug_manifest_command(), debug_super_command(),
    };
}

}  // namespace lb::cli
