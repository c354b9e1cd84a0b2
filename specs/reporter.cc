#include "specs/internal/reporter.h"

#include <algorithm>

#include "base/text.h"

namespace lb::specs {

void Reporter::error(uint16_t code, const Place& place, std::string message, std::string help) {
    has_errors_ = true;
    sink_.add(Diagnostic{.severity = Severity::kError,
                         .code = code,
                         .message = std::move(message),
                         .span = span(place),
                         .help = std::move(help)});
}

void Reporter::conflict(uint16_t code, const Place& place, std::string message,
                        RelatedPlace related, std::string help) {
    conflict_with(code, place, std::move(message), span(related.place), std::move(related.message),
                  std::move(help));
}

void Reporter::conflict_with(uint16_t code, const Place& place, std::string message,
                             const Span& related, std::string related_message, std::string help) {
    has_errors_ = true;
    sink_.add(Diagnostic{.severity = Severity::kError,
                         .code = code,
                         .message = std::move(message),
                         .span = span(place),
                         .help = std::move(help),
                         .related_message = std::move(related_message),
                         .related_span = related});
}

void Reporter::warning(uint16_t code, const Place& place, std::string message, std::string help) {
    sink_.add(Diagnostic{.severity = Severity::kWarning,
                         .code = code,
                         .message = std::move(message),
                         .span = span(place),
                         .help = std::move(help)});
}

Span Reporter::span(const Place& place) const {
    return Span{.file = files_[place.file],
                .line = place.line,
                .column = place.column,
                .end_line = place.end_line,
                .end_column = place.end_column};
}

std::string_view Reporter::suggest(std::string_view word,
                                   const std::vector<std::string_view>& candidates) {
    if (word.size() < 2 || candidates.size() > comparisons_left_) return {};
    comparisons_left_ -= candidates.size();
    return nearest(word, candidates);
}

}  // namespace lb::specs
