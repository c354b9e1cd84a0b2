#include "tests/engine/postgres_support.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "engine/process_spawn.h"

namespace lb::engine::testing {

namespace {

namespace fs = std::filesystem;

void copy_directory(const std::string& from, const std::string& to) {
    ProgramOutput output = LB_MUST(run_program(
        {.arguments = {"/bin/cp", "-a", from, to}, .environment = clean_environment()}));
    LB_ASSERT(output.wait_status == 0);
    // As the store hides it at a branch point.
    fs::remove(to + "/postmaster.pid");
}

const std::string& template_cluster() {
    static TemporaryDirectory directory;
    static std::string data = [] {
        std::string path = directory.path() + "/data";
        fs::create_directory(path);
        LB_MUST(run_initdb(test_postgres(), path, test_postgres_user()));
        return path;
    }();
    return data;
}

constexpr uint64_t kEnoughBytes = uint64_t{2} << 30;

std::string base_directory() {
    struct statvfs memory {};
    bool is_usable = ::statvfs("/dev/shm", &memory) == 0 && (memory.f_flag & ST_NOEXEC) == 0 &&
                     memory.f_bavail * memory.f_frsize >= kEnoughBytes;
    return is_usable ? "/dev/shm" : "/tmp";
}

}  // namespace

std::string test_postgres_user() { return ::geteuid() == 0 ? "postgres" : ""; }

PostgresInstallation test_postgres() { return LB_MUST(find_postgres(15, "")); }

uint16_t free_port() {
    int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    LB_ASSERT(::bind(socket, reinterpret_cast<sockaddr*>(&address), length) == 0);
    LB_ASSERT(::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &length) == 0);
    ::close(socket);
    return ntohs(address.sin_port);
}

TemporaryDirectory::TemporaryDirectory() {
    std::string name = base_directory() + "/lb-test-XXXXXX";
    LB_ASSERT(::mkdtemp(name.data()) != nullptr);
    LB_ASSERT(::chmod(name.c_str(), 0755) == 0);
    path_ = name;
}

TemporaryDirectory::~TemporaryDirectory() {
    kill_processes_in(path_);
    std::error_code failure;
    fs::remove_all(path_, failure);
}

TemporaryCluster::TemporaryCluster() : TemporaryCluster(template_cluster()) {}

TemporaryCluster::TemporaryCluster(const std::string& source) {
    copy_directory(source, data_directory());
}

std::unique_ptr<TemporaryCluster> TemporaryCluster::copy() const {
    return std::unique_ptr<TemporaryCluster>(new TemporaryCluster(data_directory()));
}

ComputeOptions TemporaryCluster::options() const {
    ComputeOptions options;
    options.postgres = test_postgres();
    options.line = LineId{1};
    options.label = "shop/main";
    options.data_directory = data_directory();
    options.run_directory = directory_.path() + "/run";
    options.log_file = log_file();
    options.postgres_user = test_postgres_user();
    options.port = port_;
    return options;
}

SqlTarget TemporaryCluster::target(const std::string& database) const {
    SqlTarget target;
    target.socket_directory = directory_.path() + "/run";
    target.port = port_;
    target.database = database;
    return target;
}

std::string TemporaryCluster::log() const { return read_file(log_file()); }

std::string query_text(SqlSession& session, const std::string& sql) {
    auto rows = session.query(sql);
    if (!rows) {
        ADD_FAILURE() << sql << "\n" << to_text(rows.error());
        return "";
    }
    return rows->empty() || rows->front().empty() ? "" : rows->front().front().value_or("");
}

std::string query_text(const SqlTarget& target, const std::string& sql) {
    auto session = SqlSession::connect(target);
    if (!session) {
        ADD_FAILURE() << to_text(session.error());
        return "";
    }
    return query_text(**session, sql);
}

std::string read_file(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

void write_file(const std::string& path, const std::string& text) {
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out << text;
}

}  // namespace lb::engine::testing
