// Each folder of cases/ is a test: what goes in, and what the plan looks like.
//
//   live.json     the live state; absent: no project yet
//   spec.toml     make_plan(); or
//   changes.json  a ChangeSet: make_plan_for() of its changes; or neither: make_destroy_plan()
//   plan.txt plan.json plan.md  expected; LB_SNAP_UPDATE=1 rewrites them
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "planner/render.h"
#include "specs/spec_reader.h"

namespace lb::planner {
namespace {

namespace fs = std::filesystem;

std::string read_file(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

ProjectState read_live(const fs::path& folder) {
    if (fs::exists(folder / "live.json")) {
        return LB_MUST(
            project_state_from_json(LB_MUST(Json::parse(read_file(folder / "live.json")))));
    }
    ProjectState none;
    none.name = "shop";
    return none;
}

specs::ProjectSpec read_spec_file(const fs::path& folder, const ProjectState& live) {
    specs::DiagnosticSink sink;
    std::string text = read_file(folder / "spec.toml");
    auto spec = specs::read_spec(text, "lb.toml", sink);
    EXPECT_TRUE(spec.has_value()) << specs::render_diagnostics(sink.sorted(), {{"lb.toml", text}},
                                                               specs::Colour::kNever);
    if (!spec) return {};
    Status secrets = specs::resolve_secrets(
        *spec, live, [](const specs::SecretReference& reference) -> Result<std::string> {
            return "the password in " + reference.name;
        });
    EXPECT_TRUE(secrets.is_ok());
    return *spec;
}

Plan plan_of_case(const fs::path& folder) {
    ProjectState live = read_live(folder);
    if (fs::exists(folder / "spec.toml")) return make_plan(read_spec_file(folder, live), live);
    if (fs::exists(folder / "changes.json")) {
        Json json = LB_MUST(Json::parse(read_file(folder / "changes.json")));
        return make_plan_for(LB_MUST(change_set_from_json(json)).changes, live);
    }
    return make_destroy_plan(live);
}

void expect_file(const fs::path& path, const std::string& actual) {
    if (std::getenv("LB_SNAP_UPDATE") != nullptr) std::ofstream(path, std::ios::binary) << actual;
    EXPECT_EQ(read_file(path), actual)
        << "run again with LB_SNAP_UPDATE=1 if this is as it should be";
}

class GoldenPlan : public ::testing::TestWithParam<fs::path> {};

TEST_P(GoldenPlan, looks_as_recorded) {
    Plan plan = plan_of_case(GetParam());
    std::string text = render_text(plan, Colour::kNever, Detail::kChangesOnly) + "\n" +
                       render_text(plan, Colour::kNever, Detail::kAttributes);
    expect_file(GetParam() / "plan.txt", text);
    expect_file(GetParam() / "plan.md", render_markdown(plan));
    expect_file(GetParam() / "plan.json", to_json(plan).dump(2) + "\n");
}

std::vector<fs::path> all_cases() {
    std::vector<fs::path> cases;
    for (const auto& entry : fs::directory_iterator(LB_PLANNER_CASES))
        cases.push_back(entry.path());
    std::sort(cases.begin(), cases.end());
    return cases;
}

std::string case_name(const ::testing::TestParamInfo<fs::path>& info) {
    std::string name = "case_" + info.param.filename().string();
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
}

INSTANTIATE_TEST_SUITE_P(Cases, GoldenPlan, ::testing::ValuesIn(all_cases()), case_name);

}  // namespace
}  // namespace lb::planner
