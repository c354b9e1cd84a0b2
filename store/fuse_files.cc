#define FUSE_USE_VERSION 314
#include <fcntl.h>
#include <fuse3/fuse_lowlevel.h>

#include <cerrno>
#include <memory>

#include "store/fuse_connection.h"

namespace lb::store::fuse_files {

namespace {

constexpr uint32_t kModeMask = 07777;

WallTime wall_time_of(const timespec& time) {
    return WallTime{std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec}};
}

void reply_attributes(fuse_req* request, const Result<struct stat>& attributes) {
    if (!attributes) return reply_error(request, attributes.error());
    fuse_reply_attr(request, &*attributes, kCacheSeconds);
}

// No flush: close(2) has nothing to wait for.
void set_open_flags(const FuseOptions& options, fuse_file_info* handle) {
    handle->direct_io = options.cache == FuseCache::kNone;
    handle->keep_cache = options.cache == FuseCache::kKernel;
    handle->noflush = 1;
}

// The whole buffer of a read, kept per thread: requests are up to 1 MiB.
std::span<std::byte> reply_buffer(size_t size) {
    constexpr size_t kBytes = size_t{1} << 20;
    thread_local auto buffer = std::make_unique_for_overwrite<std::byte[]>(kBytes);
    return {buffer.get(), std::min(size, kBytes)};
}

// The store says no more than "invalid", and a program that fills a file waits for this.
bool is_beyond_largest_file(uint64_t offset, uint64_t length) {
    return offset > kFileMaxBytes || length > kFileMaxBytes - offset;
}
void refuse_size(fuse_req* request) { fuse_reply_err(request, EFBIG); }

bool is_foreign_owner(const FuseOptions& options, const struct stat& wanted, int fields) {
    return ((fields & FUSE_SET_ATTR_UID) != 0 && wanted.st_uid != options.uid) ||
           ((fields & FUSE_SET_ATTR_GID) != 0 && wanted.st_gid != options.gid);
}

}  // namespace

void getattr(fuse_req* request, uint64_t id, fuse_file_info*) {
    FuseConnection& connection = connection_of(request);
    Node node = node_of(id);
    Result<struct stat> attributes = stat_of_node(connection, node);
    if (!attributes) return reply_error(request, attributes.error());
    fuse_reply_attr(request, &*attributes, node.is_list_of_lines() ? 0 : kCacheSeconds);
}

void setattr(fuse_req* request, uint64_t id, struct stat* wanted, int fields, fuse_file_info*) {
    FuseConnection& connection = connection_of(request);
    Node node = node_of(id);
    if (node.is_list_of_lines() || is_foreign_owner(connection.options, *wanted, fields)) {
        fuse_reply_err(request, EPERM);
        return;
    }
    AttributeChanges changes;
    if ((fields & FUSE_SET_ATTR_MODE) != 0) changes.mode = wanted->st_mode & kModeMask;
    if ((fields & FUSE_SET_ATTR_SIZE) != 0) {
        changes.size_bytes = static_cast<uint64_t>(wanted->st_size);
        if (is_beyond_largest_file(0, *changes.size_bytes)) return refuse_size(request);
    }
    if ((fields & FUSE_SET_ATTR_MTIME_NOW) != 0) {
        changes.modified_at = system_clock().now();
    } else if ((fields & FUSE_SET_ATTR_MTIME) != 0) {
        changes.modified_at = wall_time_of(wanted->st_mtim);
    }
    bool is_change = changes.mode || changes.size_bytes || changes.modified_at;
    Result<FileAttributes> file =
        is_change ? connection.store.set_attributes(node.line, node.inode, changes)
                  : connection.store.attributes(node.line, node.inode);
    if (!file) return reply_error(request, file.error());
    reply_attributes(request, stat_of(connection, node.line, *file));
}

void open(fuse_req* request, uint64_t id, fuse_file_info* handle) {
    const FuseConnection& connection = connection_of(request);
    Store& store = connection.store;
    Node node = node_of(id);
    Result<FileAttributes> file =
        (handle->flags & O_TRUNC) != 0
            ? store.set_attributes(node.line, node.inode, {.size_bytes = uint64_t{0}})
            : store.attributes(node.line, node.inode);
    if (!file) return reply_error(request, file.error());
    set_open_flags(connection.options, handle);
    store.retain(node.line, node.inode);
    // A failed reply means that the caller was interrupted: there will be no release.
    if (fuse_reply_open(request, handle) != 0) store.release(node.line, node.inode);
}

void create(fuse_req* request, uint64_t parent, const char* name, mode_t mode,
            fuse_file_info* handle) {
    FuseConnection& connection = connection_of(request);
    Store& store = connection.store;
    Node directory = node_of(parent);
    if (directory.is_list_of_lines()) {
        fuse_reply_err(request, EPERM);
        return;
    }
    Result<FileAttributes> file =
        store.create(directory.line, directory.inode, name, {.mode = mode & kModeMask});
    // Without O_EXCL the kernel looks the name up first, so it is absent but for a race.
    bool is_race =
        !file && file.error().code == ErrorCode::kStoreExists && (handle->flags & O_EXCL) == 0;
    if (is_race) file = store.lookup(directory.line, directory.inode, name);
    if (is_race && file && (handle->flags & O_TRUNC) != 0) {
        file = store.set_attributes(directory.line, file->inode, {.size_bytes = uint64_t{0}});
    }
    if (!file) return reply_error(request, file.error());
    fuse_entry_param entry{};
    entry.ino = node_id(directory.line, file->inode);
    entry.attr = stat_of(connection, directory.line, *file);
    entry.attr_timeout = kCacheSeconds;
    entry.entry_timeout = kCacheSeconds;
    set_open_flags(connection.options, handle);
    store.retain(directory.line, file->inode);
    if (fuse_reply_create(request, &entry, handle) != 0) {
        store.release(directory.line, file->inode);
    }
}

void read(fuse_req* request, uint64_t id, size_t size, off_t offset, fuse_file_info*) {
    FuseConnection& connection = connection_of(request);
    Node node = node_of(id);
    auto start = static_cast<uint64_t>(offset);
    std::span<std::byte> buffer = reply_buffer(size);
    Result<size_t> count = connection.store.read(node.line, node.inode, start, buffer);
    if (!count) return reply_error(request, count.error());
    connection.writes.overlay(node, start, buffer.first(*count));
    fuse_reply_buf(request, reinterpret_cast<const char*>(buffer.data()), *count);
}

void write(fuse_req* request, uint64_t id, const char* data, size_t size, off_t offset,
           fuse_file_info*) {
    FuseConnection& connection = connection_of(request);
    auto start = static_cast<uint64_t>(offset);
    if (is_beyond_largest_file(start, size)) return refuse_size(request);
    WriteOutcome outcome =
        connection.writes.write({.node = node_of(id),
                                 .thread = static_cast<uint32_t>(fuse_req_ctx(request)->pid),
                                 .offset = start,
                                 .data = as_bytes({data, size})});
    if (outcome.status) {
        fuse_reply_write(request, size);
        return;
    }
    if (outcome.lost_bytes > 0) {
        connection.slow_work.forget_cached(id, start - outcome.lost_bytes, outcome.lost_bytes);
    }
    reply_error(request, outcome.status.error());
}

void release(fuse_req* request, uint64_t id, fuse_file_info*) {
    Node node = node_of(id);
    connection_of(request).store.release(node.line, node.inode);
    fuse_reply_err(request, 0);
}

void fsync(fuse_req* request, uint64_t id, int, fuse_file_info*) {
    FuseConnection& connection = connection_of(request);
    Node node = node_of(id);
    if (node.is_list_of_lines()) {
        fuse_reply_err(request, 0);
        return;
    }
    Status late_failure = connection.writes.take_failure(node);
    if (!late_failure) return reply_error(request, late_failure.error());
    Result<FileAttributes> file = connection.store.attributes(node.line, node.inode);
    if (!file) return reply_error(request, file.error());
    if (connection.store.is_durable(file->last_sequence)) {
        fuse_reply_err(request, 0);
        return;
    }
    connection.slow_work.sync(request, file->last_sequence);
}

void fallocate(fuse_req* request, uint64_t id, int mode, off_t offset, off_t length,
               fuse_file_info*) {
    Store& store = connection_of(request).store;
    Node node = node_of(id);
    auto start = static_cast<uint64_t>(offset);
    auto bytes = static_cast<uint64_t>(length);
    if (is_beyond_largest_file(start, bytes)) return refuse_size(request);
    switch (mode) {
        case 0: return reply_status(request, store.allocate(node.line, node.inode, start, bytes));
        // Nothing to reserve: the log has its own reserve.
        case FALLOC_FL_KEEP_SIZE: return reply_status(request, ok());
        case FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE:
            return reply_status(request, store.zero(node.line, node.inode, start, bytes));
        default: fuse_reply_err(request, EOPNOTSUPP); return;
    }
}

}  // namespace lb::store::fuse_files
