// SHA-256 (FIPS 180-4), for what people compare: `sha256sum lb.toml` gives the same.
#pragma once

#include <string>
#include <string_view>

namespace lb {

// 64 lower-case hexadecimal digits.
std::string sha256_text(std::string_view bytes);

}  // namespace lb
