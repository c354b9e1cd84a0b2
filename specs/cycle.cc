#include "specs/internal/cycle.h"

#include <algorithm>
#include <cstdint>

#include "base/text.h"

namespace lb::specs {

namespace {

enum class Visit : uint8_t { kNew, kOnPath, kDone };

struct Step {
    size_t node = 0;
    size_t next_edge = 0;
};

std::vector<size_t> cycle_from(const std::vector<Step>& path, size_t node) {
    std::vector<size_t> cycle;
    auto start =
        std::find_if(path.begin(), path.end(), [&](const Step& step) { return step.node == node; });
    for (; start != path.end(); ++start) cycle.push_back(start->node);
    std::rotate(cycle.begin(), std::min_element(cycle.begin(), cycle.end()), cycle.end());
    return cycle;
}

}  // namespace

std::vector<std::vector<size_t>> find_cycles(const std::vector<std::vector<size_t>>& edges) {
    std::vector<std::vector<size_t>> cycles;
    std::vector<Visit> visits(edges.size(), Visit::kNew);
    std::vector<Step> path;
    for (size_t root = 0; root < edges.size(); ++root) {
        if (visits[root] != Visit::kNew) continue;
        path.push_back({.node = root});
        visits[root] = Visit::kOnPath;
        while (!path.empty()) {
            Step& step = path.back();
            if (step.next_edge == edges[step.node].size()) {
                visits[step.node] = Visit::kDone;
                path.pop_back();
                continue;
            }
            size_t target = edges[step.node][step.next_edge++];
            if (visits[target] == Visit::kNew) {
                visits[target] = Visit::kOnPath;
                path.push_back({.node = target});
            } else if (visits[target] == Visit::kOnPath) {
                cycles.push_back(cycle_from(path, target));
                // One cycle through this node is enough to report.
                step.next_edge = edges[step.node].size();
            }
        }
    }
    return cycles;
}

std::string cycle_text(const std::vector<size_t>& cycle,
                       const std::vector<std::string_view>& names) {
    static constexpr size_t kShownMax = 8;
    std::string text;
    for (size_t index = 0; index < cycle.size(); ++index) {
        if (cycle.size() > kShownMax && index == kShownMax - 1) {
            text += cat("(", cycle.size() - kShownMax, " more) -> ");
            index = cycle.size() - 1;
        }
        text += cat(names[cycle[index]], " -> ");
    }
    return text + std::string(names[cycle.front()]);
}

}  // namespace lb::specs
