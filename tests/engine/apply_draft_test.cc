// What an apply refuses before it does anything, and what it makes of a ChangeSet.
#include "engine/apply_draft.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "engine/apply_stale.h"
#include "tests/engine/engine_fixture.h"

namespace lb::engine {
namespace {

constexpr WallTime kNow{std::chrono::seconds{1'000'000}};

// shop: main (protected as asked), staging from main, deep from staging.
Project live_project() {
    Project project;
    project.record = {.id = ProjectId{1},
                      .name = "shop",
                      .default_branch = BranchId{1},
                      .generation = Generation{9},
                      .version = Generation{2}};
    auto add = [&](uint64_t id, const std::string& name, uint64_t parent, uint64_t version) {
        project.branches[name] = {.id = BranchId{id},
                                  .name = name,
                                  .line = LineId{id},
                                  .parent = BranchId{parent},
                                  .created_in = Generation{1},
                                  .version = Generation{version}};
        project.branch_names[BranchId{id}] = name;
    };
    add(1, "main", 0, 3);
    add(2, "staging", 1, 5);
    add(3, "deep", 2, 6);
    project.managed[BranchId{1}].roles["app"] = {.version = Generation{3}};
    return project;
}

class ApplyDraftTest : public ::testing::Test {
protected:
    Result<ApplyDraft> draft(const ChangeSet& changes) {
        return make_draft({.changes = changes, .project = &live_, .now = kNow});
    }
    Result<ApplyDraft> draft(std::vector<ResourceChange> changes) {
        return draft(change_set(std::move(changes)));
    }
    void expect_error(std::vector<ResourceChange> changes, ErrorCode code) {
        auto result = draft(std::move(changes));
        ASSERT_FALSE(result.is_ok());
        EXPECT_EQ(code_name(result.error().code), code_name(code)) << to_text(result.error());
    }

    Project live_ = live_project();
};

TEST_F(ApplyDraftTest, ANewProjectStartsAtGenerationOne) {
    ChangeSet changes = new_project({create_branch("staging"), create_database("main", "shop")});
    ApplyDraft made = LB_MUST(make_draft({.changes = changes, .now = kNow}));
    EXPECT_TRUE(made.creates_project);
    EXPECT_EQ(made.project.generation, Generation{1});
    EXPECT_EQ(made.default_branch, "main");
    EXPECT_EQ(made.in_order(), (std::vector<std::string>{"main", "staging"}));
    EXPECT_EQ(made.branches.at("main").sql_changes.size(), 1u);
    EXPECT_EQ(made.branches.at("main").managed.databases.at("shop").version, Generation{1});
    EXPECT_EQ(made.branches.at("staging").after->created_at, kNow);
}

TEST_F(ApplyDraftTest, AProjectMadeAnewGoesOnCounting) {
    ChangeSet changes = new_project();
    ApplyDraft made =
        LB_MUST(make_draft({.changes = changes, .last_generation = Generation{41}, .now = kNow}));
    EXPECT_EQ(made.project.generation, Generation{42});
}

TEST_F(ApplyDraftTest, ParentsComeFirst) {
    ApplyDraft made =
        LB_MUST(draft({create_branch("a", {.parent = "b"}), create_branch("b", {.parent = "c"}),
                       create_branch("c"), create_branch("d", {.parent = "b"})}));
    EXPECT_EQ(made.in_order(), (std::vector<std::string>{"c", "b", "a", "d"}));
    EXPECT_EQ(made.project.generation, Generation{10});
}

TEST_F(ApplyDraftTest, BranchPointsAreParsed) {
    EXPECT_EQ(LB_MUST(draft({create_branch("x")})).branches.at("x").at, Moment(Present{}));
    EXPECT_EQ(
        LB_MUST(draft({create_branch("x", {.parent = "main", .requested_at = "position:12"})}))
            .branches.at("x")
            .at,
        Moment(Position{12}));
    for (const char* text : {"position:", "position:0", "position:1x", "head", "position:-1"}) {
        expect_error({create_branch("x", {.parent = "main", .requested_at = text})},
                     ErrorCode::kBadRequest);
    }
    expect_error({create_branch("x", {.requested_at = "position:5"})}, ErrorCode::kRefused);
}

TEST_F(ApplyDraftTest, TtlCountsFromCreationAndFromItsChange) {
    using std::chrono::seconds;
    auto made = LB_MUST(draft({create_branch("x", {.parent = "main", .ttl = seconds{60}})}));
    EXPECT_EQ(made.branches.at("x").after->expire_time, kNow + seconds{60});

    live_.branches["staging"].ttl = seconds{60};
    live_.branches["staging"].expire_time = kNow - seconds{10};
    BranchValue same{.parent = "main", .is_protected = true, .ttl = seconds{60}};
    made = LB_MUST(draft({update_branch("staging", same)}));
    EXPECT_EQ(made.branches.at("staging").after->expire_time, kNow - seconds{10});
    BranchValue longer{.parent = "main", .ttl = seconds{90}};
    made = LB_MUST(draft({update_branch("staging", longer)}));
    EXPECT_EQ(made.branches.at("staging").after->expire_time, kNow + seconds{90});
    made = LB_MUST(draft({update_branch("staging", {.parent = "main"})}));
    EXPECT_FALSE(made.branches.at("staging").after->expire_time);
    expect_error({create_branch("y", {.parent = "main", .ttl = seconds{0}})},
                 ErrorCode::kBadRequest);
}

TEST_F(ApplyDraftTest, ProtectedBranchesStay) {
    live_.branches["deep"].is_protected = true;
    expect_error({delete_branch("deep")}, ErrorCode::kRefused);
    // Nor with the protection taken off in the same apply.
    expect_error({update_branch("deep", {.parent = "staging"}), delete_branch("deep")},
                 ErrorCode::kBadRequest);
    ResourceChange project{.kind = ChangeKind::kDelete};
    expect_error({delete_branch("main"), delete_branch("staging"), project}, ErrorCode::kRefused);
}

TEST_F(ApplyDraftTest, NoBranchLosesItsParent) {
    expect_error({delete_branch("staging")}, ErrorCode::kHasChildren);
    EXPECT_TRUE(draft({delete_branch("deep"), delete_branch("staging")}).is_ok());
    EXPECT_TRUE(draft({delete_branch("staging"), delete_branch("deep")}).is_ok());
    expect_error({delete_branch("main")}, ErrorCode::kRefused);
    expect_error({delete_branch("deep"), create_branch("x", {.parent = "deep"})},
                 ErrorCode::kNotFound);
    expect_error({create_branch("a", {.parent = "b"}), create_branch("b", {.parent = "a"})},
                 ErrorCode::kBadRequest);
    expect_error({create_branch("a", {.parent = "a"})}, ErrorCode::kBadRequest);
}

TEST_F(ApplyDraftTest, WhatIsNotThereCannotBeChanged) {
    expect_error({delete_branch("nix")}, ErrorCode::kNotFound);
    expect_error({update_branch("nix", {})}, ErrorCode::kNotFound);
    expect_error({set_compute("nix", {})}, ErrorCode::kNotFound);
    expect_error({create_role("nix", "app")}, ErrorCode::kNotFound);
    expect_error({create_branch("x", {.parent = "nix"})}, ErrorCode::kNotFound);
    expect_error({create_branch("staging")}, ErrorCode::kAlreadyExists);
    ChangeSet other = change_set({create_branch("x")}, "other");
    auto result = make_draft({.changes = other, .now = kNow});
    ASSERT_FALSE(result.is_ok());
    EXPECT_EQ(result.error().code, ErrorCode::kNotFound);
}

TEST_F(ApplyDraftTest, BadNamesAndValuesAreRefused) {
    expect_error({}, ErrorCode::kBadRequest);
    expect_error({create_branch("../x")}, ErrorCode::kInvalidName);
    expect_error({create_role("main", "pg_x")}, ErrorCode::kInvalidName);
    expect_error({create_database("main", "postgres")}, ErrorCode::kInvalidName);
    ResourceChange wrong = create_branch("x");
    wrong.value = RoleValue{};
    expect_error({wrong}, ErrorCode::kBadRequest);
    expect_error({create_branch("x"), create_branch("x")}, ErrorCode::kBadRequest);
    expect_error({update_branch("staging", {.parent = "deep"})}, ErrorCode::kRefused);
    expect_error({update_branch("staging", {.parent = "main", .requested_at = "position:3"})},
                 ErrorCode::kRefused);
}

TEST_F(ApplyDraftTest, TheMajorVersionStays) {
    ResourceChange project{.kind = ChangeKind::kUpdate,
                           .value = ProjectValue{.pg_version = 16, .default_branch = "main"}};
    expect_error({project}, ErrorCode::kRefused);
    project.value = ProjectValue{.pg_version = 15, .default_branch = "staging"};
    ApplyDraft made = LB_MUST(draft({project}));
    EXPECT_EQ(made.default_branch, "staging");
    EXPECT_EQ(made.project.version, Generation{10});
    project.value = ProjectValue{.pg_version = 15, .default_branch = "nix"};
    expect_error({project}, ErrorCode::kRefused);
}

TEST_F(ApplyDraftTest, ADestroyNamesEveryBranch) {
    ResourceChange project{.kind = ChangeKind::kDelete};
    auto stale = draft({delete_branch("deep"), delete_branch("main"), project});
    ASSERT_FALSE(stale.is_ok());
    EXPECT_EQ(stale.error().code, ErrorCode::kPlanStale);
    EXPECT_EQ(stale.error().notes, (std::vector<std::string>{"branch \"staging\" would be left"}));
    EXPECT_TRUE(
        draft({delete_branch("deep"), delete_branch("staging"), delete_branch("main"), project})
            .is_ok());
}

TEST_F(ApplyDraftTest, WhoMadeItIsKept) {
    ResourceChange update = update_branch("staging", {.parent = "main", .is_protected = true});
    update.origin = Origin::kCommand;
    EXPECT_EQ(LB_MUST(draft({update})).branches.at("staging").after->origin, Origin::kSpec);
    live_.branches["staging"].origin = Origin::kCommand;
    update.origin = Origin::kSpec;
    EXPECT_EQ(LB_MUST(draft({update})).branches.at("staging").after->origin, Origin::kSpec);
    ResourceChange role = update_role("main", "app", {});
    role.origin = Origin::kCommand;
    EXPECT_EQ(LB_MUST(draft({role})).branches.at("main").managed.roles.at("app").origin,
              Origin::kSpec);
}

TEST_F(ApplyDraftTest, ChangesOfWhatGoesAnywayAreNoChanges) {
    ApplyDraft made = LB_MUST(draft({delete_role("deep", "app"), delete_branch("deep")}));
    EXPECT_TRUE(made.branches.at("deep").is_deleted());
    made = LB_MUST(draft({delete_branch("deep"), delete_role("deep", "app")}));
    EXPECT_TRUE(made.branches.at("deep").sql_changes.empty());
    expect_error({delete_branch("deep"), create_role("deep", "app")}, ErrorCode::kNotFound);
}

// -- Base versions ----------------------------------------------------------------------------

class StalenessTest : public ApplyDraftTest {
protected:
    bool is_stale(Address address, uint64_t version, uint64_t base_generation = 0) {
        ChangeSet changes;
        changes.base_versions = {{.address = std::move(address), .version = Generation{version}}};
        changes.base_generation = Generation{base_generation};
        Status status = check_base_versions(changes, &live_);
        if (status.is_ok()) return false;
        EXPECT_EQ(status.error().code, ErrorCode::kPlanStale);
        return true;
    }
};

TEST_F(StalenessTest, BranchesHaveTheVersionThatThePlanSaw) {
    EXPECT_FALSE(is_stale(Address::of_branch("staging"), 5));
    EXPECT_TRUE(is_stale(Address::of_branch("staging"), 4));
    EXPECT_TRUE(is_stale(Address::of_branch("staging"), 6));
    EXPECT_TRUE(is_stale(Address::of_branch("staging"), 0));
    EXPECT_FALSE(is_stale(Address::of_branch("nix"), 0));
    EXPECT_TRUE(is_stale(Address::of_branch("nix"), 1));
    EXPECT_FALSE(is_stale(Address::of_compute("main"), 3));
}

TEST_F(StalenessTest, AProjectIsNotStaleForOtherApplies) {
    EXPECT_FALSE(is_stale(Address::project(), 9));
    EXPECT_FALSE(is_stale(Address::project(), 2));
    EXPECT_TRUE(is_stale(Address::project(), 1));
    EXPECT_TRUE(is_stale(Address::project(), 10));
    EXPECT_TRUE(is_stale(Address::project(), 0));
    ChangeSet absent;
    absent.base_versions = {{.address = Address::project(), .version = Generation{0}}};
    EXPECT_TRUE(check_base_versions(absent, nullptr).is_ok());
    absent.base_versions[0].version = Generation{4};
    EXPECT_FALSE(check_base_versions(absent, nullptr).is_ok());
}

// "app" is lb's from generation 3.
TEST_F(StalenessTest, WhatWasDroppedByHandCanBeMadeAnew) {
    EXPECT_TRUE(is_stale(Address::of_role("main", "app"), 0, 2));
    EXPECT_FALSE(is_stale(Address::of_role("main", "app"), 0, 3));
    EXPECT_FALSE(is_stale(Address::of_role("main", "app"), 0, 9));
    EXPECT_TRUE(is_stale(Address::of_branch("staging"), 0, 9));
}

TEST_F(StalenessTest, RolesAreStaleWhenLbChangedThem) {
    EXPECT_FALSE(is_stale(Address::of_role("main", "app"), 3));
    EXPECT_FALSE(is_stale(Address::of_role("main", "app"), 8));
    EXPECT_TRUE(is_stale(Address::of_role("main", "app"), 2));
    EXPECT_TRUE(is_stale(Address::of_role("main", "app"), 0));
    EXPECT_FALSE(is_stale(Address::of_role("main", "new"), 0));
    EXPECT_FALSE(is_stale(Address::of_database("main", "by-hand"), 9));
}

TEST_F(StalenessTest, TheErrorNamesEachResource) {
    ChangeSet changes = change_set({create_branch("x")});
    changes.base_versions = {{.address = Address::of_branch("main"), .version = Generation{3}},
                             {.address = Address::of_branch("staging"), .version = Generation{4}},
                             {.address = Address::of_branch("x"), .version = Generation{8}}};
    auto result = draft(changes);
    ASSERT_FALSE(result.is_ok());
    EXPECT_EQ(
        result.error().notes,
        (std::vector<std::string>{"branch.staging: planned with version 4, now version 5",
                                  "branch.x: planned with version 8, now it does not exist"}));
}

TEST_F(ApplyDraftTest, WhatIsForgottenStaysAndIsNobodys) {
    ResourceChange branch{.address = Address::of_branch("staging"), .kind = ChangeKind::kForget};
    ResourceChange role{.address = Address::of_role("main", "app"), .kind = ChangeKind::kForget};
    ApplyDraft made = LB_MUST(draft({branch, role}));
    EXPECT_EQ(made.branches.at("staging").after->origin, Origin::kManual);
    EXPECT_EQ(made.branches.at("staging").after->version, Generation{10});
    const BranchDraft& main = made.branches.at("main");
    EXPECT_TRUE(main.managed.roles.empty());
    EXPECT_TRUE(main.is_managed_changed);
    EXPECT_TRUE(main.sql_changes.empty());
    expect_error({{.address = Address::of_branch("none"), .kind = ChangeKind::kForget}},
                 ErrorCode::kNotFound);
    // A plan from before it was forgotten must not drop it.
    expect_error({{.address = Address::of_role("main", "gone"), .kind = ChangeKind::kForget}},
                 ErrorCode::kPlanStale);
    expect_error({{.address = Address::of_role("main", "gone"), .kind = ChangeKind::kDelete}},
                 ErrorCode::kPlanStale);
}

}  // namespace
}  // namespace lb::engine
