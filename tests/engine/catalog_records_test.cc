// Catalog records: what is encoded comes back, and bytes that are no record are refused.
#include "engine/catalog_records.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/text.h"

namespace lb::engine {
namespace {

rc::Gen<std::string> any_name() {
    return rc::gen::container<std::string>(rc::gen::elementOf(std::string("abz019_-/. \"\\{}")));
}

template <class Id>
rc::Gen<Id> any_id() {
    return rc::gen::map(rc::gen::inRange<int64_t>(1, INT64_MAX),
                        [](int64_t value) { return Id{static_cast<uint64_t>(value)}; });
}

rc::Gen<WallTime> any_time() {
    return rc::gen::map(rc::gen::arbitrary<int64_t>(),
                        [](int64_t value) { return WallTime{std::chrono::nanoseconds{value}}; });
}

Origin any_origin() { return *rc::gen::element(Origin::kSpec, Origin::kCommand, Origin::kManual); }

BranchRecord any_branch() {
    BranchRecord record{
        .id = *any_id<BranchId>(),
        .name = *any_name(),
        .line = *any_id<LineId>(),
        .parent = BranchId{*rc::gen::inRange<uint64_t>(0, 1000)},
        .origin = any_origin(),
        .requested_at = *any_name(),
        .is_protected = *rc::gen::arbitrary<bool>(),
        .created_at = *any_time(),
        .created_in = *any_id<Generation>(),
        .version = *any_id<Generation>(),
        .port = *rc::gen::arbitrary<uint16_t>(),
    };
    if (*rc::gen::arbitrary<bool>()) record.expire_time = *any_time();
    if (*rc::gen::arbitrary<bool>()) {
        record.ttl = std::chrono::seconds{*rc::gen::inRange<int64_t>(0, 1'000'000)};
    }
    if (*rc::gen::arbitrary<bool>()) {
        record.history_retention = std::chrono::seconds{*rc::gen::inRange<int64_t>(0, 2'592'001)};
    }
    if (*rc::gen::arbitrary<bool>()) {
        record.restore =
            RestoreValue{.to = *any_name(), .from = *any_name(), .backup = *any_name()};
    }
    record.compute.port = *rc::gen::arbitrary<uint16_t>();
    record.compute.always_on = *rc::gen::arbitrary<bool>();
    record.compute.settings = {{"work_mem", *any_name()}};
    return record;
}

RC_GTEST_PROP(CatalogRecords, BranchComesBack, ()) {
    BranchRecord record = any_branch();
    auto decoded = decode_branch(encode(record));
    RC_ASSERT(decoded.is_ok());
    RC_ASSERT(*decoded == record);
    RC_ASSERT(encode(*decoded) == encode(record));
}

RC_GTEST_PROP(CatalogRecords, DeletedComesBack, ()) {
    DeletedRecord record{
        .branch = any_branch(),
        .ancestors = *rc::gen::container<std::vector<BranchId>>(any_id<BranchId>()),
        .deleted_at = *any_time(),
        .gone_at = *any_time()};
    record.managed.roles[*any_name()] = {.origin = any_origin(), .version = *any_id<Generation>()};
    auto decoded = decode_deleted(encode(record));
    RC_ASSERT(decoded.is_ok());
    RC_ASSERT(*decoded == record);
}

RC_GTEST_PROP(CatalogRecords, ProjectComesBack, ()) {
    ProjectRecord record{
        .id = *any_id<ProjectId>(),
        .name = *any_name(),
        .pg_version = *rc::gen::inRange<uint32_t>(9, 30),
        .default_branch = *any_id<BranchId>(),
        .history_retention = std::chrono::seconds{*rc::gen::inRange<int64_t>(0, 2'592'001)},
        .generation = *any_id<Generation>(),
        .version = *any_id<Generation>(),
        .created_at = *any_time()};
    record.settings = {{*any_name(), *any_name()}};
    auto decoded = decode_project(encode(record));
    RC_ASSERT(decoded.is_ok());
    RC_ASSERT(*decoded == record);
}

RC_GTEST_PROP(CatalogRecords, ManagedComesBack, ()) {
    ManagedRecord record;
    for (const std::string& name : *rc::gen::container<std::vector<std::string>>(any_name())) {
        record.roles[name] = {.origin = any_origin(), .version = *any_id<Generation>()};
        record.databases[name + "x"] = {.origin = any_origin(), .version = *any_id<Generation>()};
        record.put(Address::of_schema("main", name + "x", name),
                   {.origin = any_origin(), .version = *any_id<Generation>()});
        record.put(Address::of_extension("main", name + "x", name),
                   {.origin = any_origin(), .version = *any_id<Generation>()});
    }
    auto decoded = decode_managed(encode(record));
    RC_ASSERT(decoded.is_ok());
    RC_ASSERT(*decoded == record);
}

// Values of each kind, so that before and after fit their address.
GenerationChange any_generation_change() {
    GenerationChange change{
        .kind = *rc::gen::element(ChangeKind::kCreate, ChangeKind::kUpdate, ChangeKind::kDelete,
                                  ChangeKind::kRestore, ChangeKind::kReset, ChangeKind::kForget),
        .origin = any_origin(),
        .detail = *any_name()};
    std::string name = *any_name();
    ResourceValue value;
    switch (*rc::gen::inRange(0, 5)) {
        case 0: value = ProjectValue{.default_branch = name}; break;
        case 1:
            change.address = Address::of_branch(name);
            value = BranchValue{.parent = *any_name(), .undelete = 7};
            break;
        case 2:
            change.address = Address::of_compute(name);
            value = ComputeSettings{.port = *rc::gen::arbitrary<uint16_t>()};
            break;
        case 3:
            change.address = Address::of_role("main", name);
            value = RoleValue{{.login = true, .password_verifier = *any_name()}};
            break;
        default:
            change.address = Address::of_database("main", name);
            value = DatabaseValue{*any_name()};
    }
    // Addresses are text in a record, and no name is empty.
    if (!parse_address(to_text(change.address)).is_ok()) change.address = Address::project();
    if (change.address.kind == ResourceKind::kProject) value = ProjectValue{};
    if (*rc::gen::arbitrary<bool>()) change.before = value;
    if (*rc::gen::arbitrary<bool>()) change.after = value;
    return change;
}

RC_GTEST_PROP(CatalogRecords, GenerationComesBack, ()) {
    GenerationRecord record{.number = *any_id<Generation>(),
                            .applied_at = *any_time(),
                            .author = *any_name(),
                            .plan_id = *any_name(),
                            .spec_hash = *any_name(),
                            .git_commit = *any_name(),
                            .transaction = *any_name(),
                            .position = *any_id<Position>(),
                            .has_values = *rc::gen::arbitrary<bool>()};
    size_t count = *rc::gen::inRange<size_t>(0, 5);
    for (size_t i = 0; i < count; ++i) record.changes.push_back(any_generation_change());
    auto decoded = decode_generation(encode(record));
    RC_ASSERT(decoded.is_ok());
    RC_ASSERT(*decoded == record);
    auto tombstone = decode_tombstone(encode(TombstoneRecord{.last = record}));
    RC_ASSERT(tombstone.is_ok());
    RC_ASSERT(tombstone->last == record);
}

TEST(CatalogRecords, GenerationsOfEarlierVersionsAreUnderstood) {
    GenerationRecord record = LB_MUST(decode_generation(
        R"({"v":1,"number":3,"applied_at":5,"author":"ada","plan_id":"p-1","git_commit":"",)"
        R"("transaction":"lb-shop-3-9","position":8,"changes":[{"kind":"create",)"
        R"("address":"role.main.app"}]})"));
    EXPECT_FALSE(record.has_values);
    EXPECT_EQ(record.changes.at(0).address, Address::of_role("main", "app"));
}

RC_GTEST_PROP(CatalogRecords, LoadsComeBack, ()) {
    LoadsRecord record;
    size_t count = *rc::gen::inRange<size_t>(0, 5);
    for (size_t i = 0; i < count; ++i) {
        record.loads.push_back({.at = *any_time(),
                                .position = *any_id<Position>(),
                                .author = *any_name(),
                                .file = *any_name(),
                                .database = *any_name(),
                                .read_bytes = *rc::gen::inRange<uint64_t>(0, 1 << 30)});
    }
    auto decoded = decode_loads(encode(record));
    RC_ASSERT(decoded.is_ok());
    RC_ASSERT(*decoded == record);
}

TEST(CatalogRecords, ObservationComesBack) {
    ObservationRecord record{.line = LineId{7}, .position = Position{99}};
    record.observation.roles.push_back(
        {.name = "app",
         .attributes = {.login = true,
                        .member_of = {"pg_read_all_data"},
                        .password_verifier = "SCRAM-SHA-256$4096:salt$stored:server"}});
    record.observation.databases.push_back(
        {.name = "shop",
         .owner = "app",
         .settings = {{"work_mem", "8MB"}},
         .schemas = {{.name = "api", .owner = "app"}},
         .extensions = {{.name = "citext", .schema = "api", .version = "1.6"}}});
    ObservationRecord decoded = LB_MUST(decode_observation(encode(record)));
    EXPECT_EQ(decoded.line, record.line);
    EXPECT_EQ(decoded.position, record.position);
    EXPECT_EQ(decoded.observation.roles, record.observation.roles);
    EXPECT_EQ(decoded.observation.databases, record.observation.databases);
}

// An older lb did not look into databases, so what it saw must not be taken for all there is.
TEST(CatalogRecords, AnObservationWithoutContentsIsNeverTrue) {
    ObservationRecord decoded = LB_MUST(decode_observation(
        R"({"v":1,"line":2,"position":9,"roles":[],"databases":[{"name":"shop","owner":"app"}]})"));
    EXPECT_EQ(decoded.position, Position{});
}

TEST(CatalogRecords, ADatabaseGoesWithWhatIsInside) {
    ManagedRecord record = LB_MUST(decode_managed(R"({"v":1,"roles":[],"databases":[]})"));
    ManagedResource made{.version = Generation{1}};
    record.put(Address::of_database("main", "shop"), made);
    record.put(Address::of_schema("main", "shop", "api"), made);
    record.put(Address::of_schema("main", "other", "api"), made);
    EXPECT_NE(record.find(Address::of_schema("x", "shop", "api")), nullptr);
    EXPECT_EQ(record.find(Address::of_extension("x", "shop", "api")), nullptr);
    record.erase(Address::of_database("main", "shop"));
    EXPECT_EQ(record.find(Address::of_schema("main", "shop", "api")), nullptr);
    EXPECT_NE(record.find(Address::of_schema("main", "other", "api")), nullptr);
}

TEST(CatalogRecords, ANewerRecordSaysSo) {
    auto decoded = decode_template(R"({"v":2,"line":{"a":1},"postgres_version":"15.20"})");
    ASSERT_FALSE(decoded.is_ok());
    EXPECT_EQ(decoded.error().code, ErrorCode::kStoreFormatNewer);
    EXPECT_EQ(check_catalog_version(R"({"v":9})").error().code, ErrorCode::kStoreFormatNewer);
    EXPECT_TRUE(check_catalog_version(R"({"v":1})").is_ok());
}

TEST(CatalogRecords, WhatIsNoRecordIsDamage) {
    for (const char* text : {"", "{", "[]", "7", "{}", R"({"v":0,"line":1,"postgres_version":""})",
                             R"({"v":"1","line":1,"postgres_version":""})",
                             R"({"v":1,"line":0,"postgres_version":""})",
                             R"({"v":1,"line":-1,"postgres_version":""})", R"({"v":1,"line":1})"}) {
        auto decoded = decode_template(text);
        ASSERT_FALSE(decoded.is_ok()) << text;
        EXPECT_EQ(decoded.error().code, ErrorCode::kStoreDamaged) << text;
    }
    BranchRecord branch{.id = BranchId{1},
                        .name = "main",
                        .line = LineId{1},
                        .created_in = Generation{1},
                        .version = Generation{1}};
    std::string text = encode(branch);
    for (size_t length = 0; length < text.size(); ++length) {
        EXPECT_FALSE(decode_branch(text.substr(0, length)).is_ok()) << length;
    }
}

TEST(CatalogRecords, KeysNameNumbersOnly) {
    EXPECT_EQ(project_key(ProjectId{3}), "project/3");
    EXPECT_EQ(branch_key(ProjectId{3}, BranchId{17}), "branch/3/17");
    EXPECT_EQ(managed_key(ProjectId{3}, BranchId{17}), "managed/3/17");
    EXPECT_EQ(observed_key(ProjectId{3}, BranchId{17}), "observed/3/17");
    EXPECT_EQ(generation_key(ProjectId{3}, Generation{42}), "generation/3/0000000042");
    EXPECT_EQ(template_key(15), "template/15");
    EXPECT_EQ(LB_MUST(key_numbers("branch/3/17")), (std::vector<uint64_t>{3, 17}));
    for (const char* key : {"branch", "branch/", "branch/x", "branch/1/2/3", "branch/1/-2"}) {
        EXPECT_FALSE(key_numbers(key).is_ok()) << key;
    }
}

}  // namespace
}  // namespace lb::engine
