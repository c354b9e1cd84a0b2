// Plans for people and programs.
#pragma once

#include <string>

#include "base/json.h"
#include "planner/plan.h"

namespace lb::planner {

enum class Colour : uint8_t { kNever, kAlways };
enum class Detail : uint8_t { kChangesOnly, kAttributes };

// One line per change, then one summary line:
//   plan p-7f3a91c2: 3 to create, 1 to update, 0 to delete, 42 unchanged
std::string render_text(const Plan& plan, Colour colour, Detail detail);

// For a comment of a pull request: summary first, then the most dangerous changes, details folded.
// It fits kMarkdownMaxChars however they are counted - in bytes, with two for each line end, which
// is the most of all ways - and says how much was left out. No name can leave its place.
inline constexpr size_t kMarkdownMaxChars = 65535;
std::string render_markdown(const Plan& plan);

// docs/plan-json.md. "format_version": "1.2".
Json to_json(const Plan& plan);

}  // namespace lb::planner
