// What is inside of roles and databases - schemas, extensions, settings - all or nothing, on a real
// server.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/text.h"
#include "engine/sql.h"
#include "tests/engine/postgres_support.h"
#include "tests/engine/sql_branch_transaction_support.h"

namespace lb::engine {
namespace {

using testing::BranchTransactionTest;
using testing::database_change;
using testing::extension_change;
using testing::login_role;
using testing::Picture;
using testing::query_text;
using testing::role_change;
using testing::schema_change;

class ContentsTest : public BranchTransactionTest {
protected:
    std::string in(const std::string& database, const std::string& statement) {
        return query_text(cluster_.target(database), statement);
    }
    Error refusal(std::vector<ResourceChange> changes) {
        Status prepared = transaction(std::move(changes))->prepare();
        EXPECT_FALSE(prepared.is_ok());
        return prepared.is_ok() ? Error{} : prepared.error();
    }
};

TEST_F(ContentsTest, ANewDatabaseComesWithItsContents) {
    auto all = transaction({extension_change(ChangeKind::kCreate, "shop", "earthdistance"),
                            extension_change(ChangeKind::kCreate, "shop", "cube"),
                            extension_change(ChangeKind::kCreate, "shop", "citext",
                                             {.schema = "api", .version = "1.5"}),
                            schema_change(ChangeKind::kCreate, "shop", "api", "app"),
                            database_change(ChangeKind::kCreate, "shop", "app"),
                            role_change(ChangeKind::kCreate, "app", login_role())});
    Picture before = now();
    LB_MUST(all->prepare());
    EXPECT_EQ(now().seen.roles, before.seen.roles);
    EXPECT_EQ(now().seen.databases, before.seen.databases);
    LB_MUST(all->commit());
    EXPECT_EQ(text_of(now()),
              "role app of \ndatabase shop of app\n  schema api of app\n"
              "  extension citext in api\n  extension cube in public\n"
              "  extension earthdistance in public\nhidden: ");
    EXPECT_EQ(now().seen.databases[0].extensions[0].version, "1.5");
    EXPECT_EQ(in("shop", "SELECT datconnlimit FROM pg_database WHERE datname = 'shop'"), "-1");
}

TEST_F(ContentsTest, SeveralDatabasesChangeTogetherOrNotAtAll) {
    for (const char* name : {"a", "b", "c"}) {
        sql(cat("CREATE DATABASE ", name));
        in(name, "CREATE SCHEMA old");
        in(name, "CREATE EXTENSION hstore SCHEMA old");
    }
    Picture before = now();
    std::vector<ResourceChange> changes = {role_change(ChangeKind::kCreate, "app")};
    for (const char* name : {"a", "b", "c"}) {
        changes.push_back(schema_change(ChangeKind::kCreate, name, "new", "app"));
        changes.push_back(schema_change(ChangeKind::kDelete, name, "old"));
        changes.push_back(extension_change(ChangeKind::kUpdate, name, "hstore", {.schema = "new"}));
    }
    auto rolled_back = transaction(changes);
    LB_MUST(rolled_back->prepare());
    EXPECT_EQ(in("postgres", "SELECT count(*) FROM pg_prepared_xacts"), "4");
    LB_MUST(rolled_back->rollback());
    EXPECT_EQ(now(), before);
    apply(changes);
    Picture after = now();
    for (const DatabaseState& database : after.seen.databases) {
        ASSERT_EQ(database.schemas.size(), 1U);
        EXPECT_EQ(database.schemas[0].owner, "app");
        EXPECT_EQ(database.extensions.at(0).schema, "new");
    }
    EXPECT_EQ(after.hidden, "");
}

TEST_F(ContentsTest, TooManyDatabasesAtOnceAreRefused) {
    std::vector<ResourceChange> changes;
    for (int i = 0; i < 97; ++i) {
        changes.push_back(schema_change(ChangeKind::kCreate, cat("d", i), "api"));
    }
    Picture before = now();
    Error error = refusal(changes);
    EXPECT_EQ(error.code, ErrorCode::kRefused);
    EXPECT_NE(error.message.find("97 databases, 96 are possible"), std::string::npos);
    EXPECT_EQ(now(), before);
    // A new one is filled before, and takes none.
    changes.resize(3);
    for (int i = 0; i < 3; ++i) {
        changes.push_back(database_change(ChangeKind::kCreate, cat("d", i)));
    }
    apply(changes);
    EXPECT_EQ(now().seen.databases.size(), 3U);
}

TEST_F(ContentsTest, WhatIsNotEmptyOrNeededStays) {
    sql("CREATE DATABASE shop");
    in("shop", "CREATE SCHEMA api");
    for (int i = 0; i < 7; ++i) in("shop", cat("CREATE TABLE api.orders_", i, " ()"));
    in("shop", "CREATE EXTENSION citext SCHEMA public");
    in("shop", "CREATE TABLE public.people (name public.citext)");
    Picture before = now();
    Error error = refusal({schema_change(ChangeKind::kDelete, "shop", "api")});
    EXPECT_EQ(error.code, ErrorCode::kRefused);
    EXPECT_EQ(error.message,
              "schema \"api\" cannot be deleted from database \"shop\", because it is not empty");
    ASSERT_EQ(error.notes.size(), 6U) << to_text(error);
    EXPECT_EQ(error.notes[0], "table api.orders_0 depends on schema api");
    EXPECT_EQ(error.notes[5], "and 2 more");
    error = refusal({extension_change(ChangeKind::kDelete, "shop", "citext")});
    EXPECT_EQ(error.code, ErrorCode::kRefused);
    EXPECT_NE(to_text(error).find("column name of table public.people"), std::string::npos)
        << to_text(error);
    EXPECT_EQ(now(), before);
    in("shop", "DROP TABLE public.people");
    // They may depend on each other, whatever comes first.
    in("shop", "CREATE EXTENSION earthdistance SCHEMA public CASCADE");
    apply({extension_change(ChangeKind::kDelete, "shop", "cube"),
           extension_change(ChangeKind::kDelete, "shop", "citext"),
           extension_change(ChangeKind::kDelete, "shop", "earthdistance")});
    EXPECT_TRUE(now().seen.databases[0].extensions.empty());
}

TEST_F(ContentsTest, AnErrorInsideOfADatabaseLeavesNothing) {
    sql("CREATE DATABASE shop");
    in("shop", "CREATE SCHEMA taken");
    Picture before = now();
    std::vector<std::vector<ResourceChange>> failing = {
        {schema_change(ChangeKind::kCreate, "shop", "taken")},
        {schema_change(ChangeKind::kCreate, "shop", "api", "nobody")},
        {schema_change(ChangeKind::kUpdate, "shop", "missing")},
        {schema_change(ChangeKind::kDelete, "shop", "missing")},
        {schema_change(ChangeKind::kCreate, "missing", "api")},
        {extension_change(ChangeKind::kCreate, "shop", "no_such_extension")},
        {extension_change(ChangeKind::kCreate, "shop", "citext", {.version = "99"})},
        {extension_change(ChangeKind::kCreate, "shop", "citext", {.schema = "missing"})},
        {extension_change(ChangeKind::kCreate, "shop", "earthdistance")},
        {extension_change(ChangeKind::kUpdate, "shop", "citext")},
        {extension_change(ChangeKind::kDelete, "shop", "citext")}};
    for (std::vector<ResourceChange> changes : failing) {
        std::string subject = to_text(changes.front().address);
        changes.push_back(role_change(ChangeKind::kCreate, "app", login_role()));
        changes.push_back(database_change(ChangeKind::kCreate, "other", "app"));
        changes.push_back(schema_change(ChangeKind::kCreate, "other", "inner", "app"));
        EXPECT_FALSE(transaction(std::move(changes))->prepare().is_ok()) << subject;
        EXPECT_EQ(now(), before) << subject;
    }
    Error error =
        refusal({extension_change(ChangeKind::kCreate, "shop", "citext", {.version = "99"})});
    EXPECT_EQ(error.message, "extension \"citext\" has no version \"99\" on this machine");
    EXPECT_NE(error.help.find("1.6"), std::string::npos) << error.help;
}

TEST_F(ContentsTest, ARoleGoesWithTheSchemaThatItOwned) {
    sql("CREATE DATABASE shop");
    sql("CREATE ROLE leaver");
    in("shop", "CREATE SCHEMA a AUTHORIZATION leaver");
    in("shop", "CREATE SCHEMA b AUTHORIZATION leaver");
    Error error = refusal({role_change(ChangeKind::kDelete, "leaver"),
                           schema_change(ChangeKind::kDelete, "shop", "a")});
    EXPECT_EQ(error.code, ErrorCode::kRefused);
    EXPECT_NE(to_text(error).find("owner of schema b"), std::string::npos) << to_text(error);
    EXPECT_EQ(to_text(error).find("owner of schema a"), std::string::npos) << to_text(error);
    apply({role_change(ChangeKind::kDelete, "leaver"),
           schema_change(ChangeKind::kDelete, "shop", "a"),
           schema_change(ChangeKind::kUpdate, "shop", "b")});
    EXPECT_EQ(text_of(now()), "database shop of postgres\n  schema b of postgres\nhidden: ");
}

TEST_F(ContentsTest, SettingsAndAttributesComeAndGo) {
    RoleAttributes app = login_role();
    app.valid_until = WallTime{std::chrono::microseconds(1'900'000'000'123'456)};
    app.settings = {{"work_mem", "8MB"},
                    {"search_path", "\"$user\", api, \"Odd, \"\"one\"\"\""},
                    {"statement_timeout", "30s"},
                    {"myapp.tenant", "it's \\ \"quoted\""}};
    DatabaseValue shop{.owner = "app",
                       .connection_limit = 7,
                       .encoding = "LATIN1",
                       .locale = "C",
                       .settings = {{"search_path", "\"\""}, {"timezone", "UTC"}}};
    ResourceChange make_shop = database_change(ChangeKind::kCreate, "shop");
    make_shop.value = shop;
    apply({role_change(ChangeKind::kCreate, "app", app), make_shop});
    Picture made = now();
    EXPECT_EQ(made.seen.roles.at(0).attributes, app);
    const DatabaseState& seen = made.seen.databases.at(0);
    EXPECT_EQ(seen.settings, shop.settings);
    EXPECT_EQ(seen.connection_limit, 7);
    EXPECT_EQ(seen.encoding, "LATIN1");
    EXPECT_EQ(seen.locale, "C");
    // As a session has them: elements of a list, not one with commas in it.
    sql("ALTER ROLE app SUPERUSER");
    EXPECT_EQ(query_text(cluster_.target(),
                         "SELECT setconfig::text FROM pg_db_role_setting WHERE setrole <> 0")
                  .find("search_path='"),
              std::string::npos);
    app.settings = {{"statement_timeout", "1min"}};
    app.valid_until.reset();
    ResourceChange change_shop = database_change(ChangeKind::kUpdate, "shop");
    change_shop.value = DatabaseValue{.owner = "app"};
    apply({role_change(ChangeKind::kUpdate, "app", app), change_shop});
    EXPECT_EQ(now().seen.roles.at(0).attributes, app);
    EXPECT_TRUE(now().seen.databases.at(0).settings.empty());
    EXPECT_EQ(now().seen.databases.at(0).connection_limit, -1);
}

TEST_F(ContentsTest, AValueThatPostgresRefusesLeavesNothing) {
    Picture before = now();
    RoleAttributes app = login_role();
    app.settings = {{"work_mem", "much"}};
    Error error = refusal({role_change(ChangeKind::kCreate, "app", app)});
    EXPECT_NE(to_text(error).find("work_mem"), std::string::npos) << to_text(error);
    ResourceChange shop = database_change(ChangeKind::kCreate, "shop");
    shop.value = DatabaseValue{.locale = "no_SUCH.locale"};
    refusal({shop});
    shop.value = DatabaseValue{.template_name = "no such template"};
    refusal({shop});
    EXPECT_EQ(now(), before);
}

TEST_F(ContentsTest, NamesAndValuesAreNoSql) {
    const std::string odd = "x\"; DROP SCHEMA kept; --'\\ü$1";
    sql("CREATE DATABASE shop");
    in("shop", "CREATE SCHEMA kept");
    RoleAttributes role = login_role();
    role.settings = {{"my\"app.odd", odd}, {"application_name", odd}, {"search_path", ""}};
    role.settings["search_path"] = canonical_setting_list({odd, "a,b", ""});
    // A custom name must be an identifier to PostgreSQL; nothing else happens.
    refusal({role_change(ChangeKind::kCreate, odd, role)});
    role.settings.erase("my\"app.odd");
    ResourceChange database = database_change(ChangeKind::kCreate, odd);
    database.value = DatabaseValue{.owner = odd, .settings = {{"application_name", odd}}};
    apply({role_change(ChangeKind::kCreate, odd, role), database,
           schema_change(ChangeKind::kCreate, odd, odd, odd),
           schema_change(ChangeKind::kCreate, "shop", odd, odd),
           extension_change(ChangeKind::kCreate, "shop", "citext", {.schema = odd})});
    Picture made = now();
    EXPECT_EQ(made.seen.roles.at(0).name, odd);
    EXPECT_EQ(made.seen.roles.at(0).attributes, role);
    auto shop = std::ranges::find(made.seen.databases, "shop", &DatabaseState::name);
    ASSERT_NE(shop, made.seen.databases.end());
    ASSERT_EQ(shop->schemas.size(), 2U);
    EXPECT_EQ(shop->extensions.at(0).schema, odd);
    refusal({extension_change(ChangeKind::kCreate, "shop", "hstore", {.version = odd})});
    apply({extension_change(ChangeKind::kDelete, "shop", "citext"),
           schema_change(ChangeKind::kDelete, "shop", odd),
           database_change(ChangeKind::kDelete, odd), role_change(ChangeKind::kDelete, odd)});
    EXPECT_EQ(text_of(now()), "database shop of postgres\n  schema kept of postgres\nhidden: ");
}

}  // namespace
}  // namespace lb::engine
