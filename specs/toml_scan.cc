#include "specs/internal/toml_scan.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/text.h"

namespace lb::specs {

namespace {

enum class TokenKind { kEnd, kNewline, kString, kBare, kPunctuation };

struct Token {
    TokenKind kind = TokenKind::kEnd;
    size_t begin = 0;
    size_t end = 0;
    bool is_unterminated = false;  // of a string
};

// Splits text into tokens; whitespace and comments are skipped. What stands outside of strings is
// recognised exactly for valid TOML; on broken text the scanner resumes at the next line.
class Scanner {
public:
    explicit Scanner(std::string_view text) : text_(text) {}

    Token next() {
        skip_blank();
        size_t begin = at_;
        if (at_ == text_.size()) return {TokenKind::kEnd, begin, begin};
        char c = text_[at_];
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

    std::string_view text_of(const Token& token) const {
        return text_.substr(token.begin, token.end - token.begin);
    }
    bool is(const Token& token, char punctuation) const {
        return token.kind == TokenKind::kPunctuation && text_[token.begin] == punctuation;
    }

private:
    static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }
    static bool is_punctuation(char c) {
        return std::string_view("=,.{}[]").find(c) != std::string_view::npos;
    }
    static bool is_bare(char c) {
        return !is_blank(c) && !is_punctuation(c) && c != '\n' && c != '"' && c != '\'' && c != '#';
    }

    void skip_blank() {
        while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
        if (at_ == text_.size() || text_[at_] != '#') return;
        at_ = std::min(text_.find('\n', at_), text_.size());
    }

    Token string(char quote) {
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

    std::string_view text_;
    size_t at_ = 0;
};

std::string to_lower(std::string_view text) {
    std::string lower(text);
    for (char& c : lower) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return lower;
}

// `part` as it stands in the text, with its quotes.
bool looks_secret(std::string_view part) {
    if (part.starts_with('"') && part.find('\\') != std::string_view::npos) return true;
    if (part.size() >= 2 && (part.front() == '"' || part.front() == '\'')) {
        part = part.substr(1, part.size() - 2);
    }
    std::string lower = to_lower(part);
    static constexpr std::array<std::string_view, 7> kWords = {
        "passw", "passphrase", "pwd", "secret", "token", "credential", "verifier"};
    for (std::string_view word : kWords) {
        if (lower.find(word) != std::string::npos) return true;
    }
    return lower == "pass" || !nearest(lower, {"password"}).empty();
}

bool is_reference_key(std::string_view part) { return part == "env" || part == "file"; }

// A path is shown; a variable's name is shown only if it can be one, so that a password that was
// written in its place is not.
bool may_show_reference(std::string_view key, std::string_view string) {
    if (string.size() < 2 || string.starts_with("\"\"\"") || string.starts_with("'''"))
        return false;
    std::string_view name = string.substr(1, string.size() - 2);
    if (key == "file") return true;
    if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
    return std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
               c == '_';
    });
}

// Follows keys and table headers through the tokens of a text and notes the values to hide.
class SecretFinder {
public:
    explicit SecretFinder(std::vector<TextRange>& found) : found_(found) {}

    // A string of several lines that never ends may hold everything, the secrets included.
    void scan_text(std::string_view text) {
        scan(text, 0, [&](const Token& token) {
            bool is_multi_line = token.is_unterminated && token.end - token.begin >= 3 &&
                                 text[token.begin + 2] == text[token.begin];
            if (is_multi_line) hide(token.begin, token.end);
        });
    }

    // Lines by themselves: a string that was not closed makes scan_text() take keys for the insides
    // of strings. Which table a line belongs to is carried on.
    void scan_lines(std::string_view text) {
        for (size_t begin = 0; begin < text.size();) {
            size_t end = std::min(text.find('\n', begin), text.size());
            scan(text.substr(begin, end - begin), begin, [](const Token&) {});
            begin = end + 1;
        }
    }

private:
    template <class Look>
    void scan(std::string_view text, size_t base, Look look) {
        scanner_ = Scanner(text);
        base_ = base;
        forget_key();
        is_line_start_ = true;
        is_header_ = false;
        Token token = scanner_.next();
        while (token.kind != TokenKind::kEnd) {
            look(token);
            token = visit(token);
        }
    }

    // Returns the next token to visit.
    Token visit(const Token& token) {
        if (token.kind == TokenKind::kString || token.kind == TokenKind::kBare) {
            if (!is_after_dot_) parts_.clear();
            parts_.push_back(scanner_.text_of(token));
            is_after_dot_ = false;
            is_line_start_ = false;
            return scanner_.next();
        }
        if (scanner_.is(token, '.')) {
            is_after_dot_ = true;
            return scanner_.next();
        }
        if (scanner_.is(token, '=')) {
            bool is_secret = is_secret_key();
            std::string_view last = parts_.empty() ? std::string_view() : parts_.back();
            forget_key();
            return is_secret ? hide_value(last) : scanner_.next();
        }
        if (scanner_.is(token, '[') && is_line_start_) {
            is_header_ = true;
            forget_key();
            is_line_start_ = true;  // the second bracket of [[
            return scanner_.next();
        }
        if (scanner_.is(token, ']') && is_header_) {
            // [roles.NAME.password]
            is_in_secret_table_ = parts_.size() >= 3 && looks_secret(parts_.back());
            is_header_ = false;
        }
        forget_key();
        if (token.kind == TokenKind::kNewline) {
            is_line_start_ = true;
            is_header_ = false;
        }
        return scanner_.next();
    }

    void forget_key() {
        parts_.clear();
        is_after_dot_ = false;
        is_line_start_ = false;
    }

    bool is_secret_key() const {
        return is_in_secret_table_ ||
               std::any_of(parts_.begin(), parts_.end(),
                           [](std::string_view part) { return looks_secret(part); });
    }

    // After the '=' of a secret key whose last part is `last_part`.
    Token hide_value(std::string_view last_part) {
        Scanner before = scanner_;
        Token first = scanner_.next();
        if (is_reference(first, last_part)) return scanner_.next();
        scanner_ = before;
        Token token = scanner_.next();
        size_t begin = token.begin;
        size_t end = begin;
        int depth = 0;
        while (token.kind != TokenKind::kEnd) {
            if (token.kind == TokenKind::kNewline && depth <= 0) break;
            if (scanner_.is(token, '[') || scanner_.is(token, '{')) ++depth;
            if (scanner_.is(token, ']') || scanner_.is(token, '}')) --depth;
            token = scanner_.next();
            end = token.begin;  // comments behind the value are hidden with it
        }
        hide(begin, end);
        return token;
    }

    // `first` is a whole reference: a string where the key ends in env or file, or a table of one.
    // Leaves the scanner behind it.
    bool is_reference(const Token& first, std::string_view last_part) {
        Token value = first;
        std::string_view key = last_part;
        bool is_table = scanner_.is(first, '{');
        if (is_table) {
            key = scanner_.text_of(scanner_.next());
            if (!scanner_.is(scanner_.next(), '=')) return false;
            value = scanner_.next();
        }
        if (!is_reference_key(key) || value.kind != TokenKind::kString || value.is_unterminated ||
            !may_show_reference(key, scanner_.text_of(value))) {
            return false;
        }
        if (is_table && !scanner_.is(scanner_.next(), '}')) return false;
        Scanner ahead = scanner_;
        Token after = ahead.next();
        return after.kind == TokenKind::kEnd || after.kind == TokenKind::kNewline ||
               ahead.is(after, ',') || ahead.is(after, '}');
    }

    void hide(size_t begin, size_t end) {
        if (begin < end) found_.push_back({base_ + begin, base_ + end});
    }

    std::vector<TextRange>& found_;
    Scanner scanner_ = Scanner({});
    size_t base_ = 0;  // offset of what is scanned in the whole text
    bool is_in_secret_table_ = false;
    std::vector<std::string_view> parts_;  // of the key that is being read
    bool is_after_dot_ = false;
    bool is_line_start_ = true;
    bool is_header_ = false;
};

std::vector<TextRange> merged(std::vector<TextRange> ranges) {
    std::sort(ranges.begin(), ranges.end(), [](const TextRange& left, const TextRange& right) {
        return left.begin != right.begin ? left.begin < right.begin : left.end < right.end;
    });
    std::vector<TextRange> out;
    for (const TextRange& range : ranges) {
        if (!out.empty() && range.begin <= out.back().end) {
            out.back().end = std::max(out.back().end, range.end);
        } else {
            out.push_back(range);
        }
    }
    return out;
}

}  // namespace

size_t find_too_deep_key(std::string_view text) {
    Scanner scanner(text);
    size_t dots = 0;
    for (Token token = scanner.next(); token.kind != TokenKind::kEnd; token = scanner.next()) {
        if (scanner.is(token, '.')) {
            if (++dots >= kKeyPartsMax) return token.begin;
        } else if (token.kind == TokenKind::kNewline || token.kind == TokenKind::kPunctuation) {
            dots = 0;
        }
    }
    return std::string_view::npos;
}

std::vector<TextRange> find_secrets(std::string_view text) {
    std::vector<TextRange> found;
    SecretFinder(found).scan_text(text);
    SecretFinder(found).scan_lines(text);
    return merged(std::move(found));
}

}  // namespace lb::specs
