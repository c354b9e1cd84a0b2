#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>
#include <mutex>

#include "base/text.h"
#include "engine/compute.h"
#include "engine/process_spawn.h"

namespace lb::engine {

namespace {

namespace fs = std::filesystem;

constexpr const char* kDebianDirectory = "/usr/lib/postgresql";
constexpr uint32_t kSupportedVersions[] = {15};

std::string program_directory_of(std::string_view version) {
    return cat(kDebianDirectory, "/", version, "/bin");
}

bool has_server(const std::string& program_directory) {
    return ::access((program_directory + "/postgres").c_str(), X_OK) == 0;
}

std::vector<std::string> installed_versions() {
    std::vector<std::string> versions;
    std::error_code failure;
    for (const fs::directory_entry& entry : fs::directory_iterator(kDebianDirectory, failure)) {
        std::string version = entry.path().filename().string();
        if (has_server(program_directory_of(version))) versions.push_back(std::move(version));
    }
    std::sort(versions.begin(), versions.end());
    return versions;
}

std::string supported_text() {
    std::vector<std::string> texts;
    for (uint32_t version : kSupportedVersions) texts.push_back(std::to_string(version));
    return join(texts, ", ");
}

std::string install_help(uint32_t major_version) {
    return cat("apt-get install postgresql-", major_version);
}

// "postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)" -> "15.20"; empty for anything else.
std::string version_in(std::string_view text) {
    static constexpr std::string_view kMark = "(PostgreSQL) ";
    size_t at = text.find(kMark);
    if (at == std::string_view::npos) return "";
    text.remove_prefix(at + kMark.size());
    return std::string(text.substr(0, text.find_first_of(" \n")));
}

// What `program --version` says, asked again only when the program has changed.
Result<std::string> full_version_of(const std::string& program) {
    struct Known {
        fs::file_time_type written_at;
        std::string version;
    };
    static std::mutex mutex;
    static std::map<std::string, Known> known;
    std::error_code failure;
    fs::file_time_type written_at = fs::last_write_time(program, failure);
    {
        std::lock_guard lock(mutex);
        auto found = known.find(program);
        if (found != known.end() && !failure && found->second.written_at == written_at) {
            return found->second.version;
        }
    }
    ProgramOutput output = LB_TRY(
        run_program({.arguments = {program, "--version"}, .environment = clean_environment()}));
    std::string version = version_in(output.text);
    std::lock_guard lock(mutex);
    known[program] = {written_at, version};
    return version;
}

}  // namespace

std::vector<uint32_t> supported_postgres_versions() {
    return {std::begin(kSupportedVersions), std::end(kSupportedVersions)};
}

Result<PostgresInstallation> find_postgres(uint32_t major_version,
                                           const std::string& program_directory_override) {
    if (std::find(std::begin(kSupportedVersions), std::end(kSupportedVersions), major_version) ==
        std::end(kSupportedVersions)) {
        return Error{.code = ErrorCode::kPostgresVersion,
                     .message = cat("PostgreSQL ", major_version, " is not supported"),
                     .help = cat("supported: ", supported_text(),
                                 "; set pg_version = ", kSupportedVersions[0])};
    }
    PostgresInstallation found;
    found.major_version = major_version;
    found.program_directory = program_directory_override.empty()
                                  ? program_directory_of(std::to_string(major_version))
                                  : program_directory_override;
    if (!has_server(found.program_directory)) {
        Error error{.code = ErrorCode::kPostgresMissing,
                    .message = cat("PostgreSQL ", major_version, " is not installed: no program ",
                                   found.program_directory, "/postgres"),
                    .help = install_help(major_version)};
        std::vector<std::string> installed = installed_versions();
        error.notes.push_back(
            installed.empty()
                ? cat("there is no PostgreSQL below ", kDebianDirectory)
                : cat("installed below ", kDebianDirectory, ": ", join(installed, ", ")));
        return error;
    }
    found.full_version = LB_TRY(full_version_of(found.program_directory + "/postgres"));
    uint32_t actual = 0;
    std::from_chars(found.full_version.data(),
                    found.full_version.data() + found.full_version.size(), actual);
    if (actual != major_version) {
        return Error{.code = ErrorCode::kPostgresVersion,
                     .message = cat(
                         found.program_directory, " holds PostgreSQL ",
                         found.full_version.empty() ? "of an unknown version" : found.full_version,
                         ", and version ", major_version, " is needed"),
                     .help = install_help(major_version)};
    }
    return found;
}

}  // namespace lb::engine
