// A lexical look at TOML text that also works on broken text: what a parser cannot tell us, because
// it would overflow its stack on the way (depth of keys) or because it refused the text (secrets).
// Linear in the size of the text; never fails.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace lb::specs {

// More parts than any key of a spec has, few enough for every recursion over the tree.
inline constexpr size_t kKeyPartsMax = 16;

struct TextRange {
    size_t begin = 0;
    size_t end = 0;  // one past the last byte
    bool operator==(const TextRange&) const = default;
};

// Offset of the first key with more than kKeyPartsMax parts; npos if there is none.
size_t find_too_deep_key(std::string_view text);

// Where `text` holds values that may be secrets: those of keys that look like a password's and are
// no reference to one. Errs on the side of hiding. Sorted and disjoint.
std::vector<TextRange> find_secrets(std::string_view text);

}  // namespace lb::specs
