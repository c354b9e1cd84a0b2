// Splits TOML text into tokens; also works on broken text, so that what a parser refuses, or must
// not see because it would overflow its stack, can still be looked at. Linear in the size of the
// text.
#pragma once

#include <cstddef>
#include <string_view>

namespace lb::specs {

enum class TokenKind { kEnd, kNewline, kString, kBare, kPunctuation };

struct Token {
    TokenKind kind = TokenKind::kEnd;
    size_t begin = 0;
    size_t end = 0;                // one past the last byte
    bool is_unterminated = false;  // of a string
};

// Whitespace and comments are skipped. What stands outside of strings is recognised exactly for
// valid TOML; after a string that is not closed on its line, scanning resumes at the next line.
class TomlScanner {
public:
    explicit TomlScanner(std::string_view text) : text_(text) {}

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
    size_t at_ = 0;
};

// More parts than any key of a spec has, few enough for every recursion over the tree.
inline constexpr size_t kKeyPartsMax = 16;

// Offset of the first key with more than kKeyPartsMax parts; npos if there is none.
size_t find_too_deep_key(std::string_view text);

}  // namespace lb::specs
