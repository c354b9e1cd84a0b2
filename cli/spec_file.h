// The spec as a file: finding, reading, reporting what is wrong with it, and the secrets it names.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/output.h"
#include "specs/diagnostic.h"
#include "specs/project_spec.h"

namespace lb::cli {

inline constexpr std::string_view kSpecFileName = "lb.toml";

// The file to read: `wanted` if it is not empty, else the nearest lb.toml of this directory and
// those above it, as a path relative to here; nullopt if there is none.
std::optional<std::string> find_spec_file(const std::string& wanted);

// `path` and the files *.toml of the folder beside it that has its name with ".d" for ".toml",
// sorted by name; hidden ones are none of it. Errors: kIo if the folder cannot be read.
Result<std::vector<std::string>> spec_file_paths(const std::string& path);

// Variable -> value, from --var.
using GivenVariables = std::map<std::string, std::string>;

// From "NAME=VALUE" each. Errors: kUsage.
Result<GivenVariables> given_variables(const std::vector<std::string>& assignments);

struct CheckedSpec {
    std::string path;
    std::optional<specs::ProjectSpec> spec = {};  // absent: there is an error among these
    std::vector<specs::Diagnostic> diagnostics = {};
    std::map<std::string, std::string> sources = {};  // file -> text, for quoting lines

    size_t error_count() const;
};

// Reads and checks all files. Errors: kIo if one cannot be read.
Result<CheckedSpec> check_spec_file(const std::string& path, const GivenVariables& variables);

Json diagnostics_json(const std::vector<specs::Diagnostic>& diagnostics);
// For people, on stderr.
void print_diagnostics(const std::vector<specs::Diagnostic>& diagnostics,
                       const std::map<std::string, std::string>& sources, Output& output);

// Reads and checks. Diagnostics are reported on `output`. Errors: kInvalidSpec with how many
// mistakes there are, kIo if the file cannot be read.
Result<specs::ProjectSpec> read_spec_file(const std::string& path, const GivenVariables& variables,
                                          Output& output);

// The secret that a reference names: an environment variable, or a file (relative to `directory`)
// without its last newline. Errors: kSecretMissing.
// kNotFound: a generated one whose file is not there.
Result<std::string> read_secret(const specs::SecretReference& reference,
                                const std::string& directory);
// Makes the password of a generated reference and writes its file, readable to us alone. Errors:
// kIo; also if the file is there.
Result<std::string> make_secret(const specs::SecretReference& reference,
                                const std::string& directory);

}  // namespace lb::cli
