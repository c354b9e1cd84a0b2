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
    uint16_t code = 0;    // of specs/diagnostic_codes.h, printed as LBnnnn; 0101-0199
    std::string message;  // one line, no trailing period
    Span span;
    std::string help = {};  // what to type
    // A second place: the other side of a conflict.
    std::string related_message = {};
    Span related_span = {};
};

// More than this are cut off with one last diagnostic that says so: nobody reads them, and a
// hostile file could have millions.
inline constexpr size_t kDiagnosticsMax = 500;

// Collects the problems of one run. Not thread-safe.
class DiagnosticSink {
public:
    void add(Diagnostic diagnostic);
    bool has_errors() const { return has_errors_; }
    // Sorted by file, line, column, code.
    const std::vector<Diagnostic>& sorted();

private:
    std::vector<Diagnostic> diagnostics_;
    bool has_errors_ = false;
};

// "LB0102".
std::string diagnostic_code_name(uint16_t code);

enum class Colour : uint8_t { kNever, kAlways };

// For people: each diagnostic with the quoted line and a caret, and an empty line between two. Ends
// with a newline unless there is nothing to say. `sources`: file name -> content, for the quoted
// lines; a place in a file that is not there is named only. Values that may be secrets are hidden,
// and what could disturb a terminal is replaced. The output is UTF-8 whatever the source is.
std::string render_diagnostics(const std::vector<Diagnostic>& diagnostics,
                               const std::map<std::string, std::string>& sources, Colour colour);

// {"severity", "code", "message", "help", "span": {"file", "line", "column", "end_line",
// "end_column"}, "related"?: {"message", "span"}}. Holds no source text.
Json to_json(const Diagnostic& diagnostic);

}  // namespace lb::specs
