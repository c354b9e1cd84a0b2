#include "base/result.h"

#include <gtest/gtest.h>

#include <memory>

namespace lb {
namespace {

Result<int> half(int n) {
    if (n % 2 != 0) return Error{.code = ErrorCode::kUsage, .message = "odd"};
    return n / 2;
}

Result<int> quarter(int n) { return LB_TRY(half(LB_TRY(half(n)))); }

Status is_divisible_by_four(int n) {
    LB_TRY(quarter(n));
    return ok();
}

TEST(Result, TryReturnsTheFirstError) {
    EXPECT_EQ(quarter(12).value(), 3);
    EXPECT_EQ(quarter(6).error().message, "odd");
    EXPECT_TRUE(is_divisible_by_four(8).is_ok());
    EXPECT_EQ(is_divisible_by_four(2).error().code, ErrorCode::kUsage);
}

TEST(Result, MovesWhatCannotBeCopied) {
    auto make = []() -> Result<std::unique_ptr<int>> { return std::make_unique<int>(7); };
    auto use = [&]() -> Result<int> {
        std::unique_ptr<int> owned = LB_TRY(make());
        return *owned;
    };
    EXPECT_EQ(use().value(), 7);
}

TEST(ResultDeathTest, ValueOfAFailureIsAnAssertion) {
    Result<int> failed = half(1);
    EXPECT_DEATH(failed.value(), "assertion failed");
    EXPECT_DEATH(LB_MUST(half(1)), "odd");
}

}  // namespace
}  // namespace lb
