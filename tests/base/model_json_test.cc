#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/model/change.h"
#include "base/model/state.h"

namespace lb {
namespace {

ProjectState sample_state() {
    ProjectState state{.name = "shop", .exists = true, .generation = Generation{7}};
    state.pg_version = 15;
    state.default_branch = "main";
    state.settings = {{"jit", "off"}};
    BranchState main{.name = "main"};
    main.is_protected = true;
    main.is_observed = true;
    main.compute.settings.always_on = true;
    main.compute.settings.settings = {{"work_mem", "8MB"}};
    main.compute.status = ComputeStatus::kRunning;
    main.compute.active_port = 54320;
    main.roles = {{.name = "app", .origin = Origin::kSpec, .attributes = {.login = true}}};
    main.roles[0].attributes.settings = {{"work_mem", "8MB"}};
    main.roles[0].attributes.valid_until = WallTime(std::chrono::seconds(2'000'000'000));
    main.databases = {{.name = "shop", .origin = Origin::kSpec, .owner = "app"}};
    main.databases[0].settings = {{"search_path", "api, \"a,b\""}};
    main.databases[0].schemas = {{.name = "api", .origin = Origin::kSpec, .owner = "app"}};
    main.databases[0].extensions = {{.name = "citext", .schema = "api", .version = "1.6"}};
    BranchState preview{.name = "preview", .origin = Origin::kCommand, .parent = "main"};
    preview.branch_point = Position{99};
    preview.expire_time = WallTime(std::chrono::seconds(2'000'000'000));
    preview.ttl = std::chrono::hours(24);
    state.branches = {main, preview};
    return state;
}

TEST(ModelJson, StateRoundTrips) {
    ProjectState state = sample_state();
    Json json = LB_MUST(Json::parse(to_json(state).dump()));
    EXPECT_EQ(LB_MUST(project_state_from_json(json)), state);
    EXPECT_NE(state.find_branch("preview"), nullptr);
    EXPECT_EQ(state.find_branch("prev"), nullptr);
}

ChangeSet sample_changes() {
    ChangeSet changes{.project = "shop", .plan_id = "p-1", .author = "me@here"};
    changes.changes = {
        {.address = Address::project(), .value = ProjectValue{.default_branch = "main"}},
        {.address = Address::of_branch("main"), .value = BranchValue{.is_protected = true}},
        {.address = Address::of_compute("main"), .value = ComputeSettings{.port = 5433}},
        {.address = Address::of_role("main", "app"), .value = RoleValue{{.login = true}}},
        {.address = Address::of_database("main", "shop"), .value = DatabaseValue{"app"}},
        {.address = Address::of_schema("main", "shop", "api"), .value = SchemaValue{"app"}},
        {.address = Address::of_extension("main", "shop", "citext"),
         .value = ExtensionValue{.schema = "api", .version = "1.6"}},
        {.address = Address::of_branch("old"), .kind = ChangeKind::kDelete},
    };
    changes.base_versions = {{.address = Address::of_branch("old"), .version = Generation{3}}};
    return changes;
}

TEST(ModelJson, ChangesRoundTrip) {
    ChangeSet changes = sample_changes();
    Json json = LB_MUST(Json::parse(to_json(changes).dump()));
    EXPECT_EQ(LB_MUST(change_set_from_json(json)), changes);
}

// Every key is needed: a document without it is refused, never guessed.
void expect_every_key_is_needed(const Json& json, const auto& decode) {
    for (const Json::Member& left_out : *json.if_object()) {
        Json damaged = Json::object();
        for (const auto& [key, value] : *json.if_object()) {
            if (key != left_out.first) damaged.set(key, value);
        }
        auto decoded = decode(damaged);
        ASSERT_FALSE(decoded.is_ok()) << left_out.first;
        EXPECT_EQ(decoded.error().code, ErrorCode::kBadRequest);
    }
}

TEST(ModelJson, MissingKeysAreRefused) {
    expect_every_key_is_needed(to_json(sample_state()), project_state_from_json);
    expect_every_key_is_needed(to_json(sample_changes()), change_set_from_json);
    expect_every_key_is_needed(to_json(RoleAttributes{}), role_attributes_from_json);
    expect_every_key_is_needed(to_json(ComputeSettings{}), compute_settings_from_json);
    expect_every_key_is_needed(to_json(DatabaseState{}), database_from_json);
    expect_every_key_is_needed(to_json(SchemaState{}), schema_from_json);
    expect_every_key_is_needed(to_json(ExtensionState{}), extension_from_json);
}

TEST(Settings, ListsHaveOneForm) {
    EXPECT_EQ(setting_list("a, \"$user\",  \"b \"\"c\"\", d\" "),
              (std::vector<std::string>{"a", "$user", "b \"c\", d"}));
    EXPECT_EQ(setting_list(""), std::vector<std::string>{});
    EXPECT_EQ(setting_list("\"\""), std::vector<std::string>{""});
    EXPECT_EQ(canonical_setting_list({"a", "$user", "B", "1a", ""}),
              "a, \"$user\", \"B\", \"1a\", \"\"");
    EXPECT_EQ(setting_of("DateStyle=ISO, MDY"),
              (std::pair<std::string, std::string>("datestyle", "ISO, MDY")));
    EXPECT_EQ(setting_of("search_path=\"$user\",public").second, "\"$user\", public");
    EXPECT_EQ(setting_of("no_value").second, "");
}

RC_GTEST_PROP(Settings, ACanonicalListComesBack, (const std::vector<std::string>& elements)) {
    RC_ASSERT(setting_list(canonical_setting_list(elements)) == elements);
}

TEST(ModelJson, DeleteHasNoValueAndOthersHaveOne) {
    for (const char* change :
         {R"({"address":"branch.a","kind":"create","origin":"spec","value":null})",
          R"({"address":"branch.a","kind":"delete","origin":"spec","value":{}})",
          R"({"address":"branch.a","kind":"create","origin":"spec","value":{"owner":"x"}})",
          R"({"address":"nonsense","kind":"delete","origin":"spec"})"}) {
        std::string text =
            std::string(
                R"({"project":"p","plan_id":"","author":"","spec_hash":"","git_commit":"",)") +
            R"("base_versions":[],"changes":[)" + change + "]}";
        EXPECT_FALSE(change_set_from_json(LB_MUST(Json::parse(text))).is_ok()) << change;
    }
}

}  // namespace
}  // namespace lb
