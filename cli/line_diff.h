// The difference of two texts, for people.
#pragma once

#include <string>
#include <string_view>

namespace lb::cli {

// A unified diff with three lines of context, as patch(1) takes it; empty for equal texts.
std::string line_diff(const std::string& name, std::string_view before, std::string_view after);

}  // namespace lb::cli
