// Place: a Span without the file's name, which all places of one spec share.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace lb::specs {

struct Place {
    uint32_t line = 0;  // 0: no place
    uint32_t column = 0;
    uint32_t end_line = 0;
    uint32_t end_column = 0;

    auto operator<=>(const Place&) const = default;
};

// The character at `offset` of `text`.
Place place_of_offset(std::string_view text, size_t offset);

}  // namespace lb::specs
