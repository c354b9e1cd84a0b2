#include "cli/spec_file.h"

#include <cstdlib>
#include <filesystem>
#include <map>
#include <system_error>

#include "base/text.h"
#include "cli/text_file.h"
#include "specs/spec_reader.h"

namespace lb::cli {
namespace {

constexpr size_t kSecretMaxBytes = 64 << 10;

Error invalid_spec(const std::string& path, size_t error_count) {
    return {.code = ErrorCode::kInvalidSpec,
            .message = cat(path, " has ", error_count, error_count == 1 ? " error" : " errors"),
            .help = "correct it and run the command again"};
}

// Errors and warnings, where they belong: stderr, or the JSON document of the error.
size_t report(const std::vector<specs::Diagnostic>& diagnostics, const std::string& path,
              const std::string& text, Output& output) {
    size_t error_count = 0;
    Json json = Json::array();
    for (const specs::Diagnostic& diagnostic : diagnostics) {
        if (diagnostic.severity == specs::Severity::kError) ++error_count;
        json.push(specs::to_json(diagnostic));
    }
    if (output.is_json()) {
        output.attach_to_error("diagnostics", std::move(json));
    } else {
        output.error_text(specs::render_diagnostics(
            diagnostics, {{path, text}},
            output.has_error_colour() ? specs::Colour::kAlways : specs::Colour::kNever));
    }
    return error_count;
}

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

Result<specs::ProjectSpec> read_spec_file(const std::string& path, Output& output) {
    std::string text = LB_TRY(read_text_file(path, specs::kSpecMaxBytes));
    specs::DiagnosticSink sink;
    std::optional<specs::ProjectSpec> spec = specs::read_spec(text, path, sink);
    size_t error_count = report(sink.sorted(), path, text, output);
    if (!spec.has_value()) return invalid_spec(path, error_count);
    return *std::move(spec);
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
