// A source text as the renderer shows it: single lines, with secrets hidden, tabs widened, and what
// must not reach a terminal replaced.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "specs/internal/secrets.h"

namespace lb::specs {

// A part of one line, ready to print, and where a span stands in it. Counted in terminal columns.
struct ShownLine {
    std::string text;
    size_t mark_column = 0;  // from 0
    size_t mark_width = 1;   // at least 1
};

class SourceView {
public:
    // `source` must outlive the view. A byte-order mark is skipped.
    explicit SourceView(std::string_view source);

    // Line `line` (from 1) with the code points [column, end_column) marked; SIZE_MAX: to the
    // line's end. Places outside of the source are shown as its nearest one. A long line is cut
    // around the mark.
    ShownLine show(size_t line, size_t column, size_t end_column) const;

private:
    std::string_view text_of_line(size_t line) const;

    std::string_view source_;
    std::vector<size_t> line_offsets_;
    std::vector<TextRange> secrets_;
};

}  // namespace lb::specs
