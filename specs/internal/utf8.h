// UTF-8 for the renderer and the text check: decoding that survives any bytes, and how many columns
// a terminal gives a code point.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace lb::specs {

struct CodePoint {
    uint32_t value = 0;
    size_t size_bytes = 0;  // at least 1
    bool is_valid = false;  // false: not UTF-8 here; `size_bytes` is then 1
};

// Requires: offset < text.size().
CodePoint decode_code_point(std::string_view text, size_t offset);

// Offset of the first byte that is not UTF-8; npos if there is none.
size_t find_invalid_utf8(std::string_view text);

// 0, 1 or 2 columns. An approximation of the Unicode tables: combining marks take none, East Asian
// wide characters and emoji two.
size_t display_width(uint32_t code_point);

// False for what may not reach a terminal or hides what a line says: control characters, line
// separators, and the marks that change the direction of text.
bool is_safe_to_display(uint32_t code_point);

}  // namespace lb::specs
