// Finding PostgreSQL's processes from outside, through /proc: those that work in a directory, the
// one that listens on a port. Backends leave the session and process group of their server, so
// that the working directory is what they have in common. Thread-safe.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace lb::engine {

struct FoundProcess {
    pid_t pid = 0;
    pid_t parent_pid = 0;
};

// The processes of PostgreSQL (postgres, initdb) whose working directory is `directory` or below
// it, without ourselves. Other programs, such as a shell of somebody who is looking around, are
// not found. Works when the file system below `directory` no longer answers.
std::vector<FoundProcess> find_postgres_in(const std::string& directory);

// Who listens on the TCP port, as far as we may know: "nginx (process 812)"; empty if unknown.
std::string describe_port_owner(uint16_t port);

}  // namespace lb::engine
