// The parts of a line of TOML in canonical form: keys, values, table headers.
#pragma once

#include <string>
#include <string_view>

#include "specs/internal/toml_scanner.h"

namespace lb::specs {

// The tokens of valid TOML, comments included, with one token of lookahead.
class TokenStream {
public:
    explicit TokenStream(std::string_view text)
        : scanner_(text, Comments::kKeep), next_(scanner_.next()) {}

    const Token& peek() const { return next_; }
    Token take() {
        Token token = next_;
        next_ = scanner_.next();
        return token;
    }
    std::string_view text_of(const Token& token) const { return scanner_.text_of(token); }
    bool is_next(char punctuation) const { return scanner_.is(next_, punctuation); }
    // From the beginning of one token to the end of another.
    std::string_view text_between(const Token& first, const Token& last) const {
        Token both = first;
        both.end = last.end;
        return scanner_.text_of(both);
    }
    // Without what is blank at its end.
    std::string take_comment();

private:
    TomlScanner scanner_;
    Token next_;
};

// Each takes its tokens from the stream, and leaves a comment and the newline behind them.
std::string format_header(TokenStream& tokens);      // [a."b c"]
std::string format_assignment(TokenStream& tokens);  // a.b = { c = 1 }

}  // namespace lb::specs
