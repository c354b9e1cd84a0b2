// Place: a Span with the number of its file in place of the name, in the order in which the files
// of a spec are read.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace lb::specs {

struct Place {
    uint16_t file = 0;
    uint32_t line = 0;  // 0: no place
    uint32_t column = 0;
    uint32_t end_line = 0;
    uint32_t end_column = 0;

    auto operator<=>(const Place&) const = default;
};

// The character at `offset` of `text`.
Place place_of_offset(std::string_view text, size_t offset);

}  // namespace lb::specs
