#include "engine/postgres_setting_check.h"

#include <sys/wait.h>

#include <algorithm>

#include "base/text.h"
#include "engine/compute_preparation.h"

namespace lb::engine {

namespace {

bool is_setting_name(std::string_view name) {
    return !name.empty() && std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
    });
}

// The line that says what is wrong: "... FATAL:  invalid value for parameter ...".
Error refusal(const std::string& output) {
    Error error{.code = ErrorCode::kRefused,
                .message = "PostgreSQL refuses a setting",
                .help = "correct it in [project.settings] or the branch's settings"};
    for (const std::string& line : split(output, '\n')) {
        size_t fatal = line.find("FATAL:  ");
        if (fatal != std::string::npos) error.message = line.substr(fatal + 8);
        size_t hint = line.find("HINT:  ");
        if (hint != std::string::npos) error.notes.push_back(line.substr(hint + 7));
    }
    return error;
}

}  // namespace

Status check_setting_names(const Settings& settings) {
    for (const auto& [name, value] : settings) {
        if (!is_setting_name(name) || value.find('\0') != std::string::npos) {
            return Error{.code = ErrorCode::kBadRequest,
                         .message = cat(quoted(name), " is no setting")};
        }
        std::string_view reason = kept_setting_reason(name);
        if (reason.empty()) continue;
        return Error{.code = ErrorCode::kRefused,
                     .message = cat("lb keeps the setting ", quoted(name), " for itself: ", reason),
                     .help = "remove it"};
    }
    return ok();
}

Status check_setting_values(const PostgresInstallation& postgres, const std::string& postgres_user,
                            const Settings& settings) {
    if (settings.empty()) return ok();
    std::vector<std::string> arguments = {postgres.program_directory + "/postgres",
                                          "-C",
                                          "data_directory",
                                          "-c",
                                          "data_directory=/",
                                          "-c",
                                          "config_file=/dev/null",
                                          "-c",
                                          "hba_file=/dev/null",
                                          "-c",
                                          "ident_file=/dev/null"};
    for (const auto& [name, value] : settings) {
        arguments.push_back("-c");
        arguments.push_back(cat(name, "=", value));
    }
    ProgramOutput output = LB_TRY(run_program({.arguments = std::move(arguments),
                                               .environment = clean_environment(),
                                               .user = LB_TRY(server_user(postgres_user))}));
    if (WIFEXITED(output.wait_status) && WEXITSTATUS(output.wait_status) == 0) return ok();
    return refusal(output.text);
}

}  // namespace lb::engine
