// The text of a spec's file before anything is made of it: what it must be to be TOML at all.
#pragma once

#include <optional>
#include <string_view>

#include "specs/internal/reporter.h"
#include "specs/internal/toml_tree.h"

namespace lb::specs {

// Without a byte-order mark.
std::string_view without_mark(std::string_view text);

// The root table of any text whatever: reports what is too large, no UTF-8, too deep or no TOML.
// nullopt if something was reported.
std::optional<TomlTable> read_source(std::string_view text, Reporter& reporter);

}  // namespace lb::specs
