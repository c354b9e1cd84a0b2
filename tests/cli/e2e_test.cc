// The main job through the real binary: spec, plan, apply, branches, data, and back to nothing.
#include <gtest/gtest.h>

#include <filesystem>

#include "base/text.h"
#include "tests/cli/e2e_support.h"
#include "tests/cli/support.h"

namespace lb::tests {
namespace {

using EndToEnd = ShellTest;

constexpr const char* kShop = R"(
[project]
name = "shop"

[branches.staging]
parent = "main"

[roles.app]
login = true
password = { env = "APP_PASSWORD" }

[databases.shop]
owner = "app"
)";

bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

TEST_F(EndToEnd, FromInitToDestroy) {
    shell().must("lb init --name shop");
    shell().refused("lb init", 1, "LB0301");
    EXPECT_EQ(shell().run("lb plan --detailed-exitcode").exit_code, 2);
    EXPECT_TRUE(has(shell().must("lb apply --auto-approve"), "generation 1"));
    EXPECT_EQ(shell().run("lb plan --detailed-exitcode").exit_code, 0);
    EXPECT_TRUE(has(shell().must("lb plan"), "0 to create, 0 to update, 0 to delete"));

    shell().sql("main", "app", "CREATE TABLE t AS SELECT generate_series(1, 1000) AS i");
    std::string created = shell().must("lb branch create feature/cart --ttl 7d");
    EXPECT_TRUE(has(created, "+ branch.feature/cart")) << created;
    EXPECT_EQ(shell().sql("feature/cart", "app", "SELECT count(*) FROM t"), "1000");
    shell().sql("feature/cart", "app", "DELETE FROM t");
    EXPECT_EQ(shell().sql("feature/cart", "app", "SELECT count(*) FROM t"), "0");
    EXPECT_EQ(shell().sql("main", "app", "SELECT count(*) FROM t"), "1000");

    // A branch of a command is none of the spec's business.
    EXPECT_EQ(shell().run("lb plan --detailed-exitcode").exit_code, 0);
    std::string status = shell().must("lb status");
    EXPECT_TRUE(has(status, "└─ feature/cart")) << status;
    EXPECT_TRUE(has(status, "running :")) << status;

    shell().refused("lb branch delete main --yes", 5, "LB0501");
    shell().refused("lb branch delete feature/cart", 64, "LB0503");
    shell().must("lb branch delete feature/cart --yes");
    EXPECT_TRUE(has(shell().refused("lb psql -b feature/cart", 1, "LB0300"), "it has: main"));

    shell().refused("lb destroy shop", 64, "lb destroy shop --confirm shop");
    shell().refused("lb destroy shop --confirm shpo", 64, "LB0503");
    shell().must("lb destroy shop --confirm shop");
    shell().refused("lb status", 1, "LB0300");
    shell().must("lb stop");
    EXPECT_TRUE(has(shell().run("lb stop").err, "no daemon was running"));
    EXPECT_FALSE(shell().home().daemon_pid().has_value());
}

// What lb init comments out is right as well.
TEST_F(EndToEnd, TheWholeFirstSpecIsRight) {
    shell().must("lb init --name shop");
    shell().must(
        "sed -i -E 's/^# (\\[.*\\]|[a-z_]+ = .*)$/\\1/' lb.toml && grep -q '^ttl' lb.toml");
    std::string plan = shell().must("APP_PASSWORD=x lb plan");
    for (const char* address : {"branch.staging", "role.main.app", "database.main.app"}) {
        EXPECT_TRUE(has(plan, address)) << plan;
    }
}

TEST_F(EndToEnd, ApplicationsConnectWithTheirPassword) {
    shell().write_spec(kShop);
    shell().must("APP_PASSWORD=pencil lb apply --auto-approve");
    // The same password again is no change, another one is.
    EXPECT_EQ(shell().run("APP_PASSWORD=pencil lb plan --detailed-exitcode").exit_code, 0);
    EXPECT_EQ(shell().run("APP_PASSWORD=pen lb plan --detailed-exitcode").exit_code, 2);
    std::string url = shell().must("lb url -b staging -d shop");
    EXPECT_TRUE(has(url, "postgresql://app@127.0.0.1:")) << url;
    const std::string ask = "psql -XAtc 'SELECT current_user' \"$(lb url -b staging -d shop)\"";
    EXPECT_EQ(shell().must("PGPASSWORD=pencil " + ask), "app\n");
    EXPECT_NE(shell().run("PGPASSWORD=wrong " + ask).exit_code, 0);
    EXPECT_EQ(shell().must("psql -XAtc 'SELECT current_user' \"$(lb url --socket -b staging)\""),
              "postgres\n");
    std::string secret_words =
        shell()
            .run(cat("grep -rla pencil ", shell().path("home"), "/log ", shell().path("home"),
                     "/store ", shell().path("home"), "/run"))
            .out;
    EXPECT_EQ(secret_words, "");
}

TEST_F(EndToEnd, ProtectionAndDestroysNeedTheirWord) {
    shell().write_spec(kShop);
    shell().must("APP_PASSWORD=x lb apply --auto-approve");
    shell().sql("main", "shop", "CREATE TABLE t (i int)");
    const std::string without_staging = R"(
[project]
name = "shop"
[branches.main]
protected = true
[roles.app]
login = true
password = { env = "APP_PASSWORD" }
[databases.shop]
owner = "app"
)";
    shell().write_spec(without_staging);
    shell().refused("APP_PASSWORD=x lb apply --auto-approve", 5, "--allow-destroy branch.staging");
    EXPECT_TRUE(has(shell().must("lb branch list"), "staging"));
    shell().must("APP_PASSWORD=x lb apply --auto-approve --allow-destroy branch.staging");
    EXPECT_FALSE(has(shell().must("lb branch list"), "staging"));
    shell().refused("lb destroy shop --confirm shop", 5, "LB0501");
    EXPECT_EQ(shell().sql("main", "shop", "SELECT count(*) FROM t"), "0");
}

TEST_F(EndToEnd, LoadsDumps) {
    shell().write_spec(kShop);
    shell().must("APP_PASSWORD=x lb apply --auto-approve");
    write_file(shell().path("good.sql"),
               "CREATE TABLE p (i int PRIMARY KEY);\n"
               "COPY p FROM stdin;\n1\n2\n3\n\\.\n");
    write_file(shell().path("bad.sql"), "CREATE TABLE q (i int);\nSELECT nonsense;\n");
    EXPECT_TRUE(has(shell().must("lb load good.sql -d shop"), "loaded good.sql into main/shop"));
    EXPECT_EQ(shell().sql("main", "shop", "SELECT count(*) FROM p"), "3");
    EXPECT_TRUE(has(shell().refused("lb load bad.sql -d shop", 1, "LB0406"), "nonsense"));
    EXPECT_EQ(shell().sql("main", "shop", "SELECT to_regclass('q') IS NULL"), "t");
    shell().must("pg_dump -Fc -f shop.dump \"$(lb url --socket -d shop)\"");
    shell().must("lb branch create empty");
    shell().sql("empty", "shop", "DROP TABLE p");
    shell().must("lb load shop.dump -b empty -d shop");
    EXPECT_EQ(shell().sql("empty", "shop", "SELECT count(*) FROM p"), "3");
    shell().must("echo 'CREATE TABLE s (i int)' | lb load - -d shop");
    shell().refused("lb load absent.sql -d shop", 1, "LB0300");
    shell().refused("lb load good.sql -d absent", 1, "LB0300");
}

TEST_F(EndToEnd, JsonIsJson) {
    shell().write_spec(kShop);
    Json plan = shell().json("APP_PASSWORD=x lb plan --json");
    EXPECT_NE(plan.find("format_version"), nullptr);
    ShellResult applied = shell().run("APP_PASSWORD=x lb apply --auto-approve --json");
    EXPECT_EQ(applied.exit_code, 0) << applied.out << applied.err;
    std::vector<std::string> lines = split(applied.out, '\n');
    ASSERT_GE(lines.size(), 4u);
    lines.pop_back();  // after the last newline
    for (const std::string& line : lines) EXPECT_TRUE(Json::parse(line).is_ok()) << line;
    EXPECT_NE(Json::parse(lines.front())->find("plan"), nullptr);
    EXPECT_NE(Json::parse(lines.back())->find("result"), nullptr) << lines.back();
    for (const char* command :
         {"lb status --json", "lb branch list --json", "lb version --json",
          "lb branch show staging --json", "lb url -b staging --json", "lb statistics --json",
          "lb compute start staging --json", "lb compute stop staging --json"}) {
        EXPECT_NE(shell().json(command).if_object(), nullptr) << command;
    }
    ShellResult failed = shell().run("lb psql -b nonsense --json");
    EXPECT_EQ(failed.exit_code, 1);
    EXPECT_EQ(failed.err, "");
    EXPECT_NE(Json::parse(failed.out)->find("error"), nullptr) << failed.out;
}

TEST_F(EndToEnd, PastPositionsCanBeBranched) {
    shell().write_spec(kShop);
    shell().must("APP_PASSWORD=x lb apply --auto-approve");
    shell().sql("main", "shop", "CREATE TABLE t AS SELECT 1 AS i");
    Json before = shell().json("lb branch show main --json");
    shell().sql("main", "shop", "DROP TABLE t");
    shell().must(cat("lb branch create past --at position:", LB_MUST(before.unsigned_at("head"))));
    EXPECT_EQ(shell().sql("past", "shop", "SELECT i FROM t"), "1");
    EXPECT_EQ(shell().run("lb branch create never --at position:999999999999").exit_code, 1);
    shell().refused("lb branch create never --ttl forever", 64, "LB0600");
    shell().refused("lb branch create never --ttl 1d --expires 2040-01-01T00:00:00Z", 64, "LB0600");
    EXPECT_FALSE(has(shell().must("lb branch list"), "never"));
}

TEST_F(EndToEnd, LogsAreShownAndFollowed) {
    shell().write_spec(kShop);
    shell().must("APP_PASSWORD=x lb apply --auto-approve");
    EXPECT_TRUE(has(shell().must("lb logs -b main"), "ready to accept connections"));
    EXPECT_EQ(split(shell().must("lb logs --daemon -n 1"), '\n').size(), 2u);
    std::string followed = shell().must(
        "timeout --signal=INT 20 lb logs -b main -f -n 0 > followed.txt & sleep 1\n"
        "lb psql -- -X -c 'SELECT nonsense'; sleep 1; kill -INT %1; wait %1; cat followed.txt");
    EXPECT_TRUE(has(followed, "nonsense")) << followed;
}

}  // namespace
}  // namespace lb::tests
