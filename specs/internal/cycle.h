// Cycles in references between resources.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace lb::specs {

// edges[i]: what node i refers to. Returns cycles as lists of nodes, each of which refers to the
// next one and the last to the first; each starts with its lowest node. Not every cycle, but none
// only if there is none. Linear time, no recursion.
std::vector<std::vector<size_t>> find_cycles(const std::vector<std::vector<size_t>>& edges);

// "a -> b -> a"; the middle of a long cycle is left out.
std::string cycle_text(const std::vector<size_t>& cycle,
                       const std::vector<std::string_view>& names);

}  // namespace lb::specs
