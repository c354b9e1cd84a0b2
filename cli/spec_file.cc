#include "cli/spec_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "base/scram.h"
#include "base/text.h"
#include "cli/text_file.h"
#include "specs/spec_reader.h"

namespace lb::cli {
namespace {

constexpr size_t kSecretMaxBytes = 64 << 10;

Error missing_secret(std::string message, std::string help) {
    return {
        .code = ErrorCode::kSecretMissing, .message = std::move(message), .help = std::move(help)};
}

std::string secret_path(const specs::SecretReference& reference, const std::string& directory) {
    return (std::filesystem::path(directory) / reference.name).native();
}

}  // namespace

std::optional<std::string> find_spec_file(const std::string& wanted) {
    if (!wanted.empty()) return wanted;
    std::error_code failure;
    std::filesystem::path here = std::filesystem::current_path(failure);
    std::string prefix;
    for (std::filesystem::path above = here; !failure; above = above.parent_path()) {
        if (std::filesystem::exists(above / kSpecFileName, failure)) {
            return prefix + std::string(kSpecFileName);
        }
        if (!above.has_relative_path()) break;
        prefix += "../";
    }
    return {};
}

size_t CheckedSpec::error_count() const {
    return static_cast<size_t>(std::count_if(
        diagnostics.begin(), diagnostics.end(), [](const specs::Diagnostic& diagnostic) {
            return diagnostic.severity == specs::Severity::kError;
        }));
}

Result<std::vector<std::string>> spec_file_paths(const std::string& path) {
    namespace fs = std::filesystem;
    std::vector<std::string> paths = {path};
    const fs::path directory = fs::path(path).replace_extension(".d");
    std::error_code failure;
    const bool may_have_more =
        fs::path(path).extension() == ".toml" &&
        fs::symlink_status(directory, failure).type() != fs::file_type::not_found;
    if (!may_have_more) return paths;
    fs::directory_iterator entries(directory, failure);
    for (; !failure && entries != fs::directory_iterator(); entries.increment(failure)) {
        const std::string name = entries->path().filename().native();
        if (name.ends_with(".toml") && name.front() != '.') {
            paths.push_back((directory / name).native());
        }
    }
    if (failure) {
        return system_error(ErrorCode::kIo, cat("cannot read ", lb::quoted(directory.native())),
                            failure.value());
    }
    if (paths.size() > specs::kSpecFilesMax) {
        return Error{.code = ErrorCode::kUsage,
                     .message = cat(lb::quoted(directory.native()), " has ", paths.size() - 1,
                                    " files, ", specs::kSpecFilesMax - 1, " are allowed"),
                     .help = "put several tables into one file"};
    }
    std::sort(paths.begin() + 1, paths.end());
    return paths;
}

Result<CheckedSpec> check_spec_file(const std::string& path, const GivenVariables& variables) {
    CheckedSpec checked{.path = path};
    specs::SpecSource source{.variables = variables};
    source.environment = [](const std::string& name) -> std::optional<std::string> {
        const char* value = std::getenv(name.c_str());
        return value == nullptr ? std::nullopt : std::optional<std::string>(value);
    };
    for (const std::string& file : LB_TRY(spec_file_paths(path))) {
        source.files.push_back({.name = file});
        source.files.back().text = LB_TRY(read_text_file(file, specs::kSpecMaxBytes));
    }
    specs::DiagnosticSink sink;
    checked.spec = specs::read_spec(source, sink);
    checked.diagnostics = sink.sorted();
    for (specs::SourceFile& file : source.files) {
        checked.sources.emplace(std::move(file.name), std::move(file.text));
    }
    return checked;
}

Result<GivenVariables> given_variables(const std::vector<std::string>& assignments) {
    GivenVariables variables;
    for (const std::string& assignment : assignments) {
        const size_t equals = assignment.find('=');
        // What is no assignment may be a secret: it is not repeated.
        if (equals == std::string::npos || equals == 0) {
            return Error{.code = ErrorCode::kUsage,
                         .message = "--var needs a name and a value",
                         .help = "--var NAME=VALUE"};
        }
        std::string name = assignment.substr(0, equals);
        if (!variables.emplace(name, assignment.substr(equals + 1)).second) {
            return Error{.code = ErrorCode::kUsage,
                         .message = cat("--var gives ", lb::quoted(name), " twice"),
                         .help = "leave out one of the two"};
        }
    }
    return variables;
}

Json diagnostics_json(const std::vector<specs::Diagnostic>& diagnostics) {
    Json json = Json::array();
    for (const specs::Diagnostic& diagnostic : diagnostics) json.push(specs::to_json(diagnostic));
    return json;
}

void print_diagnostics(const std::vector<specs::Diagnostic>& diagnostics,
                       const std::map<std::string, std::string>& sources, Output& output) {
    output.error_text(specs::render_diagnostics(
        diagnostics, sources,
        output.has_error_colour() ? specs::Colour::kAlways : specs::Colour::kNever));
}

Result<specs::ProjectSpec> read_spec_file(const std::string& path, const GivenVariables& variables,
                                          Output& output) {
    CheckedSpec checked = LB_TRY(check_spec_file(path, variables));
    if (output.is_json()) {
        output.attach_to_error("diagnostics", diagnostics_json(checked.diagnostics));
    } else {
        print_diagnostics(checked.diagnostics, checked.sources, output);
    }
    if (checked.spec) return *std::move(checked.spec);
    size_t count = checked.error_count();
    return Error{.code = ErrorCode::kInvalidSpec,
                 .message = cat(path, " has ", count, count == 1 ? " error" : " errors"),
                 .help = "correct it and run the command again"};
}

Result<std::string> read_secret(const specs::SecretReference& reference,
                                const std::string& directory) {
    if (reference.kind == specs::SecretReference::Kind::kEnvironment) {
        const char* value = std::getenv(reference.name.c_str());
        if (value != nullptr && *value != '\0') return std::string(value);
        return missing_secret(cat("the environment variable ", reference.name, " is not set"),
                              cat("export ", reference.name, "=..."));
    }
    std::string path = secret_path(reference, directory);
    std::error_code failure;
    bool is_there = std::filesystem::symlink_status(path, failure).type() !=
                    std::filesystem::file_type::not_found;
    if (reference.is_generated && !is_there) {
        return Error{.code = ErrorCode::kNotFound, .message = cat(path, " is not there yet")};
    }
    Result<std::string> text = read_text_file(path, kSecretMaxBytes);
    if (!text.is_ok()) {
        return missing_secret(text.error().message, cat("write the password to ", path));
    }
    std::string secret = std::move(text).value();
    while (!secret.empty() && (secret.back() == '\n' || secret.back() == '\r')) secret.pop_back();
    if (secret.empty()) {
        return missing_secret(cat(lb::quoted(path), " is empty"),
                              cat("write the password to ", path));
    }
    return secret;
}

Result<std::string> make_secret(const specs::SecretReference& reference,
                                const std::string& directory) {
    const std::string path = secret_path(reference, directory);
    std::string password = make_password();
    const std::string text = password + "\n";
    int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (file < 0) return system_error(ErrorCode::kIo, cat("cannot make ", path), errno);
    bool is_written =
        ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
        ::fsync(file) == 0;
    int failure = errno;
    ::close(file);
    if (is_written) return password;
    ::unlink(path.c_str());
    return system_error(ErrorCode::kIo, cat("cannot write ", path), failure);
}

}  // namespace lb::cli
