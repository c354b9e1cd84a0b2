// Texts that libpq gives and takes: error messages, values of connection strings. Pure;
// thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace lb::engine {

// What libpq gives as one text:
//   ERROR:  role "app" cannot be dropped because some objects depend on it
//   DETAIL:  owner of database shop
//   LINE 1: CREATE ROLE app PASSWORD 'SCRAM-SHA-256$...
// Everything that repeats parts of the statement (LINE, QUERY, CONTEXT, STATEMENT) is left out: a
// statement may hold a verifier.
struct SqlMessage {
    std::string severity;  // "ERROR", "FATAL"; empty if there was none
    std::string primary;   // one line
    std::string detail;    // may have several lines
    std::string hint;
};

SqlMessage parse_sql_message(std::string_view text);

// 'value' for a connection string, with quotes and backslashes escaped.
std::string connection_value(std::string_view value);

// A value for the options of a session, where spaces separate: "-c role=two\ words".
std::string session_option_value(std::string_view value);

}  // namespace lb::engine
