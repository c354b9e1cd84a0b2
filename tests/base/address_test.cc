#include "base/model/address.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace lb {
namespace {

TEST(Address, PrintsPlainNamesAsTheyAre) {
    EXPECT_EQ(to_text(Address::project()), "project");
    EXPECT_EQ(to_text(Address::of_branch("feature/cart")), "branch.feature/cart");
    EXPECT_EQ(to_text(Address::of_branch("v1.2")), "branch.\"v1.2\"");
    EXPECT_EQ(to_text(Address::of_schema("main", "my.db", "api")), "schema.main.\"my.db\".api");
    EXPECT_EQ(to_text(Address::of_role("main", "a\"b.c")), "role.main.\"a\\\"b.c\"");
}

RC_GTEST_PROP(Address, RoundTrips, (const std::string& branch, const std::string& name)) {
    RC_PRE(!branch.empty() && !name.empty());
    for (const Address& address :
         {Address::of_branch(branch), Address::of_compute(branch), Address::of_role(branch, name),
          Address::of_database(branch, name), Address::of_schema(branch, name, branch),
          Address::of_extension(branch, name, branch)}) {
        auto parsed = parse_address(to_text(address));
        RC_ASSERT(parsed.is_ok());
        RC_ASSERT(*parsed == address);
    }
}

TEST(Address, RefusesOtherText) {
    for (const char* text : {"", "branch", "branch.", "branch.a.b", "role.main", "role.main.",
                             "table.main.x", "schema.main.x", "schema.main..x", "extension.a.b.c.d",
                             "branch.\"a", "branch.\"a\"b", "project.x"}) {
        EXPECT_FALSE(parse_address(text).is_ok()) << text;
    }
}

}  // namespace
}  // namespace lb
