#include "engine/load_report.h"

#include <algorithm>
#include <optional>

#include "base/text.h"

namespace lb::engine {

namespace {

constexpr size_t kDetailLinesMax = 12;
constexpr std::string_view kScriptMark = "psql:<stdin>:";

struct Marked {
    size_t at = 0;       // of the line's mark
    size_t message = 0;  // after it
};

// "ERROR:  " and "FATAL:  " are the server's, "error: " the program's own.
std::optional<Marked> find_error(std::string_view line) {
    // In "pg_restore: error: could not execute query: ERROR:  ..." the server's counts.
    for (std::string_view mark : {"ERROR:  ", "FATAL:  ", "PANIC:  ", "error: "}) {
        size_t at = line.find(mark);
        if (at != std::string_view::npos) return Marked{at, at + mark.size()};
    }
    return std::nullopt;
}

bool is_state(std::string_view text) {
    return text.size() == 5 && std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
           });
}

// Another message begins here.
bool is_new_message(std::string_view line) {
    return line.starts_with(kScriptMark) || line.starts_with("pg_restore: ") ||
           line.starts_with("psql: ");
}

struct Advice {
    std::string_view state;
    std::string_view part;  // of the message
    const char* help;
};
constexpr Advice kAdvice[] = {
    {"", "extension", "make the extension as the superuser first: lb psql, CREATE EXTENSION"},
    {"42704", "role", "add the role to the spec and apply it, or dump with --no-owner --no-acl"},
    {"", "does not exist", "see that the dump is whole and fits the database"},
    {"", "already exists", "load into an empty database"},
    {"42501", "", "dump with --no-owner --no-acl, or give the database's owner what it needs"},
    {"22021", "", "say which encoding the file has: SET client_encoding = 'LATIN1'; at its top"},
};

std::string help_for(const LoadReport& report) {
    for (const Advice& advice : kAdvice) {
        bool is_state = advice.state.empty() || report.state == advice.state;
        if (is_state && report.message.find(advice.part) != std::string::npos) return advice.help;
    }
    return "correct the file, and load it again";
}

}  // namespace

LoadReport first_error_in(std::string_view output) {
    LoadReport report;
    size_t detail_lines = 0;
    for (const std::string& text : split(output, '\n')) {
        std::string_view line = text;
        if (!report.message.empty()) {
            if (is_new_message(line) || detail_lines == kDetailLinesMax) break;
            if (line.empty() || line.starts_with("LOCATION:")) continue;
            if (detail_lines++ > 0) report.details += '\n';
            report.details += line;
            continue;
        }
        std::optional<Marked> error = find_error(line);
        if (!error) continue;
        if (line.starts_with(kScriptMark)) {
            std::string_view rest = line.substr(kScriptMark.size());
            report.line = std::string(rest.substr(0, rest.find(':')));
        }
        std::string_view message = line.substr(error->message);
        if (message.size() > 7 && is_state(message.substr(0, 5)) && message[5] == ':') {
            report.state = std::string(message.substr(0, 5));
            message.remove_prefix(7);
        }
        report.message = std::string(message);
    }
    return report;
}

bool refuses_transaction(const LoadReport& report) {
    // active_sql_transaction, unsafe_new_enum_value_usage
    return report.state == "25001" || report.state == "55P04";
}

Error load_error(const LoadReport& report, const std::string& name, const std::string& effect) {
    std::string place = report.line.empty() ? name : cat(name, ":", report.line);
    Error error{.code = ErrorCode::kLoadFailed,
                .message = cat(place, ": ",
                               report.message.empty() ? "the load failed" : report.message.c_str()),
                .help = help_for(report)};
    if (!report.details.empty()) error.notes.push_back(report.details);
    error.notes.push_back(effect);
    return error;
}

}  // namespace lb::engine
