// Starting, watching, feeding and finding processes.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <thread>

#include "base/text.h"
#include "engine/compute.h"
#include "engine/process_child.h"
#include "engine/process_feed.h"
#include "engine/process_find.h"
#include "tests/engine/postgres_support.h"

namespace lb::engine {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

ProcessOptions shell(const std::string& script) {
    return {.arguments = {"/bin/sh", "-c", script}, .environment = clean_environment()};
}

TEST(ProcessSpawnTest, RunsAProgramAndCollectsWhatItPrints) {
    ProgramOutput output = LB_MUST(run_program(shell("echo out; echo err >&2; exit 3")));
    EXPECT_EQ(output.text, "out\nerr\n");
    EXPECT_EQ(describe_wait_status(output.wait_status), "exit code 3");
    output = LB_MUST(run_program(shell("kill -9 $$")));
    EXPECT_EQ(describe_wait_status(output.wait_status), "killed by signal 9 (Killed)");
}

TEST(ProcessSpawnTest, KeepsTheEndOfALongOutput) {
    ProgramOutput output = LB_MUST(
        run_program(shell("i=0; while [ $i -lt 30000 ]; do echo line $i; i=$((i+1)); done")));
    EXPECT_TRUE(output.text.ends_with("line 29999\n"));
    EXPECT_LE(output.text.size(), 128u * 1024);
}

TEST(ProcessSpawnTest, FailuresNameTheStep) {
    auto missing = run_program({.arguments = {"/no/such/program"}});
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, ErrorCode::kIo);
    EXPECT_EQ(missing.error().system_errno, ENOENT);
    EXPECT_NE(missing.error().message.find("/no/such/program"), std::string::npos);

    ProcessOptions elsewhere = shell("true");
    elsewhere.working_directory = "/no/such/directory";
    missing = run_program(elsewhere);
    ASSERT_FALSE(missing);
    EXPECT_NE(missing.error().message.find("/no/such/directory"), std::string::npos);
}

TEST(ProcessSpawnTest, InheritsNothingButWhatItIsGiven) {
    ::setenv("LB_TEST_SECRET", "hunter2", 1);
    int leak = ::open("/dev/null", O_RDONLY);  // without close-on-exec
    ::signal(SIGPIPE, SIG_IGN);
    ProgramOutput output = LB_MUST(
        run_program(shell("env; pwd; ls /proc/self/fd; grep SigIgn /proc/self/status; umask")));
    ::signal(SIGPIPE, SIG_DFL);
    ::close(leak);
    ::unsetenv("LB_TEST_SECRET");
    EXPECT_EQ(output.text.find("hunter2"), std::string::npos);
    // 3 is the directory that ls reads.
    EXPECT_NE(output.text.find("/\n0\n1\n2\n3\nSigIgn:"), std::string::npos) << output.text;
    EXPECT_NE(output.text.find("SigIgn:\t0000000000000000"), std::string::npos) << output.text;
    EXPECT_NE(output.text.find("0077"), std::string::npos) << output.text;
}

TEST(ProcessSpawnTest, RunsAsAnotherUserCompletely) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can run programs as another user";
    ProcessOptions options = shell("id; grep -E '^(Uid|Gid|CapEff)' /proc/self/status");
    options.user = LB_MUST(find_user("nobody"));
    ProgramOutput output = LB_MUST(run_program(options));
    EXPECT_NE(output.text.find("(nobody)"), std::string::npos) << output.text;
    EXPECT_EQ(output.text.find("root"), std::string::npos) << output.text;
    EXPECT_NE(output.text.find("CapEff:\t0000000000000000"), std::string::npos) << output.text;
    EXPECT_EQ(::geteuid(), 0u);  // and we are who we were
}

TEST(ProcessSpawnTest, FromManyThreadsAtOnce) {
    std::vector<std::thread> threads;
    std::atomic<int> good = 0;
    for (int i = 0; i < 8; ++i) {
        threads.emplace_back([&good, i] {
            for (int round = 0; round < 20; ++round) {
                ProgramOutput output = LB_MUST(run_program(shell(cat("echo ", i, "; exit ", i))));
                if (output.text == cat(i, "\n") && WEXITSTATUS(output.wait_status) == i) ++good;
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(good, 160);
}

TEST(ChildProcessTest, TellsOfItsEndAndTakesSignals) {
    std::atomic<int> ended = 0;
    auto child = LB_MUST(ChildProcess::start(
        shell("exec sleep 100"), [&](const ChildProcess*, int status) { ended = status; }));
    EXPECT_FALSE(child->has_ended());
    EXPECT_FALSE(child->wait_for(10ms));
    EXPECT_TRUE(child->send_signal(SIGTERM));
    EXPECT_TRUE(child->wait_for(10s));
    EXPECT_TRUE(child->has_ended());
    EXPECT_FALSE(child->send_signal(SIGTERM));  // the number may be somebody else's by now
    for (int i = 0; i < 1000 && ended == 0; ++i) std::this_thread::sleep_for(1ms);
    EXPECT_TRUE(WIFSIGNALED(ended) && WTERMSIG(ended) == SIGTERM);
}

TEST(ChildProcessTest, ReportsThatAProgramIsMissing) {
    auto child = ChildProcess::start({.arguments = {"/no/such/program"}},
                                     [](const ChildProcess*, int) { ADD_FAILURE(); });
    ASSERT_FALSE(child);
}

TEST(ChildProcessTest, OutlivesTheThreadThatAskedForIt) {
    ProcessOptions options = shell("exec sleep 100");
    options.death_signal = SIGTERM;
    std::shared_ptr<ChildProcess> child;
    std::thread([&] {
        child = LB_MUST(ChildProcess::start(options, [](const ChildProcess*, int) {}));
    }).join();
    EXPECT_FALSE(child->wait_for(50ms));
    child->send_signal(SIGKILL);
    EXPECT_TRUE(child->wait_for(10s));
}

TEST(ChildProcessTest, AdoptsAChildAndNobodyElses) {
    pid_t pid = LB_MUST(spawn_process(shell("exec sleep 100")));
    auto child = LB_MUST(ChildProcess::adopt(pid, [](const ChildProcess*, int) {}));
    EXPECT_EQ(child->pid(), pid);
    EXPECT_FALSE(child->wait_for(10ms));
    EXPECT_TRUE(child->send_signal(SIGKILL));
    EXPECT_TRUE(child->wait_for(10s));
    auto ended = ChildProcess::adopt(pid, [](const ChildProcess*, int) { ADD_FAILURE(); });
    ASSERT_FALSE(ended);
    EXPECT_EQ(ended.error().code, ErrorCode::kComputeLost);
}

TEST(ProcessFeedTest, FeedsAndListens) {
    std::string sent;
    int chunks = 0;
    FeedResult result = LB_MUST(feed_program(
        {.process = shell("cat; echo done >&2"), .next_chunk = [&]() -> Result<std::string> {
             if (++chunks > 20) return std::string();
             sent += std::string(1000, static_cast<char>('a' + chunks));
             return std::string(1000, static_cast<char>('a' + chunks));
         }}));
    EXPECT_EQ(result.output, sent);
    EXPECT_EQ(result.error_output, "done\n");
    EXPECT_EQ(result.wait_status, 0);
}

TEST(ProcessFeedTest, AProgramMayStopReading) {
    FeedResult result = LB_MUST(feed_program(
        {.process = shell("head -c 10 >/dev/null; echo enough >&2; exit 4"),
         .next_chunk = [] { return Result<std::string>(std::string(100'000, 'x')); }}));
    EXPECT_EQ(result.error_output, "enough\n");
    EXPECT_EQ(WEXITSTATUS(result.wait_status), 4);
}

TEST(ProcessFeedTest, AnErrorEndsTheProgramBeforeItSeesTheEnd) {
    testing::TemporaryDirectory directory;
    std::string mark = directory.path() + "/mark";
    int chunks = 0;
    auto result = feed_program({.process = shell("cat >/dev/null; touch " + mark),
                                .next_chunk = [&]() -> Result<std::string> {
                                    if (++chunks < 10) return std::string("x");
                                    return Error{.code = ErrorCode::kLoadFailed, .message = "no"};
                                }});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().message, "no");
    EXPECT_FALSE(fs::exists(mark));
}

TEST(ProcessFindTest, FindsAndEndsServersOnly) {
    testing::TemporaryDirectory directory;
    std::string inside = directory.path() + "/line/7";
    fs::create_directories(inside);
    fs::copy_file("/bin/sleep", directory.path() + "/postgres");
    auto start = [&](const std::string& program, const std::string& where) {
        ProcessOptions options{.arguments = {program, "100"}, .working_directory = where};
        return LB_MUST(ChildProcess::start(options, [](const ChildProcess*, int) {}));
    };
    auto server = start(directory.path() + "/postgres", inside);
    auto other_server = start(directory.path() + "/postgres", "/");
    auto visitor = start("/bin/sleep", inside);

    EXPECT_TRUE(find_postgres_in(directory.path() + "/line/70").empty());
    EXPECT_TRUE(find_postgres_in(directory.path() + "/lin").empty());
    EXPECT_TRUE(find_postgres_in(directory.path() + "/missing/7").empty());
    for (const std::string& place :
         {inside, inside + "/", directory.path() + "/line", directory.path() + "/line/../line/7"}) {
        ASSERT_EQ(find_postgres_in(place).size(), 1u) << place;
        EXPECT_EQ(find_postgres_in(place)[0].pid, server->pid());
    }
    // The directory may be gone already.
    fs::remove_all(directory.path() + "/line");
    EXPECT_EQ(kill_processes_in(inside), 1u);
    EXPECT_TRUE(server->wait_for(10s));
    EXPECT_FALSE(other_server->has_ended());
    EXPECT_FALSE(visitor->has_ended());
    EXPECT_EQ(kill_processes_in(inside), 0u);
    for (const auto& child : {other_server, visitor}) {
        child->send_signal(SIGKILL);
        child->wait_for(10s);
    }
}

}  // namespace
}  // namespace lb::engine
