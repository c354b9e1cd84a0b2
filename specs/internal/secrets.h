// Finds what a spec may hold of secrets, so that no message and no quoted line shows it.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace lb::specs {

struct TextRange {
    size_t begin = 0;
    size_t end = 0;  // one past the last byte
    bool operator==(const TextRange&) const = default;
};

// Where `text` holds values that may be secrets: those of keys that look like a password's and are
// no reference to one. Works on broken text too, and errs on the side of hiding. Sorted and
// disjoint.
std::vector<TextRange> find_secrets(std::string_view text);

}  // namespace lb::specs
