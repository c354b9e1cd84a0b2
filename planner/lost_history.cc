#include "planner/lost_history.h"

#include <map>

#include "base/model/moment.h"
#include "base/text.h"
#include "planner/rules.h"

namespace lb::planner {

namespace {

// Windows and the beginnings of histories are looked at once a second or so.
constexpr std::chrono::seconds kTolerance{1};

class HistoryCheck {
public:
    HistoryCheck(std::vector<PlannedChange>& changes, const ProjectState& live)
        : changes_(changes), live_(live) {
        for (PlannedChange& planned : changes_) {
            const Address& address = planned.change.address;
            if (address.kind == ResourceKind::kProject) project_ = &planned;
            if (address.kind == ResourceKind::kBranch) branches_[address.branch] = &planned;
        }
    }

    void run() {
        if (!live_.exists || !live_.seen_at) return;
        for (const BranchState& branch : live_.branches) find_loss(branch);
        for (PlannedChange& planned : changes_) check_moment(planned);
    }

private:
    const PlannedChange* change_of(const BranchState& branch) const {
        auto found = branches_.find(branch.name);
        return found == branches_.end() ? nullptr : found->second;
    }

    std::chrono::seconds project_window() const {
        if (project_ == nullptr) return live_.history_retention;
        auto* value = std::get_if<ProjectValue>(&project_->change.value);
        return value == nullptr ? live_.history_retention : value->history_retention;
    }

    std::optional<std::chrono::seconds> own_window(const BranchState& branch) const {
        const PlannedChange* change = change_of(branch);
        auto* value = change == nullptr ? nullptr : std::get_if<BranchValue>(&change->change.value);
        return value == nullptr ? branch.history_retention : value->history_retention;
    }

    std::chrono::seconds window_after(const BranchState& branch) const {
        return own_window(branch).value_or(project_window());
    }

    WallTime begin_after(const BranchState& branch) const {
        WallTime begin = *live_.seen_at - window_after(branch);
        return std::max(begin, branch.restorable_from.value_or(begin));
    }

    void find_loss(const BranchState& branch) {
        std::chrono::seconds after = window_after(branch);
        std::chrono::seconds before = live_.history_retention_of(branch);
        auto found = branches_.find(branch.name);
        PlannedChange* own = found == branches_.end() ? nullptr : found->second;
        if (own != nullptr && own->change.kind == ChangeKind::kDelete) return;
        bool is_own = own_window(branch) != branch.history_retention;
        PlannedChange* cause = is_own ? own : project_;
        if (cause == nullptr || after == before) return;
        if (after > before) {
            cause->is_window_longer = true;
            return;
        }
        if (!branch.restorable_from) return;
        WallTime begin = *live_.seen_at - after;
        if (begin <= *branch.restorable_from) return;
        cause->lost_history.push_back({.branch = branch.name,
                                       .restorable_from = *branch.restorable_from,
                                       .afterwards_from = begin});
        cause->risk = Risk::kDeletesHistory;
    }

    void check_moment(PlannedChange& planned) {
        auto* value = std::get_if<BranchValue>(&planned.change.value);
        if (value == nullptr || value->undelete) return;
        bool is_create = planned.change.kind == ChangeKind::kCreate;
        if (!is_create && planned.change.kind != ChangeKind::kRestore) return;
        RestoreValue wish = value->restore.value_or(RestoreValue{});
        std::string source = is_create           ? value->parent
                             : wish.from.empty() ? planned.change.address.branch
                                                 : wish.from;
        auto moment = parse_moment(is_create ? value->requested_at : wish.to);
        const WallTime* time = moment ? std::get_if<WallTime>(&*moment) : nullptr;
        const BranchState* branch = live_.find_branch(source);
        if (time == nullptr || branch == nullptr) return;
        // Otherwise the engine refuses, and knows whose history it is in.
        if (window_after(*branch) >= live_.history_retention_of(*branch)) return;
        WallTime begin = begin_after(*branch);
        if (*time >= begin - kTolerance) return;
        bool is_there_now = branch->restorable_from && *time >= *branch->restorable_from;
        refuse(planned, Refusal::kNotInHistory,
               cat("branch ", source, " is restorable from ", exact_time_text(begin), " to now",
                   is_there_now ? cat(" once its history_retention is ",
                                      format_short_duration(window_after(*branch)))
                                : std::string(),
                   ", and ", exact_time_text(*time), " is before that"),
               is_there_now ? "apply this first, and the shorter history_retention afterwards"
                            : "choose a later moment; lb history shows what there is");
    }

    std::vector<PlannedChange>& changes_;
    const ProjectState& live_;
    PlannedChange* project_ = nullptr;
    std::map<std::string, PlannedChange*, std::less<>> branches_;
};

}  // namespace

void check_history(std::vector<PlannedChange>& changes, const ProjectState& live) {
    HistoryCheck(changes, live).run();
}

}  // namespace lb::planner
