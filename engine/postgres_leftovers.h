// What a server that was killed leaves behind.
//
// postmaster.pid: it stops the next start if its number now belongs to another process.
// A System V shared memory segment: the next server of the directory finds it by the directory's
// inode and device, and then removes it and the POSIX shared memory that it knows of. With a new
// mount the device differs, and the segment would stay for good.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

namespace lb::engine {

struct PostmasterFile {
    pid_t pid = 0;
    int shared_memory_id = -1;  // -1: none recorded
    bool is_ready = false;      // it takes connections
};

// The contents of <data directory>/postmaster.pid; nullopt if absent or not (yet) complete enough.
std::optional<PostmasterFile> read_postmaster_file(const std::string& data_directory);

// Removes postmaster.pid. Returns the shared memory segment that it names, -1 for none.
// Requires: no process of the data directory lives.
int remove_postmaster_file(const std::string& data_directory);

// Removes the segment if nobody uses it and it belongs to the data directory's owner; else nothing.
void remove_shared_memory(int shared_memory_id, const std::string& data_directory);

}  // namespace lb::engine
