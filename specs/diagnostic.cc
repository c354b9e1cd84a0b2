#include "specs/diagnostic.h"

#include <algorithm>
#include <tuple>

#include "base/error.h"
#include "base/text.h"
#include "specs/diagnostic_codes.h"

namespace lb::specs {

namespace {

std::string_view to_text(Severity severity) {
    return severity == Severity::kError ? "error" : "warning";
}

Json to_json(const Span& span) {
    Json json = Json::object();
    json.set("file", span.file);
    json.set("line", uint64_t{span.line});
    json.set("column", uint64_t{span.column});
    json.set("end_line", uint64_t{span.end_line});
    json.set("end_column", uint64_t{span.end_column});
    return json;
}

bool is_before(const Diagnostic& left, const Diagnostic& right) {
    // What is said about the diagnostics themselves comes last.
    bool is_left_last = left.code == codes::kMoreProblems;
    bool is_right_last = right.code == codes::kMoreProblems;
    return std::tie(is_left_last, left.span.file, left.span.line, left.span.column, left.code,
                    left.message) < std::tie(is_right_last, right.span.file, right.span.line,
                                             right.span.column, right.code, right.message);
}

}  // namespace

void DiagnosticSink::add(Diagnostic diagnostic) {
    has_errors_ = has_errors_ || diagnostic.severity == Severity::kError;
    if (diagnostics_.size() < kDiagnosticsMax) {
        diagnostics_.push_back(std::move(diagnostic));
        return;
    }
    if (diagnostics_.size() == kDiagnosticsMax) {
        diagnostics_.push_back(Diagnostic{
            .severity = Severity::kError,
            .code = codes::kMoreProblems,
            .message = cat("there are more problems than the ", kDiagnosticsMax, " shown"),
            .span = {.file = diagnostic.span.file},
            .help = "correct these first"});
        has_errors_ = true;
    }
}

const std::vector<Diagnostic>& DiagnosticSink::sorted() {
    std::stable_sort(diagnostics_.begin(), diagnostics_.end(), is_before);
    return diagnostics_;
}

std::string diagnostic_code_name(uint16_t code) { return code_name(static_cast<ErrorCode>(code)); }

Json to_json(const Diagnostic& diagnostic) {
    Json json = Json::object();
    json.set("severity", to_text(diagnostic.severity));
    json.set("code", diagnostic_code_name(diagnostic.code));
    json.set("message", diagnostic.message);
    json.set("help", diagnostic.help);
    json.set("span", to_json(diagnostic.span));
    if (diagnostic.related_span.line != 0) {
        Json related = Json::object();
        related.set("message", diagnostic.related_message);
        related.set("span", to_json(diagnostic.related_span));
        json.set("related", std::move(related));
    }
    return json;
}

}  // namespace lb::specs
