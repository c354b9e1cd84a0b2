// The text of a spec's file before anything is made of it: what it must be to be TOML at all.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "specs/internal/reporter.h"
#include "specs/internal/toml_tree.h"

namespace lb::specs {

// Without a byte-order mark.
std::string_view without_mark(std::string_view text);

// The root table of any text whatever: reports what is too large, no UTF-8, too deep or no TOML.
// nullopt if something was reported.
std::optional<TomlTable> read_source(std::string_view text, Reporter& reporter);

// Every place of the table is in the file of this number.
void set_file(TomlTable& table, uint16_t file);

// The root tables of a spec's files as one. Names of branches and the like come together; the same
// name, or a table such as [project], in two files is reported.
TomlTable merge_files(std::vector<TomlTable> files, Reporter& reporter);

// Of everything that a tree says but not how and where, in hexadecimal.
std::string content_hash(const TomlTable& table);

}  // namespace lb::specs
