// lb restart: the daemon becomes another image of itself while servers run on its mount.
#include <libpq-fe.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <random>
#include <thread>

#include "base/text.h"
#include "tests/cli/e2e_support.h"
#include "tests/cli/support.h"

namespace lb::tests {
namespace {

using namespace std::chrono_literals;

constexpr const char* kBin = "/usr/lib/postgresql/15/bin";
constexpr const char* kSpec = "[project]\nname = \"ho\"\n\n[databases.bench]\n";

std::string trimmed(std::string text) {
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
}

class HandoverTest : public ShellTest {
protected:
    void SetUp() override {
        ShellTest::SetUp();
        if (IsSkipped()) return;
        shell().write_spec(kSpec);
        shell().must("lb apply --auto-approve");
        url_ = shell().home().url("main", "bench");
    }
    std::string must_sql(const std::string& statement) {
        return shell().sql("main", "bench", statement);
    }
    pid_t postmaster() {
        return shell().home().postmaster_pid(shell().home().line_of("main")).value_or(0);
    }
    // Asks for a hand-over; what the daemon says, "" if it has become the program.
    std::string ask(const std::string& program) {
        return shell()
            .run(cat("curl -sS --unix-socket home/run/lb.sock -X POST -d '{\"program\":\"", program,
                     "\"}' http://lb/v1/handover"))
            .out;
    }
    void expect_balanced() {
        EXPECT_EQ(must_sql("SELECT (SELECT sum(abalance) FROM pgbench_accounts) = (SELECT "
                           "sum(bbalance) FROM pgbench_branches) AND (SELECT coalesce(sum(delta), "
                           "0) FROM pgbench_history) = (SELECT sum(bbalance) FROM "
                           "pgbench_branches)"),
                  "t");
    }
    void amcheck() {
        Json connection = shell().json("lb compute start main --json");
        shell().must(cat(kBin, "/pg_amcheck --install-missing --heapallindexed -h ",
                         LB_MUST(connection.text_at("socket_directory")), " -p ",
                         LB_MUST(connection.unsigned_at("port")), " -U postgres bench"));
    }

    std::string url_;
};

// Sorts, hash joins and temporary tables keep files open that have no name any more.
TEST_F(HandoverTest, UnderLoadFiveTimes) {
    shell().must(cat(kBin, "/pgbench -q -i -s 2 '", url_, "' 2>&1"));
    const pid_t server = postmaster();
    const pid_t daemon = *shell().home().daemon_pid();
    ASSERT_NE(server, 0);
    const std::string sort =
        "SET work_mem = '64kB'; SELECT sum(r * x % 1000) FROM (SELECT x, "
        "row_number() OVER (ORDER BY hashint4(x), x) AS r FROM "
        "generate_series(1, 200000) AS x) AS sorted";
    const std::string expected = must_sql(sort);
    shell().must(cat(kBin, "/pgbench -n -c 8 -j 2 -T 15 '", url_,
                     "' >pgbench.txt 2>&1 & load=$!\n"
                     "(while kill -0 $load 2>/dev/null; do psql -XAtq '",
                     url_, "' -c \"", sort,
                     "\" || echo failed; done) >sorts.txt 2>&1 & sorts=$!\n"
                     "for i in 1 2 3 4 5; do sleep 1; lb restart || exit 1; done\n"
                     "wait $load || { cat pgbench.txt; exit 1; }\nwait $sorts"));
    EXPECT_EQ(postmaster(), server);
    EXPECT_EQ(shell().home().daemon_pid(), daemon);
    std::string said = read_file(shell().path("pgbench.txt"));
    EXPECT_NE(said.find("number of failed transactions: 0 "), std::string::npos) << said;
    EXPECT_EQ(said.find("aborted"), std::string::npos) << said;
    for (const std::string& line : split(trimmed(read_file(shell().path("sorts.txt"))), '\n')) {
        EXPECT_EQ(line, expected);
    }
    expect_balanced();
    amcheck();
    std::string counters = shell().must(
        "curl -sS --unix-socket home/run/lb.sock -H \"Lb-Version: $(lb version | cut -d' ' "
        "-f2)\" http://lb/v1/statistics");
    EXPECT_NE(counters.find("\"split_write_count\":0"), std::string::npos) << counters;

    // A crash is what it was before.
    kill(daemon, SIGKILL);
    expect_balanced();
    EXPECT_NE(postmaster(), server);
    shell().must("lb fsck");
}

TEST_F(HandoverTest, KilledAtAnyMoment) {
    must_sql("CREATE TABLE acknowledged (id bigint PRIMARY KEY)");
    std::atomic<bool> is_stopping = false;
    std::atomic<int64_t> newest = 0;
    std::thread recorder([&] {
        while (!is_stopping) {
            std::unique_ptr<PGconn, decltype(&PQfinish)> connection(
                PQconnectdb((url_ + "&connect_timeout=5").c_str()), PQfinish);
            while (!is_stopping && PQstatus(connection.get()) == CONNECTION_OK) {
                std::string insert =
                    cat("INSERT INTO acknowledged SELECT coalesce(max(id), 0) + 1 "
                        "FROM acknowledged RETURNING id");
                std::unique_ptr<PGresult, decltype(&PQclear)> result(
                    PQexec(connection.get(), insert.c_str()), PQclear);
                if (PQresultStatus(result.get()) != PGRES_TUPLES_OK) break;
                newest = std::atoll(PQgetvalue(result.get(), 0, 0));
            }
            std::this_thread::sleep_for(20ms);
        }
    });
    unsigned seed = std::random_device{}();
    std::mt19937 random(seed);
    // Each line is a step of the old image; the last one of the new one.
    const std::vector<std::string> steps = {"handing over", "left to themselves", "programs wait",
                                            "store is closed", "took over"};
    for (size_t round = 0; round < 2 * steps.size() && !HasFailure(); ++round) {
        SCOPED_TRACE(cat("round ", round, ", seed ", seed));
        const pid_t daemon = *shell().home().daemon_pid();
        std::string log = shell().path("home/log/daemon.log");
        size_t before = read_file(log).size();
        std::thread restart([&] {
            static_cast<void>(std::system(
                cat("LB_HOME=", shell().path("home"), " ", LB_BINARY, " restart >/dev/null 2>&1")
                    .c_str()));
        });
        for (int i = 0; i < 20'000; ++i, std::this_thread::sleep_for(500us)) {
            if (read_file(log).find(steps[round % steps.size()], before) != std::string::npos)
                break;
        }
        std::this_thread::sleep_for(std::chrono::microseconds(random() % 30'000));
        kill(daemon, SIGKILL);
        restart.join();
        int64_t wanted = newest;
        shell().must("lb compute start main");
        EXPECT_GE(std::stoll(must_sql("SELECT coalesce(max(id), 0) FROM acknowledged")), wanted);
        EXPECT_EQ(must_sql("SELECT count(*) = coalesce(max(id), 0) FROM acknowledged"), "t");
    }
    if (HasFailure()) shell().home().kill_everything();
    is_stopping = true;
    recorder.join();
    EXPECT_GT(newest, 0);
}

TEST_F(HandoverTest, SuccessorsThatWillNotDo) {
    const pid_t server = postmaster();
    const pid_t daemon = *shell().home().daemon_pid();
    write_file(shell().path("script"), "#!/bin/sh\nlb \"$@\"\n");
    shell().must(cat("chmod +x script && cp ", LB_BROKEN_SUCCESSOR, " misfit"));
    for (const std::string& program :
         {std::string("/no/such/lb"), std::string("/bin/true"), shell().path("script"),
          shell().path("misfit"), shell().path("lb.toml")}) {
        EXPECT_NE(ask(program).find("LB0608"), std::string::npos) << program << ask(program);
    }
    EXPECT_NE(ask("lb").find("LB0606"), std::string::npos);
    EXPECT_EQ(must_sql("SELECT 1"), "1");
    EXPECT_EQ(postmaster(), server);
    EXPECT_EQ(shell().home().daemon_pid(), daemon);
    // A refusal leaves nothing behind that is in the way of the next one.
    shell().must("lb restart");
    EXPECT_EQ(postmaster(), server);
}

TEST_F(HandoverTest, ASuccessorThatFails) {
    must_sql("CREATE TABLE t AS SELECT 42 AS answer");
    const pid_t server = postmaster();
    const pid_t daemon = *shell().home().daemon_pid();
    EXPECT_EQ(ask(LB_BROKEN_SUCCESSOR).find("error"), std::string::npos);
    std::string said = shell().must(
        "curl -sS --unix-socket home/run/lb.sock --retry 20 --retry-all-errors "
        "--retry-delay 1 http://lb/v1/version");
    EXPECT_NE(said.find("\"process_id\""), std::string::npos) << said;
    EXPECT_EQ(shell().home().daemon_pid(), daemon);
    EXPECT_NE(shell().must("lb logs --daemon").find("cannot take over"), std::string::npos);
    EXPECT_EQ(must_sql("SELECT answer FROM t"), "42");
    EXPECT_NE(postmaster(), server);
    shell().must("lb restart");
    EXPECT_EQ(must_sql("SELECT answer FROM t"), "42");
}

TEST_F(HandoverTest, ComputesStayAsTheyAre) {
    shell().must("lb branch create stopped && lb branch create running");
    EXPECT_EQ(shell().sql("running", "bench", "SELECT 1"), "1");
    shell().must("lb compute stop stopped");
    shell().must(
        "mkdir other && cd other && printf '[project]\\nname = \"second\"\\n' >lb.toml && "
        "lb apply --auto-approve && lb compute start main");
    auto states = [&] {
        return shell().must("lb branch list; lb branch list --project second") +
               trimmed(
                   shell().must("pgrep -f '^/usr/lib/postgresql/15/bin/postgres -D '$PWD | sort"));
    };
    std::string before = states();
    shell().must("lb restart");
    shell().must("lb restart");
    EXPECT_EQ(states(), before);
    EXPECT_EQ(shell().sql("stopped", "bench", "SELECT 2"), "2");
    // The new image supervises, stops and restarts what it took over.
    const pid_t server = postmaster();
    kill(server, SIGKILL);
    // Until the daemon has noticed, it tells where the dead one listened.
    for (int i = 0; i < 600 && (postmaster() == server || postmaster() == 0); ++i) {
        std::this_thread::sleep_for(50ms);
    }
    EXPECT_NE(postmaster(), server);
    EXPECT_EQ(must_sql("SELECT 3"), "3");
    shell().must("lb restart && lb compute restart running && lb branch delete running --yes");
    shell().must("lb restart");
    const std::string line = shell().home().line_of("main");
    shell().must("lb stop");
    EXPECT_FALSE(shell().home().postmaster_pid(line).has_value());
    // Nothing to take over: a daemon is started.
    shell().must("lb restart && lb restart");
    EXPECT_EQ(must_sql("SELECT 4"), "4");
}

TEST_F(HandoverTest, OrdinaryUsers) {
    if (geteuid() != 0) GTEST_SKIP() << "needs root, to become an ordinary user";
    write_file(shell().path("as-user.sh"),
               "set -e\nexport LB_HOME=$PWD/user/home\n"
               "lb apply --auto-approve\n"
               "lb psql -d bench -- -XAtc 'SELECT pg_postmaster_start_time()' >before\n"
               "lb restart\nlb restart\n"
               "lb psql -d bench -- -XAtc 'SELECT pg_postmaster_start_time()' >after\n"
               "cmp before after\nlb stop\n");
    shell().must("mkdir -m 700 user && chown nobody user && chmod 777 .");
    ShellResult result = shell().run(
        "unshare -m bash -c 'mknod -m 666 fuse c 10 229 && mount --bind fuse /dev/fuse && "
        "setpriv --reuid=nobody --regid=nogroup --clear-groups bash as-user.sh'");
    EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
}

}  // namespace
}  // namespace lb::tests
