#include "store/line_table.h"

#include <algorithm>

namespace lb::store {

Line* LineTable::find(LineId line) {
    auto found = lines_.find(line);
    return found == lines_.end() ? nullptr : found->second.get();
}

const Line* LineTable::find(LineId line) const {
    auto found = lines_.find(line);
    return found == lines_.end() ? nullptr : found->second.get();
}

const Line* LineTable::find_live(LineId line) const {
    const Line* found = find(line);
    return found != nullptr && !found->info.is_deleted ? found : nullptr;
}

Line& LineTable::add(LineInfo info) {
    LB_ASSERT(find(info.line) == nullptr);
    auto added = std::make_unique<Line>();
    if (info.parent != LineId{}) {
        added->parent = find(info.parent);
        LB_ASSERT(added->parent != nullptr && info.parent < info.line);
        std::vector<LineId>& siblings = added->parent->children;
        siblings.insert(std::upper_bound(siblings.begin(), siblings.end(), info.line), info.line);
        info.depth = added->parent->info.depth + 1;
    }
    if (!info.is_deleted) live_count_++;
    LineId line = info.line;
    added->info = std::move(info);
    return *(lines_[line] = std::move(added));
}

void LineTable::remove(LineId line, const std::function<void(LineId)>& forgotten) {
    Line* gone = find(line);
    LB_ASSERT(gone != nullptr && !gone->info.is_deleted);
    gone->info.is_deleted = true;
    live_count_--;
    mark_dirty(*gone);
    while (gone != nullptr && gone->info.is_deleted && gone->children.empty()) {
        Line* parent = gone->parent;
        LineId id = gone->info.line;
        if (parent != nullptr) {
            std::vector<LineId>& siblings = parent->children;
            siblings.erase(std::lower_bound(siblings.begin(), siblings.end(), id));
        }
        lines_.erase(id);
        forgotten(id);
        gone = parent;
    }
}

void LineTable::mark_dirty(Line& line) {
    if (line.is_dirty) return;
    line.is_dirty = true;
    dirty_.push_back(line.info.line);
}

std::vector<LineId> LineTable::take_dirty() {
    for (LineId line : dirty_) {
        if (Line* found = find(line)) found->is_dirty = false;
    }
    return std::exchange(dirty_, {});
}

std::vector<LineInfo> LineTable::live() const {
    std::vector<LineInfo> result;
    result.reserve(live_count_);
    for (const auto& [id, line] : lines_) {
        if (!line->info.is_deleted) result.push_back(line->info);
    }
    std::sort(result.begin(), result.end(),
              [](const LineInfo& a, const LineInfo& b) { return a.line < b.line; });
    return result;
}

std::string encode_line_info(const LineInfo& info) {
    Encoder encoder;
    encoder.u64(info.parent.value());
    encoder.u64(info.fork_position.value());
    encoder.u64(info.created_position.value());
    encoder.i64(info.created_at.time_since_epoch().count());
    encoder.u64(info.head.value());
    encoder.u64(info.logical_bytes);
    encoder.u64(info.own_bytes);
    encoder.u8(info.is_deleted ? 1 : 0);
    return std::string(as_text(encoder.out()));
}

std::optional<LineInfo> decode_line_info(LineId line, std::string_view value) {
    Decoder decoder(as_bytes(value));
    LineInfo info;
    info.line = line;
    info.parent = LineId{decoder.u64()};
    info.fork_position = Position{decoder.u64()};
    info.created_position = Position{decoder.u64()};
    info.created_at = WallTime(std::chrono::nanoseconds(decoder.i64()));
    info.head = Position{decoder.u64()};
    info.logical_bytes = decoder.u64();
    info.own_bytes = decoder.u64();
    info.is_deleted = decoder.u8() != 0;
    if (!decoder.is_finished()) return std::nullopt;
    return info;
}

}  // namespace lb::store
