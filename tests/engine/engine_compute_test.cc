// Computes as the engine runs them: on demand, always on, after a crash, with ports.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "base/text.h"
#include "engine/compute.h"
#include "engine/process_find.h"
#include "tests/engine/engine_fixture.h"

namespace lb::engine {
namespace {

using std::chrono::milliseconds;

class EngineComputeTest : public ::testing::Test {
protected:
    void SetUp() override {
        LB_NEEDS_ENGINE();
        home_.emplace();
    }
    static bool eventually(const std::function<bool()>& condition) {
        for (int i = 0; i < 300; ++i) {
            if (condition()) return true;
            std::this_thread::sleep_for(milliseconds{100});
        }
        return false;
    }
    ComputeStatus status(const std::string& branch) { return home_->branch(branch).compute.status; }
    std::string data_directory(const std::string& branch) {
        return cat(home_->mount_directory(), '/', home_->branch(branch).line.value());
    }

    std::optional<EngineHome> home_;
};

TEST_F(EngineComputeTest, AlwaysOnIsOnAfterTheApplyAndAfterAReopen) {
    LB_MUST(home_->apply(new_project(
        {create_branch("a"), create_branch("b"), set_compute("a", {.always_on = true})})));
    EXPECT_EQ(status("a"), ComputeStatus::kRunning);
    EXPECT_EQ(status("b"), ComputeStatus::kStopped);
    uint16_t port = home_->branch("a").compute.active_port;
    EXPECT_GE(port, 54320);
    home_->reopen();
    EXPECT_TRUE(eventually([&] { return status("a") == ComputeStatus::kRunning; }));
    EXPECT_EQ(home_->branch("a").compute.active_port, port);
    EXPECT_EQ(status("b"), ComputeStatus::kStopped);
}

TEST_F(EngineComputeTest, PortsAreChosenOnceAndAreUnique) {
    LB_MUST(home_->apply(new_project({create_branch("a")})));
    uint16_t main = LB_MUST(home_->engine().connect("shop", "main")).port;
    uint16_t a = LB_MUST(home_->engine().connect("shop", "a")).port;
    EXPECT_NE(main, a);
    LB_MUST(home_->engine().stop_compute("shop", "main"));
    LB_MUST(home_->apply(change_set({create_branch("b")})));
    EXPECT_NE(LB_MUST(home_->engine().connect("shop", "b")).port, main);
    EXPECT_EQ(LB_MUST(home_->engine().connect("shop", "main")).port, main);
    EXPECT_EQ(home_->branch("main").version, Generation{1});
}

TEST_F(EngineComputeTest, APortConflictChangesNothing) {
    LB_MUST(home_->apply(new_project({create_branch("a")})));
    uint16_t taken = LB_MUST(home_->engine().connect("shop", "main")).port;
    std::string before = essence(home_->state());
    auto conflict = [&](std::vector<ResourceChange> changes, ErrorCode code) {
        Result<Applied> applied = home_->apply(change_set(std::move(changes)));
        ASSERT_FALSE(applied.is_ok());
        EXPECT_EQ(code_name(applied.error().code), code_name(code)) << to_text(applied.error());
        EXPECT_EQ(essence(home_->state()), before);
    };
    conflict({create_branch("b"), set_compute("b", {.port = taken})}, ErrorCode::kPortInUse);
    conflict({set_compute("a", {.port = taken, .always_on = true})}, ErrorCode::kPortInUse);
    conflict(
        {create_branch("b"), set_compute("a", {.port = 6123}), set_compute("b", {.port = 6123})},
        ErrorCode::kPortInUse);
    conflict({set_compute("a", {.listen_addresses = {"192.0.2.1"}, .always_on = true})},
             ErrorCode::kComputeStartFailed);
}

TEST_F(EngineComputeTest, AChosenPortThatSomebodyTookIsReplaced) {
    LB_MUST(home_->apply(new_project({create_branch("a")})));
    uint16_t first = LB_MUST(home_->engine().connect("shop", "a")).port;
    LB_MUST(home_->engine().stop_compute("shop", "a"));
    int thief = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(first);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(::bind(thief, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(::listen(thief, 1), 0);
    LB_MUST(home_->apply(change_set({set_compute("a", {.always_on = true})})));
    EXPECT_TRUE(home_->warnings.empty());
    uint16_t second = home_->branch("a").compute.active_port;
    EXPECT_NE(second, first);
    EXPECT_EQ(status("a"), ComputeStatus::kRunning);
    ::close(thief);
    home_->reopen();
    EXPECT_EQ(LB_MUST(home_->engine().connect("shop", "a")).port, second);
}

TEST_F(EngineComputeTest, ARunningServerGetsMoreAddressesOnItsPort) {
    LB_MUST(home_->apply(new_project()));
    uint16_t port = LB_MUST(home_->engine().connect("shop", "main")).port;
    ComputeSettings everywhere{.port = port, .listen_addresses = {"*"}};
    LB_MUST(home_->apply(change_set({set_compute("main", everywhere)})));
    EXPECT_TRUE(home_->warnings.empty());
    EXPECT_EQ(home_->sql("main", "SHOW listen_addresses"), "*");
    EXPECT_EQ(home_->branch("main").compute.active_port, port);
}

TEST_F(EngineComputeTest, NewSettingsReachARunningServer) {
    LB_MUST(home_->apply(new_project()));
    std::string before = home_->sql("main", "SHOW shared_buffers");
    LB_MUST(home_->apply(change_set({set_compute("main", {.size_centi_cu = 100})})));
    EXPECT_EQ(status("main"), ComputeStatus::kRunning);
    EXPECT_NE(home_->sql("main", "SHOW shared_buffers"), before);
    // Whether lb keeps it on is nothing to restart it for.
    std::string started = home_->sql("main", "SELECT pg_postmaster_start_time()");
    LB_MUST(
        home_->apply(change_set({set_compute("main", {.size_centi_cu = 100, .always_on = true})})));
    EXPECT_EQ(home_->sql("main", "SELECT pg_postmaster_start_time()"), started);
}

TEST_F(EngineComputeTest, AKilledServerComesBackByItself) {
    LB_MUST(home_->apply(new_project()));
    home_->sql("main", "CREATE TABLE t AS SELECT 1 AS n");
    for (int round = 0; round < 3; ++round) {
        std::string started = home_->sql("main", "SELECT pg_postmaster_start_time()");
        EXPECT_GT(kill_processes_in(data_directory("main")), 0u);
        // Without anybody asking for it.
        EXPECT_TRUE(eventually([&] {
            return status("main") == ComputeStatus::kRunning &&
                   !find_postgres_in(data_directory("main")).empty();
        }));
        EXPECT_EQ(home_->sql("main", "SELECT n FROM t"), "1");
        EXPECT_NE(home_->sql("main", "SELECT pg_postmaster_start_time()"), started);
    }
}

TEST_F(EngineComputeTest, AServerThatDoesNotComeBackIsGivenUpUntilItIsAskedForAgain) {
    LB_MUST(home_->apply(new_project()));
    home_->sql("main", "ALTER SYSTEM SET shared_preload_libraries = 'no_such_library'");
    EXPECT_GT(kill_processes_in(data_directory("main")), 0u);
    EXPECT_TRUE(eventually([&] { return status("main") == ComputeStatus::kFailed; }));
    std::string failure = home_->branch("main").compute.failure;
    EXPECT_NE(failure.find("no_such_library"), std::string::npos) << failure;
    EXPECT_FALSE(home_->query("main", "SELECT 1").is_ok());
    // Put right from outside, as its owner would.
    std::ofstream(data_directory("main") + "/postgresql.auto.conf").flush();
    EXPECT_EQ(home_->sql("main", "SELECT 1"), "1");
    EXPECT_EQ(status("main"), ComputeStatus::kRunning);
}

TEST_F(EngineComputeTest, AServerThatCannotStartSaysWhyAndHarmsNothingElse) {
    LB_MUST(home_->apply(new_project({create_branch("bad")})));
    home_->sql("bad", "ALTER SYSTEM SET shared_preload_libraries = 'no_such_library'");
    LB_MUST(home_->engine().stop_compute("shop", "bad"));
    auto connection = home_->engine().connect("shop", "bad");
    ASSERT_FALSE(connection.is_ok());
    EXPECT_EQ(connection.error().code, ErrorCode::kComputeStartFailed);
    BranchState bad = home_->branch("bad");
    EXPECT_EQ(bad.compute.status, ComputeStatus::kFailed);
    EXPECT_NE(bad.compute.failure.find("no_such_library"), std::string::npos)
        << bad.compute.failure;
    // An apply that wants it on commits all the same, and warns.
    LB_MUST(home_->apply(change_set({set_compute("bad", {.always_on = true})})));
    ASSERT_EQ(home_->warnings.size(), 1u);
    EXPECT_NE(home_->warnings[0].find("compute.bad"), std::string::npos) << home_->warnings[0];
    EXPECT_EQ(home_->sql("main", "SELECT 1"), "1");
    LB_MUST(home_->apply(change_set({delete_branch("bad")})));
}

TEST_F(EngineComputeTest, DeletingABranchEndsItsServer) {
    LB_MUST(home_->apply(new_project({create_branch("a")})));
    home_->sql("a", "SELECT 1");
    std::string directory = data_directory("a");
    std::string log = LB_MUST(home_->engine().log_path("shop", "a"));
    EXPECT_EQ(::access(log.c_str(), R_OK), 0);
    ResourceChange purge = delete_branch("a");
    purge.is_purge = true;
    LB_MUST(home_->apply(change_set({purge})));
    EXPECT_TRUE(find_postgres_in(directory).empty());
    EXPECT_NE(::access(log.c_str(), F_OK), 0);
    EXPECT_NE(::access(directory.c_str(), F_OK), 0);
}

TEST_F(EngineComputeTest, StopAndRestart) {
    LB_MUST(home_->apply(new_project()));
    home_->sql("main", "CREATE TABLE t AS SELECT 1 AS n");
    LB_MUST(home_->engine().restart_compute("shop", "main"));
    EXPECT_EQ(status("main"), ComputeStatus::kRunning);
    EXPECT_EQ(home_->sql("main", "SELECT n FROM t"), "1");
    LB_MUST(home_->engine().stop_compute("shop", "main"));
    LB_MUST(home_->engine().stop_compute("shop", "main"));
    EXPECT_EQ(status("main"), ComputeStatus::kStopped);
    std::this_thread::sleep_for(milliseconds{500});
    EXPECT_EQ(status("main"), ComputeStatus::kStopped);
    auto unknown = home_->engine().stop_compute("shop", "nix");
    ASSERT_FALSE(unknown.is_ok());
    EXPECT_EQ(unknown.error().code, ErrorCode::kNotFound);
}

TEST_F(EngineComputeTest, ManyAskAtOnceAndOneServerStarts) {
    LB_MUST(home_->apply(new_project()));
    std::vector<std::thread> threads;
    for (int i = 0; i < 6; ++i) {
        threads.emplace_back([&] { EXPECT_EQ(home_->sql("main", "SELECT 1"), "1"); });
    }
    for (std::thread& thread : threads) thread.join();
}

TEST_F(EngineComputeTest, SettingsOfProjectAndBranchReachTheServers) {
    auto project_settings = [](Settings settings) {
        ResourceChange change{.address = Address::project(), .kind = ChangeKind::kUpdate};
        change.value = ProjectValue{
            .pg_version = 15, .default_branch = "main", .settings = std::move(settings)};
        return change;
    };
    LB_MUST(home_->apply(new_project({create_branch("a")})));
    EXPECT_EQ(home_->sql("a", "SHOW work_mem"), "4MB");
    LB_MUST(home_->apply(change_set(
        {project_settings({{"work_mem", "8MB"}, {"jit", "off"}, {"a.b", "it's \"x\" = y"}}),
         set_compute("a", {.settings = {{"work_mem", "16MB"}, {"max_connections", "33"}}})})));
    EXPECT_EQ(home_->state().settings.at("work_mem"), "8MB");
    EXPECT_EQ(home_->sql("main", "SHOW work_mem"), "8MB");
    EXPECT_EQ(home_->sql("main", "SHOW a.b"), "it's \"x\" = y");
    EXPECT_EQ(home_->sql("a", "SHOW work_mem"), "16MB");
    EXPECT_EQ(home_->sql("a", "SHOW max_connections"), "33");
    EXPECT_EQ(home_->sql("a", "SHOW jit"), "off");
    // Neither ALTER SYSTEM nor a restart takes them back.
    home_->sql("a", "ALTER SYSTEM SET work_mem = '64kB'");
    home_->sql("a", "SELECT pg_reload_conf()");
    home_->reopen();
    EXPECT_EQ(home_->sql("a", "SHOW work_mem"), "16MB");
    home_->sql("a", "ALTER SYSTEM RESET work_mem");
    // A running server that the apply does not name otherwise has new ones too.
    LB_MUST(home_->apply(change_set({project_settings({})})));
    EXPECT_EQ(home_->sql("main", "SHOW work_mem"), "4MB");
    EXPECT_EQ(home_->sql("a", "SHOW jit"), "on");
    EXPECT_EQ(home_->sql("a", "SHOW work_mem"), "16MB");
    for (const Settings& settings : {Settings{{"fsync", "off"}}, Settings{{"work_mem", "much"}},
                                     Settings{{"nonsense", "1"}}}) {
        auto refused = home_->apply(change_set({project_settings(settings)}));
        ASSERT_FALSE(refused.is_ok());
        EXPECT_EQ(refused.error().code, ErrorCode::kRefused) << to_text(refused.error());
    }
    EXPECT_TRUE(home_->state().settings.empty());
}

}  // namespace
}  // namespace lb::engine
