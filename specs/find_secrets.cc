#include <algorithm>
#include <array>
#include <string>

#include "base/text.h"
#include "specs/internal/ascii.h"
#include "specs/internal/secrets.h"
#include "specs/internal/toml_scanner.h"

namespace lb::specs {

namespace {

// `part` as it stands in the text, with its quotes.
bool looks_secret(std::string_view part) {
    if (part.starts_with('"') && part.find('\\') != std::string_view::npos) return true;
    if (part.size() >= 2 && (part.front() == '"' || part.front() == '\'')) {
        part = part.substr(1, part.size() - 2);
    }
    std::string lower = to_lower_ascii(part);
    static constexpr std::array<std::string_view, 7> kWords = {
        "passw", "passphrase", "pwd", "secret", "token", "credential", "verifier"};
    for (std::string_view word : kWords) {
        if (lower.find(word) != std::string::npos) return true;
    }
    return lower == "pass" || !nearest(lower, {"password"}).empty();
}

bool is_multi_line_string(std::string_view string) {
    return string.starts_with("\"\"\"") || string.starts_with("'''");
}

bool is_reference_key(std::string_view part) {
    return part == "env" || part == "file" || part == "var";
}

// A path is shown; a variable's name is shown only if it can be one, so that a password that was
// written in its place is not.
bool may_show_reference(std::string_view key, std::string_view string) {
    if (is_multi_line_string(string)) return false;
    std::string_view name = string.substr(1, string.size() - 2);
    if (key == "file") return true;
    return is_variable_name(name);
}

enum class Defaults { kShown, kHidden };

bool is_default_key(std::string_view part) {
    return part.find("default") != std::string_view::npos && !part.starts_with("default_");
}

// Follows keys and table headers through the tokens of a text and notes the values to hide.
class SecretFinder {
public:
    SecretFinder(std::vector<TextRange>& found, Defaults defaults)
        : found_(found), defaults_(defaults) {}

    // A string of several lines that never ends may hold everything, the secrets included.
    void scan_text(std::string_view text) {
        scan(text, 0, text.size(), [&](const Token& token) {
            bool is_open = token.is_unterminated && is_multi_line_string(scanner_.text_of(token));
            if (is_open) hide(token.begin, token.end);
        });
    }

    // Lines by themselves: a string that was not closed makes scan_text() take keys for the insides
    // of strings. Which table a line belongs to is carried on, and a hidden value may go on behind
    // its line.
    void scan_lines(std::string_view text) {
        for (size_t begin = 0; begin < text.size();) {
            size_t end = std::min(text.find('\n', begin), text.size());
            size_t stop = scan(text.substr(begin), begin, end - begin, [](const Token&) {});
            begin += std::max(stop, end + 1 - begin);
        }
    }

private:
    // Visits the tokens that begin in the first `size` bytes of `text`; returns where the last
    // value that was hidden ends.
    template <class Look>
    size_t scan(std::string_view text, size_t base, size_t size, Look look) {
        scanner_ = TomlScanner(text);
        base_ = base;
        hidden_end_ = 0;
        forget_key();
        is_line_start_ = true;
        is_header_ = false;
        Token token = scanner_.next();
        while (token.kind != TokenKind::kEnd && token.begin < size) {
            look(token);
            token = visit(token);
        }
        return hidden_end_;
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
                           [](std::string_view part) { return looks_secret(part); }) ||
               (defaults_ == Defaults::kHidden && !parts_.empty() && is_default_key(parts_.back()));
    }

    // After the '=' of a secret key whose last part is `last_part`.
    Token hide_value(std::string_view last_part) {
        TomlScanner before = scanner_;
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
        TomlScanner ahead = scanner_;
        Token after = ahead.next();
        return after.kind == TokenKind::kEnd || after.kind == TokenKind::kNewline ||
               ahead.is(after, ',') || ahead.is(after, '}');
    }

    void hide(size_t begin, size_t end) {
        if (begin == end) return;
        found_.push_back({base_ + begin, base_ + end});
        hidden_end_ = end;
    }

    std::vector<TextRange>& found_;
    Defaults defaults_;
    TomlScanner scanner_ = TomlScanner({});
    size_t base_ = 0;  // offset of what is scanned in the whole text
    size_t hidden_end_ = 0;
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

std::vector<TextRange> find_secrets(std::string_view text) {
    std::vector<TextRange> found;
    // A sensitive variable has no default; one that has it may have shown its secret.
    auto defaults =
        text.find("sensitive") == std::string_view::npos ? Defaults::kShown : Defaults::kHidden;
    SecretFinder(found, defaults).scan_text(text);
    SecretFinder(found, defaults).scan_lines(text);
    return merged(std::move(found));
}

}  // namespace lb::specs
