// The manual page, in roff for man(7).
#include "base/text.h"
#include "cli/help.h"
#include "cli/version.h"

namespace lb::cli {
namespace {

// Backslashes, and dots and quotes at the start of a line, mean something to roff; a bare hyphen
// may become a dash that cannot be copied.
std::string roff(std::string_view text) {
    std::string out;
    for (char c : text) {
        if (c == '\\') {
            out += "\\e";
        } else if (c == '-') {
            out += "\\-";
        } else if ((c == '.' || c == '\'') && (out.empty() || out.back() == '\n')) {
            out += "\\&";
            out += c;
        } else {
            out += c;
        }
    }
    return out;
}

std::string option_entries(const std::vector<OptionInfo>& options) {
    std::string text;
    for (const OptionInfo& option : options) {
        std::string names = cat("\\fB", roff(option.name), "\\fR");
        if (!option.letter.empty()) names = cat("\\fB", roff(option.letter), "\\fR, ", names);
        if (!option.value.empty()) names += cat(" \\fI", roff(option.value), "\\fR");
        text += cat(".TP\n", names, "\n", roff(option.help), ".\n");
    }
    return text;
}

std::string command_entry(const CommandInfo& command) {
    std::string text =
        cat(".SS ", roff(usage_line(command)), "\n", roff(command.description), "\n");
    text += option_entries(command.positionals);
    text += option_entries(command.options);
    for (const ExampleInfo& example : command.examples) {
        text += cat(".IP\n.EX\n", roff(example.command), "\n.EE\n");
    }
    return text;
}

constexpr std::string_view kClosing =
    ".SH EXIT STATUS\n"
    "0 ok; 1 error; 2 changes present (plan \\-\\-detailed\\-exitcode); 3 spec invalid; 4 plan "
    "stale; 5 refused by protection or policy; 6 busy; 7 rehearsal or migration test failed; 8 "
    "store damaged; 64 usage; 130 interrupted, nothing applied.\n"
    ".SH ENVIRONMENT\n"
    ".TP\n\\fBLB_HOME\\fR\nwhere lb keeps everything.\n"
    ".TP\n\\fBLB_POSTGRES_USER\\fR\nOS user that PostgreSQL runs as when lb runs as root.\n"
    ".TP\n\\fBLB_POSTGRES_BIN\\fR\ndirectory of PostgreSQL's programs.\n"
    ".TP\n\\fBNO_COLOR\\fR\nno colours.\n"
    ".SH FILES\n"
    ".TP\n\\fIlb.toml\\fR\nthe spec.\n";

}  // namespace

std::string manual_page() {
    std::string text = cat(".TH LB 1 \"\" \"lb ", version(), "\" \"User Commands\"\n");
    text +=
        ".SH NAME\nlb \\- Postgres projects with instant, copy\\-on\\-write branches\n"
        ".SH SYNOPSIS\n\\fBlb\\fR \\fICOMMAND\\fR [\\fIoptions\\fR]\n"
        ".SH DESCRIPTION\n"
        "lb keeps projects of Postgres databases whose branches are instant and cheap, and "
        "describes them in one TOML file: \\fBlb plan\\fR shows what would change, \\fBlb "
        "apply\\fR makes it so, all or nothing.\n"
        ".SH COMMANDS\n";
    for (const CommandInfo& command : command_table()) text += command_entry(command);
    text += cat(".SH GLOBAL OPTIONS\n", option_entries(global_options()), kClosing);
    return text;
}

}  // namespace lb::cli
