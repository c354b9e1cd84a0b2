// Everything that stops a compute's start, and what the user is told.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>

#include "base/text.h"
#include "engine/compute.h"
#include "engine/process_find.h"
#include "tests/engine/postgres_support.h"

namespace lb::engine {
namespace {

using testing::query_text;
using testing::TemporaryCluster;
namespace fs = std::filesystem;

std::string notes_text(const Error& error) { return join(error.notes, "\n"); }

// A socket that listens on 127.0.0.1.
class Listener {
public:
    Listener() : port(testing::free_port()), socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        LB_ASSERT(::bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
        LB_ASSERT(::listen(socket_, 1) == 0);
    }
    ~Listener() { ::close(socket_); }

    const uint16_t port;

private:
    int socket_;
};

TEST(ComputeRefusalTest, APortInUseIsNamedWithItsOwner) {
    TemporaryCluster cluster;
    Listener listener;
    ComputeOptions options = cluster.options();
    options.port = listener.port;
    auto compute = make_compute(options);
    Status started = compute->start();
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code, ErrorCode::kPortInUse);
    EXPECT_NE(started.error().message.find(cat("port ", listener.port, " is in use")),
              std::string::npos)
        << started.error().message;
    EXPECT_NE(started.error().message.find(cat("process ", ::getpid())), std::string::npos)
        << started.error().message;
    EXPECT_EQ(compute->status(), ComputeStatus::kFailed);
    EXPECT_FALSE(fs::exists(cluster.log_file()));  // it was not even tried
}

TEST(ComputeRefusalTest, ASocketInUseIsAPortInUse) {
    TemporaryCluster first;
    TemporaryCluster second;
    auto compute = make_compute(first.options());
    LB_MUST(compute->start());
    ComputeOptions options = second.options();
    options.run_directory = first.options().run_directory;
    options.port = first.options().port;
    Status started = make_compute(options)->start();
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code, ErrorCode::kPortInUse);
    EXPECT_EQ(query_text(first.target(), "SELECT 1"), "1");
}

TEST(ComputeRefusalTest, ABrokenDirectoryShowsTheLog) {
    TemporaryCluster cluster;
    fs::resize_file(cluster.data_directory() + "/global/pg_control", 100);
    auto compute = make_compute(cluster.options());
    for (int round = 0; round < 2; ++round) {
        Status started = compute->start();
        ASSERT_FALSE(started);
        EXPECT_EQ(started.error().code, ErrorCode::kComputeStartFailed);
        EXPECT_NE(started.error().message.find("shop/main"), std::string::npos);
        EXPECT_NE(notes_text(started.error()).find("pg_control"), std::string::npos)
            << to_text(started.error());
        // Only what this start wrote.
        std::string notes = notes_text(started.error());
        EXPECT_EQ(notes.find("pg_control"), notes.rfind("pg_control")) << notes;
        EXPECT_EQ(compute->status(), ComputeStatus::kFailed);
        EXPECT_FALSE(compute->failure().empty());
    }
    EXPECT_TRUE(find_postgres_in(cluster.data_directory()).empty());
}

TEST(ComputeRefusalTest, ABadSettingOfTheUserIsExplained) {
    TemporaryCluster cluster;
    testing::write_file(cluster.data_directory() + "/postgresql.auto.conf",
                        "shared_preload_libraries = 'no_such_library'\n");
    Status started = make_compute(cluster.options())->start();
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code, ErrorCode::kComputeStartFailed);
    EXPECT_NE(started.error().message.find("no_such_library"), std::string::npos)
        << started.error().message;
    EXPECT_NE(started.error().help.find("postgresql.auto.conf"), std::string::npos)
        << started.error().help;
}

TEST(ComputeRefusalTest, MissingAndForeignDirectoriesAreRefused) {
    TemporaryCluster cluster;
    ComputeOptions options = cluster.options();
    options.data_directory += "/missing";
    Status started = make_compute(options)->start();
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code, ErrorCode::kComputeStartFailed);
    EXPECT_NE(started.error().message.find("No such file"), std::string::npos);

    options.data_directory = cluster.data_directory() + "/base";
    started = make_compute(options)->start();
    ASSERT_FALSE(started);
    EXPECT_NE(started.error().message.find("no PostgreSQL data directory"), std::string::npos);

    testing::write_file(cluster.data_directory() + "/PG_VERSION", "9.6\n");
    started = make_compute(cluster.options())->start();
    ASSERT_FALSE(started);
    EXPECT_NE(started.error().message.find("9.6"), std::string::npos);
}

TEST(ComputeRefusalTest, ALongSocketPathIsRefused) {
    TemporaryCluster cluster;
    ComputeOptions options = cluster.options();
    options.run_directory += "/" + std::string(100, 'x');
    Status started = make_compute(options)->start();
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code, ErrorCode::kComputeStartFailed);
    EXPECT_NE(started.error().message.find("107"), std::string::npos);
    EXPECT_NE(started.error().help.find("LB_HOME"), std::string::npos);
}

TEST(ComputeRefusalTest, AnAddressOfAnotherMachineIsRefused) {
    TemporaryCluster cluster;
    ComputeOptions options = cluster.options();
    options.settings.listen_addresses = {"192.0.2.1"};  // TEST-NET: nobody's
    Status started = make_compute(options)->start();
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code, ErrorCode::kComputeStartFailed);
    EXPECT_NE(started.error().message.find("192.0.2.1"), std::string::npos);
}

TEST(ComputeRefusalTest, UsersThatCannotRunPostgresAreRefused) {
    TemporaryCluster cluster;
    ComputeOptions options = cluster.options();
    options.postgres_user = "no-such-user";
    Status started = make_compute(options)->start();
    ASSERT_FALSE(started);
    EXPECT_NE(started.error().message.find("no-such-user"), std::string::npos);
    if (::geteuid() == 0) {
        for (const char* user : {"", "root"}) {
            options.postgres_user = user;
            started = make_compute(options)->start();
            ASSERT_FALSE(started);
            EXPECT_NE(started.error().message.find("root"), std::string::npos);
            EXPECT_NE(started.error().help.find("--postgres-user"), std::string::npos);
        }
    }
}

TEST(InitdbTest, RefusesADirectoryWithFiles) {
    testing::TemporaryDirectory directory;
    testing::write_file(directory.path() + "/something", "x");
    Status made =
        run_initdb(testing::test_postgres(), directory.path(), testing::test_postgres_user());
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, ErrorCode::kComputeStartFailed);
    EXPECT_NE(notes_text(made.error()).find("exists but is not empty"), std::string::npos)
        << to_text(made.error());
}

TEST(InitdbTest, AMissingDirectoryIsNamed) {
    Status made = run_initdb(testing::test_postgres(), "/tmp/lb-test-missing/data",
                             testing::test_postgres_user());
    ASSERT_FALSE(made);
    EXPECT_NE(made.error().message.find("/tmp/lb-test-missing/data"), std::string::npos);
}

}  // namespace
}  // namespace lb::engine
