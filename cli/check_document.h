// What lb fsck found, as the document that the daemon sends, that --json prints, and as text.
// docs/fsck-and-scrub.md describes it.
#pragma once

#include <map>
#include <string>

#include "base/ids.h"
#include "base/json.h"
#include "store/check.h"

namespace lb::cli {

using LineNames = std::map<LineId, std::string>;  // "shop/main"

// Checks the catalog's notes in the report too, and names the branches of its problems.
Json check_document(store::CheckReport report);
Json problem_json(const store::Problem& problem, const LineNames& names);

// One line per problem, without a newline; and the line at the end.
std::string problem_line(const Json& problem);
std::string check_summary(const Json& document);

// Of a document of any origin. Errors: kBadRequest if it is none.
Result<bool> is_clean(const Json& document);

}  // namespace lb::cli
