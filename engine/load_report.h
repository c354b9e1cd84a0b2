// Turning what psql and pg_restore print into an error. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace lb::engine {

// Run with VERBOSITY=verbose, psql puts the SQLSTATE before a message:
//   psql:<stdin>:12: ERROR:  42P01: relation "x" does not exist
struct LoadReport {
    std::string line;     // "12"; empty if none is named
    std::string state;    // "42P01"; empty if none is named
    std::string message;  // one line
    std::string details;  // DETAIL, HINT, CONTEXT ..., may have several lines
};

// The first error in `output`; an empty message if there is none.
LoadReport first_error_in(std::string_view output);

// A statement of the script refuses to run inside of a transaction.
bool refuses_transaction(const LoadReport& report);

// `name`: of the file; `effect`: what has become of the data so far.
Error load_error(const LoadReport& report, const std::string& name, const std::string& effect);

}  // namespace lb::engine
