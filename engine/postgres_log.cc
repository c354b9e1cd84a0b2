#include "engine/postgres_log.h"

#include <filesystem>
#include <fstream>

namespace lb::engine {

namespace {

constexpr uint64_t kTailBytesMax = 64 * 1024;

}  // namespace

uint64_t log_size_bytes(const std::string& path) {
    std::error_code failure;
    uintmax_t size = std::filesystem::file_size(path, failure);
    return failure ? 0 : size;
}

std::string log_tail(const std::string& path, uint64_t offset, size_t line_count) {
    uint64_t size = log_size_bytes(path);
    if (size <= offset) return "";
    uint64_t start = size - offset > kTailBytesMax ? size - kTailBytesMax : offset;
    std::ifstream in(path, std::ios::binary);
    in.seekg(static_cast<std::streamoff>(start));
    std::string text(size - start, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<size_t>(in.gcount()));
    while (text.ends_with('\n')) text.pop_back();
    size_t line_start = text.size();
    for (size_t lines = 0; lines < line_count && line_start != std::string::npos; ++lines) {
        line_start = line_start == 0 ? std::string::npos : text.rfind('\n', line_start - 1);
    }
    return line_start == std::string::npos ? text : text.substr(line_start + 1);
}

std::string last_failure_in(const std::string& log) {
    size_t at = std::string::npos;
    for (const char* level : {"FATAL:  ", "PANIC:  "}) {
        size_t found = log.rfind(level);
        if (found != std::string::npos && (at == std::string::npos || found > at)) at = found;
    }
    if (at == std::string::npos) return "";
    size_t message = log.find("  ", at) + 2;
    return log.substr(message, log.find('\n', message) - message);
}

bool tells_port_in_use(const std::string& log) {
    return log.find("Address already in use") != std::string::npos ||
           log.find("Is another postmaster already running on port") != std::string::npos;
}

}  // namespace lb::engine
