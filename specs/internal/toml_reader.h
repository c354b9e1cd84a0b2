// The only door to the TOML library.
#pragma once

#include <optional>
#include <string_view>

#include "specs/internal/reporter.h"
#include "specs/internal/toml_tree.h"

namespace lb::specs {

// Arrays and tables inside of each other, beyond which TOML is refused.
inline constexpr int kTomlNestingMax = 32;

// The document's root table; nullopt after one reported problem: TOML's parser stops at the first.
// Requires: `text` is UTF-8 without NUL and byte-order mark, and find_too_deep_key() found nothing.
std::optional<TomlTable> read_toml(std::string_view text, Reporter& reporter);

}  // namespace lb::specs
