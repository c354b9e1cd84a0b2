// Applies that meet, and applies that are interrupted: real processes, real PostgreSQL. A session
// that locks pg_authid holds an apply that makes a role in the middle of its SQL for as long as a
// test wants.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "tests/cli/apply_fixture.h"
#include "tests/cli/support.h"

namespace lb::tests {
namespace {

constexpr const char* kBase = "[databases.shop]\n[branches.side]\nparent = \"main\"\n";

class ConcurrentApply : public ApplyTest {
protected:
    void SetUp() override {
        ApplyTest::SetUp();
        if (IsSkipped()) return;
        apply(kBase);
    }
    void TearDown() override {
        if (!IsSkipped()) release();
    }

    bool is_there(const std::string& file) { return std::filesystem::exists(shell().path(file)); }
    template <class Condition>
    void wait_until(Condition condition) {
        for (int i = 0; i < 1200 && !condition(); ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        }
        ASSERT_TRUE(condition());
    }

    // In the background: NAME.out, NAME.err, NAME.pid; NAME.code when it has ended.
    void start(const std::string& name, const std::string& command) {
        shell().must(cat("( ", command, " >", name, ".out 2>", name, ".err & echo $! >", name,
                         ".pid; wait $!; echo $? >", name, ".tmp; mv ", name, ".tmp ", name,
                         ".code ) >/dev/null 2>&1 &"));
    }
    int end_of(const std::string& name) {
        wait_until([&] { return is_there(name + ".code"); });
        return std::atoi(read_file(shell().path(name + ".code")).c_str());
    }
    std::string out_of(const std::string& name) { return read_file(shell().path(name + ".out")); }
    std::string err_of(const std::string& name) { return read_file(shell().path(name + ".err")); }
    void wait_for_event(const std::string& name, const std::string& step) {
        wait_until([&] {
            return is_there(name + ".out") && has(out_of(name), cat("\"step\":\"", step, "\""));
        });
    }

    // No role is made on main until release().
    void hold() {
        start("holder",
              "( echo 'BEGIN; LOCK TABLE pg_authid IN SHARE MODE;'; echo '\\! touch held'; "
              "for i in $(seq 1200); do [ -e release ] && break; sleep 0.05; done ) "
              "| lb psql -- -X -q");
        wait_until([&] { return is_there("held"); });
    }
    void release() { shell().must("touch release"); }

    // An apply of the spec with `role` that is held in its SQL.
    void start_role(const std::string& name, const std::string& role,
                    const std::string& options = {}) {
        write(cat(kBase, "[roles.", role, "]\n"));
        shell().must(cat("cp lb.toml ", name, ".toml"));
        start(name, cat("lb apply --spec ", name, ".toml --auto-approve --json ", options));
    }
    std::string roles() {
        return shell().sql("main", "postgres",
                           "SELECT string_agg(rolname, ',' ORDER BY 1) FROM pg_roles WHERE rolname "
                           "!~ '^pg_' AND rolname <> 'postgres'");
    }
    std::string prepared() {
        return shell().sql("main", "postgres",
                           "SELECT (SELECT count(*) FROM pg_prepared_xacts) + (SELECT count(*) "
                           "FROM pg_database WHERE datname ~ '^lb')");
    }
    std::string generation() {
        return cat(*shell().json("lb status --json").find("generation")->if_integer());
    }
};

TEST_F(ConcurrentApply, OfDifferentThingsBothSucceed) {
    hold();
    start_role("first", "app");
    wait_for_event("first", "sql.prepare");
    start("second", "lb branch create other --parent side --json");
    wait_for_event("second", "wait");
    EXPECT_FALSE(is_there("second.code"));
    release();
    EXPECT_EQ(end_of("first"), 0) << out_of("first");
    EXPECT_EQ(end_of("second"), 0) << out_of("second");
    EXPECT_EQ(generation(), "3");
    EXPECT_EQ(roles(), "app");
    shell().must("lb branch show other");
}

TEST_F(ConcurrentApply, OfOneThingTheSecondIsStale) {
    hold();
    start_role("first", "app");
    wait_for_event("first", "sql.prepare");
    start_role("second", "app");
    wait_for_event("second", "wait");
    release();
    EXPECT_EQ(end_of("first"), 0) << out_of("first");
    EXPECT_EQ(end_of("second"), 4) << out_of("second");
    EXPECT_TRUE(has(out_of("second"), "LB0500")) << out_of("second");
    EXPECT_TRUE(has(out_of("second"), "role.main.app")) << out_of("second");
    EXPECT_EQ(generation(), "2");
}

TEST_F(ConcurrentApply, OneThatWaitsTooLongIsBusy) {
    hold();
    start_role("first", "app");
    wait_for_event("first", "sql.prepare");
    write(cat(kBase, "[branches.more]\nparent = \"side\"\n"));
    shell().refused("lb apply --auto-approve --lock-timeout 1s", 6, "LB0504");
    release();
    EXPECT_EQ(end_of("first"), 0) << out_of("first");
    EXPECT_EQ(generation(), "2");
    for (const char* wrong : {"", "x", "0.5s", "25h", "-1s"}) {
        shell().refused(cat("lb apply --auto-approve --lock-timeout '", wrong, "'"), 64,
                        "--lock-timeout");
    }
}

TEST_F(ConcurrentApply, CtrlCWaitsForTheOutcome) {
    hold();
    start_role("first", "app");
    wait_for_event("first", "sql.prepare");
    shell().must("kill -INT $(cat first.pid)");
    release();
    EXPECT_EQ(end_of("first"), 0) << out_of("first") << err_of("first");
    EXPECT_EQ(roles(), "app");
    EXPECT_EQ(prepared(), "0");
}

TEST_F(ConcurrentApply, AKilledClientLeavesAWholeApply) {
    hold();
    start_role("first", "app");
    wait_for_event("first", "sql.prepare");
    shell().must("kill -KILL $(cat first.pid)");
    EXPECT_EQ(end_of("first"), 137);
    release();
    // The daemon goes on to the end.
    wait_until([&] { return generation() == "2"; });
    EXPECT_EQ(roles(), "app");
    EXPECT_EQ(prepared(), "0");
    write(cat(kBase, "[roles.app]\n"));
    EXPECT_TRUE(has(shell().must("lb plan"), "No changes"));
}

TEST_F(ConcurrentApply, ALostSqlConnectionChangesNothing) {
    hold();
    write(cat(kBase, "[databases.more]\n[branches.more]\nparent = \"side\"\n[roles.app]\n"));
    start("first", "lb apply --auto-approve --json");
    wait_for_event("first", "sql.prepare");
    auto waiting = [&] {
        return shell().sql("main", "postgres",
                           "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = "
                           "'pg_authid'::regclass") == "1";
    };
    wait_until(waiting);
    shell().sql("main", "postgres",
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE NOT granted AND relation = "
                "'pg_authid'::regclass");
    EXPECT_EQ(end_of("first"), 1) << out_of("first");
    release();
    EXPECT_EQ(generation(), "1");
    EXPECT_EQ(roles(), "");
    EXPECT_EQ(prepared(), "0");
    // Nothing is in the way of the next one.
    shell().must("lb apply --auto-approve");
    EXPECT_EQ(roles(), "app");
}

TEST_F(ConcurrentApply, AFullDiskChangesNothing) {
    if (geteuid() != 0) GTEST_SKIP() << "needs root, to mount a small file system";
    const std::string kUnmount =
        "for i in $(seq 300); do umount disk 2>/dev/null && exit 0; sleep 0.1; done; exit 1";
    shell().must("mkdir -m 711 disk && mount -t tmpfs -o size=450m,mode=711 none disk");
    shell().must("lb --home disk/home apply --auto-approve");
    std::string before = shell().must("lb --home disk/home generations --json");
    // CREATE DATABASE copies some 8 MiB each.
    std::string tables = kBase;
    for (int i = 0; i < 12; ++i) tables += cat("[databases.d", i, "]\n");
    write(tables + "[branches.more]\nparent = \"main\"\n");
    shell().run("dd if=/dev/zero of=disk/filler bs=1M 2>/dev/null");
    ShellResult filled = shell().run("lb --home disk/home apply --auto-approve");
    EXPECT_NE(filled.exit_code, 0) << filled.out << filled.err;
    shell().must("rm disk/filler");
    EXPECT_EQ(shell().must("lb --home disk/home generations --json"), before);
    shell().must(
        "for i in $(seq 100); do lb --home disk/home apply --auto-approve && exit 0; "
        "sleep 0.3; done; exit 1");
    EXPECT_TRUE(has(shell().must("lb --home disk/home plan"), "No changes"));
    shell().must("lb --home disk/home stop");
    shell().must(kUnmount);
}

}  // namespace
}  // namespace lb::tests
