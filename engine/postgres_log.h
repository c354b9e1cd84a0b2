// Reading a server's log: what the current start wrote, and what it says. Thread-safe.
#pragma once

#include <cstdint>
#include <string>

namespace lb::engine {

// Size of the file; 0 if there is none.
uint64_t log_size_bytes(const std::string& path);

// The last `line_count` lines that were written at or after `offset`, without a final newline.
// Empty if there are none or the file cannot be read.
std::string log_tail(const std::string& path, uint64_t offset, size_t line_count);

// The newest FATAL or PANIC message in `log`, without time and process: the likely reason.
std::string last_failure_in(const std::string& log);

// The log says that an address or the socket is taken by somebody else.
bool tells_port_in_use(const std::string& log);

}  // namespace lb::engine
