#include "cli/session.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "base/model/names.h"
#include "base/sha256.h"
#include "base/text.h"
#include "cli/daemon/start.h"
#include "cli/spec_file.h"
#include "cli/text_file.h"
#include "specs/spec_reader.h"

namespace lb::cli {
namespace {

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
}

std::string names_of(const ProjectState& live) {
    std::vector<std::string> names;
    for (const BranchState& branch : live.branches) names.push_back(branch.name);
    constexpr size_t kMostNames = 10;
    const bool is_cut = names.size() > kMostNames;
    if (is_cut) names.resize(kMostNames);
    return join(names, ", ") + (is_cut ? ", ..." : "");
}

Error no_such_branch(const ProjectState& live, const std::string& name) {
    std::vector<std::string_view> candidates;
    for (const BranchState& branch : live.branches) candidates.push_back(branch.name);
    std::string_view meant = nearest(name, candidates);
    return {
        .code = ErrorCode::kNotFound,
        .message = cat("project ", live.name, " has no branch ", lb::quoted(name)),
        .help = meant.empty() ? cat("it has: ", names_of(live)) : cat("did you mean ", meant, "?")};
}

}  // namespace

PostgresChoice postgres_choice_of_environment() {
    return {.user = environment("LB_POSTGRES_USER"),
            .bin_directory = environment("LB_POSTGRES_BIN")};
}

Result<Client> Session::client() {
    if (client_.has_value()) return *client_;
    Home here = LB_TRY(home());
    auto bring_back = [this, here] {
        return ensure_daemon(here, postgres_choice_of_environment(),
                             [this](std::string_view line) { output_.notice(line); });
    };
    LB_TRY(bring_back());
    client_.emplace(here.socket_path(), bring_back);
    return *client_;
}

Result<std::string> Session::spec_path() const {
    std::optional<std::string> path = find_spec_file(arguments_.text("spec"));
    if (path.has_value()) return *std::move(path);
    return Error{.code = ErrorCode::kUsage,
                 .message = "there is no lb.toml here or in the directories above",
                 .help = "lb init writes one; or name one with --spec FILE"};
}

Result<specs::ProjectSpec> Session::spec() {
    const std::string path = LB_TRY(spec_path());
    specs::ProjectSpec spec =
        LB_TRY(read_spec_file(path, LB_TRY(given_variables(arguments_.list("var"))), output_));
    std::string wanted = arguments_.text("project", spec.name);
    if (wanted == spec.name) return spec;
    return Error{.code = ErrorCode::kUsage,
                 .message = cat(path, " is about project ", lb::quoted(spec.name), ", not ",
                                lb::quoted(wanted)),
                 .help = "leave out --project, or name another spec with --spec FILE"};
}

std::string Session::spec_directory() const {
    std::optional<std::string> path = find_spec_file(arguments_.text("spec"));
    if (!path.has_value()) return {};
    std::string directory = std::filesystem::path(*path).parent_path().native();
    return directory.empty() ? "." : directory;
}

std::string Session::spec_hash() const {
    std::optional<std::string> path = find_spec_file(arguments_.text("spec"));
    if (!path.has_value()) return {};
    Result<std::vector<std::string>> files = spec_file_paths(*path);
    if (!files.is_ok()) return {};
    std::string all;
    for (const std::string& file : *files) {
        Result<std::string> text = read_text_file(file, specs::kSpecMaxBytes);
        if (text.is_ok()) all += *text;
    }
    return sha256_text(all);
}

// Quietly: a command that only wants the project's name does not complain about the spec.
std::optional<std::string> Session::project_of_spec() {
    std::optional<std::string> path = find_spec_file(arguments_.text("spec"));
    if (!path.has_value()) return {};
    Result<std::string> text = read_text_file(*path, specs::kSpecMaxBytes);
    if (!text.is_ok()) return {};
    if (auto name = specs::read_project_name(*text)) return name;
    Result<GivenVariables> variables = given_variables(arguments_.list("var"));
    if (!variables.is_ok()) return {};
    Result<CheckedSpec> checked = check_spec_file(*path, *variables);
    if (!checked.is_ok() || !checked->spec) return {};
    return std::move(checked->spec->name);
}

Result<std::string> Session::project() {
    if (arguments_.has("project")) return arguments_.text("project");
    if (std::optional<std::string> name = project_of_spec()) return *std::move(name);
    std::vector<std::string> names = LB_TRY(LB_TRY(client()).projects());
    if (names.size() == 1) return names.front();
    if (names.empty()) {
        return Error{.code = ErrorCode::kNotFound,
                     .message = "there is no project yet",
                     .help = "lb init writes a spec, lb apply makes what it says"};
    }
    return Error{.code = ErrorCode::kUsage,
                 .message = "which project?",
                 .help = cat("name it with --project: ", join(names, ", "))};
}

Result<ProjectState> Session::live_project(engine::Observe observe) {
    std::string name = LB_TRY(project());
    ProjectState live = LB_TRY(LB_TRY(client()).state(name, observe));
    if (live.exists) return live;
    std::vector<std::string> names = LB_TRY(LB_TRY(client()).projects());
    return Error{.code = ErrorCode::kNotFound,
                 .message = cat("there is no project ", lb::quoted(name)),
                 .help = names.empty() ? std::string("lb apply makes what lb.toml says")
                                       : cat("there are: ", join(names, ", "))};
}

Result<ProjectState> Session::live_branches(const std::vector<std::string>& required,
                                            const std::vector<std::string>& optional) {
    std::vector<std::string> branches = required;
    branches.insert(branches.end(), optional.begin(), optional.end());
    auto is_askable = [](const std::string& name) { return check_branch_name(name).is_ok(); };
    if (!std::all_of(branches.begin(), branches.end(), is_askable)) {
        return live_project(engine::Observe::kNo);
    }
    ProjectState live = LB_TRY(LB_TRY(client()).state_around(LB_TRY(project()), branches));
    auto is_there = [&](const std::string& name) { return live.find_branch(name) != nullptr; };
    if (live.exists && std::all_of(required.begin(), required.end(), is_there)) return live;
    return live_project(engine::Observe::kNo);
}

std::vector<std::string> Session::asked_branches() const {
    std::string branch = arguments_.text("branch");
    if (branch.empty()) return {};
    return {branch};
}

Result<std::string> Session::branch_of(const ProjectState& live, const std::string& wanted) const {
    if (wanted.empty()) return live.default_branch;
    if (live.find_branch(wanted) != nullptr) return wanted;
    return no_such_branch(live, wanted);
}

}  // namespace lb::cli
