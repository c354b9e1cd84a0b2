// What lb top shows: a sample that the daemon takes, and the view that a client makes of two of
// them. Pure.
#pragma once

#include <string>

#include "base/json.h"
#include "cli/metrics.h"

namespace lb::cli {

// Counters as of now. Their rates are the reader's to make, from two samples.
Json top_sample(const MetricsSource& source);

// {"format_version":..., "interval_s":..., "store":{...}, "branches":[...]}: rates between two
// samples. Errors: kBadRequest if one is no sample.
Result<Json> top_document(const Json& before, const Json& now);

struct TopStyle {
    bool has_colour = false;
    size_t rows = 0;  // of branches; 0: all
};
// Totals, and a table of branches: busy ones first.
Result<std::string> top_text(const Json& document, const TopStyle& style);

}  // namespace lb::cli
