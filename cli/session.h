// Session: what one command works with - its arguments, the output, the home, the daemon's client,
// the spec and the project - each found when it is first asked for.
#pragma once

#include <optional>
#include <string>

#include "base/model/state.h"
#include "base/result.h"
#include "cli/client.h"
#include "cli/home.h"
#include "cli/options.h"
#include "cli/output.h"
#include "specs/project_spec.h"

namespace lb::cli {

class Session {
public:
    Session(const Arguments& arguments, Output& output) : arguments_(arguments), output_(output) {}

    const Arguments& arguments() const { return arguments_; }
    Output& output() { return output_; }

    Result<Home> home() const { return find_home(arguments_.text("home")); }
    // Starts the daemon if there is none.
    Result<Client> client();

    // Where the spec is. Errors: kUsage if there is none.
    Result<std::string> spec_path() const;
    // The spec, which must be there and right. Errors: kUsage if there is none, kInvalidSpec.
    Result<specs::ProjectSpec> spec();
    // Directory of the spec's file, to which its paths are relative; empty if there is none.
    std::string spec_directory() const;
    // SHA-256 of the spec's files, one after another, for the audit; empty if there is none.
    std::string spec_hash() const;

    // The project that a command without a spec of its own is about: --project, else the spec's,
    // else the only one there is. Errors: kUsage, kNotFound.
    Result<std::string> project();
    // Its live state. Errors: kNotFound if it does not exist.
    Result<ProjectState> live_project(engine::Observe observe);
    // The part of it around these branches and the default one, in a time that does not depend on
    // how many others there are. If one that is `required` is missing, the whole project, so that
    // an error can say what is near.
    Result<ProjectState> live_branches(const std::vector<std::string>& required,
                                       const std::vector<std::string>& optional = {});
    // What --branch (or BRANCH) names, for live_branches().
    std::vector<std::string> asked_branches() const;
    // --branch (or another option), else the default branch. Errors: kNotFound with what is near.
    Result<std::string> branch_of(const ProjectState& live, const std::string& wanted) const;

private:
    std::optional<std::string> project_of_spec();

    const Arguments& arguments_;
    Output& output_;
    std::optional<Client> client_;
};

// How a background daemon finds PostgreSQL: LB_POSTGRES_USER and LB_POSTGRES_BIN.
struct PostgresChoice;
PostgresChoice postgres_choice_of_environment();

}  // namespace lb::cli
