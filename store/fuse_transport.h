// FuseTransport: shows the lines of a Store as directories of one FUSE mount, <mount>/<line id>/.
//
// Block atomicity, the condition under which PostgreSQL may run with full_page_writes=off: every
// 8 KiB block reaches the store whole. The connection is set up so that the kernel never cuts a
// large request inside a block, and a block that it cuts while it copies into its cache is joined
// again (docs/transport.md).
//
// Requests come by io_uring where the kernel offers that, else by /dev/fuse (docs/transport.md).
// One at a time is answered from memory; what waits for the disk does not hold up the others. Node
// ids are (line << 40 | inode), so that (st_dev, st_ino) is unique per data directory.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/fuse_counters.h"
#include "store/fuse_handover.h"
#include "store/store.h"

namespace lb::store {

enum class FuseCache {
    kNone,    // direct I/O: every read and every write is a request
    kKernel,  // reads from the page cache, writes go through it
};

// How requests come.
enum class FuseChannel {
    kFastest,  // by io_uring if the kernel offers it, else by /dev/fuse
    kDevice,
    kUring,  // or mounting fails
};

// LB_FUSE_URING: "off" and "on" are kDevice and kUring, for tests and in emergencies.
FuseChannel fuse_channel_of_environment();

struct FuseOptions {
    std::string mount_directory;
    // Owner that all files show; the compute's user. Other users get in only if lb runs as root
    // (allow_other).
    uint32_t uid = 0;
    uint32_t gid = 0;
    FuseCache cache = FuseCache::kKernel;
    FuseChannel channel = fuse_channel_of_environment();
    uint32_t pool_threads = 4;
    // Called with the reason whenever a program is told EIO; from the transport's threads.
    std::function<void(const Error&)> on_failure = {};
};

struct FuseStatistics {
    uint64_t request_count = 0;
    uint64_t uring_request_count = 0;  // of these, came by io_uring
    uint64_t split_write_count = 0;    // writes that cut a block; must stay 0 for relation files
    uint64_t joined_write_count = 0;   // cuts by the kernel that were put together again
    // How long handlers took; that of a sync ends when it begins to wait (the store counts syncs).
    std::vector<FuseOperationStatistics> operations = {};
};

class FuseTransport {
public:
    // Mounts and starts serving. A dead mount that an earlier process left on the directory is
    // unmounted first. Errors: kFuseMissing (no /dev/fuse, no permission, no fusermount3; with what
    // to do), kHomeUnusable (the directory is in use by another live mount).
    static Result<std::unique_ptr<FuseTransport>> mount(Store& store, FuseOptions options);
    // Goes on serving a connection that an earlier image of this process handed over; `descriptor`
    // is taken. The store was opened with the handover's open_inodes. Errors: kFuseMissing if this
    // lb would have agreed with the kernel on something else; then the connection has ended.
    static Result<std::unique_ptr<FuseTransport>> adopt(Store& store, FuseOptions options,
                                                        int descriptor,
                                                        const FuseHandover& handover);
    virtual ~FuseTransport() = default;

    // Makes the kernel forget what it cached of a line that was deleted.
    virtual void forget_line(LineId line) = 0;
    virtual FuseStatistics statistics() const = 0;
    // Errors: kHandoverRefused if what serves the connection cannot change hands.
    virtual Status check_hand_over() const = 0;
    // Answers what was asked and asks for nothing more: programs wait until resume(), or until
    // another image of this process adopts the connection.
    virtual void pause() = 0;
    virtual void resume() = 0;
    // While paused, and before the store is closed.
    virtual FuseHandover hand_over() const = 0;
    virtual int descriptor() const = 0;
    // Unmounts (lazily if something still uses it) and joins the threads.
    virtual Status unmount() = 0;
};

}  // namespace lb::store
