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

// docs/plan-json.md. "format_version": "1.0".
Json to_json(const Plan& plan);

}  // namespace lb::planner
