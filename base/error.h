// Error: what can go wrong, as a value.
//
// A code is what callers branch on and what users look up; it is stable across releases and printed
// as LBnnnn. The message is one impersonal line without a trailing period. `help` says what to type
// next. Context is added on the way up with `with()`. Errors are logged where they are handled.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lb {

// The hundreds group by module: 01 spec (declared in specs/), 02 store, 03 engine, 04 compute,
// 05 plan and apply, 06 command line, home and daemon. Numbers are never reused.
enum class ErrorCode : uint16_t {
    kInternal = 1,       // a third-party invariant broke, or out of memory
    kInvalidSpec = 100,  // one or more diagnostics were reported

    kIo = 200,                 // a system call on the store's files failed
    kStoreDamaged = 201,       // checksum or identity mismatch
    kStoreFormatNewer = 202,   // written by a newer lb
    kStoreFull = 203,          // no space left
    kStoreReadOnly = 204,      // a failed sync or write stopped the store
    kStoreNotFound = 205,      // line, inode, name or note does not exist
    kStoreExists = 206,        // name exists already
    kStoreInvalid = 207,       // argument outside of the store's limits
    kStoreNotEmpty = 208,      // directory not empty
    kStoreNotDirectory = 209,  // path component is no directory
    kStoreIsDirectory = 210,   // file operation on a directory
    kStoreNotSupported = 211,  // operation is refused by design

    kNotFound = 300,       // project, branch, role or database does not exist
    kAlreadyExists = 301,  //
    kInvalidName = 302,    //
    kHasChildren = 303,    // branch has children
    kGitFailed = 304,      //
    kNotInHistory = 305,   // moment that a branch's history does not have

    kPostgresMissing = 400,     // no usable PostgreSQL installation
    kPostgresVersion = 401,     // version is not supported
    kComputeStartFailed = 402,  // server does not come up
    kPortInUse = 403,           //
    kSqlFailed = 404,           //
    kComputeLost = 405,         // connection or server went away
    kLoadFailed = 406,          // lb load: psql or pg_restore failed

    kPlanStale = 500,          // something that the plan touches changed
    kRefused = 501,            // protection or policy
    kDestroyNotAllowed = 502,  // destroy without --allow-destroy
    kApprovalNeeded = 503,     // not a terminal and no --auto-approve
    kBusy = 504,               // another apply holds the lease
    kSecretMissing = 505,      // referenced variable or file is absent
    kInterrupted = 506,        //
    kRehearsalFailed = 507,    // the SQL of a plan failed on a copy

    kUsage = 600,              // command line
    kHomeUnusable = 601,       // $LB_HOME cannot be used
    kHomeInUse = 602,          // a second daemon
    kDaemonUnreachable = 603,  //
    kDaemonStartFailed = 604,  //
    kFuseMissing = 605,        // no /dev/fuse, or mounting is not permitted
    kBadRequest = 606,         // malformed request on the socket
    kVersionMismatch = 607,    // client and daemon differ
    kHandoverRefused = 608,    // the daemon goes on, or its successor could not take over
};

// "LB0402". Stable.
std::string code_name(ErrorCode code);

// The reverse of code_name; kInternal for text that is no code.
ErrorCode code_from_name(std::string_view name);

struct Error {
    ErrorCode code = ErrorCode::kInternal;
    std::string message;    // one line, no trailing period
    std::string help = {};  // what to type or do; may be empty
    std::vector<std::string> notes =
        {};                // context and evidence, innermost first; may be multi-line
    int system_errno = 0;  // errno of the failed system call, 0 if there was none

    // Adds context: return std::move(error).with("while opening segment 7").
    Error&& with(std::string note) &&;
};

// Error with the text of `system_errno` appended to the message.
Error system_error(ErrorCode code, std::string_view what, int system_errno);

// "error[LB0402]: message\n  note\nhelp: ..." for people; ends with a newline.
std::string to_text(const Error& error);

// Process exit codes, documented in docs/exit-codes.md.
enum class ExitCode : int {
    kOk = 0,
    kError = 1,
    kChangesPresent = 2,
    kSpecInvalid = 3,
    kPlanStale = 4,
    kRefused = 5,
    kBusy = 6,
    kRehearsalFailed = 7,
    kStoreDamaged = 8,
    kUsage = 64,
    kInterrupted = 130,
};

ExitCode exit_code(ErrorCode code);

}  // namespace lb
