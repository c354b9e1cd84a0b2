// Sessions, error messages and observation on a real server.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <sys/wait.h>

#include "base/scram.h"
#include "base/text.h"
#include "engine/process_spawn.h"
#include "engine/sql.h"
#include "engine/sql_message.h"
#include "tests/engine/postgres_support.h"

namespace lb::engine {
namespace {

using testing::query_text;
using testing::TemporaryCluster;

// One server for all tests that leave it as they find it.
class SqlTest : public ::testing::Test {
protected:
    static void SetUpTestSuite() {
        cluster_ = std::make_unique<TemporaryCluster>();
        compute_ = make_compute(cluster_->options());
        LB_MUST(compute_->start());
    }
    static void TearDownTestSuite() {
        compute_.reset();
        cluster_.reset();
    }

    void SetUp() override { session_ = LB_MUST(SqlSession::connect(cluster_->target())); }

    static std::unique_ptr<TemporaryCluster> cluster_;
    static std::unique_ptr<Compute> compute_;
    std::unique_ptr<SqlSession> session_;
};
std::unique_ptr<TemporaryCluster> SqlTest::cluster_;
std::unique_ptr<Compute> SqlTest::compute_;

TEST_F(SqlTest, ReturnsRowsWithNulls) {
    auto rows = LB_MUST(session_->query("SELECT 1, NULL, 'a b' UNION ALL SELECT 2, '', NULL"));
    ASSERT_EQ(rows.size(), 2u);
    EXPECT_EQ(rows[0], (SqlRow{"1", std::nullopt, "a b"}));
    EXPECT_EQ(rows[1], (SqlRow{"2", "", std::nullopt}));
}

TEST_F(SqlTest, BindsParameters) {
    std::string nasty = "'; DROP TABLE t; -- \" \\ $1 ä";
    auto rows = LB_MUST(session_->query("SELECT $1::text, $2::int + 1", {nasty, "41"}));
    EXPECT_EQ(rows[0], (SqlRow{nasty, "42"}));
}

TEST_F(SqlTest, ErrorsCarryStateDetailAndHint) {
    LB_MUST(session_->query("BEGIN"));
    LB_MUST(session_->query("CREATE TABLE public.parent (id int PRIMARY KEY)"));
    LB_MUST(session_->query("CREATE TABLE public.child (id int REFERENCES public.parent)"));
    auto failed = session_->query("DROP TABLE public.parent");
    LB_MUST(session_->query("ROLLBACK"));
    ASSERT_FALSE(failed);
    const Error& error = failed.error();
    EXPECT_EQ(error.code, ErrorCode::kSqlFailed);
    EXPECT_EQ(error.message, "cannot drop table public.parent because other objects depend on it");
    EXPECT_NE(error.help.find("CASCADE"), std::string::npos);
    ASSERT_EQ(error.notes.size(), 2u);
    EXPECT_NE(error.notes[0].find("depends on table public.parent"), std::string::npos);
    EXPECT_EQ(error.notes[1], "SQLSTATE 2BP01");
}

TEST_F(SqlTest, ErrorsDoNotRepeatTheStatement) {
    auto failed = session_->query("CREATE ROLE x PASSWRD 'SCRAM-SHA-256$secret'");
    ASSERT_FALSE(failed);
    EXPECT_EQ(to_text(failed.error()).find("secret"), std::string::npos) << to_text(failed.error());
}

TEST_F(SqlTest, NobodyThereIsComputeLost) {
    SqlTarget target = cluster_->target();
    target.port = 1;
    auto session = SqlSession::connect(target);
    ASSERT_FALSE(session);
    EXPECT_EQ(session.error().code, ErrorCode::kComputeLost);
    EXPECT_NE(to_text(session.error()).find(target.socket_directory), std::string::npos);

    auto missing = SqlSession::connect(cluster_->target("no such database"));
    ASSERT_FALSE(missing);
    EXPECT_NE(missing.error().message.find("no such database"), std::string::npos);
}

TEST_F(SqlTest, SessionsAreImmuneToWhatRolesAndDatabasesSet) {
    for (const char* sql :
         {"ALTER ROLE postgres SET search_path = public", "ALTER ROLE postgres SET role = app_x",
          "ALTER DATABASE postgres SET default_transaction_read_only = on",
          "ALTER DATABASE postgres SET standard_conforming_strings = off",
          "ALTER ROLE postgres SET statement_timeout = '1ms'",
          "ALTER ROLE postgres SET synchronous_commit = off"}) {
        if (std::string_view(sql).find("app_x") != std::string_view::npos) {
            LB_MUST(session_->query("CREATE ROLE app_x"));
        }
        LB_MUST(session_->query(sql));
    }
    auto other = LB_MUST(SqlSession::connect(cluster_->target()));
    EXPECT_EQ(query_text(*other, "SHOW search_path"), "pg_catalog");
    EXPECT_EQ(query_text(*other, "SELECT current_user"), "postgres");
    EXPECT_EQ(query_text(*other, "SHOW synchronous_commit"), "local");
    EXPECT_EQ(query_text(*other, "SELECT '\\'"), "\\");
    LB_MUST(other->query("ALTER ROLE postgres RESET ALL"));
    LB_MUST(other->query("ALTER DATABASE postgres RESET ALL"));
    LB_MUST(other->query("DROP ROLE app_x"));
}

// Texts of everything that means something to SQL, without NUL.
rc::Gen<std::string> nasty_text() {
    return rc::gen::map(
        rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(std::vector<std::string>{
            "'", "\"", "\\", "$$", "$1", ";", "--", "/*", "*/", "%s",   ":x",           "\n",  "\t",
            " ", "a",  "Z",  "0",  "_",  "ä", "漢", "😀",  "E'", "U&\"", "DROP TABLE t", "\x7f"})),
        [](const std::vector<std::string>& pieces) { return join(pieces, ""); });
}

void check_quoting(SqlSession* session) {
    std::string text = *nasty_text();
    auto rows = session->query("SELECT " + session->quote_literal(text));
    RC_ASSERT(rows.is_ok());
    RC_ASSERT((*rows)[0][0] == text);

    std::string name = text.substr(0, 63);
    while (!is_utf8(name)) name.pop_back();
    RC_PRE(!name.empty());
    // As a column's name it comes back through the catalog of the view.
    RC_ASSERT(session->query("BEGIN").is_ok());
    auto made =
        session->query("CREATE VIEW public.v AS SELECT 1 AS " + session->quote_identifier(name));
    RC_ASSERT(made.is_ok());
    auto columns =
        session->query("SELECT attname FROM pg_attribute WHERE attrelid = 'public.v'::regclass");
    RC_ASSERT(session->query("ROLLBACK").is_ok());
    RC_ASSERT(columns.is_ok());
    RC_ASSERT((*columns)[0][0] == name);
}

TEST_F(SqlTest, QuotedTextComesBackAsItIs) {
    EXPECT_TRUE(rc::check([&] { check_quoting(session_.get()); }));
}

TEST_F(SqlTest, ObservesRolesAndDatabases) {
    std::string verifier = LB_MUST(make_scram_verifier("secret"));
    LB_MUST(session_->query("CREATE ROLE reader ROLE pg_monitor"));
    LB_MUST(
        session_->query("CREATE ROLE \"App\" LOGIN CREATEDB NOINHERIT CONNECTION LIMIT 5 "
                        "PASSWORD " +
                        session_->quote_literal(verifier)));
    LB_MUST(session_->query("CREATE ROLE old_hash PASSWORD 'md5d41d8cd98f00b204e9800998ecf8427e'"));
    LB_MUST(session_->query("GRANT reader, pg_read_all_data TO \"App\""));
    LB_MUST(session_->query("CREATE ROLE lb_hidden"));
    LB_MUST(session_->query("CREATE DATABASE \"Shop\" OWNER \"App\""));
    LB_MUST(session_->query("CREATE DATABASE a_template IS_TEMPLATE true"));
    LB_MUST(session_->query("CREATE DATABASE lb_new_0123456789abcdef_0"));

    Observation seen = LB_MUST(observe(cluster_->target()));
    ASSERT_EQ(seen.roles.size(), 3u);
    EXPECT_EQ(seen.roles[0].name, "App");
    EXPECT_EQ(seen.roles[0].origin, Origin::kManual);
    RoleAttributes expected;
    expected.login = true;
    expected.create_database = true;
    expected.inherit = false;
    expected.connection_limit = 5;
    expected.member_of = {"pg_read_all_data", "reader"};
    expected.password_verifier = verifier;
    EXPECT_EQ(seen.roles[0].attributes, expected);
    EXPECT_EQ(seen.roles[1].name, "old_hash");
    EXPECT_EQ(seen.roles[1].attributes, RoleAttributes{});
    EXPECT_EQ(seen.roles[2].name, "reader");
    ASSERT_EQ(seen.databases.size(), 1u);
    EXPECT_EQ(seen.databases[0].name, "Shop");
    EXPECT_EQ(seen.databases[0].owner, "App");

    LB_MUST(session_->query("ALTER DATABASE a_template IS_TEMPLATE false"));
    for (const char* name : {"\"Shop\"", "a_template", "lb_new_0123456789abcdef_0"}) {
        LB_MUST(session_->query(cat("DROP DATABASE ", name)));
    }
    LB_MUST(session_->query("DROP ROLE \"App\", reader, old_hash, lb_hidden"));
}

// What psql says when it tries to come in.
std::string login(const TemporaryCluster& cluster, const std::string& host, const std::string& user,
                  const std::string& password) {
    ProcessOptions options{
        .arguments = {cluster.options().postgres.program_directory + "/psql", "-X", "-w", "-A",
                      "-t", "-h", host, "-p", std::to_string(cluster.options().port), "-U", user,
                      "-d", "postgres", "-c", "SELECT 'welcome ' || current_user"},
        .environment = clean_environment()};
    if (!password.empty()) options.environment.push_back("PGPASSWORD=" + password);
    ProgramOutput output = LB_MUST(run_program(std::move(options)));
    return output.text;
}

TEST_F(SqlTest, OnlyVerifiersAndTheOwnersSocketOpenTheDoor) {
    std::string verifier = LB_MUST(make_scram_verifier("s3cret ä"));
    LB_MUST(session_->query("CREATE ROLE app LOGIN PASSWORD " + session_->quote_literal(verifier)));
    std::string socket = cluster_->options().run_directory;
    for (const std::string& host : {std::string("127.0.0.1"), socket}) {
        EXPECT_EQ(login(*cluster_, host, "app", "s3cret ä"), "welcome app\n");
        EXPECT_NE(login(*cluster_, host, "app", "wrong").find("authentication failed"),
                  std::string::npos);
        EXPECT_NE(login(*cluster_, host, "app", "").find("no password supplied"),
                  std::string::npos);
    }
    EXPECT_EQ(login(*cluster_, socket, "postgres", ""), "welcome postgres\n");
    EXPECT_NE(login(*cluster_, "127.0.0.1", "postgres", "postgres").find("authentication failed"),
              std::string::npos);
    LB_MUST(session_->query("DROP ROLE app"));
}

TEST(SqlMessageTest, TakesAMessageApart) {
    SqlMessage message = parse_sql_message(
        "ERROR:  role \"app\" cannot be dropped\n"
        "DETAIL:  owner of database a\nowner of table b\n"
        "HINT:  look\n"
        "LINE 1: CREATE ROLE app PASSWORD 'secret'\n"
        "                             ^\n"
        "CONTEXT:  SQL statement \"secret\"\n");
    EXPECT_EQ(message.severity, "ERROR");
    EXPECT_EQ(message.primary, "role \"app\" cannot be dropped");
    EXPECT_EQ(message.detail, "owner of database a\nowner of table b");
    EXPECT_EQ(message.hint, "look");
}

TEST(SqlMessageTest, KeepsTextThatIsNoMessageOfTheServer) {
    EXPECT_EQ(parse_sql_message("could not connect: no such file").primary,
              "could not connect: no such file");
    EXPECT_EQ(parse_sql_message("").primary, "");
    EXPECT_EQ(
        parse_sql_message("connection to server on socket \"/x\" failed: FATAL:  no\n").primary,
        "no");
}

RC_GTEST_PROP(SqlMessageTest, AnyTextGivesOneLine, (const std::string& text)) {
    RC_ASSERT(parse_sql_message(text).primary.find('\n') == std::string::npos);
}

}  // namespace
}  // namespace lb::engine
