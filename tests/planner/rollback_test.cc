// Plans back to an earlier generation.
#include "planner/rollback.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/text.h"
#include "planner/attributes.h"
#include "planner/render.h"
#include "tests/planner/support/builders.h"
#include "tests/planner/support/generators.h"
#include "tests/planner/support/model.h"

namespace lb::planner {
namespace {

using namespace lb::planner::testing;
using Texts = std::vector<std::string>;

ResourceValue value_or_absent(const ProjectState& state, const Address& address) {
    return live_value(state, address).value_or(ResourceValue{});
}

void add_compute(GenerationRecord& record, const GenerationChange& branch,
                 const ProjectState& before, const ProjectState& after) {
    GenerationChange change = branch;
    change.address = Address::of_compute(branch.address.branch);
    for (const GenerationChange& other : record.changes) {
        if (other.address == change.address) return;
    }
    change.before = value_or_absent(before, change.address);
    change.after = value_or_absent(after, change.address);
    record.changes.push_back(std::move(change));
}

// As the engine writes it.
GenerationRecord record_of(const Plan& plan, const ProjectState& before,
                           const ProjectState& after) {
    GenerationRecord record{.number = after.generation};
    for (const PlannedChange& planned : plan.changes) {
        const ResourceChange& change = planned.change;
        record.changes.push_back({.address = change.address,
                                  .kind = change.kind,
                                  .origin = change.origin,
                                  .before = value_or_absent(before, change.address),
                                  .after = value_or_absent(after, change.address)});
    }
    std::vector<GenerationChange> changes = record.changes;
    for (const GenerationChange& change : changes) {
        bool is_update = change.kind != ChangeKind::kCreate && change.kind != ChangeKind::kDelete;
        if (change.address.kind != ResourceKind::kBranch || is_update) continue;
        add_compute(record, change, before, after);
    }
    return record;
}

// What a rollback promises to bring back.
std::string essence(const ProjectState& state) {
    std::string text = to_json(ResourceValue(value_of(state))).dump() + "\n";
    for (const BranchState& branch : state.branches) {
        BranchValue value = value_of(branch);
        value.restore.reset();  // that of the data
        text += cat(branch.name, " ", to_json(ResourceValue(value)).dump(), " ",
                    to_json(branch.compute.settings).dump(), "\n");
        for (const RoleState& role : branch.roles) {
            text += cat("  role ", role.name, " ", to_json(role.attributes).dump(), "\n");
        }
        for (const DatabaseState& database : branch.databases) {
            text += cat("  database ", database.name, " ", database.owner, "\n");
        }
    }
    return text;
}

RC_GTEST_PROP(Rollback, undoes_an_apply, ()) {
    specs::ProjectSpec earlier = *any_spec();
    ProjectState live = *live_state_near(earlier);
    RC_PRE(live.exists);
    Plan plan = make_plan(*edited(earlier), live);
    RC_PRE(plan.summary.refused_count == 0U && !plan.is_empty());
    auto after = apply(live, to_change_set(plan));
    RC_ASSERT(after.is_ok());
    Plan back = LB_MUST(
        make_rollback_plan({record_of(plan, live, *after), {.number = live.generation}}, *after));
    // The model keeps no deleted branches and no rows.
    RC_PRE(back.summary.refused_count == 0U);
    auto again = apply(*after, to_change_set(back));
    if (!again.is_ok()) RC_LOG() << to_text(again.error());
    RC_LOG() << render_text(plan, Colour::kNever, Detail::kAttributes)
             << render_text(back, Colour::kNever, Detail::kAttributes);
    RC_ASSERT(again.is_ok());
    RC_ASSERT(essence(*again) == essence(live));
}

class RollbackTest : public ::testing::Test {
protected:
    // Generation 5 is the live one; `changes` are what it did.
    Plan back(std::vector<GenerationChange> changes) {
        GenerationRecord newest{.number = Generation{5},
                                .applied_at = kModelNow,
                                .transaction = "lb-shop-5-77",
                                .position = Position{79}};
        newest.changes = std::move(changes);
        GenerationRecord target{.number = Generation{4}, .position = Position{60}};
        return LB_MUST(make_rollback_plan({newest, target}, live_));
    }

    ProjectState live_ = shop_state();
};

TEST_F(RollbackTest, a_deleted_branch_comes_back_with_its_children_and_computes) {
    live_.deleted_branches = {{.id = 9, .name = "child", .parent = "main", .deleted_at = kModelNow},
                              {.id = 8, .name = "old", .parent = "main", .deleted_at = kModelNow},
                              {.id = 3,
                               .name = "old",
                               .parent = "main",
                               .deleted_at = kModelNow - std::chrono::hours(1)}};
    auto deleted = [](Address address, ResourceValue value) {
        return GenerationChange{
            .address = std::move(address), .kind = ChangeKind::kDelete, .before = std::move(value)};
    };
    Plan plan = back({deleted(Address::of_branch("old"), BranchValue{.parent = "main"}),
                      deleted(Address::of_branch("child"), BranchValue{.parent = "old"}),
                      deleted(Address::of_compute("old"), ComputeSettings{.size_centi_cu = 50}),
                      deleted(Address::of_compute("child"), ComputeSettings{})});
    EXPECT_EQ(steps(plan),
              (Texts{"create branch.old", "create compute.old", "create branch.child"}));
    const auto& old = std::get<BranchValue>(change_of(plan, "branch.old").change.value);
    EXPECT_EQ(old.undelete, 8u);
    EXPECT_EQ(std::get<BranchValue>(change_of(plan, "branch.child").change.value).parent, "old");
    EXPECT_EQ(change_of(plan, "branch.old").reason, Reason::kRolledBack);
}

TEST_F(RollbackTest, what_is_gone_is_refused_by_name) {
    Plan plan = back({{.address = Address::of_branch("old"),
                       .kind = ChangeKind::kDelete,
                       .before = BranchValue{.parent = "main"}},
                      {.address = Address::of_database("main", "shop"),
                       .kind = ChangeKind::kDelete,
                       .before = DatabaseValue{"postgres"}}});
    EXPECT_EQ(steps(plan), (Texts{"! create database.main.shop", "! create branch.old"}));
    const PlannedChange& rows = change_of(plan, "database.main.shop");
    EXPECT_EQ(rows.refusal, Refusal::kNotInHistory);
    EXPECT_NE(rows.refusal_help.find("lb restore main --to position:77"), std::string::npos);
    EXPECT_FALSE(check_policy(plan, {}).is_ok());
}

TEST_F(RollbackTest, a_database_that_was_dropped_and_made_anew_is_not_what_it_was) {
    add_database(live_, "shop");
    Address shop = Address::of_database("main", "shop");
    GenerationRecord drop{.number = Generation{4}};
    drop.changes = {{.address = shop, .kind = ChangeKind::kDelete, .before = DatabaseValue{"app"}}};
    GenerationRecord make{.number = Generation{5}};
    make.changes = {{.address = shop, .after = DatabaseValue{"postgres"}}};
    Plan plan = LB_MUST(make_rollback_plan({make, drop, {.number = Generation{3}}}, live_));
    EXPECT_EQ(steps(plan), (Texts{"! create database.main.shop"}));
    // Back to when it was not there.
    plan = LB_MUST(make_rollback_plan({make, {.number = Generation{4}}}, live_));
    EXPECT_EQ(steps(plan), (Texts{"delete database.main.shop"}));
    EXPECT_EQ(check_policy(plan, {}).error().code, ErrorCode::kDestroyNotAllowed);
}

TEST_F(RollbackTest, a_branch_that_was_made_anew_is_refused) {
    add_branch(live_, "old");
    Address old = Address::of_branch("old");
    GenerationRecord gone{.number = Generation{4}};
    gone.changes = {
        {.address = old, .kind = ChangeKind::kDelete, .before = BranchValue{.parent = "main"}}};
    GenerationRecord made{.number = Generation{5}};
    made.changes = {{.address = old, .after = BranchValue{.parent = "main"}}};
    Plan plan = LB_MUST(make_rollback_plan({made, gone, {.number = Generation{3}}}, live_));
    EXPECT_EQ(steps(plan), (Texts{"! update branch.old"}));
    // One that came back is the same one.
    std::get<BranchValue>(made.changes[0].after).undelete = 7;
    plan = LB_MUST(make_rollback_plan({made, gone, {.number = Generation{3}}}, live_));
    EXPECT_TRUE(plan.is_empty());
}

TEST_F(RollbackTest, settings_of_several_applies_go_back_to_the_first_ones) {
    add_role(live_, "app").attributes.connection_limit = 9;
    Address app = Address::of_role("main", "app");
    auto change = [&](uint64_t number, int32_t before, int32_t after) {
        GenerationRecord record{.number = Generation{number}};
        record.changes = {{.address = app,
                           .kind = ChangeKind::kUpdate,
                           .before = RoleValue{{.connection_limit = before}},
                           .after = RoleValue{{.connection_limit = after}}}};
        return record;
    };
    Plan plan =
        LB_MUST(make_rollback_plan({change(5, 5, 9), change(4, 3, 5), change(3, 1, 3)}, live_));
    EXPECT_EQ(diff_texts(change_of(plan, "role.main.app")), Texts{"connection_limit: 9 -> 3"});
}

TEST_F(RollbackTest, data_that_moved_is_noted) {
    Plan plan = back({{.address = Address::of_branch("main"),
                       .kind = ChangeKind::kRestore,
                       .detail = "to position:4",
                       .before = BranchValue{},
                       .after = BranchValue{}}});
    EXPECT_TRUE(plan.is_empty());
    ASSERT_EQ(plan.notes.size(), 1u);
    EXPECT_NE(plan.notes[0].find("restore to position:4 in generation 5"), std::string::npos);
    EXPECT_NE(render_text(plan, Colour::kNever, Detail::kChangesOnly).find("note: the data of"),
              std::string::npos);
}

TEST_F(RollbackTest, an_expiration_that_is_past_does_not_come_back) {
    live_.seen_at = kModelNow;
    add_branch(live_, "pr");
    Plan plan = back({{.address = Address::of_branch("pr"),
                       .kind = ChangeKind::kUpdate,
                       .before = BranchValue{.parent = "main", .expire_time = kModelNow},
                       .after = BranchValue{.parent = "main"}}});
    EXPECT_TRUE(plan.is_empty());
    EXPECT_EQ(plan.notes.size(), 1u);
}

TEST_F(RollbackTest, a_generation_without_values_is_refused) {
    GenerationRecord newest{.number = Generation{5}, .has_values = false};
    auto plan = make_rollback_plan({newest, {.number = Generation{4}}}, live_);
    ASSERT_FALSE(plan.is_ok());
    EXPECT_EQ(plan.error().code, ErrorCode::kRefused);
    // Its own values are not needed to go back to it.
    EXPECT_TRUE(make_rollback_plan({newest}, live_).is_ok());
    EXPECT_EQ(make_rollback_plan({{.number = Generation{3}}}, live_).error().code,
              ErrorCode::kPlanStale);
}

}  // namespace
}  // namespace lb::planner
