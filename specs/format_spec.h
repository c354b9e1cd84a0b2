// The canonical form of a spec's text: what `lb fmt` writes. Comments, the order of everything, and
// the meaning stay.
//
//   One blank line before a table, none behind its header, never two in a row. `key = value`, and
//   nothing else is padded, but that comments behind the values of neighbouring lines stand in one
//   column. Keys without quotes where TOML allows it, strings in double quotes where nothing in
//   them needs escaping. A list that has several lines has one line per item and a comma at its
//   end. Lines end with "\n", but inside of strings nothing is touched.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "specs/diagnostic.h"

namespace lb::specs {

// nullopt if and only if `sink` got an error: text that is no TOML has no form. Formatting twice
// changes nothing more.
std::optional<std::string> format_spec(std::string_view text, const std::string& file_name,
                                       DiagnosticSink& sink);

}  // namespace lb::specs
