// Kills the daemon, a compute, or both, while pgbench runs, again and again. Clients remember which
// of their commits were acknowledged; after each kill every one of them must be there, and
// everything must go on without anybody's help. Nothing of the past is kept, so that reclaim works
// on every segment as soon as it is full. LB_KILLS sets how often (20 each by default).
#include <gtest/gtest.h>
#include <libpq-fe.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/lb_home.h"

namespace lb::tests {
namespace {

using namespace std::chrono_literals;

constexpr const char* kSpec = R"(
[project]
name = "kill"
history_retention = "0"

[databases.bench]
)";

struct PgClose {
    void operator()(PGconn* connection) const { PQfinish(connection); }
    void operator()(PGresult* result) const { PQclear(result); }
};
using Connection = std::unique_ptr<PGconn, PgClose>;
using PgResult = std::unique_ptr<PGresult, PgClose>;

// Commits numbered rows as fast as it can and remembers what was acknowledged.
class Recorder {
public:
    Recorder(std::string url, int client) : url_(std::move(url)), client_(client) {
        thread_ = std::thread([this] { run(); });
    }
    ~Recorder() { stop(); }

    void stop() {
        is_stopping_ = true;
        if (thread_.joinable()) thread_.join();
    }
    std::set<std::string> acknowledged() const {
        std::lock_guard lock(mutex_);
        return acknowledged_;
    }

private:
    void run() {
        while (!is_stopping_) {
            Connection connection(PQconnectdb((url_ + "&connect_timeout=5").c_str()));
            while (!is_stopping_ && PQstatus(connection.get()) == CONNECTION_OK) {
                std::string id = std::to_string(client_) + "-" + std::to_string(next_++);
                std::string insert = "INSERT INTO acknowledged VALUES ('" + id + "')";
                PgResult result(PQexec(connection.get(), insert.c_str()));
                if (PQresultStatus(result.get()) != PGRES_COMMAND_OK) break;
                std::lock_guard lock(mutex_);
                acknowledged_.insert(id);
            }
            std::this_thread::sleep_for(20ms);
        }
    }

    const std::string url_;
    const int client_;
    std::atomic<bool> is_stopping_ = false;
    mutable std::mutex mutex_;
    std::set<std::string> acknowledged_;
    uint64_t next_ = 0;
    std::thread thread_;
};

class KillTest : public ::testing::Test {
protected:
    void SetUp() override {
        std::string reason;
        if (!is_environment_usable(reason)) GTEST_SKIP() << reason;
        home_ = std::make_unique<LbHome>(LB_BINARY);
        home_->write_spec(kSpec);
        home_->must("apply --auto-approve");
        url_ = home_->url("main", "bench");
        line_ = home_->line_of("main");
        execute("CREATE TABLE acknowledged (id text PRIMARY KEY)");
        ASSERT_EQ(std::system(("/usr/lib/postgresql/15/bin/pgbench -q -i -s 5 '" + url_ +
                               "' >/dev/null 2>&1")
                                  .c_str()),
                  0);
        seed_ = std::random_device{}();
        random_.seed(seed_);
    }
    void TearDown() override { stop_load(); }

    // The answer's first value; keeps trying while the server comes back.
    std::string execute(const std::string& sql) {
        std::string failure;
        for (auto end = std::chrono::steady_clock::now() + 60s;
             std::chrono::steady_clock::now() < end; std::this_thread::sleep_for(50ms)) {
            Connection connection(PQconnectdb((url_ + "&connect_timeout=5").c_str()));
            PgResult result(PQexec(connection.get(), sql.c_str()));
            ExecStatusType status = PQresultStatus(result.get());
            if (status == PGRES_COMMAND_OK) return "";
            if (status == PGRES_TUPLES_OK) {
                return PQntuples(result.get()) > 0 ? PQgetvalue(result.get(), 0, 0) : "";
            }
            failure = PQerrorMessage(connection.get());
            if (failure.find("ERROR") != std::string::npos) break;
        }
        ADD_FAILURE() << sql.substr(0, 200) << ": " << failure << home_->run("status").output;
        return "";
    }

    void start_load() {
        load_ = ::fork();
        if (load_ == 0) {
            ::setpgid(0, 0);
            std::string command =
                "while :; do /usr/lib/postgresql/15/bin/pgbench -n -c 4 -j 1 -T 60 '" + url_ +
                "' >/dev/null 2>&1; sleep 0.05; done";
            ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
            ::_exit(127);
        }
    }
    void stop_load() {
        if (load_ <= 0) return;
        ::kill(-load_, SIGKILL);
        ::waitpid(load_, nullptr, 0);
        load_ = 0;
    }

    void check_acknowledged(const std::vector<std::unique_ptr<Recorder>>& recorders) {
        for (const auto& recorder : recorders) {
            // Taken before the query: everything in it was acknowledged before.
            std::set<std::string> wanted = recorder->acknowledged();
            if (wanted.empty()) continue;
            std::string array;
            for (const std::string& id : wanted) array += (array.empty() ? "" : ",") + id;
            EXPECT_EQ(
                execute("SELECT count(*) FROM unnest(string_to_array('" + array +
                        "', ',')) AS wanted (id) WHERE NOT EXISTS (SELECT FROM acknowledged a "
                        "WHERE a.id = wanted.id)"),
                "0")
                << "acknowledged commits are lost, seed " << seed_;
        }
    }

    void check_database() {
        stop_load();
        EXPECT_EQ(execute("SELECT (SELECT sum(abalance) FROM pgbench_accounts) = (SELECT "
                          "sum(bbalance) FROM pgbench_branches) AND (SELECT sum(bbalance) FROM "
                          "pgbench_branches) = (SELECT sum(tbalance) FROM pgbench_tellers) AND "
                          "(SELECT coalesce(sum(delta), 0) FROM pgbench_history) = (SELECT "
                          "sum(bbalance) FROM pgbench_branches)"),
                  "t");
        // pg_amcheck takes host, port and user apart.
        size_t host = url_.find("host=") + 5;
        std::string socket = url_.substr(host, url_.find('&', host) - host);
        for (size_t at; (at = socket.find("%2F")) != std::string::npos;) socket.replace(at, 3, "/");
        std::string port = url_.substr(url_.find("port=") + 5);
        std::string check =
            "/usr/lib/postgresql/15/bin/pg_amcheck --install-missing --heapallindexed -h " +
            socket + " -p " + port + " -U postgres bench";
        EXPECT_EQ(std::system(check.c_str()), 0);
    }

    // Steps that were cut short too often to end do when there is time.
    bool has_reclaimed() const {
        for (auto end = std::chrono::steady_clock::now() + 60s;
             std::chrono::steady_clock::now() < end; std::this_thread::sleep_for(50ms)) {
            if (std::filesystem::exists(home_->directory() + "/home/store/MANIFEST")) return true;
        }
        return false;
    }

    // Kills with `kill_now` while clients write, and waits until they can write again.
    void campaign(const std::function<void()>& kill_now) {
        const char* wanted = std::getenv("LB_KILLS");
        const int kill_count = wanted != nullptr ? std::atoi(wanted) : 20;
        std::vector<std::unique_ptr<Recorder>> recorders;
        for (int client = 0; client < 2; ++client) {
            recorders.push_back(std::make_unique<Recorder>(url_, client));
        }
        start_load();
        std::uniform_int_distribution<int> pause_ms(50, 900);
        for (int i = 0; i < kill_count && !HasFailure(); ++i) {
            SCOPED_TRACE("kill " + std::to_string(i));
            std::this_thread::sleep_for(std::chrono::milliseconds(pause_ms(random_)));
            kill_now();
            check_acknowledged(recorders);
        }
        // A client of a server that never came back would wait for ever.
        if (HasFailure()) home_->kill_everything();
        for (auto& recorder : recorders) recorder->stop();
        if (HasFailure()) return;
        check_acknowledged(recorders);
        size_t commit_count = 0;
        for (auto& recorder : recorders) commit_count += recorder->acknowledged().size();
        EXPECT_GT(commit_count, static_cast<size_t>(kill_count));
        check_database();
        EXPECT_TRUE(has_reclaimed()) << home_->run("statistics --json").output;
    }

    void kill_daemon() {
        auto pid = home_->daemon_pid();
        ASSERT_TRUE(pid.has_value());
        ::kill(*pid, SIGKILL);
    }
    void kill_postmaster() {
        // Right after a restart it may not be there yet.
        for (int i = 0; i < 200; ++i, std::this_thread::sleep_for(20ms)) {
            if (auto pid = home_->postmaster_pid(line_)) {
                ::kill(*pid, SIGKILL);
                return;
            }
        }
        FAIL() << "no postmaster";
    }

    std::unique_ptr<LbHome> home_;
    std::string url_;
    std::string line_;
    pid_t load_ = 0;
    unsigned seed_ = 0;
    std::mt19937 random_;
};

TEST_F(KillTest, Compute) {
    campaign([this] { kill_postmaster(); });
}

TEST_F(KillTest, Daemon) {
    campaign([this] {
        kill_daemon();
        home_->must("status");  // any command brings the daemon back
    });
}

TEST_F(KillTest, DaemonAndCompute) {
    campaign([this] {
        kill_postmaster();
        kill_daemon();
        home_->must("status");
    });
}

}  // namespace
}  // namespace lb::tests
