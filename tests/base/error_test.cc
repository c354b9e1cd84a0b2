#include "base/error.h"

#include <gtest/gtest.h>

namespace lb {
namespace {

TEST(Error, CodeNamesRoundTrip) {
    EXPECT_EQ(code_name(ErrorCode::kComputeStartFailed), "LB0402");
    for (ErrorCode code : {ErrorCode::kInternal, ErrorCode::kIo, ErrorCode::kVersionMismatch}) {
        EXPECT_EQ(code_from_name(code_name(code)), code);
    }
    for (const char* text : {"", "LB", "LB04x2", "XX0402", "LB00402", "LB-402"}) {
        EXPECT_EQ(code_from_name(text), ErrorCode::kInternal) << text;
    }
}

TEST(Error, TextIndentsNotesAndEndsWithHelp) {
    Error error =
        Error{.code = ErrorCode::kNotFound, .message = "no branch \"x\"", .help = "lb status"}.with(
            "first line\nsecond line");
    EXPECT_EQ(to_text(error),
              "error[LB0300]: no branch \"x\"\n  first line\n  second line\nhelp: lb status\n");
}

TEST(Error, SystemErrorKeepsErrno) {
    Error error = system_error(ErrorCode::kIo, "reading SUPER", ENOENT);
    EXPECT_EQ(error.system_errno, ENOENT);
    EXPECT_EQ(error.message, "reading SUPER: No such file or directory");
}

TEST(Error, ExitCodesAreTheDocumentedOnes) {
    EXPECT_EQ(exit_code(ErrorCode::kInvalidSpec), ExitCode::kSpecInvalid);
    EXPECT_EQ(exit_code(ErrorCode::kPlanStale), ExitCode::kPlanStale);
    EXPECT_EQ(exit_code(ErrorCode::kRefused), ExitCode::kRefused);
    EXPECT_EQ(exit_code(ErrorCode::kDestroyNotAllowed), ExitCode::kRefused);
    EXPECT_EQ(exit_code(ErrorCode::kBusy), ExitCode::kBusy);
    EXPECT_EQ(exit_code(ErrorCode::kStoreDamaged), ExitCode::kStoreDamaged);
    EXPECT_EQ(exit_code(ErrorCode::kUsage), ExitCode::kUsage);
    EXPECT_EQ(exit_code(ErrorCode::kInterrupted), ExitCode::kInterrupted);
    EXPECT_EQ(exit_code(ErrorCode::kIo), ExitCode::kError);
}

}  // namespace
}  // namespace lb
