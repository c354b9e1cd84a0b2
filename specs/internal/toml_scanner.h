// Splits TOML text into tokens; also works on broken text, so that what a parser refuses, or must
// not see because it would overflow its stack, can still be looked at. Linear in the size of the
// text.
#pragma once

#include <cstddef>
#include <string_view>

namespace lb::specs {

enum class TokenKind { kEnd, kNewline, kString, kBare, kPunctuation, kComment };
enum class Comments { kSkip, kKeep };

struct Token {
    TokenKind kind = TokenKind::kEnd;
    size_t begin = 0;
    size_t end = 0;                // one past the last byte
    bool is_unterminated = false;  // of a string
};

// Whitespace is skipped, and so are comments unless they are asked for; a comment ends before its
// newline. What stands outside of strings is recognised exactly for
// valid TOML; after a string that is not closed on its line, scanning resumes at the next line.
class TomlScanner {
public:
    explicit TomlScanner(std::string_view text, Comments comments = Comments::kSkip)
        : text_(text), comments_(comments) {}

    Token next();

    std::string_view text_of(const Token& token) const {
        return text_.substr(token.begin, token.end - token.begin);
    }
    bool is(const Token& token, char punctuation) const {
        return token.kind == TokenKind::kPunctuation && text_[token.begin] == punctuation;
    }

private:
    void skip_blank();
    Token string(char quote);

    std::string_view text_;
    Comments comments_;
    size_t at_ = 0;
};

// More parts than any key of a spec has, few enough for every recursion over the tree.
inline constexpr size_t kKeyPartsMax = 16;
// Table headers and dotted keys together; the largest spec has fewer. toml++ takes time that is
// quadratic in their number.
inline constexpr size_t kTablesMax = 150'000;

// Offsets of the first key with too many parts and of the first table that is too many; npos if
// there is none. The first one found ends the search.
struct TomlExcess {
    size_t key_parts_at = std::string_view::npos;
    size_t tables_at = std::string_view::npos;
};
TomlExcess find_excess(std::string_view text);

// Offset of the first character outside of strings and comments that is not ASCII; npos if there is
// none. Requires: valid TOML, but for such characters.
size_t find_bare_non_ascii(std::string_view text);

}  // namespace lb::specs
