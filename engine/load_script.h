// What lb load needs to know of a plain SQL script, found without understanding SQL. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace lb::engine {

// The top of a script: comments, settings, statements about databases and \connect, up to the
// first statement of another kind.
struct ScriptHead {
    struct Piece {
        size_t begin = 0;  // byte offsets
        size_t end = 0;
        uint64_t line = 0;  // from 1
        std::string text;   // on one line, shortened
    };
    // What to leave out when the script is loaded into a database of our choice: every \connect and
    // every statement about databases before the last of them. Empty if there is no \connect.
    std::vector<Piece> skipped = {};
    bool is_pg_dump = false;
};

// `text` is the start of the script; what is cut off at its end is not looked at.
ScriptHead read_script_head(std::string_view text);

// Passes a script on, chunk by chunk, with what is to be skipped blanked out (so that line numbers
// stay true).
class ScriptFilter {
public:
    explicit ScriptFilter(ScriptHead head) : head_(std::move(head)) {}

    // Errors: kLoadFailed at a line that connects to another database.
    Result<std::string> pass(std::string chunk);
    // At the end of the script: what has to follow so that its last statement is one, ";" or
    // nothing. Errors: kLoadFailed for a dump that is cut off.
    Result<std::string> finish();

private:
    void blank_out(std::string& chunk) const;
    Status check_lines(std::string_view chunk);

    const ScriptHead head_;
    uint64_t offset_ = 0;
    uint64_t line_ = 1;
    std::string line_start_;  // the current line, as much of it as matters
    std::string tail_;        // the newest bytes
};

}  // namespace lb::engine
