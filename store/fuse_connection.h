// FuseConnection: what the handlers of one mount share, and the arithmetic between FUSE's terms
// and the store's. Private to the transport (fuse_*.cc); libfuse's types are only declared here.
#pragma once

#include <sys/stat.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "store/fuse_node.h"
#include "store/fuse_open_directories.h"
#include "store/fuse_slow_work.h"
#include "store/fuse_spin.h"
#include "store/fuse_transport.h"
#include "store/fuse_uring.h"
#include "store/fuse_write_joiner.h"
#include "store/store.h"

struct fuse_req;
struct fuse_file_info;
struct fuse_lowlevel_ops;

namespace lb::store {

// Attributes and names (absent ones too) stay in the kernel's cache: every change goes through the
// same kernel, or is announced by forget_line().
inline constexpr double kCacheSeconds = 3600;

// The kernel cuts a large write into requests of at most kFuseWriteBytesMax bytes and at most
// kFuseWritePagesMax pages, whichever comes first. The limit in bytes must be the one that acts,
// because it is a multiple of the block; a buffer that does not start on a page covers one page
// more than its bytes need, so the limit in pages has two to spare.
inline constexpr uint32_t kFuseWriteBytesMax = (uint32_t{1} << 20) - kBlockBytes;
inline constexpr uint16_t kFuseWritePagesMax = 256;
static_assert(kFuseWriteBytesMax % kBlockBytes == 0);

// How kernel and libfuse agreed on a protocol.
struct FuseInit {
    // Id of the request while it is being answered; 0 afterwards.
    uint64_t request_id = 0;
    Bytes request = {};
    Bytes reply = {};
    // The request is the one of an earlier image of this process, which libfuse answers once more;
    // the kernel has got `reply`.
    bool is_replay = false;
    bool is_as_before = true;  // libfuse's answer to it was the same
};

struct FuseConnection {
    FuseConnection(Store& the_store, FuseOptions the_options)
        : store(the_store), options(std::move(the_options)), writes(store, options.cache) {}

    Store& store;
    const FuseOptions options;
    // Held while a request is answered: the handlers run one at a time.
    std::mutex answering;
    FuseWriteJoiner writes;
    FuseSlowWork slow_work;
    FuseOpenDirectories directories;
    FuseSpin spin;  // of /dev/fuse
    std::atomic<uint64_t> request_count{0};
    std::atomic<uint64_t> uring_request_count{0};
    FuseCounters counters;
    FuseInit init;
    // Set before the first request but FUSE_INIT; nullptr: all goes through /dev/fuse.
    std::unique_ptr<FuseUring> uring;
    std::string why_no_uring;
    // The kernel lets us set kFuseWritePagesMax. Known after the first answer.
    std::atomic<bool> has_large_requests{false};
};

int errno_of(const Error& error);

// The line that a name in the mount's root stands for: its id in decimal, one spelling only.
// Errors: kStoreNotFound.
Result<LineId> line_of_name(const Store& store, std::string_view name);

// stat(2) of a file, or of the mount's root.
struct stat stat_of(const FuseConnection& connection, LineId line, const FileAttributes& file);
struct stat stat_of_root(const FuseConnection& connection);
Result<struct stat> stat_of_node(const FuseConnection& connection, Node node);

FuseConnection& connection_of(fuse_req* request);
void reply_error(fuse_req* request, const Error& error);
// Replies 0, or the error.
void reply_status(fuse_req* request, const Status& status);
// Replies with the entry of a name that exists.
void reply_entry(fuse_req* request, LineId line, const Result<FileAttributes>& file);

// All operations; the session's user data is the FuseConnection.
const fuse_lowlevel_ops& fuse_operations();

// Handlers by subject. fuse_files.cc: contents and attributes.
namespace fuse_files {
void getattr(fuse_req* request, uint64_t id, fuse_file_info* handle);
void setattr(fuse_req* request, uint64_t id, struct stat* wanted, int fields,
             fuse_file_info* handle);
void open(fuse_req* request, uint64_t id, fuse_file_info* handle);
void create(fuse_req* request, uint64_t parent, const char* name, mode_t mode,
            fuse_file_info* handle);
void read(fuse_req* request, uint64_t id, size_t size, off_t offset, fuse_file_info* handle);
void write(fuse_req* request, uint64_t id, const char* data, size_t size, off_t offset,
           fuse_file_info* handle);
void release(fuse_req* request, uint64_t id, fuse_file_info* handle);
void fsync(fuse_req* request, uint64_t id, int is_data_only, fuse_file_info* handle);
void fallocate(fuse_req* request, uint64_t id, int mode, off_t offset, off_t length,
               fuse_file_info* handle);
}  // namespace fuse_files

// fuse_names.cc: names and links.
namespace fuse_names {
void lookup(fuse_req* request, uint64_t parent, const char* name);
void readlink(fuse_req* request, uint64_t id);
void mknod(fuse_req* request, uint64_t parent, const char* name, mode_t mode, dev_t device);
void mkdir(fuse_req* request, uint64_t parent, const char* name, mode_t mode);
void unlink(fuse_req* request, uint64_t parent, const char* name);
void rmdir(fuse_req* request, uint64_t parent, const char* name);
void symlink(fuse_req* request, const char* target, uint64_t parent, const char* name);
void rename(fuse_req* request, uint64_t parent, const char* name, uint64_t new_parent,
            const char* new_name, unsigned int flags);
void link(fuse_req* request, uint64_t id, uint64_t new_parent, const char* new_name);
void statfs(fuse_req* request, uint64_t id);
}  // namespace fuse_names

// fuse_directories.cc: listing.
namespace fuse_directories {
void opendir(fuse_req* request, uint64_t id, fuse_file_info* handle);
void readdir(fuse_req* request, uint64_t id, size_t size, off_t offset, fuse_file_info* handle);
void readdirplus(fuse_req* request, uint64_t id, size_t size, off_t offset, fuse_file_info* handle);
void releasedir(fuse_req* request, uint64_t id, fuse_file_info* handle);
}  // namespace fuse_directories

}  // namespace lb::store
