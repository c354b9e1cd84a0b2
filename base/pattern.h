// Patterns of names, as in [policy] of a spec: "*" stands for any text, also for none; everything
// else stands for itself.
#pragma once

#include <string_view>

namespace lb {

// The whole of `text`. Time: the sum of the lengths.
bool matches_pattern(std::string_view pattern, std::string_view text);

}  // namespace lb
