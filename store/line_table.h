// LineTable: all lines that exist or that a descendant still reads through, in memory, with their
// statistics. Changed by Projection only, in log order. Not thread-safe.
//
// Reading a line at its head means: the newest version on the line itself, else the newest on its
// parent up to the fork position, and so on upwards. LineView walks that way:
//
//   for (LineView view = table.view(line); view.line; view = view.parent()) { ... view.limit ... }
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "store/store.h"

namespace lb::store {

struct Line {
    LineInfo info;
    Line* parent = nullptr;
    std::vector<LineId> children;  // sorted; deleted ones with descendants included
    bool is_dirty = false;         // differs from what the index has

    // Between a line's fork and its creation it shows just what it inherited.
    Position first_position() const {
        return parent == nullptr ? info.created_position : info.fork_position;
    }
};

// A line, and the newest sequence on it that is visible.
struct LineView {
    const Line* line = nullptr;
    uint64_t limit = UINT64_MAX;

    LineView parent() const {
        uint64_t fork = line->info.fork_position.value();
        return {line->parent, limit < fork ? limit : fork};
    }
};

class LineTable {
public:
    // nullptr if unknown.
    Line* find(LineId line);
    const Line* find(LineId line) const;
    // nullptr also for a deleted line.
    const Line* find_live(LineId line) const;

    // The line at its head as of now; in a replay, as of the frame that is being replayed.
    LineView view(const Line& line) const { return {&line, head_limit_}; }
    void set_head_limit(uint64_t sequence) { head_limit_ = sequence; }

    // Requires: the line is new, its parent (if any) is here and has a lower id.
    Line& add(LineInfo info);
    // Forgets the line, and ancestors that were only kept for it. Requires: a live line. Those that
    // are kept become dirty. Calls `forgotten` for each that is gone for good.
    void remove(LineId line, const std::function<void(LineId)>& forgotten);

    void mark_dirty(Line& line);
    // Moves out what became dirty since the last call.
    std::vector<LineId> take_dirty();

    std::vector<LineInfo> live() const;
    size_t live_count() const { return live_count_; }

private:
    std::unordered_map<LineId, std::unique_ptr<Line>> lines_;
    std::vector<LineId> dirty_;
    size_t live_count_ = 0;
    uint64_t head_limit_ = UINT64_MAX;
};

// Value of a line in the index.
std::string encode_line_info(const LineInfo& info);
std::optional<LineInfo> decode_line_info(LineId line, std::string_view value);

}  // namespace lb::store
