// History: which positions of the past can still be branched from or restored to.
//
// Every position for the last hour; then the last position of each second up to a day; then the
// last of each minute; each line only back to its restore window. The grid is the same for all
// lines, and each of its points is one position of the whole store, so that what a line shows there
// is consistent over all of its files.
//
// This is what reclaim obeys (a version that no restorable position shows may go) and what new
// branches are checked against. It only moves forward: what advance() gave up stays given up,
// also when a window grows later. It is durable before anything that it gives up is removed.
//
// Not thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "base/ids.h"

namespace lb::store {

inline constexpr std::chrono::hours kDenseHistory{1};     // every position
inline constexpr std::chrono::hours kSecondsHistory{24};  // then one position a second
inline constexpr std::chrono::seconds kSparseStep{60};    // then one a minute
inline constexpr std::chrono::hours kRestoreWindowMax{30 * 24};
inline constexpr std::chrono::hours kRestoreWindowStandard{7 * 24};

struct RestoreWindows {
    std::chrono::nanoseconds standard = kRestoreWindowStandard;
    std::map<LineId, std::chrono::nanoseconds> lines = {};  // those that differ

    std::chrono::nanoseconds of(LineId line) const {
        auto found = lines.find(line);
        return found == lines.end() ? standard : found->second;
    }
};

// The newest position that was written in a second.
struct GridPoint {
    int64_t second = 0;
    uint64_t position = 0;

    bool operator==(const GridPoint&) const = default;
};

class History {
public:
    // A frame, in log order. true: it is the first one of its second.
    bool add_frame(uint64_t sequence, WallTime written_at);

    // Gives up what `windows` do not cover at `now`. `lines`: those that live. `head`: the newest
    // position.
    void advance(WallTime now, const RestoreWindows& windows, const std::vector<LineId>& lines,
                 uint64_t head);

    // What advance() would make the line's floor with this window.
    uint64_t floor_with(LineId line, WallTime now, std::chrono::nanoseconds window,
                        uint64_t head) const;
    void raise_floor(LineId line, uint64_t position);

    // The first restorable position of a live line at or after `position`.
    uint64_t first_from(LineId line, uint64_t position) const;
    // The last one at or before it.
    std::optional<uint64_t> last_until(LineId line, uint64_t position) const;
    bool is_restorable(LineId line, uint64_t position) const {
        return first_from(line, position) == position;
    }
    // Positions from here on are all restorable.
    uint64_t dense_from(LineId line) const;
    // The line's first restorable position; 0: its whole life.
    uint64_t floor(LineId line) const;
    // When a position of the grid was the newest; nullopt for others.
    std::optional<WallTime> time_of(uint64_t position) const;

    // The newest position of the last second that was over at `time`; 0 if none is known.
    uint64_t position_at(WallTime time) const;

    // What is durable (store/manifest.h).
    struct State {
        WallTime advanced_at{};  // of the last advance()
        uint64_t dense_from = 0;
        std::map<LineId, uint64_t> floors = {};
        std::vector<GridPoint> points = {};  // sorted

        bool operator==(const State&) const = default;
    };
    const State& state() const { return state_; }
    void set_state(State state) { state_ = std::move(state); }

private:
    void add_point(const GridPoint& point);
    void thin(WallTime now, uint64_t needed_from);

    State state_;
    GridPoint open_;  // the second that is not over yet; position 0: none
};

}  // namespace lb::store
