#include "base/model/names.h"

#include <gtest/gtest.h>

#include <string>

namespace lb {
namespace {

TEST(Names, BranchNamesAreGitLike) {
    for (const char* name : {"main", "feature/cart", "pr-17", "v1.2", "0", "a_b"}) {
        EXPECT_TRUE(check_branch_name(name).is_ok()) << name;
    }
    for (const std::string& name :
         {std::string(""), std::string("/a"), std::string("a/"), std::string("a//b"),
          std::string("a..b"), std::string("a/.b"), std::string(".a"), std::string("-a"),
          std::string("a."), std::string("a.lock"), std::string("Main"), std::string("a\"b"),
          std::string("a'b"), std::string("a b"), std::string("a\\b"), std::string(300, 'a'),
          std::string("a\0b", 3), std::string("\xc3\xa9")}) {
        auto status = check_branch_name(name);
        ASSERT_FALSE(status.is_ok()) << name;
        EXPECT_EQ(status.error().code, ErrorCode::kInvalidName);
        EXPECT_FALSE(status.error().help.empty());
        EXPECT_LT(status.error().message.size(), 300U);
    }
    EXPECT_TRUE(check_branch_name(std::string(63, 'a')).is_ok());
    EXPECT_FALSE(check_branch_name(std::string(64, 'a')).is_ok());
}

TEST(Names, HelpShowsAnAllowedSpelling) {
    EXPECT_NE(check_branch_name("Feature Cart").error().help.find("\"feature-cart\""),
              std::string::npos);
}

TEST(Names, ProjectsHaveNoSlash) {
    EXPECT_TRUE(check_project_name("shop").is_ok());
    EXPECT_FALSE(check_project_name("a/b").is_ok());
}

TEST(Names, RolesAndDatabasesAreWhatPostgresAllows) {
    for (const char* name : {"app", "App User", "we\"ird", "a'b\\c", "\xc3\xa9t\xc3\xa9"}) {
        EXPECT_TRUE(check_role_name(name).is_ok()) << name;
        EXPECT_TRUE(check_database_name(name).is_ok()) << name;
    }
    for (const char* name : {"", "pg_monitor", "postgres", "public", "none", "lb_x", "\xff"}) {
        EXPECT_FALSE(check_role_name(name).is_ok()) << name;
    }
    for (const char* name : {"postgres", "template0", "template1", "lb_pending_1"}) {
        EXPECT_FALSE(check_database_name(name).is_ok()) << name;
    }
    EXPECT_TRUE(check_role_name(std::string(63, 'x')).is_ok());
    EXPECT_FALSE(check_role_name(std::string(64, 'x')).is_ok());
}

}  // namespace
}  // namespace lb
