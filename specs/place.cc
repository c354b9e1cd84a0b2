#include "specs/internal/place.h"

#include "specs/internal/utf8.h"

namespace lb::specs {

Place place_of_offset(std::string_view text, size_t offset) {
    Place place{.line = 1, .column = 1};
    for (size_t at = 0; at < offset;) {
        if (text[at] == '\n') {
            ++place.line;
            place.column = 1;
            ++at;
        } else {
            ++place.column;
            at += decode_code_point(text, at).size_bytes;
        }
    }
    place.end_line = place.line;
    place.end_column = place.column + 1;
    return place;
}

}  // namespace lb::specs
