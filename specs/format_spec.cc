#include "specs/format_spec.h"

#include <algorithm>
#include <vector>

#include "base/assert.h"
#include "base/text.h"
#include "specs/internal/format_value.h"
#include "specs/internal/source_text.h"
#include "specs/internal/toml_tree.h"
#include "specs/internal/utf8.h"

namespace lb::specs {

namespace {

enum class LineKind { kBlank, kComment, kHeader, kKey };

struct Line {
    LineKind kind = LineKind::kBlank;
    std::string text = {};     // may have several lines
    std::string comment = {};  // behind the text
};

std::vector<Line> lines_of(TokenStream& tokens) {
    std::vector<Line> lines;
    while (true) {
        const Token token = tokens.peek();
        if (token.kind == TokenKind::kEnd) return lines;
        if (token.kind == TokenKind::kNewline) {
            tokens.take();
            lines.push_back({});
            continue;
        }
        Line line;
        if (token.kind == TokenKind::kComment) {
            line = {.kind = LineKind::kComment, .text = tokens.take_comment()};
        } else if (tokens.is_next('[')) {
            line = {.kind = LineKind::kHeader, .text = format_header(tokens)};
        } else {
            line = {.kind = LineKind::kKey, .text = format_assignment(tokens)};
        }
        if (tokens.peek().kind == TokenKind::kComment) line.comment = tokens.take_comment();
        if (tokens.peek().kind == TokenKind::kNewline) tokens.take();
        lines.push_back(std::move(line));
    }
}

// Where a header and the comments right above it begin.
size_t begin_of_block(const std::vector<Line>& lines) {
    size_t begin = lines.size();
    while (begin > 0 && lines[begin - 1].kind == LineKind::kComment) --begin;
    return begin;
}

std::vector<Line> with_blanks_in_place(std::vector<Line> lines) {
    std::vector<Line> out;
    for (Line& line : lines) {
        bool is_after_nothing = out.empty() || out.back().kind == LineKind::kBlank ||
                                out.back().kind == LineKind::kHeader;
        if (line.kind == LineKind::kBlank && is_after_nothing) continue;
        if (line.kind == LineKind::kHeader) {
            size_t begin = begin_of_block(out);
            bool needs_blank = begin > 0 && out[begin - 1].kind != LineKind::kBlank;
            // Comments that follow a header without a blank line are its body.
            if (needs_blank) out.insert(out.begin() + static_cast<ptrdiff_t>(begin), Line{});
        }
        out.push_back(std::move(line));
    }
    while (!out.empty() && out.back().kind == LineKind::kBlank) out.pop_back();
    return out;
}

size_t width_of(std::string_view text) {
    size_t width = 0;
    for (size_t at = 0; at < text.size();) {
        CodePoint point = decode_code_point(text, at);
        width += display_width(point.value);
        at += point.size_bytes;
    }
    return width;
}

bool is_on_one_line(const Line& line) {
    return line.kind == LineKind::kKey && line.text.find('\n') == std::string::npos;
}

// Lines [begin, end) are keys of one line each.
void align_comments(std::vector<Line>& lines, size_t begin, size_t end) {
    size_t column = 0;
    for (size_t at = begin; at < end; ++at) {
        if (!lines[at].comment.empty()) column = std::max(column, width_of(lines[at].text));
    }
    for (size_t at = begin; at < end; ++at) {
        if (lines[at].comment.empty()) continue;
        lines[at].text += std::string(column - width_of(lines[at].text), ' ');
    }
}

std::string text_of(std::vector<Line> lines) {
    for (size_t begin = 0; begin < lines.size();) {
        size_t end = begin;
        while (end < lines.size() && is_on_one_line(lines[end])) ++end;
        align_comments(lines, begin, end);
        begin = std::max(end, begin + 1);
    }
    std::string out;
    for (const Line& line : lines) {
        out += line.text;
        if (!line.comment.empty()) out += cat("  ", line.comment);
        out += '\n';
    }
    return out;
}

}  // namespace

std::optional<std::string> format_spec(std::string_view text, const std::string& file_name,
                                       DiagnosticSink& sink) {
    Reporter reporter({file_name}, sink);
    std::optional<TomlTable> before = read_source(text, reporter);
    if (!before) return std::nullopt;
    TokenStream tokens(without_mark(text));
    std::string formatted = text_of(with_blanks_in_place(lines_of(tokens)));
    // The promise that matters most is kept by looking.
    std::optional<TomlTable> after = read_source(formatted, reporter);
    // As text, in which not-a-number equals itself.
    auto value = [](TomlTable table) {
        return json_of({.data = std::move(table), .place = {}}).dump();
    };
    LB_ASSERT(after && value(*std::move(before)) == value(*std::move(after)));
    return formatted;
}

}  // namespace lb::specs
