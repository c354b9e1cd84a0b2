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

Error not_in_history(const BranchRecord& branch, const HistoryRange& range, std::string what,
                     bool is_before) {
    std::string wal =
        range.wal ? cat(", LSN ", to_text(range.wal->first), " to ", to_text(range.wal->last))
                  : std::string();
    Error error{.code = ErrorCode::kNotInHistory,
                .message = std::move(what),
                .help = cat("branch ", branch.name, " is restorable from ",
                            exact_time_text(range.first_at), " to now (position:",
                            range.first.value(), " to position:", range.last.value(), wal, ")")};
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
        if (time < range_.first_at) {
            return outside(cat("branch ", branch_.name, " has no history at ", text), true);
        }
        Position at = LB_TRY(context_.store().position_at(time));
        return ResolvedMoment{.at = std::max(at, range_.first)};
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
        return outside(at.error().message, false);
    }

    Result<ResolvedMoment> operator()(Position position) {
        if (position >= range_.first && position <= range_.last) {
            return ResolvedMoment{.at = position};
        }
        return outside(cat("branch ", branch_.name, " has no position ", position.value()),
                       position < range_.first);
    }

private:
    Error outside(std::string what, bool is_before) const {
        return not_in_history(branch_, range_, std::move(what), is_before);
    }

    Context& context_;
    const BranchRecord& branch_;
    HistoryRange range_;
};

}  // namespace

Result<HistoryRange> history_range(Context& context, const std::string& project,
                                   const BranchRecord& branch) {
    store::LineInfo line = LB_TRY(context.store().line(branch.line));
    HistoryRange range{.first = line.created_position,
                       .first_at = line.created_at,
                       .last = context.store().position(),
                       .made_from = branch_on_line(context, project, line.parent),
                       .made_at = line.fork_position};
    Result<WalRange> wal = wal_range(context.store(), branch.line);
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
