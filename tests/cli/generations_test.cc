// What the applies of a project did, through the real binary.
#include <gtest/gtest.h>

#include "base/text.h"
#include "tests/cli/apply_fixture.h"

namespace lb::tests {
namespace {

using Generations = ApplyTest;

TEST_F(Generations, AreListedWithWhatTheyChanged) {
    apply(
        "[roles.app]\nlogin = true\npassword = { env = \"PW\" }\n[branches.old]\n"
        "parent = \"main\"\n");
    apply("[roles.app]\nlogin = true\nconnection_limit = 5\npassword = { env = \"PW\" }\n",
          "--allow-destroy branch.old");
    shell().must("lb branch create by-hand");

    std::string list = shell().must("lb generations");
    EXPECT_TRUE(has(list, "create branch.by-hand and 1 more")) << list;
    EXPECT_LT(list.find("branch.by-hand"), list.find("create project")) << list;
    EXPECT_FALSE(has(shell().must("lb generations --limit 1"), "project"));

    Json document = shell().json("lb generations --json");
    const Json::Array& all = *document.find("generations")->if_array();
    ASSERT_EQ(all.size(), 3u);
    EXPECT_EQ(*all[0].find("generation")->if_integer(), 3);
    // Nobody's spec asked for the branch.
    EXPECT_EQ(*all[0].find("spec_hash")->if_text(), "");
    std::string sum = shell().must("sha256sum < lb.toml | cut -d' ' -f1 | tr -d '\n'");
    EXPECT_EQ(*all[1].find("spec_hash")->if_text(), sum);
    EXPECT_NE(*all[2].find("spec_hash")->if_text(), sum);
    EXPECT_TRUE(all[1].find("plan_id")->if_text()->starts_with("p-"));
    EXPECT_TRUE(has(*all[1].find("author")->if_text(), "@"));

    std::string second = shell().must("lb generations 2");
    EXPECT_TRUE(has(second, "update role.main.app\n      connection_limit: (none) -> 5")) << second;
    EXPECT_TRUE(has(second, "delete branch.old\n      parent: main -> (none)")) << second;
    EXPECT_TRUE(has(second, "delete compute.old")) << second;
    for (const char* command : {"lb generations 1", "lb generations 1 --json"}) {
        std::string first = shell().must(command);
        EXPECT_TRUE(has(first, "(set)")) << first;
        EXPECT_FALSE(has(first, "SCRAM")) << first;
    }
}

TEST_F(Generations, LoadsAreMarkedInTheHistory) {
    apply("[databases.shop]\n");
    shell().must("echo 'CREATE TABLE t AS SELECT 7 AS n;' > dump.sql; lb load ./dump.sql -d shop");
    shell().must("echo 'SELECT 1;' | lb load - -d shop");
    Json history = shell().json("lb history --json");
    const Json::Array& marks = *history.find("marks")->if_array();
    ASSERT_EQ(marks.size(), 3u);
    EXPECT_EQ(*marks[0].find("kind")->if_text(), "load");
    EXPECT_TRUE(has(*marks[0].find("message")->if_text(), "stdin into shop, "));
    EXPECT_TRUE(has(*marks[1].find("message")->if_text(), "dump.sql into shop, "));
    EXPECT_EQ(*marks[2].find("kind")->if_text(), "apply");
    // A branch of the mark has what was loaded.
    shell().must(
        cat("lb branch create loaded --at position:", *marks[1].find("position")->if_integer()));
    EXPECT_EQ(shell().sql("loaded", "shop", "SELECT n FROM t"), "7");
    // They stay with a restart and go with the branch.
    shell().must("lb stop");
    EXPECT_TRUE(has(shell().must("lb history"), "dump.sql into shop"));
    EXPECT_FALSE(has(shell().must("lb history loaded"), "dump.sql"));
}

TEST_F(Generations, ThatAreNotThere) {
    apply("");
    shell().refused("lb generations 2", 1, "LB0300");
    shell().refused("lb generations 0", 64, "GENERATION cannot be");
    shell().refused("lb generations x", 64, "GENERATION cannot be");
    shell().refused("lb generations --limit -3", 64, "--limit cannot be");
    shell().refused("lb generations --project nobodys", 1, "LB0300");
}

}  // namespace
}  // namespace lb::tests
