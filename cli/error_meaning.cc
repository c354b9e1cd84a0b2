#include "cli/error_meaning.h"

namespace lb::cli {

std::string_view meaning_of(ErrorCode code) {
    switch (code) {
        case ErrorCode::kInternal:
            return "a bug, out of memory, or an invariant of a library broke";
        case ErrorCode::kInvalidSpec: return "the spec is invalid; its diagnostics say why";
        case ErrorCode::kIo: return "a system call on the store's files failed";
        case ErrorCode::kStoreDamaged:
            return "the store is damaged: a checksum or identity does not match";
        case ErrorCode::kStoreFormatNewer: return "the store was written by a newer lb";
        case ErrorCode::kStoreFull: return "no space is left for the store";
        case ErrorCode::kStoreReadOnly:
            return "the store stopped taking writes after a failed sync or write";
        case ErrorCode::kStoreNotFound: return "a line, file or note is not in the store";
        case ErrorCode::kStoreExists: return "a name exists already in the store";
        case ErrorCode::kStoreInvalid: return "outside of the store's limits";
        case ErrorCode::kStoreNotEmpty: return "directory not empty";
        case ErrorCode::kStoreNotDirectory: return "not a directory";
        case ErrorCode::kStoreIsDirectory: return "is a directory";
        case ErrorCode::kStoreNotSupported:
            return "the store refuses this by design, for example tablespaces";
        case ErrorCode::kNotFound: return "a project, branch, role or database does not exist";
        case ErrorCode::kAlreadyExists: return "it exists already";
        case ErrorCode::kInvalidName: return "the name is not allowed";
        case ErrorCode::kHasChildren: return "the branch has children";
        case ErrorCode::kGitFailed: return "git failed";
        case ErrorCode::kNotInHistory:
            return "the moment is not in the branch's history; the help says what is";
        case ErrorCode::kPostgresMissing: return "no usable PostgreSQL installation";
        case ErrorCode::kPostgresVersion: return "the PostgreSQL version is not supported";
        case ErrorCode::kComputeStartFailed:
            return "a compute does not come up; the last lines of its log are in the message";
        case ErrorCode::kPortInUse: return "the port is in use";
        case ErrorCode::kSqlFailed: return "an SQL statement failed";
        case ErrorCode::kComputeLost: return "the connection or the server went away";
        case ErrorCode::kLoadFailed: return "`lb load` failed";
        case ErrorCode::kPlanStale: return "the plan is stale";
        case ErrorCode::kRefused: return "refused by protection or policy";
        case ErrorCode::kDestroyNotAllowed: return "a destroy without `--allow-destroy`";
        case ErrorCode::kApprovalNeeded: return "not a terminal, and no `--auto-approve`";
        case ErrorCode::kBusy: return "another apply is under way";
        case ErrorCode::kSecretMissing:
            return "a referenced environment variable or file is absent";
        case ErrorCode::kInterrupted: return "interrupted";
        case ErrorCode::kRehearsalFailed: return "the SQL of a plan failed in its rehearsal";
        case ErrorCode::kUsage: return "the command line is wrong";
        case ErrorCode::kHomeUnusable: return "the home directory cannot be used";
        case ErrorCode::kHomeInUse: return "another daemon has the home";
        case ErrorCode::kDaemonUnreachable: return "the daemon cannot be reached";
        case ErrorCode::kDaemonStartFailed: return "the daemon does not come up";
        case ErrorCode::kFuseMissing: return "no `/dev/fuse`, or mounting is not permitted";
        case ErrorCode::kBadRequest: return "a malformed request on the socket";
        case ErrorCode::kVersionMismatch: return "client and daemon are different versions";
        case ErrorCode::kHandoverRefused: return "the daemon was not handed over";
    }
    return "";
}

}  // namespace lb::cli
