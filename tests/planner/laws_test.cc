// The laws of plans (docs/planning.md), for generated specs and live states.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>

#include "base/pattern.h"
#include "planner/render.h"
#include "planner/select.h"
#include "tests/planner/support/builders.h"
#include "tests/planner/support/generators.h"
#include "tests/planner/support/model.h"

namespace lb::planner {
namespace {

using namespace lb::planner::testing;

// For failing cases.
std::string show(const Plan& plan) {
    return render_text(plan, Colour::kNever, Detail::kAttributes);
}

std::vector<std::string> all_addresses(const Plan& plan) {
    std::vector<std::string> addresses;
    for (const PlannedChange& planned : plan.changes) {
        addresses.push_back(to_text(planned.change.address));
    }
    return addresses;
}

// A spec, a live state of an earlier spec, and the plan between them.
struct Situation {
    specs::ProjectSpec spec;
    ProjectState live;
    Plan plan;
};

Situation any_situation() {
    specs::ProjectSpec before = *any_spec();
    ProjectState live = *live_state_near(before);
    bool is_related = *rc::gen::elementOf(std::vector<bool>{true, true, true, false});
    specs::ProjectSpec spec = is_related ? *edited(before) : *any_spec();
    Plan plan = make_plan(spec, live);
    return {std::move(spec), std::move(live), std::move(plan)};
}

Situation applicable_situation() {
    Situation situation = any_situation();
    RC_PRE(situation.plan.summary.refused_count == 0U);
    return situation;
}

ProjectState must_apply(const Situation& situation) {
    auto result = apply(situation.live, to_change_set(situation.plan));
    if (!result.is_ok()) RC_LOG() << to_text(result.error()) << show(situation.plan);
    RC_ASSERT(result.is_ok());
    return *result;
}

RC_GTEST_PROP(PlanLaws, applying_a_plan_gives_what_the_spec_says, ()) {
    Situation situation = applicable_situation();
    std::vector<std::string> found = differences(situation.spec, must_apply(situation));
    if (!found.empty()) RC_LOG() << show(situation.plan);
    RC_ASSERT(found == std::vector<std::string>());
}

RC_GTEST_PROP(PlanLaws, after_an_apply_there_is_nothing_to_do, ()) {
    Situation situation = applicable_situation();
    Plan again = make_plan(situation.spec, must_apply(situation));
    if (!again.is_empty()) RC_LOG() << show(situation.plan) << show(again);
    RC_ASSERT(again.is_empty());
    RC_ASSERT(again.base_versions.empty());
    RC_ASSERT(again.summary.unchanged_count >= situation.spec.branches.size());
}

RC_GTEST_PROP(PlanLaws, the_order_of_tables_is_irrelevant, ()) {
    Situation situation = any_situation();
    specs::ProjectSpec other = *shuffled(situation.spec);
    RC_ASSERT(make_plan(other, situation.live) == situation.plan);
}

RC_GTEST_PROP(PlanLaws, equal_input_gives_byte_equal_output, ()) {
    Situation situation = any_situation();
    auto live = project_state_from_json(LB_MUST(Json::parse(to_json(situation.live).dump())));
    RC_ASSERT(live.is_ok());
    Plan again = make_plan(situation.spec, *live);
    RC_ASSERT(show(again) == show(situation.plan));
    RC_ASSERT(to_json(again).dump() == to_json(situation.plan).dump());
    RC_ASSERT(again.id == situation.plan.id);
}

// The model refuses a change whose turn is wrong.
RC_GTEST_PROP(PlanLaws, every_change_comes_after_what_it_needs, ()) {
    specs::ProjectSpec before = *any_spec();
    ProjectState live = *live_state_near(before);
    // Everything anew, with other owners and memberships.
    specs::ProjectSpec spec = *any_spec();
    spec.branches = before.branches;
    Situation situation{spec, live, make_plan(spec, live)};
    RC_PRE(situation.plan.summary.refused_count == 0U);
    must_apply(situation);
}

RC_GTEST_PROP(PlanLaws, what_is_not_from_a_spec_is_left_alone, ()) {
    Situation situation = applicable_situation();
    ProjectState after = must_apply(situation);
    for (const BranchState& branch : situation.live.branches) {
        if (branch.origin == Origin::kSpec || situation.spec.find_branch(branch.name)) continue;
        const BranchState* kept = after.find_branch(branch.name);
        RC_ASSERT(kept != nullptr);
        RC_ASSERT(*kept == branch);
        bool is_listed = std::ranges::count(situation.plan.unmanaged,
                                            Address::of_branch(branch.name), &Unmanaged::address);
        RC_ASSERT(is_listed);
    }
}

// As it was, but for whose it is.
RC_GTEST_PROP(PlanLaws, what_is_forgotten_stays_and_is_left_alone, ()) {
    Situation situation = applicable_situation();
    ProjectState after = must_apply(situation);
    for (const PlannedChange& planned : situation.plan.changes) {
        if (planned.change.kind != ChangeKind::kForget) continue;
        const Address& address = planned.change.address;
        RC_ASSERT(std::ranges::count(situation.spec.forgotten, address,
                                     &specs::ForgetSpec::address) == 1);
        RC_ASSERT(planned.risk == Risk::kNone);
        if (address.kind != ResourceKind::kBranch) continue;
        BranchState before = branch_of(situation.live, address.branch);
        before.origin = Origin::kManual;
        before.version = after.generation;
        RC_ASSERT(branch_of(after, address.branch) == before);
    }
}

RC_GTEST_PROP(PlanLaws, a_disjoint_change_never_stales_a_plan, ()) {
    Situation situation = applicable_situation();
    ProjectState live = situation.live;
    RC_PRE(live.exists);
    // Somebody else adds a branch, and changes and deletes branches that the plan does not touch.
    std::set<std::string> bound;
    for (const BaseVersion& base : situation.plan.base_versions) {
        // The model has no version of the project's own settings, only its generation.
        RC_PRE(base.address.kind != ResourceKind::kProject);
        if (base.address.kind == ResourceKind::kBranch) bound.insert(base.address.branch);
    }
    live.generation = Generation{live.generation.value() + 1};
    for (BranchState& branch : live.branches) {
        if (!bound.contains(branch.name)) branch.version = live.generation;
    }
    add_branch(live, "elsewhere").version = live.generation;
    auto after = apply(live, to_change_set(situation.plan));
    if (!after.is_ok()) RC_LOG() << to_text(after.error()) << show(situation.plan);
    RC_ASSERT(after.is_ok());
}

void change_inside_database(ProjectState& live, const Address& address, bool exists) {
    BranchState& main = branch_of(live, "main");
    auto found = std::ranges::find(main.databases, address.database, &DatabaseState::name);
    DatabaseState& database =
        found == main.databases.end() ? add_database(live, address.database) : *found;
    bool is_schema = address.kind == ResourceKind::kSchema;
    if (exists) {
        std::erase_if(database.schemas, [&](const SchemaState& schema) {
            return is_schema && schema.name == address.name;
        });
        std::erase_if(database.extensions, [&](const ExtensionState& extension) {
            return !is_schema && extension.name == address.name;
        });
    } else if (is_schema) {
        add_schema(database, address.name);
    } else {
        add_extension(database, address.name);
    }
}

void change_by_somebody_else(ProjectState& live, const BaseVersion& touched) {
    const Address& address = touched.address;
    bool exists = touched.version != Generation{};
    if (address.kind == ResourceKind::kProject) {
        live.history_retention += std::chrono::hours(1);  // and a newer generation
    } else if (address.kind == ResourceKind::kRole) {
        BranchState& main = branch_of(live, "main");
        if (exists) {
            std::erase_if(main.roles,
                          [&](const RoleState& role) { return role.name == address.name; });
        } else {
            add_role(live, address.name);
        }
    } else if (address.kind == ResourceKind::kDatabase) {
        BranchState& main = branch_of(live, "main");
        if (exists) {
            std::erase_if(main.databases, [&](const DatabaseState& database) {
                return database.name == address.name;
            });
        } else {
            add_database(live, address.name);
        }
    } else if (address.is_inside_database()) {
        change_inside_database(live, address, exists);
    } else if (exists) {
        branch_of(live, address.branch).version = live.generation;
    } else {
        add_branch(live, address.branch).version = live.generation;
    }
}

RC_GTEST_PROP(PlanLaws, a_change_of_what_the_plan_touches_stales_it, ()) {
    Situation situation = applicable_situation();
    RC_PRE(situation.live.exists && !situation.plan.base_versions.empty());
    const BaseVersion touched = *rc::gen::elementOf(situation.plan.base_versions);
    ProjectState live = situation.live;
    live.generation = Generation{live.generation.value() + 1};
    change_by_somebody_else(live, touched);
    auto after = apply(live, to_change_set(situation.plan));
    RC_ASSERT(!after.is_ok());
    RC_ASSERT(after.error().code == ErrorCode::kPlanStale);
}

RC_GTEST_PROP(PlanLaws, a_plan_with_refused_changes_cannot_be_applied, ()) {
    Situation situation = any_situation();
    Status allowed = check_policy(situation.plan, all_addresses(situation.plan));
    bool is_refused = situation.plan.summary.refused_count > 0;
    RC_ASSERT(allowed.is_ok() == !is_refused);
    RC_ASSERT(LB_MUST(to_json(situation.plan).bool_at("applyable")) ==
              (!is_refused && !situation.plan.is_empty()));
    if (is_refused) RC_ASSERT(exit_code(allowed.error().code) == ExitCode::kRefused);
}

RC_GTEST_PROP(PlanLaws, nothing_protected_is_ever_deleted, ()) {
    Situation situation = any_situation();
    std::vector<Plan> plans = {situation.plan, make_destroy_plan(situation.live)};
    for (const Plan& plan : plans) {
        for (const PlannedChange& planned : plan.changes) {
            const Address& address = planned.change.address;
            if (planned.change.kind != ChangeKind::kDelete) continue;
            const BranchState* branch = situation.live.find_branch(address.branch);
            bool is_protected = address.kind == ResourceKind::kBranch && branch->is_protected;
            if (is_protected) RC_ASSERT(planned.refusal == Refusal::kProtected);
        }
    }
}

RC_GTEST_PROP(PlanLaws, data_is_deleted_only_if_its_address_is_named, ()) {
    Situation situation = applicable_situation();
    size_t destroys = 0;
    for (const PlannedChange& planned : situation.plan.changes) {
        destroys += planned.risk == Risk::kDeletesData;
    }
    RC_ASSERT(check_policy(situation.plan, {}).is_ok() == (destroys == 0));
}

RC_GTEST_PROP(PlanLaws, verifiers_never_show, ()) {
    Situation situation = any_situation();
    RC_ASSERT(show(situation.plan).find("SCRAM") == std::string::npos);
    RC_ASSERT(to_json(situation.plan).dump().find("SCRAM") == std::string::npos);
}

// Addresses of the plan, or patterns of kinds.
std::vector<std::string> any_patterns(const Plan& plan) {
    static const std::vector<std::string> kKinds = {"branch.*", "compute.*", "role.*", "database.*",
                                                    "schema.*"};
    std::vector<std::string> addresses = all_addresses(plan);
    std::vector<std::string> patterns;
    size_t count = *rc::gen::inRange<size_t>(1, 4);
    for (size_t i = 0; i < count; ++i) patterns.push_back(*rc::gen::elementOf(addresses));
    if (*rc::gen::inRange(0, 4) != 0) return patterns;
    std::string kind = *rc::gen::elementOf(kKinds);
    bool is_known = std::ranges::any_of(
        addresses, [&](const std::string& address) { return matches_pattern(kind, address); });
    return is_known ? std::vector<std::string>{kind} : patterns;
}

Selection any_selection(const Plan& plan) {
    Selection selection;
    int which = *rc::gen::inRange(0, 3);
    if (which != 0) selection.only = any_patterns(plan);
    if (which != 1) selection.except = any_patterns(plan);
    return selection;
}

RC_GTEST_PROP(PlanLaws, a_selected_plan_is_a_part_of_the_whole, ()) {
    Situation situation = applicable_situation();
    RC_PRE(!situation.plan.is_empty());
    Selection selection = any_selection(situation.plan);
    Plan part = LB_MUST(make_plan(situation.spec, situation.live, selection));
    RC_ASSERT(part.summary.left_out_count + part.changes.size() == situation.plan.changes.size());
    std::set<std::string> added;
    for (const SelectionNote& note : part.selection_notes) {
        if (note.kind == SelectionNote::Kind::kAdded) added.insert(to_text(note.address));
    }
    auto is_named = [](const std::vector<std::string>& patterns, const std::string& address) {
        return std::ranges::any_of(patterns, [&](auto& p) { return matches_pattern(p, address); });
    };
    for (const PlannedChange& planned : part.changes) {
        // In an order of its own: which roles come first depends on which others come.
        auto same =
            std::ranges::find(situation.plan.changes, planned.change, &PlannedChange::change);
        RC_ASSERT(same != situation.plan.changes.end());
        std::string address = to_text(planned.change.address);
        RC_ASSERT(!is_named(selection.except, address));
        RC_ASSERT(selection.only.empty() || is_named(selection.only, address) ||
                  added.contains(address));
    }
}

// Without what depends on when an apply was, and what nobody's spec says: what branches inherited.
ProjectState timeless(ProjectState state) {
    state.generation = Generation{};
    for (BranchState& branch : state.branches) {
        branch.version = branch.created_in = Generation{};
        if (branch.name == state.default_branch) continue;
        branch.roles.clear();
        branch.databases.clear();
        branch.is_observed = false;
    }
    return state;
}

RC_GTEST_PROP(PlanLaws, a_part_and_then_the_rest_is_the_whole, ()) {
    Situation situation = applicable_situation();
    RC_PRE(!situation.plan.is_empty());
    Selection selection = any_selection(situation.plan);
    Situation part = situation;
    part.plan = LB_MUST(make_plan(situation.spec, situation.live, selection));
    RC_LOG() << show(situation.plan) << show(part.plan);
    RC_ASSERT(part.plan.summary.refused_count == 0U);
    Situation rest{situation.spec, must_apply(part), {}};
    rest.plan = make_plan(rest.spec, rest.live);
    RC_LOG() << show(rest.plan);
    RC_ASSERT(rest.plan.summary.refused_count == 0U);
    RC_ASSERT(timeless(must_apply(rest)) == timeless(must_apply(situation)));
}

RC_GTEST_PROP(PlanLaws, the_summary_adds_up, ()) {
    Plan plan = any_situation().plan;
    const PlanSummary& summary = plan.summary;
    RC_ASSERT(summary.create_count + summary.update_count + summary.delete_count +
                  summary.forget_count + summary.refused_count ==
              plan.changes.size());
    std::string text = render_text(plan, Colour::kNever, Detail::kChangesOnly);
    auto lines = static_cast<uint64_t>(std::ranges::count(text, '\n'));
    bool has_undo = text.find("\n  undo: ") != std::string::npos;
    uint64_t extra = 1 + (plan.is_empty() ? 1 : 0) + (plan.unmanaged.empty() ? 0 : 1) + has_undo;
    RC_ASSERT(lines == plan.changes.size() + 2 * summary.refused_count + extra);
}

// The way back, step by step. What an undelete promises is the branch as it was.
Result<ProjectState> take_back(const Situation& situation, ProjectState state) {
    for (const UndoStep& step : situation.plan.undo) {
        if (step.is_undelete) {
            const BranchState* deleted = situation.live.find_branch(step.change.address.branch);
            add_sorted(state.branches, *deleted);
            continue;
        }
        ChangeSet changes;
        changes.project = state.name;
        changes.changes = {step.change};
        state = LB_TRY(apply(state, changes));
    }
    return state;
}

// Without what no undo promises: versions, and what the steps say stays lost.
ProjectState comparable(ProjectState state, const Plan& plan) {
    state.generation = {};
    for (BranchState& branch : state.branches) {
        branch.version = {};
        for (const UndoStep& step : plan.undo) {
            if (step.lost.empty() || step.change.address.branch != branch.name) continue;
            const Address& address = step.change.address;
            if (address.kind == ResourceKind::kBranch) {
                branch.origin = Origin::kSpec;
                if (branch.ttl) branch.expire_time = {};
            }
            for (RoleState& role : branch.roles) {
                if (address == Address::of_role(branch.name, role.name)) role.origin = {};
            }
            for (DatabaseState& database : branch.databases) {
                if (address == Address::of_database(branch.name, database.name)) {
                    database.origin = {};
                    if (step.change.kind == ChangeKind::kCreate) {
                        database.schemas.clear();
                        database.extensions.clear();
                    }
                    // One that was forgotten takes what is inside of it along.
                    for (SchemaState& schema : database.schemas) schema.origin = {};
                    for (ExtensionState& extension : database.extensions) extension.origin = {};
                }
                if (address.database != database.name) continue;
                for (SchemaState& schema : database.schemas) {
                    if (address.kind == ResourceKind::kSchema && address.name == schema.name) {
                        schema.origin = {};
                    }
                }
                for (ExtensionState& extension : database.extensions) {
                    if (address.kind == ResourceKind::kExtension &&
                        address.name == extension.name) {
                        extension.origin = {};
                    }
                }
            }
        }
    }
    return state;
}

RC_GTEST_PROP(PlanLaws, undo_gives_back_what_there_was, ()) {
    Situation situation = applicable_situation();
    // The model has no data, so it cannot tell a restored branch from another one.
    for (const UndoStep& step : situation.plan.undo) {
        RC_PRE(step.change.kind != ChangeKind::kRestore);
        RC_PRE(step.undoable != Undoable::kNo);
    }
    auto before = take_back(situation, must_apply(situation));
    if (!before.is_ok()) RC_LOG() << to_text(before.error()) << show(situation.plan);
    RC_ASSERT(before.is_ok());
    if (!situation.live.exists) {
        RC_ASSERT(!before->exists && before->branches.empty());
        return;
    }
    RC_ASSERT(comparable(*before, situation.plan) == comparable(situation.live, situation.plan));
}

RC_GTEST_PROP(PlanLaws, a_destroy_leaves_nothing, ()) {
    ProjectState live = *live_state_near(*any_spec());
    RC_PRE(live.exists);
    for (BranchState& branch : live.branches) branch.is_protected = false;
    Plan plan = make_destroy_plan(live);
    RC_ASSERT(check_policy(plan, {"project"}).is_ok());
    RC_ASSERT(!check_policy(plan, {}).is_ok());
    auto after = apply(live, to_change_set(plan));
    RC_ASSERT(after.is_ok());
    RC_ASSERT(!after->exists);
    RC_ASSERT(after->branches.empty());
}

}  // namespace
}  // namespace lb::planner
