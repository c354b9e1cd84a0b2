#include "base/pattern.h"

#include <string>
#include <vector>

namespace lb {

namespace {

// Where `wanted` first stands in `text`: Knuth, Morris and Pratt (1977), so that no pattern makes
// it slow. Requires: `wanted` is not empty.
size_t find_linear(std::string_view text, std::string_view wanted) {
    std::vector<size_t> borders(wanted.size(), 0);
    for (size_t at = 1, border = 0; at < wanted.size(); ++at) {
        while (border > 0 && wanted[at] != wanted[border]) border = borders[border - 1];
        if (wanted[at] == wanted[border]) ++border;
        borders[at] = border;
    }
    for (size_t at = 0, matched = 0; at < text.size(); ++at) {
        while (matched > 0 && text[at] != wanted[matched]) matched = borders[matched - 1];
        if (text[at] == wanted[matched]) ++matched;
        if (matched == wanted.size()) return at + 1 - matched;
    }
    return std::string_view::npos;
}

}  // namespace

bool matches_pattern(std::string_view pattern, std::string_view text) {
    size_t star = pattern.find('*');
    if (star == std::string_view::npos) return pattern == text;
    if (!text.starts_with(pattern.substr(0, star))) return false;
    text.remove_prefix(star);
    pattern.remove_prefix(star + 1);
    // Each piece between two stars at its first place leaves the most for the others.
    for (star = pattern.find('*'); star != std::string_view::npos; star = pattern.find('*')) {
        std::string_view piece = pattern.substr(0, star);
        size_t found = piece.empty() ? 0 : find_linear(text, piece);
        if (found == std::string_view::npos) return false;
        text.remove_prefix(found + piece.size());
        pattern.remove_prefix(star + 1);
    }
    return text.ends_with(pattern);
}

}  // namespace lb
