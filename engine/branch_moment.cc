#include "engine/branch_moment.h"

#include "base/text.h"

namespace lb::engine {

namespace {

// The branch that now has a line; empty if none has.
std::string branch_on_line(Context& context, const std::string& project_name, LineId line) {
    std::lock_guard lock(context.catalog_mutex);
    const Project* project = context.catalog.find(project_name);
    if (project == nullptr) return {};
    for (const auto& [name, branch] : project->branches) {
        if (branch.line == line) return name;
    }
    return {};
}

Result<std::chrono::seconds> window_now(Context& context, const std::string& project,
                                        const BranchRecord& branch) {
    std::lock_guard lock(context.catalog_mutex);
    return window_of(*LB_TRY(context.catalog.project(project)), branch);
}

Error not_in_history(const BranchRecord& branch, const HistoryRange& range, std::string what,
                     bool is_before) {
    std::string wal =
        range.wal ? cat(", LSN ", to_text(range.wal->first), " to ", to_text(range.wal->last))
                  : std::string();
    Error error{
        .code = ErrorCode::kNotInHistory,
        .message = std::move(what),
        .help = cat("branch ", branch.name, " is restorable from ", exact_time_text(range.first_at),
                    " to now (position:", range.first.value(), " to position:", range.last.value(),
                    wal, "), its restore window is ", format_short_duration(range.window))};
    if (is_before && !range.made_from.empty()) {
        error.help += cat("; what was before is the history of branch ", range.made_from);
    }
    return error;
}

class Resolver {
public:
    Resolver(Context& context, const BranchRecord& branch, HistoryRange range)
        : context_(context), branch_(branch), range_(std::move(range)) {}

    Result<ResolvedMoment> operator()(Present) { return ResolvedMoment{}; }

    Result<ResolvedMoment> operator()(WallTime time) {
        std::string text = exact_time_text(time);
        if (time > context_.now()) return outside(cat(text, " is in the future"), false);
        Result<Position> newest = context_.store().position_at(time);
        bool is_known = newest.is_ok();
        if (!is_known && newest.error().code != ErrorCode::kStoreNotFound) {
            return std::move(newest).error();
        }
        // The one just before the line was made, or its window began, shows no state of its own.
        Position at = is_known ? *newest : Position{};
        if (at >= range_.first || time >= range_.first_at) {
            store::NearestRestorable near = LB_TRY(
                context_.store().nearest_restorable(branch_.line, std::max(at, range_.first)));
            if (near.before) return ResolvedMoment{.at = std::max(*near.before, range_.first)};
        }
        return outside(cat("branch ", branch_.name, " has no history at ", text), true);
    }

    Result<ResolvedMoment> operator()(Lsn lsn) {
        bool is_before = range_.wal && lsn < range_.wal->first;
        if (!range_.wal || is_before || lsn > range_.wal->last) {
            return outside(cat("branch ", branch_.name, " never had the LSN ", to_text(lsn)),
                           is_before);
        }
        Result<Position> at = position_of_lsn(context_.store(), branch_.line, *range_.wal, lsn);
        if (at.is_ok()) return ResolvedMoment{.at = *at, .cut_at = lsn};
        if (at.error().code != ErrorCode::kNotInHistory) return std::move(at).error();
        return outside(at.error().message, false, at.error().help);
    }

    Result<ResolvedMoment> operator()(Position position) {
        if (position < range_.first || position > range_.last) {
            return outside(cat("branch ", branch_.name, " has no position ", position.value()),
                           position < range_.first);
        }
        store::NearestRestorable near =
            LB_TRY(context_.store().nearest_restorable(branch_.line, position));
        if (near.after == position) return ResolvedMoment{.at = position};
        std::string nearest = cat("position:", near.after.value());
        if (near.before && *near.before >= range_.first) {
            nearest = cat("position:", near.before->value(), " or ", nearest);
        }
        return outside(cat("position ", position.value(), " of branch ", branch_.name,
                           " is no longer kept: history older than an hour is thinned out"),
                       false, cat("the nearest is ", nearest));
    }

private:
    Error outside(std::string what, bool is_before, const std::string& nearest = {}) const {
        Error error = not_in_history(branch_, range_, std::move(what), is_before);
        if (!nearest.empty()) error.help = cat(nearest, "; ", error.help);
        return error;
    }

    Context& context_;
    const BranchRecord& branch_;
    HistoryRange range_;
};

}  // namespace

Result<HistoryBegin> history_begin(Context& context, const store::LineInfo& line,
                                   std::chrono::seconds window) {
    store::RestorableHistory kept = LB_TRY(context.store().restorable(line.line));
    HistoryBegin begin{.first = line.created_position,
                       .at = line.created_at,
                       .every_from = std::max(kept.every_from, line.created_position)};
    if (begin.every_from == begin.first) return begin;
    store::NearestRestorable near =
        LB_TRY(context.store().nearest_restorable(line.line, std::max(kept.first, begin.first)));
    if (near.after == begin.first) return begin;
    begin.first = near.after;
    // A beginning that is no point of the grid is the head of when the window was last looked at.
    begin.at = std::max(line.created_at, near.after_at.value_or(context.now() - window));
    return begin;
}

Result<HistoryRange> history_range(Context& context, const std::string& project,
                                   const BranchRecord& branch) {
    store::LineInfo line = LB_TRY(context.store().line(branch.line));
    std::chrono::seconds window = LB_TRY(window_now(context, project, branch));
    HistoryBegin begin = LB_TRY(history_begin(context, line, window));
    HistoryRange range{.first = begin.first,
                       .first_at = begin.at,
                       .every_from = begin.every_from,
                       .last = context.store().position(),
                       .window = window,
                       .made_from = branch_on_line(context, project, line.parent),
                       .made_at = line.fork_position};
    Result<WalRange> wal = wal_range(context.store(), branch.line, begin.first);
    if (wal.is_ok()) range.wal = *wal;
    return range;
}

Result<ResolvedMoment> resolve_moment(Context& context, const std::string& project,
                                      const BranchRecord& branch, const Moment& moment) {
    if (std::holds_alternative<Present>(moment)) return ResolvedMoment{};
    HistoryRange range = LB_TRY(history_range(context, project, branch));
    return std::visit(Resolver(context, branch, std::move(range)), moment);
}

}  // namespace lb::engine
