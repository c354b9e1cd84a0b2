#include "planner/rollback.h"

#include <charconv>
#include <map>

#include "base/text.h"
#include "planner/attributes.h"
#include "planner/finish.h"
#include "planner/rules.h"

namespace lb::planner {

namespace {

bool is_absent(const ResourceValue& value) { return std::holds_alternative<std::monostate>(value); }

// The store's position when the apply began, which ends its transaction's name: there is all that
// the apply then changed. That of the commit if it ran no SQL.
Position begun_at(const GenerationRecord& record) {
    std::string_view text = record.transaction;
    text.remove_prefix(text.rfind('-') + 1);  // npos + 1 is 0
    uint64_t number = 0;
    auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    bool is_number = failure == std::errc{} && end == text.data() + text.size();
    return is_number && number > 0 ? Position{number} : record.position;
}

// What the later generations did to one resource.
struct Trail {
    ResourceValue wanted = {};  // before the first of them
    ResourceValue left = {};    // after the last
    Origin origin = Origin::kSpec;
    bool is_remade = false;  // what is there now is not what was there then
    ResourceValue at_delete = {};
    WallTime deleted_at{};       // applied_at of the first delete
    Position deleted_from = {};  // the newest position that still has it
    std::string move = {};       // of a branch: "restore to ... in generation 7"
};

using Trails = std::map<Address, Trail>;

void follow(Trail& trail, const GenerationChange& change, const GenerationRecord& record) {
    trail.left = change.after;
    if (change.kind == ChangeKind::kDelete) {
        trail.at_delete = change.before;
        if (trail.deleted_at == WallTime{}) {
            trail.deleted_at = record.applied_at;
            trail.deleted_from = begun_at(record);
        }
        trail.is_remade = true;
    }
    if (change.kind == ChangeKind::kCreate) {
        auto* branch = std::get_if<BranchValue>(&change.after);
        // It is the same one again.
        if (branch != nullptr && branch->undelete) trail.is_remade = false;
    }
    if (change.kind == ChangeKind::kRestore || change.kind == ChangeKind::kReset) {
        trail.move =
            cat(to_text(change.kind), " ", change.detail, " in generation ", record.number.value());
    }
}

Trails trails_of(const std::vector<GenerationRecord>& generations) {
    Trails trails;
    // From the oldest on, without the target, which is the last.
    for (size_t i = generations.size() - 1; i-- > 0;) {
        for (const GenerationChange& change : generations[i].changes) {
            auto [found, is_new] = trails.try_emplace(change.address);
            if (is_new) {
                found->second.wanted = change.before;
                found->second.origin = change.origin;
            }
            follow(found->second, change, generations[i]);
        }
    }
    return trails;
}

class Rollback {
public:
    Rollback(const std::vector<GenerationRecord>& generations, const ProjectState& live)
        : target_(generations.back()), trails_(trails_of(generations)), live_(live) {}

    Plan run() {
        plan_.project = live_.name;
        for (const auto& [address, trail] : trails_) {
            if (address.kind == ResourceKind::kBranch) take_back_branch(address, trail);
        }
        for (const auto& [address, trail] : trails_) {
            if (address.kind != ResourceKind::kBranch) take_back(address, trail);
        }
        finish_plan(plan_, live_);
        return std::move(plan_);
    }

private:
    PlannedChange& add(const Address& address, ChangeKind kind, ResourceValue value,
                       const Trail& trail) {
        PlannedChange& planned = plan_.changes.emplace_back();
        planned.reason = Reason::kRolledBack;
        planned.change = {
            .address = address, .kind = kind, .value = std::move(value), .origin = trail.origin};
        return planned;
    }

    void note(std::string text) { plan_.notes.push_back(std::move(text)); }

    // ---- branches ------------------------------------------------------------------------------

    void take_back_branch(const Address& address, const Trail& trail) {
        const BranchState* branch = live_.find_branch(address.branch);
        if (is_absent(trail.wanted)) {
            if (branch == nullptr) return;
            PlannedChange& planned = add(address, ChangeKind::kDelete, {}, trail);
            planned.diffs = diffs_of_delete(value_of(*branch));
            planned.risk = Risk::kDeletesData;
            planned.deleted_bytes = branch->own_bytes;
            return;
        }
        if (branch == nullptr) return undelete(address, trail);
        if (trail.is_remade) return refuse_remade(address, trail);
        if (!trail.move.empty()) note_move(address, trail);
        update_branch(address, *branch, trail);
    }

    void note_move(const Address& address, const Trail& trail) {
        note(cat("the data of branch ", address.branch, " stays as it is since its ", trail.move,
                 "; lb history ", address.branch, " shows the ways back"));
    }

    void update_branch(const Address& address, const BranchState& branch, const Trail& trail) {
        BranchValue before = value_of(branch);
        BranchValue after = std::get<BranchValue>(trail.wanted);
        after.parent = before.parent;
        after.requested_at = before.requested_at;
        after.restore = before.restore;
        after.undelete = {};
        if (has_passed(after)) {
            note(
                cat("branch ", address.branch, " does not get back its expiration, which is past"));
            after.expire_time = before.expire_time;
            after.ttl = before.ttl;
        }
        update(address, before, after, trail);
    }

    bool has_passed(const BranchValue& value) const {
        return value.expire_time && live_.seen_at && *value.expire_time <= *live_.seen_at;
    }

    PlannedChange* update(const Address& address, const ResourceValue& before, ResourceValue after,
                          const Trail& trail) {
        if (before == after) {
            ++plan_.summary.unchanged_count;
            return nullptr;
        }
        std::vector<AttributeDiff> diffs = diffs_of_update(before, after);
        PlannedChange& planned = add(address, ChangeKind::kUpdate, std::move(after), trail);
        planned.diffs = std::move(diffs);
        return &planned;
    }

    // The one that the first of the later deletes put away.
    const DeletedBranchState* deleted_branch(const std::string& name, WallTime deleted_at) const {
        const DeletedBranchState* found = nullptr;
        for (const DeletedBranchState& deleted : live_.deleted_branches) {
            bool is_older = deleted.name == name && deleted.deleted_at <= deleted_at;
            if (is_older && (!found || found->deleted_at < deleted.deleted_at)) found = &deleted;
        }
        return found;
    }

    bool will_exist(const std::string& branch) const {
        auto trail = trails_.find(Address::of_branch(branch));
        if (trail == trails_.end()) return live_.find_branch(branch) != nullptr;
        return !is_absent(trail->second.wanted);
    }

    void undelete(const Address& address, const Trail& trail) {
        BranchValue value = std::get<BranchValue>(trail.wanted);
        const DeletedBranchState* deleted = deleted_branch(address.branch, trail.deleted_at);
        value.restore.reset();
        value.requested_at.clear();
        if (deleted == nullptr) {
            PlannedChange& planned = add(address, ChangeKind::kCreate, std::move(value), trail);
            refuse(planned, Refusal::kNotInHistory,
                   cat("branch ", address.branch, " was deleted at ", format_time(trail.deleted_at),
                       " and cannot be had back: its restore ",
                       "window has passed, or it came back under another name"),
                   cat("lb branch list --deleted shows what can be had back; a new branch of its ",
                       "parent's state then: --at position:", target_.position.value()));
            return;
        }
        if (!is_absent(trail.at_delete) && trail.at_delete != trail.wanted) {
            note(cat("branch ", address.branch, " comes back with the settings that it was ",
                     "deleted with; a second lb rollback ", target_.number.value(),
                     " takes those back too"));
        }
        if (!will_exist(value.parent)) value.parent = deleted->parent;
        value.undelete = deleted->id;
        PlannedChange& planned = add(address, ChangeKind::kCreate, value, trail);
        planned.diffs = diffs_of_create(planned.change.value);
    }

    void refuse_remade(const Address& address, const Trail& trail) {
        PlannedChange& planned = add(address, ChangeKind::kUpdate, trail.wanted, trail);
        refuse(planned, Refusal::kAlreadyExists,
               cat("branch ", address.branch, " was deleted since, and another one has its name"),
               cat("bring the old one back beside it: lb branch undelete ", address.branch,
                   " --as NAME"));
    }

    // ---- the rest ------------------------------------------------------------------------------

    void take_back(const Address& address, const Trail& trail) {
        if (address.kind == ResourceKind::kProject) return take_back_project(address, trail);
        auto branch_trail = trails_.find(Address::of_branch(address.branch));
        bool is_branch_touched = branch_trail != trails_.end();
        // It comes and goes with its branch.
        if (is_branch_touched && is_absent(branch_trail->second.wanted)) return;
        bool is_there = live_.find_branch(address.branch) != nullptr;
        if (is_there && is_branch_touched && branch_trail->second.is_remade) return;
        if (address.kind == ResourceKind::kCompute) return take_back_compute(address, trail);
        if (is_there && !goes_with_database(address)) take_back_content(address, trail);
    }

    // What is inside of a database that was made or dropped since.
    bool goes_with_database(const Address& address) const {
        if (!address.is_inside_database()) return false;
        auto database = trails_.find(address.its_database());
        if (database == trails_.end()) return false;
        return is_absent(database->second.wanted) || database->second.is_remade;
    }

    void take_back_project(const Address& address, const Trail& trail) {
        if (!is_absent(trail.wanted)) update(address, value_of(live_), trail.wanted, trail);
    }

    void take_back_compute(const Address& address, const Trail& trail) {
        if (is_absent(trail.wanted)) return;
        const BranchState* branch = live_.find_branch(address.branch);
        const auto& wanted = std::get<ComputeSettings>(trail.wanted);
        if (branch == nullptr) {
            bool comes_back = plan_has_create(address.branch);
            // An undeleted branch has the settings that it had, but does not start by itself.
            if (!comes_back || (wanted == ComputeSettings{} && !wanted.always_on)) return;
            PlannedChange& planned = add(address, ChangeKind::kCreate, trail.wanted, trail);
            planned.diffs = diffs_of_create(trail.wanted);
            return;
        }
        Risk risk = risk_of_update(branch->compute.settings, wanted);
        auto* updated = update(address, branch->compute.settings, trail.wanted, trail);
        if (updated != nullptr) updated->risk = risk;
    }

    bool plan_has_create(const std::string& branch) const {
        for (const PlannedChange& planned : plan_.changes) {
            if (planned.change.address == Address::of_branch(branch)) {
                return planned.refusal == Refusal::kNone;
            }
        }
        return false;
    }

    // Of a branch that nobody looked into, what is there is what the last apply left.
    ResourceValue content_now(const Address& address, const Trail& trail) const {
        if (!live_.find_branch(address.branch)->is_observed) return trail.left;
        return live_value(live_, address).value_or(ResourceValue{});
    }

    void take_back_content(const Address& address, const Trail& trail) {
        ResourceValue now = content_now(address, trail);
        if (is_absent(trail.wanted) && is_absent(now)) return;
        bool is_data = risk_of_delete(address) == Risk::kDeletesData;
        if (!is_absent(trail.wanted) && is_data && (is_absent(now) || trail.is_remade)) {
            return refuse_rows(address, trail);
        }
        if (is_absent(trail.wanted)) {
            PlannedChange& planned = add(address, ChangeKind::kDelete, {}, trail);
            planned.diffs = diffs_of_delete(now);
            planned.risk = risk_of_delete(address);
        } else if (is_absent(now)) {
            PlannedChange& planned = add(address, ChangeKind::kCreate, trail.wanted, trail);
            planned.diffs = diffs_of_create(trail.wanted);
        } else {
            update(address, now, trail.wanted, trail);
        }
    }

    void refuse_rows(const Address& address, const Trail& trail) {
        PlannedChange& planned = add(address, ChangeKind::kCreate, trail.wanted, trail);
        planned.diffs = diffs_of_create(trail.wanted);
        std::string position = cat("position:", trail.deleted_from.value());
        refuse(planned, Refusal::kNotInHistory,
               cat(to_text(address), " was dropped since, and a rollback does not bring rows back"),
               cat("a branch that has them: lb branch create NAME --parent ", address.branch,
                   " --at ", position, "; or all of ", address.branch,
                   " as it was then: lb restore ", address.branch, " --to ", position));
    }

    const GenerationRecord& target_;
    const Trails trails_;
    const ProjectState& live_;
    Plan plan_;
};

}  // namespace

Result<Plan> make_rollback_plan(const std::vector<GenerationRecord>& generations,
                                const ProjectState& live) {
    LB_ASSERT(!generations.empty());
    if (generations.front().number != live.generation) {
        return Error{.code = ErrorCode::kPlanStale,
                     .message = "an apply has been carried out in the meantime",
                     .help = "run the command again"};
    }
    for (size_t i = 0; i + 1 < generations.size(); ++i) {
        if (generations[i].has_values) continue;
        return Error{.code = ErrorCode::kRefused,
                     .message = cat("generation ", generations[i].number.value(),
                                    " does not say what its changes were before"),
                     .help = cat("go back to generation ", generations[i].number.value(),
                                 " or a later one")};
    }
    return Rollback(generations, live).run();
}

}  // namespace lb::planner
