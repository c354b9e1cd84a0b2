#include "engine/process_find.h"

#include <signal.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "base/text.h"
#include "engine/compute.h"

namespace lb::engine {

namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr milliseconds kKillPatience{10'000};
constexpr milliseconds kKillPoll{2};
constexpr std::string_view kDeletedMark = " (deleted)";

std::vector<pid_t> all_processes() {
    std::vector<pid_t> out;
    std::error_code failure;
    for (const fs::directory_entry& entry : fs::directory_iterator("/proc", failure)) {
        std::string name = entry.path().filename().string();
        pid_t pid = 0;
        auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
        if (error == std::errc{} && end == name.data() + name.size()) out.push_back(pid);
    }
    return out;
}

std::string read_link(const std::string& path) {
    std::array<char, 4096> buffer;
    ssize_t length = ::readlink(path.c_str(), buffer.data(), buffer.size());
    return length < 0 ? "" : std::string(buffer.data(), static_cast<size_t>(length));
}

std::string first_line(const std::string& path) {
    std::ifstream in(path);
    std::string line;
    std::getline(in, line);
    return line;
}

pid_t parent_of(pid_t pid) {
    static constexpr std::string_view kLabel = "PPid:\t";
    std::ifstream in(cat("/proc/", pid, "/status"));
    for (std::string line; std::getline(in, line);) {
        if (!line.starts_with(kLabel)) continue;
        pid_t parent = 0;
        std::from_chars(line.data() + kLabel.size(), line.data() + line.size(), parent);
        return parent;
    }
    return 0;
}

std::string program_of(pid_t pid) { return first_line(cat("/proc/", pid, "/comm")); }

// The kernel shows working directories without symbolic links. The last components may lie on a
// mount whose daemon is gone, so resolve only as much as answers.
std::string resolve(const std::string& directory) {
    fs::path rest;
    fs::path head = fs::path(directory).lexically_normal();
    if (!head.has_filename()) head = head.parent_path();
    while (true) {
        std::error_code failure;
        fs::path canonical = fs::canonical(head, failure);
        if (!failure) return rest.empty() ? canonical.string() : (canonical / rest).string();
        if (!head.has_relative_path()) return directory;
        rest = rest.empty() ? head.filename() : head.filename() / rest;
        head = head.parent_path();
    }
}

bool is_inside(std::string_view path, std::string_view directory) {
    if (path.ends_with(kDeletedMark)) path.remove_suffix(kDeletedMark.size());
    if (!path.starts_with(directory)) return false;
    return path.size() == directory.size() || path[directory.size()] == '/';
}

// The POSIX shared memory that the process has mapped: "/dev/shm/PostgreSQL.1234".
std::set<std::string> shared_memory_of(pid_t pid) {
    static constexpr std::string_view kPrefix = "/dev/shm/PostgreSQL.";
    std::set<std::string> out;
    std::ifstream in(cat("/proc/", pid, "/maps"));
    for (std::string line; std::getline(in, line);) {
        size_t at = line.find(kPrefix);
        if (at == std::string::npos || line.ends_with(kDeletedMark)) continue;
        out.insert(line.substr(at));
    }
    return out;
}

// What whole servers among the processes use. Of a server whose postmaster is gone already we could
// see a part only; its next start finds all of it, unless we take the part that lists the rest.
std::set<std::string> shared_memory_of_servers(const std::vector<FoundProcess>& processes) {
    std::set<pid_t> pids;
    std::set<pid_t> parents;
    for (const FoundProcess& process : processes) {
        pids.insert(process.pid);
        parents.insert(process.parent_pid);
    }
    std::set<std::string> out;
    for (const FoundProcess& process : processes) {
        if (pids.contains(process.parent_pid) || parents.contains(process.pid)) {
            out.merge(shared_memory_of(process.pid));
        }
    }
    return out;
}

// The inode numbers of the sockets that listen on `port`, from /proc/net/tcp or tcp6.
void add_listening_sockets(const char* table, uint16_t port, std::set<std::string>& sockets) {
    constexpr size_t kLocalAddress = 1;
    constexpr size_t kState = 3;
    constexpr size_t kInode = 9;
    std::ifstream in(table);
    for (std::string line; std::getline(in, line);) {
        std::vector<std::string> fields;
        for (std::string& field : split(line, ' ')) {
            if (!field.empty()) fields.push_back(std::move(field));
        }
        if (fields.size() <= kInode || fields[kState] != "0A" /* LISTEN */) continue;
        const std::string& address = fields[kLocalAddress];
        size_t colon = address.rfind(':');
        if (colon == std::string::npos) continue;
        unsigned found = 0;
        std::from_chars(address.data() + colon + 1, address.data() + address.size(), found, 16);
        if (found == port) sockets.insert(cat("socket:[", fields[kInode], "]"));
    }
}

bool holds_any(pid_t pid, const std::set<std::string>& sockets) {
    std::error_code failure;
    for (const fs::directory_entry& entry :
         fs::directory_iterator(cat("/proc/", pid, "/fd"), failure)) {
        if (sockets.contains(read_link(entry.path().string()))) return true;
    }
    return false;
}

}  // namespace

std::vector<FoundProcess> find_postgres_in(const std::string& directory) {
    std::string resolved = resolve(directory);
    std::vector<FoundProcess> found;
    for (pid_t pid : all_processes()) {
        if (pid == ::getpid()) continue;
        if (!is_inside(read_link(cat("/proc/", pid, "/cwd")), resolved)) continue;
        std::string program = program_of(pid);
        if (program == "postgres" || program == "postmaster" || program == "initdb") {
            found.push_back({pid, parent_of(pid)});
        }
    }
    return found;
}

std::string describe_port_owner(uint16_t port) {
    std::set<std::string> sockets;
    add_listening_sockets("/proc/net/tcp", port, sockets);
    add_listening_sockets("/proc/net/tcp6", port, sockets);
    if (sockets.empty()) return "";
    for (pid_t pid : all_processes()) {
        if (holds_any(pid, sockets)) return cat(program_of(pid), " (process ", pid, ")");
    }
    return "";
}

size_t kill_processes_in(const std::string& directory) {
    std::set<pid_t> killed;
    std::set<std::string> shared_memory;
    auto deadline = std::chrono::steady_clock::now() + kKillPatience;
    // Again until there is none: a server may start another backend before its own signal arrives.
    while (std::chrono::steady_clock::now() < deadline) {
        std::vector<FoundProcess> found = find_postgres_in(directory);
        if (found.empty()) break;
        shared_memory.merge(shared_memory_of_servers(found));
        for (const FoundProcess& process : found) {
            killed.insert(process.pid);
            ::kill(process.pid, SIGKILL);
        }
        std::this_thread::sleep_for(kKillPoll);
    }
    for (const std::string& path : shared_memory) ::unlink(path.c_str());
    return killed.size();
}

}  // namespace lb::engine
