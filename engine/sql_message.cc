#include "engine/sql_message.h"

#include <array>

#include "base/text.h"

namespace lb::engine {

namespace {

// "LINE 1: ..." of any number.
bool is_statement_line(std::string_view line) {
    if (!line.starts_with("LINE ")) return false;
    size_t digits_end = line.find_first_not_of("0123456789", 5);
    return digits_end > 5 && digits_end != std::string_view::npos && line[digits_end] == ':';
}

std::string_view without_leading_spaces(std::string_view text) {
    size_t start = text.find_first_not_of(' ');
    return start == std::string_view::npos ? std::string_view{} : text.substr(start);
}

void append_line(std::string& field, std::string_view line) {
    if (!field.empty()) field += '\n';
    field += line;
}

}  // namespace

SqlMessage parse_sql_message(std::string_view text) {
    static constexpr std::array<std::string_view, 3> kSeverities = {"ERROR", "FATAL", "PANIC"};
    static constexpr std::array<std::string_view, 4> kHidden = {
        "QUERY:", "CONTEXT:", "STATEMENT:", "LOCATION:"};
    SqlMessage message;
    std::string hidden;
    std::string* field = &message.primary;
    for (const std::string& line : split(text, '\n')) {
        std::string_view rest = line;
        if (size_t colon = rest.find(":  "); colon != std::string_view::npos) {
            std::string_view label = rest.substr(0, colon);
            for (std::string_view severity : kSeverities) {
                // libpq puts "connection to server on socket ... failed: " before a FATAL.
                if (!label.ends_with(severity)) continue;
                message.severity = severity;
                message.primary.clear();
                field = &message.primary;
                rest.remove_prefix(colon + 1);
            }
            if (label == "DETAIL") field = &message.detail, rest.remove_prefix(colon + 1);
            if (label == "HINT") field = &message.hint, rest.remove_prefix(colon + 1);
        }
        for (std::string_view label : kHidden) {
            if (rest.starts_with(label)) field = &hidden;
        }
        if (is_statement_line(rest)) field = &hidden;
        append_line(*field, without_leading_spaces(rest));
    }
    while (message.primary.ends_with('\n')) message.primary.pop_back();
    while (message.detail.ends_with('\n')) message.detail.pop_back();
    while (message.hint.ends_with('\n')) message.hint.pop_back();
    for (char& c : message.primary) {
        if (c == '\n') c = ' ';
    }
    return message;
}

std::string connection_value(std::string_view value) {
    std::string out = "'";
    for (char c : value) {
        if (c == '\'' || c == '\\') out += '\\';
        out += c;
    }
    return out + "'";
}

std::string session_option_value(std::string_view value) {
    std::string out;
    for (char c : value) {
        if (c == '\\' || c == ' ' || (c >= '\t' && c <= '\r')) out += '\\';
        out += c;
    }
    return out;
}

}  // namespace lb::engine
