// Diagnostic: one problem of a spec, with the place, the reason and what to type.
//
//   error[LB0102]: unknown key "protcted"
//     --> lb.toml:9:1
//      |
//    9 | protcted = true
//      | ^~~~~~~~
//   help: did you mean "protected"?
//
// Codes are stable, listed in docs/diagnostics.md, and never reused.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "specs/span.h"

namespace lb::specs {

enum class Severity : uint8_t { kError, kWarning };

struct Diagnostic {
    Severity severity = Severity::kError;
    uint16_t code = 0;         // printed as LBnnnn; 0101-0199
    std::string message;       // one line, no trailing period
    Span span;
    std::string help = {};     // what to type
    // A second place: the other side of a conflict.
    std::string related_message = {};
    Span related_span = {};
};

// Collects the problems of one run.
class DiagnosticSink {
public:
    void add(Diagnostic diagnostic);
    bool has_errors() const;
    // Sorted by file, line, column, code.
    const std::vector<Diagnostic>& sorted();

private:
    std::vector<Diagnostic> diagnostics_;
};

enum class Colour : uint8_t { kNever, kAlways };

// `sources`: file name -> content, for the quoted lines.
std::string render_diagnostics(const std::vector<Diagnostic>& diagnostics,
                               const std::map<std::string, std::string>& sources, Colour colour);
Json to_json(const Diagnostic& diagnostic);

}  // namespace lb::specs
