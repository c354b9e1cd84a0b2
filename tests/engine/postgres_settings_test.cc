// What a server is configured with, and reading what a server leaves: all without one.
#include <gtest/gtest.h>
#include <sys/ipc.h>
#include <sys/shm.h>

#include <algorithm>
#include <filesystem>

#include "base/text.h"
#include "engine/postgres_leftovers.h"
#include "engine/postgres_log.h"
#include "engine/postgres_port.h"
#include "engine/postgres_setting_check.h"
#include "engine/postgres_settings.h"
#include "tests/engine/postgres_support.h"

namespace lb::engine {
namespace {

namespace fs = std::filesystem;

ComputeOptions some_options() {
    ComputeOptions options;
    options.label = "shop/main";
    options.data_directory = "/data/it's \\ here";
    options.run_directory = "/run/a, b\"c";
    options.port = 54321;
    return options;
}

std::string value_of(const std::vector<PostgresSetting>& settings, const std::string& name) {
    for (const auto& [key, value] : settings) {
        if (key == name) return value;
    }
    return "(none)";
}

TEST(PostgresSettingsTest, ConnectionsFollowTheSize) {
    struct {
        uint32_t size_centi_cu;
        uint32_t connections;
    } expected[] = {{25, 104},   {50, 209},    {100, 419},      {200, 839}, {400, 1678},
                    {800, 3357}, {1600, 4000}, {100'000, 4000}, {1, 20},    {0, 20}};
    for (const auto& [size, connections] : expected) {
        EXPECT_EQ(max_connections(size), connections) << size;
    }
}

TEST(PostgresSettingsTest, MemoryFollowsTheSizeWithinBounds) {
    ComputeOptions options = some_options();
    EXPECT_EQ(value_of(proposed_settings(options), "shared_buffers"), "128MB");
    EXPECT_EQ(value_of(proposed_settings(options), "effective_cache_size"), "384MB");
    options.settings.size_centi_cu = 400;
    EXPECT_EQ(value_of(proposed_settings(options), "shared_buffers"), "2048MB");
    EXPECT_EQ(value_of(proposed_settings(options), "work_mem"), "64MB");
    options.settings.size_centi_cu = 0;
    EXPECT_EQ(value_of(proposed_settings(options), "shared_buffers"), "32MB");
    EXPECT_EQ(value_of(proposed_settings(options), "work_mem"), "4MB");
}

TEST(PostgresSettingsTest, NothingIsBothForcedAndProposed) {
    std::vector<PostgresSetting> forced = forced_settings(some_options());
    for (const auto& [name, value] : proposed_settings(some_options())) {
        EXPECT_EQ(value_of(forced, name), "(none)") << name;
    }
}

TEST(PostgresSettingsTest, WhatIsForcedIsKept) {
    for (const auto& [name, value] : forced_settings(some_options())) {
        EXPECT_FALSE(kept_setting_reason(name).empty()) << name;
    }
    EXPECT_EQ(kept_setting_reason("work_mem"), "");
}

TEST(PostgresSettingsTest, NamesThatAreNoneOrKeptAreRefused) {
    EXPECT_TRUE(check_setting_names({{"work_mem", "1"}, {"a.b", "x=y;--"}}).is_ok());
    for (const char* name : {"", "Work_mem", "a b", "a=b", "-c", "a\nb"}) {
        EXPECT_EQ(check_setting_names({{name, "1"}}).error().code, ErrorCode::kBadRequest) << name;
    }
    EXPECT_EQ(check_setting_names({{"fsync", "off"}}).error().code, ErrorCode::kRefused);
}

TEST(PostgresSettingsTest, PostgresIsAskedAboutValues) {
    auto check = [](const Settings& settings) {
        return check_setting_values(testing::test_postgres(), testing::test_postgres_user(),
                                    settings);
    };
    EXPECT_TRUE(check({{"shared_buffers", "64MB"}, {"a.b", "it's $HOME; x"}}).is_ok());
    EXPECT_TRUE(check({{"shared_preload_libraries", "\"a\", b"}}).is_ok());
    Status refused = check({{"wal_level", "nothing"}});
    ASSERT_FALSE(refused.is_ok());
    EXPECT_EQ(refused.error().code, ErrorCode::kRefused);
    EXPECT_EQ(refused.error().message, "invalid value for parameter \"wal_level\": \"nothing\"");
    EXPECT_FALSE(check({{"shared_buffers", "much"}}).is_ok());
    EXPECT_FALSE(check({{"no_such_setting", "1"}}).is_ok());
}

TEST(PostgresSettingsTest, PathsAreQuoted) {
    EXPECT_NE(configuration_file_text(some_options())
                  .find("include_if_exists = '/data/it''s \\\\ here/postgresql.conf'\n"),
              std::string::npos);
    EXPECT_EQ(value_of(forced_settings(some_options()), "unix_socket_directories"),
              "\"/run/a, b\"\"c\"");
}

TEST(PostgresSettingsTest, OnlyWhoCanReachTheAddressesIsLetIn) {
    ComputeOptions options = some_options();
    options.settings.listen_addresses = {"127.0.0.1", "::1", "localhost"};
    EXPECT_EQ(hba_file_text(options).find("scram-sha-256\nhost  all         all      all"),
              std::string::npos);
    EXPECT_NE(hba_file_text(options).find("127.0.0.0/8 scram-sha-256"), std::string::npos);
    options.settings.listen_addresses.push_back("10.0.0.1");
    EXPECT_NE(hba_file_text(options).find("host  all         all      all scram-sha-256"),
              std::string::npos);
    options.settings.listen_addresses.clear();
    EXPECT_EQ(hba_file_text(options).find("host"), std::string::npos);
    for (const std::string& line : split(hba_file_text(options), '\n')) {
        EXPECT_EQ(line.find("trust"), std::string::npos);
        EXPECT_EQ(line.find("md5"), std::string::npos);
    }
}

TEST(PostgresLogTest, ShowsTheEndOfWhatWasWrittenSince) {
    testing::TemporaryDirectory directory;
    std::string path = directory.path() + "/log";
    EXPECT_EQ(log_size_bytes(path), 0u);
    EXPECT_EQ(log_tail(path, 0, 5), "");
    testing::write_file(path, "old\none\ntwo\nthree\n");
    EXPECT_EQ(log_tail(path, 4, 2), "two\nthree");
    EXPECT_EQ(log_tail(path, 4, 3), "one\ntwo\nthree");
    EXPECT_EQ(log_tail(path, 4, 99), "one\ntwo\nthree");
    EXPECT_EQ(log_tail(path, 18, 99), "");
    EXPECT_EQ(log_tail(path, 99, 99), "");
    testing::write_file(path, std::string(1 << 20, 'x') + "\nlast\n");
    EXPECT_EQ(log_tail(path, 0, 1), "last");
    EXPECT_LT(log_tail(path, 0, 99).size(), 100'000u);
}

TEST(PostgresLogTest, FindsTheReason) {
    EXPECT_EQ(last_failure_in("t [1] LOG:  a\nt [1] FATAL:  first\nt [1] PANIC:  second\nx\n"),
              "second");
    EXPECT_EQ(last_failure_in("t [1] PANIC:  only"), "only");
    EXPECT_EQ(last_failure_in("t [1] LOG:  fine\n"), "");
    EXPECT_TRUE(tells_port_in_use("LOG:  could not bind IPv4 address: Address already in use\n"));
    EXPECT_FALSE(tells_port_in_use("LOG:  listening\n"));
}

TEST(PostgresLeftoversTest, ReadsThePostmastersFile) {
    testing::TemporaryDirectory directory;
    std::string path = directory.path() + "/postmaster.pid";
    EXPECT_FALSE(read_postmaster_file(directory.path()));
    EXPECT_EQ(remove_postmaster_file(directory.path()), -1);
    for (const char* broken : {"", "\n", "x\n", "-\n"}) {
        testing::write_file(path, broken);
        EXPECT_FALSE(read_postmaster_file(directory.path())) << broken;
    }
    testing::write_file(path, "17\n/data\n1\n5432\n/run\n*\n  5432001    98304\nstarting\n");
    auto file = read_postmaster_file(directory.path());
    ASSERT_TRUE(file);
    EXPECT_EQ(file->pid, 17);
    EXPECT_EQ(file->shared_memory_id, 98304);
    EXPECT_FALSE(file->is_ready);
    testing::write_file(path, "17\n/data\n1\n5432\n/run\n*\n  5432001    98304\nready   \n");
    EXPECT_TRUE(read_postmaster_file(directory.path())->is_ready);
    EXPECT_EQ(remove_postmaster_file(directory.path()), 98304);
    EXPECT_FALSE(fs::exists(path));
}

TEST(PostgresLeftoversTest, RemovesOnlyUnusedSharedMemory) {
    testing::TemporaryDirectory directory;
    int id = ::shmget(IPC_PRIVATE, 100, IPC_CREAT | 0600);
    ASSERT_GE(id, 0);
    void* memory = ::shmat(id, nullptr, 0);
    auto exists = [&] {
        shmid_ds state{};
        return ::shmctl(id, IPC_STAT, &state) == 0;
    };
    remove_shared_memory(id, directory.path());
    EXPECT_TRUE(exists());  // somebody uses it: we do
    ::shmdt(memory);
    remove_shared_memory(-1, directory.path());
    remove_shared_memory(id, directory.path() + "/missing");
    EXPECT_TRUE(exists());
    remove_shared_memory(id, directory.path());
    EXPECT_FALSE(exists());
}

TEST(PostgresPortTest, ChoosesFromFreePorts) {
    uint16_t first = LB_MUST(choose_port({"127.0.0.1"}, {}));
    EXPECT_GE(first, 54320);
    uint16_t second = LB_MUST(choose_port({"127.0.0.1", "localhost"}, {first}));
    EXPECT_NE(second, first);
    LB_MUST(check_port_is_free({"127.0.0.1"}, second));
    auto impossible = choose_port({"192.0.2.1"}, {});
    ASSERT_FALSE(impossible);
    EXPECT_EQ(impossible.error().code, ErrorCode::kComputeStartFailed);
    auto unknown = choose_port({"no such host.invalid"}, {});
    ASSERT_FALSE(unknown);
    EXPECT_NE(unknown.error().message.find("no such host.invalid"), std::string::npos);
}

TEST(PostgresInstallationTest, FindsWhatIsThere) {
    PostgresInstallation found = LB_MUST(find_postgres(15, ""));
    EXPECT_EQ(found.major_version, 15u);
    EXPECT_TRUE(found.full_version.starts_with("15.")) << found.full_version;
    EXPECT_TRUE(fs::exists(found.program_directory + "/initdb"));
    EXPECT_EQ(LB_MUST(find_postgres(15, found.program_directory)).full_version, found.full_version);
}

TEST(PostgresInstallationTest, SaysWhatIsMissing) {
    for (uint32_t version : {0u, 9u, 14u, 99u}) {
        auto unsupported = find_postgres(version, "");
        ASSERT_FALSE(unsupported);
        EXPECT_EQ(unsupported.error().code, ErrorCode::kPostgresVersion);
        EXPECT_NE(unsupported.error().help.find("pg_version = 15"), std::string::npos);
    }
    auto missing = find_postgres(15, "/no/such/directory");
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, ErrorCode::kPostgresMissing);
    EXPECT_EQ(missing.error().help, "apt-get install postgresql-15");
    EXPECT_NE(to_text(missing.error()).find("installed below"), std::string::npos);
}

TEST(PostgresInstallationTest, AnotherVersionIsNoReplacement) {
    testing::TemporaryDirectory directory;
    std::string program = directory.path() + "/postgres";
    struct {
        const char* says;
        const char* error;
    } cases[] = {{"echo 'postgres (PostgreSQL) 9.6.24'", "9.6.24"},
                 {"echo nonsense", "unknown version"},
                 {"exit 1", "unknown version"}};
    for (const auto& [says, error] : cases) {
        testing::write_file(program, cat("#!/bin/sh\n", says, "\n"));
        fs::permissions(program, fs::perms::owner_all);
        auto found = find_postgres(15, directory.path());
        ASSERT_FALSE(found);
        EXPECT_EQ(found.error().code, ErrorCode::kPostgresVersion);
        EXPECT_NE(found.error().message.find(error), std::string::npos) << found.error().message;
    }
}

}  // namespace
}  // namespace lb::engine
