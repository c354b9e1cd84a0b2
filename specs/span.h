// Where in a spec something stands, for diagnostics and plans. Lines and columns count from 1;
// columns count Unicode code points, as editors do.
#pragma once

#include <cstdint>
#include <string>

namespace lb::specs {

struct Span {
    std::string file = {};
    uint32_t line = 0;  // 0: no place
    uint32_t column = 0;
    uint32_t end_line = 0;
    uint32_t end_column = 0;  // one past the last

    bool operator==(const Span&) const = default;
};

}  // namespace lb::specs
