// The words in which people read a plan, shared by the renderers. Pure functions.
#pragma once

#include <string>
#include <vector>

#include "planner/plan.h"

namespace lb::planner {

// Names are the users': what would move a terminal's cursor, colour it, end a line or turn the
// direction of writing is shown escaped.
std::string printable(std::string_view text);

// In characters, not bytes.
size_t width_of(std::string_view text);
std::string padded(std::string text, size_t width);

// What the change does, in a few words; why, and where the spec asks for it. Names in
// them are as they are: printable() comes after.
std::string describe(const PlannedChange& planned);
std::string describe_reason(const PlannedChange& planned);

// "3 to create, 1 to update, 0 to delete, 42 unchanged"
std::string summary_text(const PlanSummary& summary);

// "added: branch.a, which branch.b needs"
std::string selection_text(const SelectionNote& note);

// These are printable. One line for each attribute that differs.
std::vector<std::string> attribute_lines(const PlannedChange& planned);
std::vector<std::string> lost_history_lines(const PlannedChange& planned);
// "shares 1.2 GiB without a copy"; empty if it costs nothing worth a word.
std::string cost_text(const Cost& cost);
// What limits the way back, one text for each step that has a limit.
std::vector<std::string> undo_limits(const Plan& plan);

}  // namespace lb::planner
