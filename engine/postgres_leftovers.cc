#include "engine/postgres_leftovers.h"

#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <fstream>
#include <vector>

#include "base/text.h"

namespace lb::engine {

namespace {

constexpr size_t kPidLine = 0;
constexpr size_t kSharedMemoryLine = 6;  // "  5432001    229376": key and id
constexpr size_t kStatusLine = 7;        // "starting", "ready   ", "standby ", "stopping"

std::string file_path(const std::string& data_directory) {
    return data_directory + "/postmaster.pid";
}

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
    Number number{};
    auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failure != std::errc{} || end == text.data()) return std::nullopt;
    return number;
}

std::string_view last_word(std::string_view line) {
    size_t end = line.find_last_not_of(' ');
    if (end == std::string_view::npos) return {};
    line = line.substr(0, end + 1);
    size_t space = line.rfind(' ');
    return space == std::string_view::npos ? line : line.substr(space + 1);
}

}  // namespace

std::optional<PostmasterFile> read_postmaster_file(const std::string& data_directory) {
    std::ifstream in(file_path(data_directory));
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) lines.push_back(std::move(line));
    if (lines.empty()) return std::nullopt;
    std::optional<pid_t> pid = parse_number<pid_t>(lines[kPidLine]);
    if (!pid) return std::nullopt;
    PostmasterFile file{.pid = *pid};
    if (lines.size() > kSharedMemoryLine) {
        file.shared_memory_id = parse_number<int>(last_word(lines[kSharedMemoryLine])).value_or(-1);
    }
    if (lines.size() > kStatusLine) {
        const std::string& status = lines[kStatusLine];
        file.is_ready = status.starts_with("ready") || status.starts_with("standby");
    }
    return file;
}

int remove_postmaster_file(const std::string& data_directory) {
    std::optional<PostmasterFile> file = read_postmaster_file(data_directory);
    ::unlink(file_path(data_directory).c_str());
    return file ? file->shared_memory_id : -1;
}

void remove_shared_memory(int shared_memory_id, const std::string& data_directory) {
    struct stat directory {};
    shmid_ds segment{};
    if (shared_memory_id < 0 || ::stat(data_directory.c_str(), &directory) != 0) return;
    if (::shmctl(shared_memory_id, IPC_STAT, &segment) != 0) return;
    // The number may have been given anew, and the file that named it is the server's to write.
    if (segment.shm_nattch != 0 || segment.shm_perm.uid != directory.st_uid) return;
    ::shmctl(shared_memory_id, IPC_RMID, nullptr);
}

}  // namespace lb::engine
