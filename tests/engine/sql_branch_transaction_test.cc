// Role and database changes, all or nothing, on a real server.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/scram.h"
#include "base/text.h"
#include "engine/branch_transaction_names.h"
#include "engine/branch_transaction_statements.h"
#include "engine/sql.h"
#include "tests/engine/postgres_support.h"
#include "tests/engine/sql_branch_transaction_support.h"

namespace lb::engine {
namespace {

using testing::BranchTransactionTest;
using testing::database_change;
using testing::kTransactionName;
using testing::login_role;
using testing::Picture;
using testing::picture;
using testing::query_text;
using testing::role_change;
using testing::TemporaryCluster;
using namespace std::chrono_literals;

TEST_F(BranchTransactionTest, CommitMakesEverything) {
    RoleAttributes app = login_role({"pg_read_all_data", "readers"});
    app.password_verifier = LB_MUST(make_scram_verifier("secret"));
    app.connection_limit = 9;
    auto all = transaction({database_change(ChangeKind::kCreate, "shop", "app"),
                            role_change(ChangeKind::kCreate, "app", app),
                            role_change(ChangeKind::kCreate, "readers")});
    Picture before = now();
    LB_MUST(all->prepare());
    // Prepared, and nothing of it can be seen.
    EXPECT_EQ(now().seen.roles, before.seen.roles);
    EXPECT_EQ(now().seen.databases, before.seen.databases);
    LB_MUST(all->commit());
    Picture after = now();
    EXPECT_EQ(text_of(after),
              "role app of pg_read_all_data,readers\nrole readers of \ndatabase shop of app\n"
              "hidden: ");
    EXPECT_EQ(after.seen.roles[0].attributes, app);
    EXPECT_EQ(query_text(cluster_.target("shop"), "SELECT current_database()"), "shop");
    LB_MUST(all->commit());  // idempotent
    EXPECT_EQ(now(), after);
}

TEST_F(BranchTransactionTest, RollbackLeavesNothing) {
    sql("CREATE DATABASE old");
    Picture before = now();
    auto all = transaction({role_change(ChangeKind::kCreate, "app", login_role()),
                            database_change(ChangeKind::kCreate, "shop", "app"),
                            database_change(ChangeKind::kDelete, "old")});
    LB_MUST(all->prepare());
    LB_MUST(all->rollback());
    EXPECT_EQ(now(), before);
    EXPECT_EQ(query_text(cluster_.target("old"), "SELECT 1"), "1");
    LB_MUST(all->rollback());  // idempotent
    EXPECT_EQ(now(), before);
}

TEST_F(BranchTransactionTest, AnErrorAnywhereLeavesNothing) {
    sql("CREATE ROLE taken");
    sql("CREATE DATABASE taken");
    sql("CREATE DATABASE old");
    Picture before = now();
    std::vector<std::vector<ResourceChange>> failing = {
        {role_change(ChangeKind::kCreate, "taken")},
        {role_change(ChangeKind::kUpdate, "missing")},
        {role_change(ChangeKind::kDelete, "missing")},
        {role_change(ChangeKind::kCreate, "a", login_role({"missing"}))},
        {role_change(ChangeKind::kCreate, "a", login_role({"b"})),
         role_change(ChangeKind::kCreate, "b", login_role({"a"}))},
        {database_change(ChangeKind::kCreate, "taken")},
        {database_change(ChangeKind::kCreate, "shop", "missing")},
        {database_change(ChangeKind::kUpdate, "missing", "taken")},
        {database_change(ChangeKind::kDelete, "missing")},
    };
    for (std::vector<ResourceChange>& changes : failing) {
        // Among others that would succeed.
        changes.insert(changes.begin(), role_change(ChangeKind::kCreate, "first"));
        changes.push_back(database_change(ChangeKind::kCreate, "last", "first"));
        changes.push_back(database_change(ChangeKind::kDelete, "old"));
        Status prepared = transaction(changes)->prepare();
        ASSERT_FALSE(prepared);
        EXPECT_FALSE(prepared.error().message.empty());
        EXPECT_EQ(now(), before) << to_text(prepared.error());
    }
}

TEST_F(BranchTransactionTest, UpdatesSetTheWholeRole) {
    RoleAttributes before;
    before.login = before.create_role = before.bypass_row_security = true;
    before.member_of = {"one", "two"};
    before.password_verifier = LB_MUST(make_scram_verifier("secret"));
    apply({role_change(ChangeKind::kCreate, "one"), role_change(ChangeKind::kCreate, "two"),
           role_change(ChangeKind::kCreate, "three"),
           role_change(ChangeKind::kCreate, "app", before)});
    RoleAttributes after;
    after.superuser = after.replication = after.create_database = true;
    after.inherit = false;
    after.connection_limit = 0;
    after.member_of = {"three", "two"};
    apply({role_change(ChangeKind::kUpdate, "app", after)});
    Picture picture = now();
    ASSERT_EQ(picture.seen.roles[0].name, "app");
    EXPECT_EQ(picture.seen.roles[0].attributes, after);
}

TEST_F(BranchTransactionTest, DeletesADatabaseTogetherWithItsOwner) {
    apply({role_change(ChangeKind::kCreate, "app", login_role()),
           database_change(ChangeKind::kCreate, "shop", "app")});
    query_text(cluster_.target("shop"), "CREATE TABLE public.t ()");
    query_text(cluster_.target("shop"), "ALTER TABLE public.t OWNER TO app");
    query_text(cluster_.target("shop"), "GRANT CONNECT ON DATABASE shop TO app");
    apply({role_change(ChangeKind::kDelete, "app"), database_change(ChangeKind::kDelete, "shop")});
    EXPECT_EQ(text_of(now()), "hidden: ");
}

TEST_F(BranchTransactionTest, MovesADatabaseAndDeletesItsOldOwner) {
    apply({role_change(ChangeKind::kCreate, "old"),
           database_change(ChangeKind::kCreate, "shop", "old")});
    apply({role_change(ChangeKind::kDelete, "old"), role_change(ChangeKind::kCreate, "new"),
           database_change(ChangeKind::kUpdate, "shop", "new")});
    EXPECT_EQ(text_of(now()), "role new of \ndatabase shop of new\nhidden: ");
}

TEST_F(BranchTransactionTest, ReplacesADatabaseByANewOneOfTheSameName) {
    apply({database_change(ChangeKind::kCreate, "shop")});
    query_text(cluster_.target("shop"), "CREATE TABLE public.t ()");
    apply({database_change(ChangeKind::kCreate, "shop"),
           database_change(ChangeKind::kDelete, "shop")});
    EXPECT_EQ(query_text(cluster_.target("shop"), "SELECT to_regclass('public.t')"), "");
}

TEST_F(BranchTransactionTest, ARoleWithObjectsIsRefusedByName) {
    apply({role_change(ChangeKind::kCreate, "app"), database_change(ChangeKind::kCreate, "shop"),
           database_change(ChangeKind::kCreate, "books", "app")});
    for (int table = 0; table < 7; ++table) {
        query_text(cluster_.target("shop"), cat("CREATE TABLE public.orders", table, " ()"));
        query_text(cluster_.target("shop"),
                   cat("ALTER TABLE public.orders", table, " OWNER TO app"));
    }
    query_text(cluster_.target("books"), "CREATE TABLE public.pages ()");
    query_text(cluster_.target("books"), "GRANT SELECT ON public.pages TO app");
    Picture before = now();
    Status prepared = transaction({role_change(ChangeKind::kDelete, "app")})->prepare();
    ASSERT_FALSE(prepared);
    EXPECT_EQ(prepared.error().code, ErrorCode::kRefused);
    std::string text = to_text(prepared.error());
    for (const char* part :
         {"\"app\"", "\"shop\"", "\"books\"", "owner of table", "orders0", "and 2 more",
          "privileges for table", "owner of database books", "REASSIGN OWNED BY \"app\""}) {
        EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
    }
    EXPECT_EQ(now(), before);
}

TEST_F(BranchTransactionTest, EndsSessionsThatKeepComingBack) {
    sql("CREATE DATABASE busy");
    std::atomic<bool> is_done = false;
    std::vector<std::thread> clients;
    for (int client = 0; client < 4; ++client) {
        clients.emplace_back([&] {
            while (!is_done) {
                auto session = SqlSession::connect(cluster_.target("busy"));
                while (session && (*session)->query("SELECT 1").is_ok()) {
                }
            }
        });
    }
    std::this_thread::sleep_for(100ms);
    auto all = transaction({database_change(ChangeKind::kDelete, "busy")});
    auto begin = std::chrono::steady_clock::now();
    Status prepared = all->prepare();
    auto took = std::chrono::steady_clock::now() - begin;
    Status committed = prepared ? all->commit() : ok();
    is_done = true;
    for (std::thread& client : clients) client.join();
    LB_MUST(prepared);
    LB_MUST(committed);
    EXPECT_LT(took, 4s);  // PostgreSQL gives up after five
    EXPECT_EQ(text_of(now()), "hidden: ");
}

TEST_F(BranchTransactionTest, WhatStandsInTheWayOfADropIsFoundBeforeTheCommit) {
    sql("CREATE DATABASE shop");
    {
        auto other = LB_MUST(SqlSession::connect(cluster_.target("shop")));
        LB_MUST(other->query("BEGIN"));
        LB_MUST(other->query("CREATE TABLE public.t ()"));
        LB_MUST(other->query("PREPARE TRANSACTION 'theirs'"));
    }
    Status prepared = transaction({database_change(ChangeKind::kDelete, "shop")})->prepare();
    ASSERT_FALSE(prepared);
    EXPECT_EQ(prepared.error().code, ErrorCode::kRefused);
    EXPECT_NE(prepared.error().message.find("prepared transactions"), std::string::npos);
    query_text(cluster_.target("shop"), "ROLLBACK PREPARED 'theirs'");

    sql("ALTER DATABASE shop IS_TEMPLATE true");
    prepared = transaction({database_change(ChangeKind::kDelete, "shop")})->prepare();
    ASSERT_FALSE(prepared);
    EXPECT_NE(prepared.error().message.find("template"), std::string::npos);
}

TEST_F(BranchTransactionTest, SessionsOfADeletedRoleEnd) {
    RoleAttributes superuser = login_role();
    superuser.superuser = true;
    apply({role_change(ChangeKind::kCreate, "boss", superuser)});
    auto session = LB_MUST(SqlSession::connect(cluster_.target()));
    LB_MUST(session->query("SET SESSION AUTHORIZATION boss"));
    apply({role_change(ChangeKind::kDelete, "boss")});
    // pg_stat_activity names the role that came in, so a session that only changed its role stays.
    EXPECT_TRUE(session->query("SELECT 1").is_ok());
    EXPECT_EQ(text_of(now()), "hidden: ");
}

TEST_F(BranchTransactionTest, NoVerifierReachesTheLogOrAnError) {
    for (const char* setting : {"log_statement = 'all'", "log_min_duration_statement = 0",
                                "log_min_error_statement = 'debug5'", "log_duration = on",
                                "log_error_verbosity = verbose"}) {
        sql(cat("ALTER SYSTEM SET ", setting));
    }
    sql("SELECT pg_reload_conf()");
    std::this_thread::sleep_for(200ms);
    RoleAttributes app = login_role();
    app.password_verifier = LB_MUST(make_scram_verifier("secret"));
    apply({role_change(ChangeKind::kCreate, "app", app)});
    Status prepared = transaction({role_change(ChangeKind::kCreate, "app", app)})->prepare();
    ASSERT_FALSE(prepared);
    EXPECT_EQ(to_text(prepared.error()).find("SCRAM-SHA-256$"), std::string::npos);
    EXPECT_EQ(cluster_.log().find("SCRAM-SHA-256$"), std::string::npos);
    EXPECT_NE(cluster_.log().find("already exists"), std::string::npos);
}

TEST_F(BranchTransactionTest, OnlyVerifiersAndPossibleNamesAreSent) {
    Picture before = now();
    auto refuses = [&](ResourceChange change, ErrorCode code) {
        Status prepared = transaction({std::move(change)})->prepare();
        ASSERT_FALSE(prepared);
        EXPECT_EQ(prepared.error().code, code) << to_text(prepared.error());
        EXPECT_EQ(to_text(prepared.error()).find("hunter2"), std::string::npos);
    };
    RoleAttributes plain = login_role();
    plain.password_verifier = "hunter2";
    refuses(role_change(ChangeKind::kCreate, "app", plain), ErrorCode::kBadRequest);
    std::string too_long(64, 'x');
    refuses(role_change(ChangeKind::kCreate, too_long), ErrorCode::kInvalidName);
    refuses(role_change(ChangeKind::kDelete, too_long), ErrorCode::kInvalidName);
    refuses(database_change(ChangeKind::kCreate, too_long), ErrorCode::kInvalidName);
    refuses(database_change(ChangeKind::kCreate, "shop", too_long), ErrorCode::kInvalidName);
    refuses(role_change(ChangeKind::kCreate, "app", login_role({too_long})),
            ErrorCode::kInvalidName);
    refuses(role_change(ChangeKind::kCreate, std::string("a\0b", 3)), ErrorCode::kInvalidName);
    refuses(role_change(ChangeKind::kCreate, "\xff"), ErrorCode::kInvalidName);
    refuses(database_change(ChangeKind::kDelete, "postgres"), ErrorCode::kInvalidName);
    refuses(role_change(ChangeKind::kDelete, "postgres"), ErrorCode::kInvalidName);
    EXPECT_EQ(now(), before);
}

TEST_F(BranchTransactionTest, HostileNamesAreJustNames) {
    sql("CREATE DATABASE keep");
    const std::vector<std::string> names = {
        "with \"quotes\" and 'more'",
        "back\\slash \\\" \\' \\n",
        "x\"; DROP DATABASE keep; --",
        "x'; DROP DATABASE keep; --",
        "'||pg_terminate_backend(pg_backend_pid())||'",
        "$$ $1 %s :name ${HOME} `id`",
        "漢字 und Ümläute 😀",
        std::string(63, 'n'),
        "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
        "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
        "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4x",  // 63 bytes
        "SELECT",
        "current_user",
        "Public",
        " leading and trailing ",
        "tab\tand\nnewline",
    };
    std::vector<ResourceChange> creates;
    std::vector<ResourceChange> updates;
    std::vector<ResourceChange> deletes;
    for (size_t i = 0; i < names.size(); ++i) {
        creates.push_back(database_change(ChangeKind::kCreate, names[i], names[i]));
        RoleAttributes attributes = login_role();
        if (i > 0) attributes.member_of = {names[i - 1]};
        creates.push_back(role_change(ChangeKind::kCreate, names[i], attributes));
        updates.push_back(role_change(ChangeKind::kUpdate, names[i]));
        updates.push_back(
            database_change(ChangeKind::kUpdate, names[i], names[(i + 1) % names.size()]));
        deletes.push_back(role_change(ChangeKind::kDelete, names[i]));
        deletes.push_back(database_change(ChangeKind::kDelete, names[i]));
    }
    Picture before = now();
    apply(creates);
    Picture made = now();
    EXPECT_EQ(made.seen.roles.size(), names.size());
    EXPECT_EQ(made.seen.databases.size(), names.size() + 1);
    for (const std::string& name : names) {
        auto is_named = [&](const auto& state) { return state.name == name; };
        EXPECT_TRUE(std::any_of(made.seen.roles.begin(), made.seen.roles.end(), is_named)) << name;
        EXPECT_EQ(query_text(cluster_.target(name), "SELECT current_database()"), name);
    }
    apply(updates);
    apply(deletes);
    EXPECT_EQ(now(), before);
}

TEST_F(BranchTransactionTest, SettleLeavesTheTransactionsAndDatabasesOfOthersAlone) {
    sql("CREATE DATABASE lb_old_but_mine");
    sql("CREATE DATABASE lb_new_0123456789abcdeg_0");
    sql("CREATE ROLE somebody");
    sql("CREATE DATABASE lb_new_0123456789abcdef_0 OWNER somebody");
    auto other = LB_MUST(SqlSession::connect(cluster_.target()));
    LB_MUST(other->query("BEGIN"));
    LB_MUST(other->query("CREATE TABLE public.t ()"));
    LB_MUST(other->query("PREPARE TRANSACTION 'theirs'"));
    Picture before = now();
    LB_MUST(settle_transactions(cluster_.target(), [](std::string_view) -> bool {
        ADD_FAILURE() << "asked about a transaction of somebody else";
        return true;
    }));
    EXPECT_EQ(now(), before);
}

TEST_F(BranchTransactionTest, AChildSettlesWhatItInheritedByItself) {
    sql("CREATE DATABASE old");
    Picture before = now();
    auto all = transaction({role_change(ChangeKind::kCreate, "app", login_role()),
                            database_change(ChangeKind::kCreate, "shop", "app"),
                            database_change(ChangeKind::kDelete, "old")});
    LB_MUST(all->prepare());
    LB_MUST(compute_->stop(30s));
    auto committed_child = cluster_.copy();
    auto aborted_child = cluster_.copy();
    LB_MUST(compute_->start());
    LB_MUST(all->commit());
    Picture after = now();
    EXPECT_NE(after, before);

    for (bool is_committed : {true, false}) {
        TemporaryCluster& child = is_committed ? *committed_child : *aborted_child;
        auto compute = make_compute(child.options());
        LB_MUST(compute->start());
        std::vector<std::string> asked;
        LB_MUST(settle_transactions(child.target(), [&](std::string_view name) {
            asked.emplace_back(name);
            return is_committed;
        }));
        EXPECT_EQ(asked, std::vector<std::string>{kTransactionName});
        EXPECT_EQ(picture(child.target()), is_committed ? after : before);
        EXPECT_EQ(query_text(child.target(is_committed ? "shop" : "old"), "SELECT 1"), "1");
    }
    EXPECT_EQ(now(), after);
}

TEST(BranchTransactionNamesTest, AreTheirOwnShapeOnly) {
    std::string name = "lb-" + std::string(63, 'p') + "-18446744073709551615";
    EXPECT_TRUE(is_transaction_name(pending_prefix(name) + "12345"));
    EXPECT_TRUE(is_transaction_name(discarded_prefix(name) + "0"));
    EXPECT_LE((discarded_prefix(name) + "12345").size(), 63u);
    EXPECT_NE(pending_prefix("lb-a-1"), pending_prefix("lb-a-2"));
    for (const char* other :
         {"", "lb_", "lb_new_", "lb_new_0123456789abcdef", "shop", "lb_new_0123456789abcdef_",
          "lb_new_0123456789abcdef_x", "lb_new_0123456789ABCDEF_0", "lb_newx0123456789abcde_0"}) {
        EXPECT_FALSE(is_transaction_name(other)) << other;
    }
}

TEST(ScramVerifierShapeTest, TakesVerifiersAndNothingElse) {
    std::string verifier = LB_MUST(make_scram_verifier("secret"));
    EXPECT_TRUE(is_scram_verifier(verifier));
    for (size_t length = 0; length < verifier.size(); ++length) {
        EXPECT_FALSE(is_scram_verifier(verifier.substr(0, length))) << length;
    }
    EXPECT_FALSE(is_scram_verifier(verifier + "="));
    EXPECT_FALSE(is_scram_verifier("SCRAM-SHA-256$:a$b:c"));
    EXPECT_FALSE(is_scram_verifier("md5d41d8cd98f00b204e9800998ecf8427e"));
}

}  // namespace
}  // namespace lb::engine
