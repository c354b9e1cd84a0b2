// FuseHandover: all that a transport has to know of a mounted connection to go on serving it in the
// next image of the process: what kernel and libfuse agreed on, what programs have open, and what
// was acknowledged but is not in the store yet. docs/daemon.md has its bytes.
//
// Names, numbers and attributes that the kernel caches are not part of it: node ids say line and
// inode and carry no state (store/fuse_node.h).
#pragma once

#include <string>
#include <vector>

#include "base/codec.h"
#include "base/result.h"
#include "store/fuse_node.h"
#include "store/store.h"

namespace lb::store {

// Of a directory that is being listed.
struct ListedEntry {
    std::string name;
    uint64_t id = 0;  // node id
    FileType type = FileType::kFile;
    bool operator==(const ListedEntry&) const = default;
};
struct ListedDirectory {
    uint64_t handle = 0;
    std::vector<ListedEntry> entries = {};
    bool operator==(const ListedDirectory&) const = default;
};

// The beginning of a block that waits for its rest (store/fuse_write_joiner.h).
struct HeldWrite {
    Node node;
    uint32_t thread = 0;
    uint64_t offset = 0;
    Bytes bytes = {};
    bool operator==(const HeldWrite&) const = default;
};
// An error that the next fsync(2) of the file reports.
struct LateFailure {
    Node node;
    ErrorCode code = ErrorCode::kIo;
    std::string message = {};
    bool operator==(const LateFailure&) const = default;
};

struct FuseHandover {
    Bytes init_request = {};  // FUSE_INIT as the kernel sent it
    Bytes init_reply = {};    // and as it was answered
    std::vector<OpenInode> open_inodes = {};
    uint64_t next_directory_handle = 1;
    std::vector<ListedDirectory> directories = {};
    std::vector<HeldWrite> held_writes = {};
    std::vector<LateFailure> late_failures = {};
    bool operator==(const FuseHandover&) const = default;
};

Bytes encode(const FuseHandover& handover);
// Errors: kBadRequest.
Result<FuseHandover> decode_fuse_handover(ByteView bytes);

}  // namespace lb::store
