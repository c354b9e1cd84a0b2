// What is inside of roles and databases, through the real binary: a spec brings it, keeps it, and
// takes it away.
#include <gtest/gtest.h>

#include "base/text.h"
#include "tests/cli/e2e_support.h"

namespace lb::tests {
namespace {

using Contents = ShellTest;

constexpr const char* kFull = R"(
[project]
name = "shop"

[roles.app]
login = true
valid_until = "2030-01-01T00:00:00Z"
settings = { work_mem = "8MB", search_path = '"$user", api, public' }

[roles.auditor]

[databases.shop]
owner = "app"
connection_limit = 30
settings = { timezone = "UTC", random_page_cost = 1.1 }
schemas = ["api", { name = "audit", owner = "auditor" }]
extensions = ["pgcrypto", "earthdistance", "cube", { name = "citext", schema = "api" }]

[databases.latin]
encoding = "latin1"
locale = "C"
schemas = ["api"]
)";

constexpr const char* kLess = R"(
[project]
name = "shop"

[roles.app]
login = true

[databases.shop]
owner = "app"
schemas = ["api"]
extensions = [{ name = "citext", schema = "public" }]
)";

bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

TEST_F(Contents, ComeStayAndGo) {
    shell().write_spec(kFull);
    shell().must("lb apply --auto-approve");
    EXPECT_EQ(shell().run("lb plan --detailed-exitcode").exit_code, 0) << shell().must("lb plan");
    EXPECT_EQ(shell().sql("main", "shop",
                          "SELECT nspowner::regrole FROM pg_namespace "
                          "WHERE nspname = 'audit'"),
              "auditor");
    EXPECT_EQ(shell().sql("main", "latin", "SHOW server_encoding"), "LATIN1");
    // A branch inherits all of it.
    shell().must("lb branch create copy");
    EXPECT_EQ(shell().sql("copy", "shop", "SELECT 'A'::api.citext OPERATOR(api.=) 'a'"), "t");

    shell().write_spec(kLess);
    shell().refused("lb apply --auto-approve", 5, "LB0502");
    shell().sql("main", "shop", "CREATE TABLE audit.trail ()");
    std::string refused =
        shell().refused("lb apply --auto-approve --allow-destroy database.main.latin", 5, "LB0501");
    EXPECT_TRUE(has(refused, "table audit.trail depends on schema audit")) << refused;
    EXPECT_EQ(shell().sql("main", "latin", "SELECT 1"), "1");
    shell().sql("main", "shop", "DROP TABLE audit.trail");
    shell().must("lb apply --auto-approve --allow-destroy database.main.latin");
    EXPECT_EQ(shell().run("lb plan --detailed-exitcode").exit_code, 0) << shell().must("lb plan");
    EXPECT_EQ(shell().sql("main", "shop",
                          "SELECT string_agg(extname, ' ' ORDER BY extname) "
                          "FROM pg_extension"),
              "citext plpgsql");
    EXPECT_EQ(shell().sql("main", "shop", "SELECT count(*) FROM pg_db_role_setting"), "0");
}

TEST_F(Contents, WhatSomebodyChangedIsFound) {
    shell().write_spec(kFull);
    shell().must("lb apply --auto-approve");
    for (const char* statement :
         {"ALTER SCHEMA audit OWNER TO postgres", "DROP EXTENSION pgcrypto", "CREATE SCHEMA mine",
          "ALTER ROLE app SET work_mem = '1GB'", "ALTER DATABASE shop RESET timezone"}) {
        shell().sql("main", "shop", statement);
    }
    std::string plan = shell().must("lb plan --verbose");
    for (const char* part : {"~ schema.main.shop.audit", "settings.work_mem", "settings.timezone",
                             "schema.main.shop.mine (manual)"}) {
        EXPECT_TRUE(has(plan, part)) << part << "\n" << plan;
    }
    shell().must("lb apply --auto-approve");
    EXPECT_EQ(shell().run("lb plan --detailed-exitcode").exit_code, 0) << shell().must("lb plan");
    EXPECT_EQ(shell().sql("main", "shop",
                          "SELECT count(*) FROM pg_namespace "
                          "WHERE nspname = 'mine'"),
              "1");
}

TEST_F(Contents, WhatCannotBeChangesNothing) {
    shell().write_spec(kFull);
    shell().must("lb apply --auto-approve");
    std::string spec = kLess;
    shell().write_spec(spec + "[databases.latin]\nencoding = \"UTF8\"\n");
    EXPECT_TRUE(has(shell().refused("lb apply --auto-approve", 5, "LB0501"),
                    "cannot change to \"UTF8\" in place"));
    shell().write_spec(spec + "[databases.latin]\nextensions = [\"no_such_thing\"]\n");
    EXPECT_TRUE(has(shell().refused("lb apply --auto-approve", 1, "LB0300"),
                    "extension \"no_such_thing\" is not on this machine"));
    shell().write_spec(kFull);
    EXPECT_EQ(shell().run("lb plan --detailed-exitcode").exit_code, 0) << shell().must("lb plan");
}

TEST_F(Contents, ServersGetTheirSettings) {
    constexpr const char* kProject = "[project]\nname = \"shop\"\n";
    shell().write_spec(cat(kProject, "settings = { work_mem = \"8MB\" }\n",
                           "[branches.main.settings]\nmax_connections = 30\n"));
    shell().must("lb apply --auto-approve");
    EXPECT_EQ(shell().run("lb plan --detailed-exitcode").exit_code, 0) << shell().must("lb plan");
    EXPECT_EQ(shell().sql("main", "postgres", "SHOW work_mem"), "8MB");
    EXPECT_EQ(shell().sql("main", "postgres", "SHOW max_connections"), "30");
    shell().write_spec(cat(kProject, "settings = { work_mem = \"much\" }\n"));
    std::string refused = shell().refused("lb apply --auto-approve", 5, "LB0501");
    EXPECT_TRUE(has(refused, "invalid value for parameter \"work_mem\"")) << refused;
    shell().write_spec(kProject);
    EXPECT_TRUE(has(shell().must("lb plan"), "restarts"));
    shell().must("lb apply --auto-approve");
    EXPECT_EQ(shell().sql("main", "postgres", "SHOW work_mem"), "4MB");
    EXPECT_EQ(shell().sql("main", "postgres", "SHOW max_connections"), "104");
}

TEST_F(Contents, AGeneratedPasswordIsInItsFileAndNowhereElse) {
    shell().write_spec(
        "[project]\nname = \"shop\"\n[roles.app]\nlogin = true\n"
        "password = { generate = true, file = \"app.password\" }\n[databases.shop]\n"
        "owner = \"app\"\n");
    std::string plan =
        shell().must("lb plan --verbose --json") + shell().must("lb apply --auto-approve");
    EXPECT_EQ(shell().must("stat -c %a app.password"), "600\n");
    std::string password = shell().must("tr -d '\\n' < app.password");
    EXPECT_EQ(password.size(), 32U);
    EXPECT_FALSE(has(plan, password));
    EXPECT_EQ(shell().must("PGPASSWORD=$(cat app.password) psql -XAtc 'SELECT current_user' "
                           "\"$(lb url -d shop)\""),
              "app\n");
    EXPECT_NE(shell()
                  .run(cat("grep -raF '", password, "' ", shell().path("home"), "/log ",
                           shell().path("home"), "/store"))
                  .exit_code,
              0);
    EXPECT_EQ(shell().run("lb plan --detailed-exitcode").exit_code, 0);
    // Elsewhere, where the file is not, nothing is made anew.
    shell().must("mv app.password elsewhere");
    EXPECT_EQ(shell().run("lb plan --detailed-exitcode").exit_code, 0);
    EXPECT_NE(shell().run("test -e app.password").exit_code, 0);
}

}  // namespace
}  // namespace lb::tests
