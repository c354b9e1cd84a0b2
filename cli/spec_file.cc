#include "cli/spec_file.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <system_error>

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

Result<CheckedSpec> check_spec_file(const std::string& path) {
    CheckedSpec checked{.path = path};
    std::string text = LB_TRY(read_text_file(path, specs::kSpecMaxBytes));
    specs::DiagnosticSink sink;
    checked.spec = specs::read_spec(text, path, sink);
    checked.diagnostics = sink.sorted();
    checked.sources.emplace(path, std::move(text));
    return checked;
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

Result<specs::ProjectSpec> read_spec_file(const std::string& path, Output& output) {
    CheckedSpec checked = LB_TRY(check_spec_file(path));
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
    std::string path = (std::filesystem::path(directory) / reference.name).native();
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

}  // namespace lb::cli
