#include "specs/internal/toml_scanner.h"

#include <algorithm>

namespace lb::specs {

namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

bool is_punctuation(char c) {
    return std::string_view("=,.{}[]").find(c) != std::string_view::npos;
}

bool is_bare(char c) {
    return !is_blank(c) && !is_punctuation(c) && c != '\n' && c != '"' && c != '\'' && c != '#';
}

}  // namespace

Token TomlScanner::next() {
    skip_blank();
    size_t begin = at_;
    if (at_ == text_.size()) return {TokenKind::kEnd, begin, begin};
    char c = text_[at_];
    if (c == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
        return {TokenKind::kComment, begin, at_};
    }
    if (c == '\n') {
        ++at_;
        return {TokenKind::kNewline, begin, at_};
    }
    if (c == '"' || c == '\'') return string(c);
    if (is_punctuation(c)) {
        ++at_;
        return {TokenKind::kPunctuation, begin, at_};
    }
    while (at_ < text_.size() && is_bare(text_[at_])) ++at_;
    return {TokenKind::kBare, begin, at_};
}

void TomlScanner::skip_blank() {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
    bool is_skipped = comments_ == Comments::kSkip && at_ < text_.size() && text_[at_] == '#';
    if (!is_skipped) return;
    at_ = std::min(text_.find('\n', at_), text_.size());
}

Token TomlScanner::string(char quote) {
    std::string_view rest = text_.substr(at_);
    bool is_multi_line = rest.size() >= 3 && rest[1] == quote && rest[2] == quote;
    size_t begin = at_;
    at_ += is_multi_line ? 3 : 1;
    while (at_ < text_.size()) {
        char c = text_[at_];
        if (c == '\n' && !is_multi_line) break;
        if (c == '\\' && quote == '"' && at_ + 1 < text_.size() && text_[at_ + 1] != '\n') {
            at_ += 2;
            continue;
        }
        if (c != quote) {
            ++at_;
            continue;
        }
        if (!is_multi_line) return {TokenKind::kString, begin, ++at_};
        size_t quotes = 0;  // up to two may stand before the closing three
        while (quotes < 5 && at_ < text_.size() && text_[at_] == quote) {
            ++quotes;
            ++at_;
        }
        if (quotes >= 3) return {TokenKind::kString, begin, at_};
    }
    return {TokenKind::kString, begin, at_, true};
}

size_t find_bare_non_ascii(std::string_view text) {
    TomlScanner scanner(text);
    for (Token token = scanner.next(); token.kind != TokenKind::kEnd; token = scanner.next()) {
        if (token.kind != TokenKind::kBare) continue;
        for (size_t at = token.begin; at < token.end; ++at) {
            if (static_cast<unsigned char>(text[at]) >= 0x80) return at;
        }
    }
    return std::string_view::npos;
}

TomlExcess find_excess(std::string_view text) {
    TomlExcess excess;
    TomlScanner scanner(text);
    size_t dots = 0;
    size_t tables = 0;
    bool is_line_start = true;
    for (Token token = scanner.next(); token.kind != TokenKind::kEnd; token = scanner.next()) {
        bool is_header = is_line_start && scanner.is(token, '[');
        bool is_dotted_key = dots > 0 && scanner.is(token, '=');
        is_line_start = token.kind == TokenKind::kNewline;
        if (is_header || is_dotted_key) ++tables;
        if (tables > kTablesMax) {
            excess.tables_at = token.begin;
            return excess;
        }
        if (scanner.is(token, '.')) {
            if (++dots < kKeyPartsMax) continue;
            excess.key_parts_at = token.begin;
            return excess;
        }
        if (is_line_start || token.kind == TokenKind::kPunctuation) dots = 0;
    }
    return excess;
}

}  // namespace lb::specs
