// lb debug: the store's files as text. No daemon is asked, and damage is passed as far as possible.
#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/daemon/start.h"
#include "cli/session.h"
#include "engine/catalog_check.h"
#include "store/disk.h"
#include "store/index_text.h"
#include "store/manifest.h"
#include "store/segment_log.h"
#include "store/store_dump.h"

namespace lb::cli {
namespace {

// Text lines as they are, or as {"text":...} where JSON is wanted and there is nothing better.
std::function<void(std::string_view)> line_writer(Output& output) {
    return [&output](std::string_view line) {
        if (!output.is_json()) return output.text(cat(line, "\n"));
        Json json = Json::object();
        json.set("text", line);
        output.json_line(json);
    };
}

// As the catalog's keys are: "branch/3/17".
bool has_prefix(std::string_view text, std::string_view prefix) {
    return text.substr(0, prefix.size()) == prefix;
}

}  // namespace

Result<ExitCode> run_debug_segment(const Arguments& arguments, Output& output) {
    LB_TRY(store::dump_segment(store::posix_disk(), arguments.text("file"), line_writer(output)));
    return ExitCode::kOk;
}

Result<ExitCode> run_debug_manifest(const Arguments& arguments, Output& output) {
    LB_TRY(store::dump_manifest(store::posix_disk(), arguments.text("file"), line_writer(output)));
    return ExitCode::kOk;
}

Result<ExitCode> run_debug_super(const Arguments& arguments, Output& output) {
    Session session(arguments, output);
    Home home = LB_TRY(session.home());
    LB_TRY(store::dump_super(store::posix_disk(), home.store_directory(), line_writer(output)));
    return ExitCode::kOk;
}

Result<ExitCode> run_debug_index(const Arguments& arguments, Output& output) {
    Session session(arguments, output);
    Home home = LB_TRY(session.home());
    const std::string prefix = arguments.text("prefix");
    if (is_daemon_listening(home)) {
        output.notice("a daemon runs: what it has not written out yet is not shown");
    }
    LB_TRY(store::dump_index(home.store_directory(),
                             [&](std::string_view key, std::string_view value) {
                                 std::string text = store::index_entry_text(key, value);
                                 if (!has_prefix(text, prefix)) return;
                                 if (output.is_json())
                                     return output.json_line(store::index_entry_json(key, value));
                                 output.text(text + "\n");
                             }));
    return ExitCode::kOk;
}

Result<ExitCode> run_debug_catalog(const Arguments& arguments, Output& output) {
    Session session(arguments, output);
    Home home = LB_TRY(session.home());
    const std::string prefix = arguments.text("prefix");
    uint64_t problem_count = 0;
    std::vector<store::Note> notes = LB_TRY(store::notes_of_log(
        store::posix_disk(), home.store_directory(), [&](const store::Problem& problem) {
            if (store::is_damage(problem.code)) problem_count++;
        }));
    for (const store::Note& note : notes) {
        if (!has_prefix(note.key, prefix)) continue;
        Json json = engine::note_json(note);
        if (output.is_json()) {
            output.json_line(json);
            continue;
        }
        const Json* problem = json.find("problem");
        output.text(cat(note.key, " ", note.value.value_or(""),
                        problem == nullptr ? "" : cat("  <- ", *problem->if_text()), "\n"));
    }
    if (problem_count > 0) {
        output.notice(cat("the log is damaged in ", problem_count, " places; run: lb fsck"));
    }
    return ExitCode::kOk;
}

}  // namespace lb::cli
