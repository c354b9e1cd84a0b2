// The only door to the TOML library.
#pragma once

#include <optional>
#include <string_view>

#include "base/json.h"
#include "specs/internal/reporter.h"
#include "specs/internal/toml_tree.h"

namespace lb::specs {

// Arrays and tables inside of each other, beyond which TOML is refused.
inline constexpr int kTomlNestingMax = 32;

// The document's root table; nullopt after one reported problem: TOML's parser stops at the first.
// Requires: `text` is UTF-8 without NUL and byte-order mark, and find_too_deep_key() found nothing.
std::optional<TomlTable> read_toml(std::string_view text, Reporter& reporter);

// A single TOML value as JSON, such as an example of the key table; times become their text.
// nullopt for text that is none. `text` must be lb's own.
std::optional<Json> json_of_toml_value(std::string_view text);

}  // namespace lb::specs
