// lb load on a real server: scripts and archives, good and bad.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "base/text.h"
#include "engine/load.h"
#include "engine/process_spawn.h"
#include "tests/engine/postgres_support.h"

namespace lb::engine {
namespace {

namespace fs = std::filesystem;
using testing::query_text;
using testing::TemporaryCluster;

class LoadTest : public ::testing::Test {
protected:
    static void SetUpTestSuite() {
        cluster_ = std::make_unique<TemporaryCluster>();
        compute_ = make_compute(cluster_->options());
        LB_MUST(compute_->start());
        query_text(cluster_->target(), "CREATE ROLE app LOGIN");
        query_text(cluster_->target(), "CREATE ROLE \"two words\\\" LOGIN");
    }
    static void TearDownTestSuite() {
        compute_.reset();
        cluster_.reset();
    }

    void SetUp() override { query_text(cluster_->target(), "CREATE DATABASE \"a=b\" OWNER app"); }
    void TearDown() override {
        query_text(cluster_->target(), "DROP DATABASE IF EXISTS \"a=b\" WITH (FORCE)");
    }

    static SqlTarget target() { return cluster_->target("a=b"); }
    std::string file(const std::string& name) const { return directory_.path() + "/" + name; }

    LoadRequest request(const std::string& path) const {
        return {.target = target(),
                .program_directory = cluster_->options().postgres.program_directory,
                .file = path};
    }
    Result<LoadSummary> load_file(const std::string& path) const {
        return load(request(path), nullptr);
    }
    Result<LoadSummary> load_text(const std::string& text) const {
        testing::write_file(file("script.sql"), text);
        return load_file(file("script.sql"));
    }
    // pg_dump of the database, with `arguments`, into `path`.
    void dump(std::vector<std::string> arguments, const std::string& path) const {
        arguments.insert(arguments.begin(),
                         cluster_->options().postgres.program_directory + "/pg_dump");
        for (const std::string& argument :
             {cat("--host=", target().socket_directory), cat("--port=", target().port),
              std::string("--username=postgres"), "--file=" + path,
              std::string("--dbname=dbname='a=b'")}) {
            arguments.push_back(argument);
        }
        ProgramOutput output =
            LB_MUST(run_program({.arguments = arguments, .environment = clean_environment()}));
        ASSERT_EQ(output.wait_status, 0) << output.text;
    }
    std::string tables() const {
        return query_text(target(),
                          "SELECT coalesce(string_agg(relname || ' of ' || "
                          "pg_get_userbyid(relowner), ', ' ORDER BY relname), '') FROM pg_class "
                          "WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'");
    }
    void expect_nothing_loaded(const Result<LoadSummary>& loaded, const std::string& says) const {
        ASSERT_FALSE(loaded);
        EXPECT_EQ(loaded.error().code, ErrorCode::kLoadFailed);
        std::string text = to_text(loaded.error());
        EXPECT_NE(text.find(says), std::string::npos) << text;
        EXPECT_NE(text.find("nothing was loaded"), std::string::npos) << text;
        EXPECT_EQ(tables(), "");
    }

    static std::unique_ptr<TemporaryCluster> cluster_;
    static std::unique_ptr<Compute> compute_;
    testing::TemporaryDirectory directory_;
};
std::unique_ptr<TemporaryCluster> LoadTest::cluster_;
std::unique_ptr<Compute> LoadTest::compute_;

TEST_F(LoadTest, AScriptBelongsToTheDatabasesOwner) {
    LoadSummary done = LB_MUST(
        load_text("CREATE TABLE t (x int);\nCOPY t FROM stdin;\n1\n2\n\\.\nSELECT sum(x) FROM t;\n"
                  "INSERT INTO t VALUES (3) -- without a semicolon or a line feed"));
    EXPECT_EQ(done.role, "app");
    EXPECT_TRUE(done.was_one_transaction);
    EXPECT_TRUE(done.skipped.empty());
    EXPECT_EQ(tables(), "t of app");
    EXPECT_EQ(query_text(target(), "SELECT count(*) FROM public.t"), "3");
}

TEST_F(LoadTest, AnyRoleMayBeAskedFor) {
    query_text(target(), "GRANT CREATE ON SCHEMA public TO \"two words\\\"");
    for (const std::string& role : {std::string("two words\\"), std::string("postgres")}) {
        testing::write_file(file("script.sql"), "DROP TABLE IF EXISTS t; CREATE TABLE t ();");
        LoadRequest wanted = request(file("script.sql"));
        wanted.role = role;
        LB_MUST(load(wanted, nullptr));
        EXPECT_EQ(tables(), "t of " + role);
    }
}

TEST_F(LoadTest, ShowsProgressByBytes) {
    std::string script = "CREATE TABLE t (x text);\nCOPY t FROM stdin;\n";
    for (int row = 0; row < 200'000; ++row) script += cat("row number ", row, "\n");
    script += "\\.\n";
    testing::write_file(file("big.sql"), script);
    std::vector<LoadProgress> seen;
    LoadSummary done = LB_MUST(load(
        request(file("big.sql")), [&](const LoadProgress& progress) { seen.push_back(progress); }));
    EXPECT_EQ(done.read_bytes, script.size());
    ASSERT_FALSE(seen.empty());
    uint64_t before = 0;
    for (const LoadProgress& progress : seen) {
        EXPECT_GE(progress.done_bytes, before);
        EXPECT_EQ(progress.total_bytes, script.size());
        before = progress.done_bytes;
    }
    EXPECT_EQ(before, script.size());
    EXPECT_EQ(query_text(target(), "SELECT count(*) FROM public.t"), "200000");
}

TEST_F(LoadTest, AnErrorNamesTheLineAndLoadsNothing) {
    auto loaded = load_text("CREATE TABLE t (x int);\n\nINSERT INTO missing VALUES (1);\n");
    expect_nothing_loaded(loaded, "script.sql:3: relation \"missing\" does not exist");
    expect_nothing_loaded(load_text("CREATE TABLE t (x int);\nCOPY t FROM stdin;\n1\nx\n\\.\n"),
                          "COPY t, line 2, column x: \"x\"");
    expect_nothing_loaded(load_text("CREATE TABLE t ();\n\\no_such_command\n"), "no_such_command");
    expect_nothing_loaded(load_text("CREATE TABLE t ();\nSELECT $$;\n"), "ends inside");
    expect_nothing_loaded(load_text("CREATE TABLE t ();\nSELECT 'x;\n"), "ends inside");
    expect_nothing_loaded(load_text("CREATE TABLE t ();\n/* no end"), "ends inside");
    expect_nothing_loaded(load_text("CREATE TABLE t (x text);\nCOPY t FROM stdin;\nx\n"),
                          "ends inside");
    expect_nothing_loaded(load_text("CREATE TABLE t ();\n\\set ON_ERROR_STOP off\nSELECT 1/0;\n"),
                          "division by zero");
    expect_nothing_loaded(load_text("CREATE TABLE t ();\n\\c postgres\nCREATE TABLE u ();\n"),
                          "line 2 connects to another database");
    expect_nothing_loaded(load_text("CREATE TABLE t ();\n\\q\n"), "");
}

TEST_F(LoadTest, HelpsWithWhatIsMissing) {
    auto loaded = load_text("CREATE TABLE t ();\nALTER TABLE t OWNER TO nobody_here;\n");
    expect_nothing_loaded(loaded, "role \"nobody_here\" does not exist");
    EXPECT_NE(loaded.error().help.find("--no-owner"), std::string::npos) << loaded.error().help;

    LoadRequest wanted = request(file("script.sql"));
    wanted.target.database = "missing";
    loaded = load(wanted, nullptr);
    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().code, ErrorCode::kNotFound);

    loaded = load_file(file("missing.sql"));
    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().code, ErrorCode::kNotFound);
    EXPECT_NE(loaded.error().message.find("missing.sql"), std::string::npos);

    expect_nothing_loaded(load_text("\xe4"), "invalid byte sequence");
    loaded = load_file(directory_.path());
    ASSERT_FALSE(loaded);
    EXPECT_NE(loaded.error().message.find("is a directory"), std::string::npos);
}

TEST_F(LoadTest, StatementsThatRefuseATransactionRunWithoutOne) {
    LoadSummary done =
        LB_MUST(load_text("CREATE TABLE t (x int);\nINSERT INTO t VALUES (1);\nVACUUM t;\n"));
    EXPECT_FALSE(done.was_one_transaction);
    EXPECT_EQ(query_text(target(), "SELECT count(*) FROM public.t"), "1");

    auto failed = load_text("CREATE TABLE u ();\nVACUUM u;\nSELECT 1/0;\nCREATE TABLE v ();\n");
    ASSERT_FALSE(failed);
    std::string text = to_text(failed.error());
    EXPECT_NE(text.find(":3: division by zero"), std::string::npos) << text;
    EXPECT_NE(text.find("the statements before it stay"), std::string::npos) << text;
    EXPECT_EQ(tables(), "t of app, u of app");
}

TEST_F(LoadTest, AScriptWithItsOwnTransactionsIsSaidToHaveThem) {
    LoadSummary done = LB_MUST(load_text("BEGIN;\nCREATE TABLE t ();\nCOMMIT;\n"));
    EXPECT_FALSE(done.was_one_transaction);
    EXPECT_EQ(tables(), "t of app");
}

TEST_F(LoadTest, ADumpWithCreateGoesIntoTheWantedDatabase) {
    LB_MUST(load_text("CREATE TABLE t (x int);\nINSERT INTO t VALUES (7);\n"));
    query_text(target(), "COMMENT ON DATABASE \"a=b\" IS 'mine; all''s well'");
    query_text(target(), "ALTER DATABASE \"a=b\" SET work_mem = '8MB'");
    dump({"--create", "--clean", "--if-exists"}, file("dump.sql"));
    TearDown();
    SetUp();
    LoadSummary done = LB_MUST(load_file(file("dump.sql")));
    EXPECT_GE(done.skipped.size(), 4u) << join(done.skipped, "\n");
    EXPECT_EQ(tables(), "t of app");
    EXPECT_EQ(query_text(target(), "SELECT x FROM public.t"), "7");

    std::string text = testing::read_file(file("dump.sql"));
    testing::write_file(file("dump.sql"), text.substr(0, text.size() - 100));
    TearDown();
    SetUp();
    expect_nothing_loaded(load_file(file("dump.sql")), "cut off");
}

TEST_F(LoadTest, ArchivesOfAllFormats) {
    LB_MUST(
        load_text("CREATE TABLE t (x int PRIMARY KEY);\n"
                  "INSERT INTO t SELECT generate_series(1, 5000);\n"));
    for (const std::string format : {"custom", "tar", "directory"}) {
        dump({"--format=" + format}, file(format));
    }
    for (const std::string format : {"custom", "tar", "directory"}) {
        TearDown();
        SetUp();
        LoadSummary done = LB_MUST(load_file(file(format)));
        EXPECT_EQ(done.role, "app");
        EXPECT_EQ(tables(), "t of app") << format;
        EXPECT_EQ(query_text(target(), "SELECT count(*) FROM public.t"), "5000") << format;
        EXPECT_EQ(done.read_bytes, format == "directory" ? 0 : fs::file_size(file(format)));

        auto again = load_file(file(format));
        ASSERT_FALSE(again);
        EXPECT_EQ(again.error().code, ErrorCode::kLoadFailed);
        EXPECT_NE(again.error().message.find("already exists"), std::string::npos)
            << to_text(again.error());
        EXPECT_NE(again.error().help.find("empty database"), std::string::npos);
    }
    TearDown();
    SetUp();
    fs::resize_file(file("custom"), fs::file_size(file("custom")) / 2);
    auto cut = load_file(file("custom"));
    ASSERT_FALSE(cut);
    EXPECT_EQ(tables(), "");
}

// Runs load() of the pipe's contents in a child, which ends with 0 if that succeeded.
pid_t load_standard_input(const LoadRequest& request, const int (&ends)[2]) {
    pid_t pid = ::fork();
    if (pid != 0) {
        ::close(ends[0]);
        return pid;
    }
    ::dup2(ends[0], STDIN_FILENO);
    ::close(ends[0]);
    ::close(ends[1]);
    auto loaded = load(request, nullptr);
    ::_exit(loaded ? 0 : 1);
}

TEST_F(LoadTest, StandardInputMayBeAPipe) {
    LB_MUST(load_text("CREATE TABLE t (x int);\nINSERT INTO t VALUES (7);\n"));
    dump({"--format=custom"}, file("custom"));
    dump({"--format=plain"}, file("plain"));
    for (const std::string format : {"custom", "plain"}) {
        TearDown();
        SetUp();
        int ends[2];
        ASSERT_EQ(::pipe(ends), 0);
        pid_t pid = load_standard_input(request("-"), ends);
        std::string text = testing::read_file(file(format));
        for (size_t at = 0; at < text.size(); at += 100) {
            std::string piece = text.substr(at, 100);
            ASSERT_EQ(::write(ends[1], piece.data(), piece.size()),
                      static_cast<ssize_t>(piece.size()));
        }
        ::close(ends[1]);
        int status = -1;
        ASSERT_EQ(::waitpid(pid, &status, 0), pid);
        EXPECT_EQ(status, 0) << format;
        EXPECT_EQ(tables(), "t of app") << format;
    }
}

TEST_F(LoadTest, AnInterruptedLoadCommitsNothing) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    pid_t pid = load_standard_input(request("-"), ends);
    std::string script = "CREATE TABLE t (x int);\n";
    for (int row = 0; row < 50'000; ++row) script += cat("INSERT INTO t VALUES (", row, ");\n");
    ASSERT_GT(::write(ends[1], script.data(), script.size()), 0);
    ::kill(pid, SIGKILL);
    ASSERT_EQ(::waitpid(pid, nullptr, 0), pid);
    ::close(ends[1]);
    for (int attempt = 0; attempt < 500; ++attempt) {
        std::string sessions = query_text(
            cluster_->target(), "SELECT count(*) FROM pg_stat_activity WHERE datname = 'a=b'");
        if (sessions == "0") break;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    EXPECT_EQ(tables(), "");
}

TEST_F(LoadTest, Chinook) {
    fs::path path = fs::path(__FILE__).parent_path() / "../../../shared/data/databases/chinook.sql";
    if (!fs::exists(path)) GTEST_SKIP() << "no sample database beside the repository";
    LoadSummary done = LB_MUST(load_file(path.string()));
    EXPECT_TRUE(done.was_one_transaction);
    ASSERT_EQ(done.skipped.size(), 3u);
    EXPECT_EQ(done.skipped[0], "line 19: DROP DATABASE IF EXISTS chinook");
    EXPECT_EQ(query_text(target(), "SELECT count(*) FROM public.track"), "3503");
    EXPECT_EQ(query_text(target(), "SELECT tableowner FROM pg_tables WHERE tablename = 'track'"),
              "app");
    EXPECT_EQ(query_text(target(), "SELECT count(*) FROM pg_database WHERE datname = 'chinook'"),
              "0");
}

}  // namespace
}  // namespace lb::engine
