// Any moment back, through the real binary: branches and restores at times and LSNs that a client
// wrote down after each of its commits, while other sessions commit as fast as they can.
#include <gtest/gtest.h>

#include <filesystem>

#include "base/text.h"
#include "tests/cli/e2e_support.h"

namespace lb::tests {
namespace {

constexpr const char* kSpec = R"(
[project]
name = "shop"

[branches.dev]
parent = "main"

[roles.app]
login = true

[databases.shop]
owner = "app"
)";

bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

struct Commit {
    int number = 0;
    std::string time;
    std::string lsn;
};

class TimeTravel : public ShellTest {
protected:
    void make_shop() {
        shell().write_spec(kSpec);
        shell().must("lb apply --auto-approve");
        shell().sql("main", "shop",
                    "CREATE TABLE t (n int PRIMARY KEY); CREATE TABLE noise (x int)");
    }

    // Each commit with a time and an LSN at which it was there and the next one was not.
    std::vector<Commit> commit_and_note(int first, int count) {
        std::string script = "SET synchronous_commit = on;\n\\o /dev/null\nSELECT 1;\n\\o\n";
        for (int n = first; n < first + count; ++n) {
            script += cat("INSERT INTO t VALUES (", n, ");\n", "SELECT ", n,
                          ", to_char(clock_timestamp() AT TIME ZONE 'UTC', "
                          "'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), pg_current_wal_flush_lsn();\n",
                          "SELECT pg_sleep(0.005) \\g /dev/null\n");
        }
        std::string path = shell().path("commits.sql");
        shell().must(cat("cat > ", path, " <<'END'\n", script, "END"));
        // Others commit meanwhile, so that one write of the WAL holds several commits.
        std::string noise =
            "for i in 1 2 3; do (while [ ! -e stop ]; do echo 'INSERT INTO noise VALUES (1);'; "
            "done | lb psql -b main -d shop -- -X -q >/dev/null 2>&1 &) ; done; ";
        std::string out = shell().must(cat("rm -f stop; ", noise,
                                           "lb psql -b main -d shop -- -X -q -A -t -v "
                                           "ON_ERROR_STOP=1 -f ",
                                           path, "; touch stop; sleep 1"));
        std::vector<Commit> commits;
        for (const std::string& line : split(out, '\n')) {
            std::vector<std::string> cells = split(line, '|');
            if (cells.size() == 3) commits.push_back({std::stoi(cells[0]), cells[1], cells[2]});
        }
        EXPECT_EQ(commits.size(), static_cast<size_t>(count)) << out;
        return commits;
    }

    std::string newest(const std::string& branch) {
        return shell().sql(branch, "shop", "SELECT count(*) || ' to ' || max(n) FROM t");
    }
    static std::string expected(const Commit& commit) {
        return cat(commit.number, " to ", commit.number);
    }
};

TEST_F(TimeTravel, EachCommitIsFoundByItsTimeAndItsLsn) {
    make_shop();
    std::vector<Commit> commits = commit_and_note(1, 60);
    ASSERT_EQ(commits.size(), 60U);
    auto expect_found = [&](size_t i) {
        const Commit& commit = commits[i];
        shell().must(cat("lb branch create t", i, " --at ", commit.time));
        EXPECT_EQ(newest(cat("t", i)), expected(commit)) << commit.time;
        shell().must(cat("lb branch create l", i, " --at ", commit.lsn));
        EXPECT_EQ(newest(cat("l", i)), expected(commit)) << commit.lsn;
        shell().must(cat("lb branch delete t", i, " --yes; lb branch delete l", i, " --yes"));
    };
    for (size_t i : {0U, 1U, 17U, 30U, 59U}) expect_found(i);

    // WAL files come and go, the index is lost: the moments stay.
    shell().sql("main", "shop", "SELECT pg_switch_wal()");
    shell().sql("main", "shop", "INSERT INTO noise VALUES (1)");
    shell().sql("main", "shop", "CHECKPOINT");
    shell().sql("main", "shop", "SELECT pg_switch_wal()");
    shell().sql("main", "shop", "CHECKPOINT");
    shell().must("lb stop");
    std::filesystem::remove_all(shell().home().directory() + "/home/store/index");
    for (size_t i : {2U, 31U, 58U}) expect_found(i);
}

TEST_F(TimeTravel, ARestoreKeepsEverythingButTheData) {
    make_shop();
    std::vector<Commit> commits = commit_and_note(1, 30);
    ASSERT_EQ(commits.size(), 30U);
    shell().must("lb branch create child");
    std::string url = shell().must("lb url -b main --socket");
    std::string child =
        shell().must("lb branch show child --json | grep -E '\"(parent|line|branch_point)\"'");

    std::string plan = shell().must(cat("lb restore main --to ", commits[9].time));
    EXPECT_TRUE(has(plan, "restore to")) << plan;
    EXPECT_EQ(newest("main"), "10 to 10");
    EXPECT_EQ(shell().must("lb url -b main --socket"), url);
    EXPECT_EQ(
        shell().must("lb branch show child --json | grep -E '\"(parent|line|branch_point)\"'"),
        child);
    EXPECT_EQ(newest("child"), "30 to 30");
    std::string backup = shell().must("lb branch list | grep -o 'main-old-[0-9-]*' | head -1");
    backup.pop_back();
    EXPECT_EQ(newest(backup), "30 to 30");
    EXPECT_EQ(shell().run("lb plan --detailed-exitcode").exit_code, 0) << shell().must("lb plan");

    // The new line has a history of its own, and the old one is still to be had.
    shell().sql("main", "shop", "INSERT INTO t VALUES (1000)");
    EXPECT_TRUE(
        has(shell().refused(cat("lb restore main --to ", commits[20].time), 1, "LB0305"), backup));
    shell().must(
        cat("lb restore main --to ", commits[20].lsn, " --from ", backup, " --backup second"));
    EXPECT_EQ(newest("main"), "21 to 21");
    EXPECT_EQ(newest("second"), "11 to 1000");
    std::string history = shell().must("lb history main");
    EXPECT_TRUE(has(history, "restorable from")) << history;
    EXPECT_TRUE(has(history, "restore")) << history;
    EXPECT_TRUE(has(history, "second")) << history;
    shell().must("lb stop");
    EXPECT_EQ(newest("main"), "21 to 21");
    shell().must(cat("lb branch delete ", backup, " --yes"));
    EXPECT_EQ(newest("main"), "21 to 21");
    EXPECT_EQ(newest("child"), "30 to 30");
}

TEST_F(TimeTravel, ASpecRestoresOnce) {
    make_shop();
    std::vector<Commit> commits = commit_and_note(1, 10);
    ASSERT_EQ(commits.size(), 10U);
    auto spec_with = [&](const Commit& commit) {
        shell().write_spec(
            cat(kSpec, "\n[branches.main]\nrestore = { to = \"", commit.time, "\" }\n"));
    };
    spec_with(commits[6]);
    EXPECT_TRUE(has(shell().must("lb plan"), "restore to"));
    shell().must("lb apply --auto-approve");
    EXPECT_EQ(newest("main"), "7 to 7");
    EXPECT_EQ(shell().run("lb plan --detailed-exitcode").exit_code, 0) << shell().must("lb plan");
    shell().sql("main", "shop", "INSERT INTO t VALUES (100)");
    shell().must("lb apply --auto-approve");
    EXPECT_EQ(newest("main"), "8 to 100");
    shell().write_spec(kSpec);
    EXPECT_EQ(shell().run("lb plan --detailed-exitcode").exit_code, 0) << shell().must("lb plan");
}

TEST_F(TimeTravel, AResetTakesTheParentsState) {
    make_shop();
    shell().sql("main", "shop", "INSERT INTO t VALUES (1)");
    shell().sql("dev", "shop", "CREATE TABLE t (n int)");
    shell().must("lb branch create below -p dev");
    shell().refused("lb branch reset dev", 64, "LB0503");
    shell().must("lb branch reset dev --backup dev-before");
    EXPECT_EQ(newest("dev"), "1 to 1");
    EXPECT_EQ(shell().sql("dev-before", "shop", "SELECT count(*) FROM t"), "0");
    EXPECT_EQ(shell().sql("below", "shop", "SELECT count(*) FROM t"), "0");
    shell().sql("dev", "shop", "DELETE FROM t");
    shell().must("lb branch reset dev --yes");
    EXPECT_EQ(newest("dev"), "1 to 1");
    EXPECT_EQ(shell().sql("below", "shop", "SELECT count(*) FROM t"), "0");
    EXPECT_EQ(shell().run("lb plan --detailed-exitcode").exit_code, 0) << shell().must("lb plan");
}

TEST_F(TimeTravel, WhatCannotBeIsRefused) {
    make_shop();
    std::string before = shell().must("lb status --json | grep '\"generation\"'");
    auto refuses = [&](const std::string& what, int exit_code, const std::string& code) {
        return shell().refused(cat("lb ", what), exit_code, code);
    };
    EXPECT_TRUE(
        has(refuses("restore main --to 2199-01-01T00:00:00Z", 1, "LB0305"), "restorable from"));
    EXPECT_TRUE(
        has(refuses("branch create x --at 2001-01-01T00:00:00Z", 1, "LB0305"), "restorable from"));
    EXPECT_TRUE(has(refuses("restore main --to FF/0", 1, "LB0305"), "LSN"));
    EXPECT_TRUE(has(refuses("branch create x --at 0/1", 1, "LB0305"), "LSN"));
    refuses("restore main --to position:999999999", 1, "LB0305");
    refuses("restore main --to yesterday", 64, "LB0600");
    refuses("branch create x --at 2026-04-12T09:30:00", 64, "LB0600");
    refuses("restore main", 64, "LB0600");
    refuses("restore main --to -0s --backup dev", 1, "LB0301");
    refuses("restore main --to -0s --backup Dev", 3, "LB0302");
    refuses("restore main --to -0s --from nobody", 1, "LB0300");
    EXPECT_TRUE(has(refuses("branch reset main --yes", 5, "LB0501"), "root branch"));
    EXPECT_EQ(shell().must("lb status --json | grep '\"generation\"'"), before);
    shell().must("lb branch create safe --protected");
    refuses("restore safe --to -0s", 5, "LB0501");
    refuses("branch reset safe --yes", 5, "LB0501");
}

}  // namespace
}  // namespace lb::tests
