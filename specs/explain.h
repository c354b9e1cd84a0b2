// What a diagnostic means, why it is one, and what to do about it, in more words than its message
// has.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace lb::specs {

// Texts are Markdown without links to other documents' insides.
struct Explanation {
    uint16_t code = 0;
    std::string_view title;         // "unknown key"
    std::string_view text;          // why it is reported
    std::string_view example = {};  // TOML that gives it; empty: none is short enough
    std::string_view fix;           // what to do
};

// nullptr if there is no such diagnostic.
const Explanation* find_explanation(uint16_t code);

// Section by section, as docs/diagnostics.md has it from its first group on.
std::string explanations_markdown();
// One explanation, for a terminal; ends with a newline.
std::string to_text(const Explanation& explanation);

}  // namespace lb::specs
