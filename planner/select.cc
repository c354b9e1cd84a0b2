#include "planner/select.h"

#include <algorithm>
#include <optional>
#include <set>

#include "base/pattern.h"
#include "base/text.h"
#include "planner/change_needs.h"

namespace lb::planner {

namespace {

Status check_patterns(const std::vector<std::string>& patterns, std::string_view option,
                      const std::set<std::string>& known) {
    for (const std::string& pattern : patterns) {
        bool is_used = std::ranges::any_of(
            known, [&](const std::string& address) { return matches_pattern(pattern, address); });
        if (is_used) continue;
        std::string_view meant = nearest(pattern, {known.begin(), known.end()});
        return Error{.code = ErrorCode::kUsage,
                     .message = cat(option, " ", quoted(pattern),
                                    " matches nothing that is there or planned"),
                     .help = meant.empty() ? std::string("write an address as in branch.staging; * "
                                                         "stands for any text, as in role.*.app")
                                           : cat("did you mean ", meant, "?")};
    }
    return ok();
}

bool matches_any(const std::vector<std::string>& patterns, const std::string& address) {
    return std::ranges::any_of(
        patterns, [&](const std::string& pattern) { return matches_pattern(pattern, address); });
}

// A walk from some changes to all that `next` leads to; remembers through which change it came.
class Reached {
public:
    explicit Reached(size_t count) : because_(count) {}

    template <class Next>
    void walk(std::vector<size_t> open, Next next) {
        for (size_t index : open) because_[index] = index;
        while (!open.empty()) {
            size_t index = open.back();
            open.pop_back();
            for (size_t other : next(index)) {
                if (because_[other]) continue;
                because_[other] = index;
                open.push_back(other);
            }
        }
    }

    bool has(size_t index) const { return because_[index].has_value(); }
    // Not one that it began with.
    bool is_by_another(size_t index) const { return has(index) && because_[index] != index; }
    size_t because(size_t index) const { return *because_[index]; }

private:
    std::vector<std::optional<size_t>> because_;
};

class Selector {
public:
    Selector(Plan& plan, const ProjectState& live, const Selection& selection)
        : plan_(plan), selection_(selection), dropped_(count()), kept_(count()) {
        ChangeNeeds needs(plan.changes, live);
        for (size_t index = 0; index < count(); ++index) {
            texts_.push_back(to_text(address(index)));
            needs_.push_back(needs.of(index));
        }
    }

    void run() {
        drop();
        keep();
        note();
        take();
    }

private:
    size_t count() const { return plan_.changes.size(); }
    const Address& address(size_t index) const { return plan_.changes[index].change.address; }
    bool is_wished(size_t index) const {
        return selection_.only.empty() || matches_any(selection_.only, texts_[index]);
    }

    // Whatever needs something that is dropped goes too.
    void drop() {
        std::vector<std::vector<size_t>> needed_by(count());
        std::vector<size_t> first;
        for (size_t index = 0; index < count(); ++index) {
            for (size_t need : needs_[index]) needed_by[need].push_back(index);
            if (matches_any(selection_.except, texts_[index])) first.push_back(index);
        }
        dropped_.walk(std::move(first), [&](size_t index) { return needed_by[index]; });
    }

    // Nothing that is needed here was dropped.
    void keep() {
        std::vector<size_t> first;
        for (size_t index = 0; index < count(); ++index) {
            if (!dropped_.has(index) && is_wished(index)) first.push_back(index);
        }
        kept_.walk(std::move(first), [&](size_t index) { return needs_[index]; });
    }

    void note() {
        for (size_t index = 0; index < count(); ++index) {
            if (kept_.is_by_another(index)) {
                plan_.selection_notes.push_back({.address = address(index),
                                                 .kind = SelectionNote::Kind::kAdded,
                                                 .because = address(kept_.because(index))});
            } else if (dropped_.is_by_another(index) && is_wished(index)) {
                plan_.selection_notes.push_back({.address = address(index),
                                                 .kind = SelectionNote::Kind::kDropped,
                                                 .because = address(dropped_.because(index))});
            }
        }
        std::ranges::sort(plan_.selection_notes, {}, &SelectionNote::address);
    }

    void take() {
        std::vector<PlannedChange> taken;
        for (size_t index = 0; index < count(); ++index) {
            if (kept_.has(index)) taken.push_back(std::move(plan_.changes[index]));
        }
        plan_.summary.left_out_count = count() - taken.size();
        plan_.changes = std::move(taken);
    }

    Plan& plan_;
    const Selection& selection_;
    std::vector<std::string> texts_;
    std::vector<std::vector<size_t>> needs_;
    Reached dropped_;
    Reached kept_;
};

}  // namespace

std::set<std::string> live_addresses(const ProjectState& live) {
    std::set<std::string> known;
    if (live.exists) known.insert(to_text(Address::project()));
    for (const BranchState& branch : live.branches) {
        known.insert(to_text(Address::of_branch(branch.name)));
        known.insert(to_text(Address::of_compute(branch.name)));
        for (const RoleState& role : branch.roles) {
            known.insert(to_text(Address::of_role(branch.name, role.name)));
        }
        for (const DatabaseState& database : branch.databases) {
            known.insert(to_text(Address::of_database(branch.name, database.name)));
            for (const SchemaState& schema : database.schemas) {
                known.insert(to_text(Address::of_schema(branch.name, database.name, schema.name)));
            }
            for (const ExtensionState& extension : database.extensions) {
                known.insert(
                    to_text(Address::of_extension(branch.name, database.name, extension.name)));
            }
        }
    }
    return known;
}

Status select_changes(Plan& plan, const ProjectState& live, const Selection& selection) {
    if (selection == Selection{}) return ok();
    std::set<std::string> known = live_addresses(live);
    for (const PlannedChange& planned : plan.changes) known.insert(to_text(planned.change.address));
    LB_TRY(check_patterns(selection.only, "--only", known));
    LB_TRY(check_patterns(selection.except, "--except", known));
    Selector(plan, live, selection).run();
    return ok();
}

}  // namespace lb::planner
