// Reporter: how the readers of one spec report problems. Adds the files' names, keeps count of
// errors, and limits the work that goes into suggestions, which is quadratic in hostile specs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "specs/diagnostic.h"
#include "specs/internal/toml_tree.h"

namespace lb::specs {

// The other side of a conflict.
struct RelatedPlace {
    Place place;
    std::string message;
};

class Reporter {
public:
    // `files`: the names that the places' numbers stand for.
    Reporter(std::vector<std::string> files, DiagnosticSink& sink)
        : files_(std::move(files)), sink_(sink) {}

    void error(uint16_t code, const Place& place, std::string message, std::string help);
    void conflict(uint16_t code, const Place& place, std::string message, RelatedPlace related,
                  std::string help);
    // As conflict(), with the other place as a span.
    void conflict_with(uint16_t code, const Place& place, std::string message, const Span& related,
                       std::string related_message, std::string help);
    void warning(uint16_t code, const Place& place, std::string message, std::string help);

    bool has_errors() const { return has_errors_; }
    Span span(const Place& place) const;

    // The candidate that `word` is probably a misspelling of; empty if there is none, or if enough
    // suggestions were looked for already.
    std::string_view suggest(std::string_view word,
                             const std::vector<std::string_view>& candidates);

private:
    std::vector<std::string> files_;
    DiagnosticSink& sink_;
    bool has_errors_ = false;
    size_t comparisons_left_ = 50'000;
};

}  // namespace lb::specs
