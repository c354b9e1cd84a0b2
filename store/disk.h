// Disk: every file, directory, sync and clock call of the store goes through this interface, so
// that crash tests can drop un-synced writes, tear sectors and fail the n-th call. (The idea is
// LevelDB's Env.) Implementations: disk_posix.cc (real), disk_memory.cc (in memory, with crashes
// and faults). All are thread-safe; one File may be used from several threads.
//
// Errors: kIo with errno, kStoreFull for ENOSPC and EDQUOT, kStoreNotFound for ENOENT.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/codec.h"
#include "base/result.h"

namespace lb::store {

class File {
public:
    virtual ~File() = default;

    // Writes all of `pieces`, one after the other, at `offset`.
    virtual Status write_at(uint64_t offset, std::span<const ByteView> pieces) = 0;
    // Fills `out`; bytes past the end of the file are an error (kIo).
    virtual Status read_at(uint64_t offset, std::span<std::byte> out) = 0;
    virtual Result<uint64_t> size_bytes() = 0;
    // Reserves space so that later writes below `size_bytes` cannot fail with kStoreFull. The
    // reserved bytes read as zeros.
    virtual Status allocate(uint64_t size_bytes) = 0;
    virtual Status truncate(uint64_t size_bytes) = 0;
    // Returns when data written before the call is durable. After a failure the state of the
    // un-synced data is unknown; the caller must not retry.
    virtual Status sync() = 0;
};

enum class OpenMode { kRead, kReadWrite, kCreate /* fails if it exists */ };

class Disk {
public:
    virtual ~Disk() = default;

    virtual Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
    virtual Status create_directory(const std::string& path) = 0;  // ok if it exists
    virtual Result<std::vector<std::string>> list(const std::string& directory) = 0;  // sorted
    virtual Result<bool> exists(const std::string& path) = 0;
    virtual Status rename(const std::string& from, const std::string& to) = 0;
    virtual Status remove(const std::string& path) = 0;
    virtual Status sync_directory(const std::string& path) = 0;
    virtual Result<uint64_t> free_bytes(const std::string& path) = 0;
    virtual Clock& clock() = 0;
};

// The machine's file system and clock.
Disk& posix_disk();

}  // namespace lb::store
