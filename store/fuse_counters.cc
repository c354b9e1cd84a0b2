#include "store/fuse_counters.h"

#include <linux/fuse.h>

namespace lb::store {

namespace {

std::string_view operation_name(uint32_t operation) {
    switch (operation) {
        case FUSE_LOOKUP: return "lookup";
        case FUSE_FORGET: return "forget";
        case FUSE_GETATTR: return "getattr";
        case FUSE_SETATTR: return "setattr";
        case FUSE_READLINK: return "readlink";
        case FUSE_SYMLINK: return "symlink";
        case FUSE_MKNOD: return "mknod";
        case FUSE_MKDIR: return "mkdir";
        case FUSE_UNLINK: return "unlink";
        case FUSE_RMDIR: return "rmdir";
        case FUSE_RENAME: return "rename";
        case FUSE_LINK: return "link";
        case FUSE_OPEN: return "open";
        case FUSE_READ: return "read";
        case FUSE_WRITE: return "write";
        case FUSE_STATFS: return "statfs";
        case FUSE_RELEASE: return "release";
        case FUSE_FSYNC: return "fsync";
        case FUSE_FLUSH: return "flush";
        case FUSE_INIT: return "init";
        case FUSE_OPENDIR: return "opendir";
        case FUSE_READDIR: return "readdir";
        case FUSE_RELEASEDIR: return "releasedir";
        case FUSE_FSYNCDIR: return "fsyncdir";
        case FUSE_CREATE: return "create";
        case FUSE_INTERRUPT: return "interrupt";
        case FUSE_BATCH_FORGET: return "batch_forget";
        case FUSE_FALLOCATE: return "fallocate";
        case FUSE_READDIRPLUS: return "readdirplus";
        case FUSE_RENAME2: return "rename2";
        default: return "other";
    }
}

}  // namespace

std::vector<FuseOperationStatistics> FuseCounters::statistics() const {
    std::vector<FuseOperationStatistics> result;
    FuseOperationStatistics other{.name = "other"};
    for (uint32_t operation = 0; operation < kOperations; operation++) {
        LatencySnapshot latency = operations_[operation].snapshot();
        if (latency.count() == 0) continue;
        std::string_view name = operation_name(operation);
        if (name != other.name) {
            result.push_back({name, latency});
            continue;
        }
        for (size_t i = 0; i < latency.counts.size(); i++) {
            other.latency.counts[i] += latency.counts[i];
        }
        other.latency.sum_ns += latency.sum_ns;
    }
    if (other.latency.count() > 0) result.push_back(other);
    return result;
}

}  // namespace lb::store
