// The past: reading it, what of it can be restored to, and what it costs.
#include <algorithm>

#include "store/log_store.h"

namespace lb::store {

namespace {

constexpr std::chrono::seconds kUsageRest{30};

}  // namespace

Result<Position> LogStore::position_at(WallTime time) {
    std::lock_guard lock(change_mutex_);
    LB_TRY(check_open());
    return past_->position_at(time);
}

Result<std::vector<InodeId>> LogStore::inodes_of_name(LineId line, InodeId directory,
                                                      std::string_view name) {
    return alone(line,
                 [&](const Line& found) { return past_->inodes_of_name(found, directory, name); });
}

Result<std::vector<DirectoryEntry>> LogStore::list_at(LineId line, Position at, InodeId directory) {
    return alone(line, [&](const Line& found) { return past_->list(found, at, directory); });
}

Result<std::vector<Position>> LogStore::block_positions(LineId line, InodeId inode,
                                                        uint32_t block) {
    return alone(line,
                 [&](const Line& found) { return past_->block_positions(found, inode, block); });
}

Status LogStore::read_block_at(LineId line, Position at, InodeId inode, uint32_t block,
                               std::span<std::byte, kBlockBytes> out) {
    return alone(
        line, [&](const Line& found) { return past_->read_block(found, at, inode, block, out); });
}

Result<RestorableHistory> LogStore::restorable(LineId line) const {
    std::lock_guard lock(change_mutex_);
    const Line* found = projection_->lines().find_live(line);
    if (found == nullptr) return no_such_line(line);
    const History& history = projection_->history();
    Position first = found->first_position();
    RestorableHistory result{.first = first};
    if (history.floor(line) > first.value()) {
        result.first = Position{history.floor(line)};
        result.first_at = history.time_of(history.floor(line));
    }
    result.every_from = std::max(result.first, Position{history.dense_from(line)});
    return result;
}

Status LogStore::check_restorable(LineId line, Position position) const {
    std::lock_guard lock(change_mutex_);
    const Line* found = projection_->lines().find_live(line);
    if (found == nullptr) return no_such_line(line);
    return LineCommit(*projection_, this->position(), reserved_lines_)
        .check_position(*found, position);
}

Result<UsageSources> LogStore::usage_sources(LineId line) {
    return alone(line, [&](const Line& found) -> Result<UsageSources> {
        UsageSources sources{.line = found.info, .history = projection_->history()};
        sources.blocks = LB_TRY(projection_->cursor());
        sources.versions = LB_TRY(projection_->cursor());
        for (LineId child : found.children) {
            const LineInfo& info = projection_->lines().find(child)->info;
            sources.forks.push_back(info.fork_position.value());
        }
        std::ranges::sort(sources.forks);
        return sources;
    });
}

Result<LineUsage> LogStore::usage(LineId line) {
    Position head = LB_TRY(this->line(line)).head;
    std::lock_guard lock(usage_mutex_);
    auto began = std::chrono::steady_clock::now();
    MeasuredUsage& measured = usages_[line];
    // An old answer will do where a new one takes long.
    auto good_for = head == measured.head ? kUsageRest : 20 * measured.cost;
    if (measured.cost.count() != 0 && began - measured.at < good_for) return measured.usage;
    UsageSources sources = LB_TRY(usage_sources(line));
    measured.usage = LB_TRY(measure_usage(sources));
    measured.head = sources.line.head;
    measured.at = std::chrono::steady_clock::now();
    measured.cost = measured.at - began;
    return measured.usage;
}

Result<uint64_t> LogStore::freed_by_window(LineId line, std::chrono::nanoseconds window) {
    UsageSources sources = LB_TRY(usage_sources(line));
    uint64_t floor =
        sources.history.floor_with(line, disk_.clock().now(), window, sources.line.head.value());
    return measure_freed(sources, floor);
}

Result<NearestRestorable> LogStore::nearest_restorable(LineId line, Position position) const {
    std::lock_guard lock(change_mutex_);
    const Line* found = projection_->lines().find_live(line);
    if (found == nullptr) return no_such_line(line);
    const History& history = projection_->history();
    Position first = found->first_position();
    NearestRestorable near{.before = position, .after = position};
    LineCommit check(*projection_, this->position(), reserved_lines_);
    if (!check.check_position(*found, position).is_ok()) {
        std::optional<uint64_t> before = history.last_until(line, position.value());
        near.before.reset();
        if (before && *before >= first.value()) near.before = Position{*before};
        uint64_t after = history.first_from(line, std::max(first, position).value());
        near.after = std::min(Position{after}, this->position());
    }
    near.after_at = history.time_of(near.after.value());
    return near;
}

}  // namespace lb::store
