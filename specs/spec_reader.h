// From TOML text to a ProjectSpec. The only reader of specs; toml++ is seen by toml_reader.cc
// alone.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "specs/diagnostic.h"
#include "specs/project_spec.h"

namespace lb::specs {

inline constexpr size_t kSpecMaxBytes = size_t{16} << 20;  // all files together
inline constexpr size_t kSpecFilesMax = 1000;

struct SourceFile {
    std::string name;  // as messages call it
    std::string text;
};

// What a spec is read from.
struct SpecSource {
    // At least one. Their order matters to messages only: what two of them say is an error.
    std::vector<SourceFile> files;
    std::map<std::string, std::string> variables = {};  // values given by the user
    // The value of an environment variable; empty: there is no environment.
    std::function<std::optional<std::string>(const std::string& name)> environment = {};
};

// How the environment variable is called that holds the value of `variable`.
std::string environment_name_of(std::string_view variable);

// nullopt if and only if `sink` got at least one error. Never crashes, whatever the text. Reports
// every problem of the text in one run, except that a TOML syntax error hides the rest.
std::optional<ProjectSpec> read_spec(const SpecSource& source, DiagnosticSink& sink);
// A spec of one file without variables.
std::optional<ProjectSpec> read_spec(std::string_view text, const std::string& file_name,
                                     DiagnosticSink& sink);

// The name of the project that the text of a spec's first file is about; nullopt if that cannot be
// told without its other files and its variables. Where [project] stands as a table of its own,
// nothing else is read: in a spec of a thousand branches that is most of it.
std::optional<std::string> read_project_name(std::string_view text);

// Fills in the roles' SCRAM verifiers from their references. A verifier of `live` that the password
// matches is kept, so that an unchanged password is no change. `read_secret` gets the reference and
// returns the secret's text. Errors: kSecretMissing naming role, reference and spec place.
// The password itself is wiped from memory and put nowhere.
//
// For a generated password whose file is not there `read_secret` answers kNotFound. Then the role
// keeps the password that it has, and for one that has none `make_secret` makes one.
using SecretSource = std::function<Result<std::string>(const SecretReference&)>;
Status resolve_secrets(ProjectSpec& spec, const ProjectState& live, const SecretSource& read_secret,
                       const SecretSource& make_secret = {});

}  // namespace lb::specs
