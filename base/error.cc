#include "base/error.h"

#include <charconv>
#include <cstring>
#include <system_error>

namespace lb {

std::string code_name(ErrorCode code) {
    std::string digits = std::to_string(static_cast<unsigned>(code));
    return "LB" + std::string(digits.size() < 4 ? 4 - digits.size() : 0, '0') + digits;
}

ErrorCode code_from_name(std::string_view name) {
    if (name.size() != 6 || name.substr(0, 2) != "LB") return ErrorCode::kInternal;
    uint16_t number = 0;
    const char* end = name.data() + name.size();
    auto [parsed_end, failure] = std::from_chars(name.data() + 2, end, number);
    if (failure != std::errc{} || parsed_end != end) return ErrorCode::kInternal;
    return static_cast<ErrorCode>(number);
}

Error&& Error::with(std::string note) && {
    notes.push_back(std::move(note));
    return std::move(*this);
}

Error system_error(ErrorCode code, std::string_view what, int system_errno) {
    Error error{.code = code,
                .message = std::string(what) + ": " +
                           std::error_code(system_errno, std::generic_category()).message()};
    error.system_errno = system_errno;
    return error;
}

std::string to_text(const Error& error) {
    std::string text = "error[" + code_name(error.code) + "]: " + error.message + "\n";
    for (const std::string& note : error.notes) {
        size_t start = 0;
        while (start <= note.size()) {
            size_t end = note.find('\n', start);
            if (end == std::string::npos) end = note.size();
            text += "  " + note.substr(start, end - start) + "\n";
            start = end + 1;
        }
    }
    if (!error.help.empty()) text += "help: " + error.help + "\n";
    return text;
}

ExitCode exit_code(ErrorCode code) {
    switch (code) {
        case ErrorCode::kInvalidSpec:
        case ErrorCode::kInvalidName: return ExitCode::kSpecInvalid;
        case ErrorCode::kStoreDamaged: return ExitCode::kStoreDamaged;
        case ErrorCode::kPlanStale: return ExitCode::kPlanStale;
        case ErrorCode::kRefused:
        case ErrorCode::kDestroyNotAllowed: return ExitCode::kRefused;
        case ErrorCode::kBusy: return ExitCode::kBusy;
        case ErrorCode::kRehearsalFailed: return ExitCode::kRehearsalFailed;
        case ErrorCode::kApprovalNeeded:
        case ErrorCode::kUsage: return ExitCode::kUsage;
        case ErrorCode::kInterrupted: return ExitCode::kInterrupted;
        case ErrorCode::kInternal:
        case ErrorCode::kIo:
        case ErrorCode::kStoreFormatNewer:
        case ErrorCode::kStoreFull:
        case ErrorCode::kStoreReadOnly:
        case ErrorCode::kStoreNotFound:
        case ErrorCode::kStoreExists:
        case ErrorCode::kStoreInvalid:
        case ErrorCode::kStoreNotEmpty:
        case ErrorCode::kStoreNotDirectory:
        case ErrorCode::kStoreIsDirectory:
        case ErrorCode::kStoreNotSupported:
        case ErrorCode::kNotFound:
        case ErrorCode::kAlreadyExists:
        case ErrorCode::kHasChildren:
        case ErrorCode::kGitFailed:
        case ErrorCode::kNotInHistory:
        case ErrorCode::kPostgresMissing:
        case ErrorCode::kPostgresVersion:
        case ErrorCode::kComputeStartFailed:
        case ErrorCode::kPortInUse:
        case ErrorCode::kSqlFailed:
        case ErrorCode::kComputeLost:
        case ErrorCode::kLoadFailed:
        case ErrorCode::kSecretMissing:
        case ErrorCode::kHomeUnusable:
        case ErrorCode::kHomeInUse:
        case ErrorCode::kDaemonUnreachable:
        case ErrorCode::kDaemonStartFailed:
        case ErrorCode::kFuseMissing:
        case ErrorCode::kBadRequest:
        case ErrorCode::kVersionMismatch:
        case ErrorCode::kHandoverRefused: return ExitCode::kError;
    }
    return ExitCode::kError;
}

}  // namespace lb
