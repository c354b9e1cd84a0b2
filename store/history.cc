#include "store/history.h"

#include <algorithm>
#include <utility>

namespace lb::store {

namespace {

int64_t second_of(WallTime time) {
    return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

}  // namespace

bool History::add_frame(uint64_t sequence, WallTime written_at) {
    int64_t second = second_of(written_at);
    bool is_first = open_.position == 0 || open_.second < second;
    if (is_first && open_.position != 0) add_point(open_);
    open_ = {second, sequence};
    return is_first;
}

void History::add_point(const GridPoint& point) {
    std::vector<GridPoint>& points = state_.points;
    if (points.empty() ||
        (points.back().second < point.second && points.back().position < point.position)) {
        points.push_back(point);
    }
}

uint64_t History::position_at(WallTime time) const {
    int64_t end = second_of(time);
    if (open_.position != 0 && open_.second < end) return open_.position;
    auto after = std::ranges::lower_bound(state_.points, end, {}, &GridPoint::second);
    return after == state_.points.begin() ? 0 : std::prev(after)->position;
}

void History::advance(WallTime now, const RestoreWindows& windows, const std::vector<LineId>& lines,
                      uint64_t head) {
    state_.advanced_at = std::max(state_.advanced_at, now);
    now = state_.advanced_at;
    state_.dense_from = std::max(state_.dense_from, position_at(now - kDenseHistory));
    uint64_t needed_from = head;
    std::map<LineId, uint64_t> floors;
    for (LineId line : lines) {
        uint64_t from = floor_with(line, now, windows.of(line), head);
        needed_from = std::min(needed_from, from);
        if (from != 0) floors[line] = from;
    }
    state_.floors = std::move(floors);
    thin(now, needed_from);
}

uint64_t History::floor_with(LineId line, WallTime now, std::chrono::nanoseconds window,
                             uint64_t head) const {
    return std::max(floor(line), window.count() <= 0 ? head : position_at(now - window));
}

void History::raise_floor(LineId line, uint64_t position) {
    state_.floors[line] = std::max(floor(line), position);
}

// Leaves one point a minute where that is enough, and none that no line needs. A minute that is
// partly younger than a day keeps its seconds.
void History::thin(WallTime now, uint64_t needed_from) {
    std::vector<GridPoint> kept;
    int64_t sparse_end = second_of(now - kSecondsHistory);
    auto minute = [](const GridPoint& point) {
        auto step = kSparseStep.count();
        return point.second >= 0 ? point.second / step : (point.second - step + 1) / step;
    };
    const std::vector<GridPoint>& points = state_.points;
    for (size_t i = 0; i < points.size(); i++) {
        bool is_sparse = (minute(points[i]) + 1) * kSparseStep.count() <= sparse_end;
        bool is_last = i + 1 == points.size() || minute(points[i + 1]) != minute(points[i]);
        bool is_kept = points[i].position >= needed_from && (!is_sparse || is_last);
        if (is_kept) kept.push_back(points[i]);
    }
    state_.points = std::move(kept);
}

uint64_t History::floor(LineId line) const {
    auto found = state_.floors.find(line);
    return found == state_.floors.end() ? 0 : found->second;
}

uint64_t History::dense_from(LineId line) const { return std::max(state_.dense_from, floor(line)); }

uint64_t History::first_from(LineId line, uint64_t position) const {
    position = std::max(position, floor(line));
    if (position >= state_.dense_from) return position;
    if (position == floor(line) && position != 0) return position;
    auto next = std::ranges::lower_bound(state_.points, position, {}, &GridPoint::position);
    if (next == state_.points.end()) return state_.dense_from;
    return std::min(next->position, state_.dense_from);
}

std::optional<uint64_t> History::last_until(LineId line, uint64_t position) const {
    if (position < floor(line)) return std::nullopt;
    if (position >= state_.dense_from) return position;
    auto after = std::ranges::upper_bound(state_.points, position, {}, &GridPoint::position);
    uint64_t point = after == state_.points.begin() ? 0 : std::prev(after)->position;
    point = std::max(point, floor(line));
    if (point == 0) return std::nullopt;
    return point;
}

std::optional<WallTime> History::time_of(uint64_t position) const {
    auto found = std::ranges::lower_bound(state_.points, position, {}, &GridPoint::position);
    if (found == state_.points.end() || found->position != position) return std::nullopt;
    return WallTime{std::chrono::seconds{found->second + 1}};
}

}  // namespace lb::store
