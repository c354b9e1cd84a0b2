#include "engine/postgres_settings.h"

#include <algorithm>

#include "base/text.h"

namespace lb::engine {

namespace {

constexpr uint64_t kMebibyte = 1024 * 1024;
constexpr uint64_t kMemoryPerCuBytes = 2048 * kMebibyte;
// The scale of Neon's computes, where a quarter of a unit takes 104 connections and 8 units 3357.
constexpr uint64_t kConnectionsPerThousandCu = 419'625;
constexpr uint32_t kConnectionsMin = 20;
constexpr uint32_t kConnectionsMax = 4000;

std::string mebibytes(uint64_t bytes) { return cat(bytes / kMebibyte, "MB"); }

uint64_t clamp_mebibytes(uint64_t bytes, uint64_t low, uint64_t high) {
    return std::clamp(bytes, low * kMebibyte, high * kMebibyte);
}

// A value in postgresql.conf: quotes are doubled, backslashes are escapes.
std::string file_value(std::string_view value) {
    std::string out = "'";
    for (char c : value) {
        if (c == '\'' || c == '\\') out += c;
        out += c;
    }
    return out + "'";
}

// An element of a list such as unix_socket_directories; in quotes a comma is no separator.
std::string list_element(std::string_view value) {
    std::string out = "\"";
    for (char c : value) {
        if (c == '"') out += c;
        out += c;
    }
    return out + "\"";
}

// Reachable from this machine only.
bool is_loopback(const std::string& address) {
    return address == "localhost" || address == "::1" || address.starts_with("127.");
}

}  // namespace

uint64_t memory_bytes(uint32_t size_centi_cu) { return kMemoryPerCuBytes * size_centi_cu / 100; }

uint32_t max_connections(uint32_t size_centi_cu) {
    uint64_t connections = size_centi_cu * kConnectionsPerThousandCu / 100'000;
    return static_cast<uint32_t>(
        std::clamp(connections, uint64_t{kConnectionsMin}, uint64_t{kConnectionsMax}));
}

std::string socket_path(const ComputeOptions& options) {
    return cat(options.run_directory, "/.s.PGSQL.", options.port);
}

std::vector<PostgresSetting> forced_settings(const ComputeOptions& options) {
    const std::string& run = options.run_directory;
    return {
        // Files. The data directory holds only what belongs to the branch.
        {"data_directory", options.data_directory},
        {"config_file", run + "/postgresql.conf"},
        {"hba_file", run + "/pg_hba.conf"},
        {"ident_file", run + "/pg_ident.conf"},
        {"external_pid_file", ""},
        // Ways in.
        {"listen_addresses", join(options.settings.listen_addresses, ",")},
        {"port", std::to_string(options.port)},
        {"unix_socket_directories", list_element(run)},
        {"unix_socket_group", ""},
        {"unix_socket_permissions", "0777"},
        {"password_encryption", "scram-sha-256"},
        {"cluster_name", options.label},
        // Safety on this store: every 8 KiB block is written whole, so that full-page images would
        // protect from nothing; nothing is overwritten in place, so that recycling saves nothing.
        {"fsync", "on"},
        {"full_page_writes", "off"},
        {"wal_init_zero", "off"},
        {"wal_recycle", "off"},
        {"data_sync_retry", "off"},
        {"recovery_init_sync_method", "syncfs"},
        // A branch inherits its parent's settings; it must not archive in the parent's name.
        {"archive_mode", "off"},
        // An apply prepares one transaction for the branch, and one inside of each database that it
        // changes, of which there may be kContentDatabasesMax. The rest is the user's; each takes
        // 32 KiB of shared memory.
        {"max_prepared_transactions", "128"},
        {"dynamic_shared_memory_type", "posix"},
        // The log is one file per compute, outside of the branch.
        {"logging_collector", "off"},
        {"log_destination", "stderr"},
    };
}

std::vector<PostgresSetting> proposed_settings(const ComputeOptions& options) {
    uint64_t memory = memory_bytes(options.settings.size_centi_cu);
    return {
        {"max_connections", std::to_string(max_connections(options.settings.size_centi_cu))},
        {"shared_buffers", mebibytes(clamp_mebibytes(memory / 4, 32, 64 * 1024))},
        {"effective_cache_size", mebibytes(memory * 3 / 4)},
        {"work_mem", mebibytes(clamp_mebibytes(memory / 128, 4, 64))},
        {"maintenance_work_mem", mebibytes(clamp_mebibytes(memory / 8, 64, 1024))},
        {"huge_pages", "try"},
        // What bounds the replay of a branch: 36 seconds of writes, or some 100 MB of WAL. A branch
        // replays from where the last complete checkpoint began, so that checkpoints are short as
        // well as frequent. They are cheap without full-page images.
        {"checkpoint_timeout", "30s"},
        {"checkpoint_completion_target", "0.2"},
        {"max_wal_size", "128MB"},
        {"min_wal_size", "48MB"},
        {"checkpoint_warning", "0"},
        {"log_checkpoints", "off"},
        {"log_line_prefix", "%m [%p] %q%u@%d "},
    };
}

std::string configuration_file_text(const ComputeOptions& options) {
    std::string text =
        "# Written by lb at every start; changes are lost. Use ALTER SYSTEM instead.\n";
    text +=
        cat("include_if_exists = ", file_value(options.data_directory + "/postgresql.conf"), "\n");
    for (const auto& [name, value] : proposed_settings(options)) {
        text += cat(name, " = ", file_value(value), "\n");
    }
    return text;
}

std::string hba_file_text(const ComputeOptions& options) {
    std::string text =
        "# Written by lb at every start; changes are lost.\n"
        "local all         postgres peer map=lb\n"
        "local replication postgres peer map=lb\n"
        "local all         all      scram-sha-256\n"
        "local replication all      scram-sha-256\n";
    const std::vector<std::string>& addresses = options.settings.listen_addresses;
    if (addresses.empty()) return text;
    bool is_local = std::all_of(addresses.begin(), addresses.end(), is_loopback);
    std::vector<std::string> clients = {"all"};
    if (is_local) clients = {"127.0.0.0/8", "::1/128"};
    for (const std::string& client : clients) {
        text += cat("host  all         all      ", client, " scram-sha-256\n");
        text += cat("host  replication all      ", client, " scram-sha-256\n");
    }
    return text;
}

std::string ident_file_text(const std::vector<std::string>& os_users) {
    std::string text = "# Written by lb at every start; changes are lost.\n";
    for (const std::string& user : os_users) text += cat("lb \"", user, "\" postgres\n");
    return text;
}

}  // namespace lb::engine
