// Checking the catalog's notes, all of them, where Catalog::load() stops at the first fault; and
// the names behind lines, for messages about damage.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "store/store.h"

namespace lb::engine {

struct CatalogProblem {
    std::string key;  // of the note
    std::string message;
};

// Every note decodes under its key, belongs to a project, and names only lines that exist.
std::vector<CatalogProblem> check_catalog(const std::vector<store::Note>& notes,
                                          const std::vector<store::LineInfo>& lines);

// "shop/main" by line, as far as the notes can be read. Templates are "template of PostgreSQL 15".
std::map<LineId, std::string> names_of_lines(const std::vector<store::Note>& notes);

// {"key":..., "value": the record}, or "text" and "problem" if the value cannot be read.
Json note_json(const store::Note& note);

}  // namespace lb::engine
