#include "specs/internal/format_value.h"

#include <algorithm>
#include <vector>

#include "base/text.h"

namespace lb::specs {

namespace {

constexpr size_t kIndent = 4;

bool is_bare_key(std::string_view key) {
    auto is_plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '-';
    };
    return !key.empty() && std::all_of(key.begin(), key.end(), is_plain);
}

std::string_view inside(std::string_view string) { return string.substr(1, string.size() - 2); }

bool is_multi_line(std::string_view string) {
    return string.starts_with("\"\"\"") || string.starts_with("'''");
}

// In double quotes, if it means the same there.
std::string format_string(std::string_view string) {
    if (is_multi_line(string) || string.front() == '"') return std::string(string);
    std::string_view content = inside(string);
    if (content.find_first_of("\"\\") != std::string_view::npos) return std::string(string);
    return cat("\"", content, "\"");
}

std::string format_key_part(std::string_view part) {
    if (part.front() != '"' && part.front() != '\'') return std::string(part);
    // An escape in a key needs its quotes, and a bare key has none.
    return is_bare_key(inside(part)) ? std::string(inside(part)) : format_string(part);
}

std::string format_key(TokenStream& tokens) {
    std::string key = format_key_part(tokens.text_of(tokens.take()));
    while (tokens.is_next('.')) {
        tokens.take();
        key += cat(".", format_key_part(tokens.text_of(tokens.take())));
    }
    return key;
}

std::string format_value(TokenStream& tokens, size_t depth);

// Numbers, dates, booleans: as they stand. "1.5" and "2026-01-01 10:00:00.5Z" are several tokens.
std::string format_scalar(TokenStream& tokens) {
    Token first = tokens.take();
    Token last = first;
    while (tokens.peek().kind == TokenKind::kBare || tokens.is_next('.')) last = tokens.take();
    return std::string(tokens.text_between(first, last));
}

std::string format_inline_table(TokenStream& tokens, size_t depth) {
    tokens.take();
    std::vector<std::string> members;
    while (!tokens.is_next('}')) {
        std::string key = format_key(tokens);
        tokens.take();  // =
        members.push_back(cat(key, " = ", format_value(tokens, depth)));
        if (tokens.is_next(',')) tokens.take();
    }
    tokens.take();
    return members.empty() ? "{}" : cat("{ ", join(members, ", "), " }");
}

// An item of a list, or a comment on a line of its own (then `text` is empty).
struct Item {
    std::string text = {};
    std::string comment = {};
};

class ListFormatter {
public:
    ListFormatter(TokenStream& tokens, size_t depth) : tokens_(tokens), depth_(depth) {}

    std::string format() {
        tokens_.take();
        while (!tokens_.is_next(']')) read_piece();
        tokens_.take();
        return is_on_one_line_ ? on_one_line() : on_several_lines();
    }

private:
    void read_piece() {
        if (tokens_.peek().kind == TokenKind::kNewline) {
            tokens_.take();
            is_on_one_line_ = false;
            is_line_start_ = true;
        } else if (tokens_.peek().kind == TokenKind::kComment) {
            is_on_one_line_ = false;
            std::string comment = tokens_.take_comment();
            bool is_behind_item = !is_line_start_ && !items_.empty() &&
                                  !items_.back().text.empty() && items_.back().comment.empty();
            if (!is_behind_item) items_.push_back({});
            items_.back().comment = std::move(comment);
        } else if (tokens_.is_next(',')) {
            tokens_.take();
            is_line_start_ = false;
        } else {
            items_.push_back({.text = format_value(tokens_, depth_ + 1)});
            is_line_start_ = false;
        }
    }

    std::string on_one_line() const {
        std::vector<std::string> texts;
        for (const Item& item : items_) texts.push_back(item.text);
        return cat("[", join(texts, ", "), "]");
    }

    std::string on_several_lines() const {
        if (items_.empty()) return "[]";
        std::string out = "[\n";
        for (const Item& item : items_) {
            out += std::string((depth_ + 1) * kIndent, ' ');
            if (!item.text.empty()) out += cat(item.text, ",");
            if (!item.text.empty() && !item.comment.empty()) out += "  ";
            out += cat(item.comment, "\n");
        }
        return cat(out, std::string(depth_ * kIndent, ' '), "]");
    }

    TokenStream& tokens_;
    size_t depth_;
    std::vector<Item> items_ = {};
    bool is_on_one_line_ = true;
    bool is_line_start_ = false;
};

// Recursion is bounded by the reader's limit of nesting.
std::string format_value(TokenStream& tokens, size_t depth) {
    if (tokens.is_next('[')) return ListFormatter(tokens, depth).format();
    if (tokens.is_next('{')) return format_inline_table(tokens, depth);
    if (tokens.peek().kind == TokenKind::kString)
        return format_string(tokens.text_of(tokens.take()));
    return format_scalar(tokens);
}

}  // namespace

std::string TokenStream::take_comment() {
    std::string_view comment = text_of(take());
    size_t end = comment.find_last_not_of(" \t\r");
    return std::string(comment.substr(0, end + 1));
}

std::string format_header(TokenStream& tokens) {
    size_t brackets = 0;
    for (; tokens.is_next('['); tokens.take()) ++brackets;
    std::string key = format_key(tokens);
    for (size_t taken = 0; taken < brackets; ++taken) tokens.take();
    return cat(std::string(brackets, '['), key, std::string(brackets, ']'));
}

std::string format_assignment(TokenStream& tokens) {
    std::string key = format_key(tokens);
    tokens.take();  // =
    return cat(key, " = ", format_value(tokens, 0));
}

}  // namespace lb::specs
