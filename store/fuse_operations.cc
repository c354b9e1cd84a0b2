#define FUSE_USE_VERSION 314
#include <fuse3/fuse_lowlevel.h>

#include <cerrno>
#include <charconv>
#include <utility>

#include "store/fuse_connection.h"

namespace lb::store {

namespace {

// Big enough that stdio and cp write whole blocks.
constexpr blksize_t kPreferredBytes = kBlockBytes;
constexpr blkcnt_t kStatBlockBytes = 512;  // the unit of st_blocks

timespec timespec_of(WallTime time) {
    auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    timespec result{};
    result.tv_sec = seconds.time_since_epoch().count();
    result.tv_nsec = (time - seconds).count();
    return result;
}

mode_t mode_of(const FileAttributes& file) {
    switch (file.type) {
        case FileType::kFile: return S_IFREG | file.mode;
        case FileType::kDirectory: return S_IFDIR | file.mode;
        case FileType::kSymlink: return S_IFLNK | 0777;
    }
    LB_ASSERT(false);
    return 0;
}

}  // namespace

int errno_of(const Error& error) {
    static constexpr std::pair<ErrorCode, int> kTable[] = {
        {ErrorCode::kStoreNotFound, ENOENT},    {ErrorCode::kStoreExists, EEXIST},
        {ErrorCode::kStoreNotEmpty, ENOTEMPTY}, {ErrorCode::kStoreNotDirectory, ENOTDIR},
        {ErrorCode::kStoreIsDirectory, EISDIR}, {ErrorCode::kStoreFull, ENOSPC},
        {ErrorCode::kStoreInvalid, EINVAL},     {ErrorCode::kStoreNotSupported, EOPNOTSUPP},
    };
    for (const auto& [code, number] : kTable) {
        if (code == error.code) return number;
    }
    return EIO;
}

Result<LineId> line_of_name(const Store& store, std::string_view name) {
    uint64_t number = 0;
    auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    bool is_number = error == std::errc{} && end == name.data() + name.size();
    if (!is_number || name.front() == '0' || number > kLineMax) {
        return Error{.code = ErrorCode::kStoreNotFound, .message = "no such line"};
    }
    LineInfo info = LB_TRY(store.line(LineId{number}));
    if (info.is_deleted) return Error{.code = ErrorCode::kStoreNotFound, .message = "no such line"};
    return info.line;
}

struct stat stat_of(const FuseConnection& connection, LineId line, const FileAttributes& file) {
    struct stat result {};
    result.st_ino = node_id(line, file.inode);
    result.st_mode = mode_of(file);
    result.st_nlink = file.link_count;
    result.st_uid = connection.options.uid;
    result.st_gid = connection.options.gid;
    result.st_size = static_cast<off_t>(file.size_bytes);
    result.st_blksize = kPreferredBytes;
    result.st_blocks = (result.st_size + kStatBlockBytes - 1) / kStatBlockBytes;
    result.st_mtim = timespec_of(file.modified_at);
    result.st_ctim = timespec_of(file.changed_at);
    result.st_atim = result.st_mtim;
    return result;
}

struct stat stat_of_root(const FuseConnection& connection) {
    struct stat result {};
    result.st_ino = node_id(LineId{}, kRootInode);
    result.st_mode = S_IFDIR | 0555;
    result.st_nlink = 1;
    result.st_uid = connection.options.uid;
    result.st_gid = connection.options.gid;
    result.st_blksize = kPreferredBytes;
    return result;
}

Result<struct stat> stat_of_node(const FuseConnection& connection, Node node) {
    if (node.is_list_of_lines()) return stat_of_root(connection);
    return stat_of(connection, node.line,
                   LB_TRY(connection.store.attributes(node.line, node.inode)));
}

FuseConnection& connection_of(fuse_req* request) {
    return *static_cast<FuseConnection*>(fuse_req_userdata(request));
}

void reply_error(fuse_req* request, const Error& error) {
    int code = errno_of(error);
    const FuseOptions& options = connection_of(request).options;
    if (code == EIO && options.on_failure) options.on_failure(error);
    fuse_reply_err(request, code);
}

void reply_status(fuse_req* request, const Status& status) {
    if (!status) return reply_error(request, status.error());
    fuse_reply_err(request, 0);
}

void reply_entry(fuse_req* request, LineId line, const Result<FileAttributes>& file) {
    if (!file) return reply_error(request, file.error());
    fuse_entry_param entry{};
    entry.ino = node_id(line, file->inode);
    entry.attr = stat_of(connection_of(request), line, *file);
    entry.attr_timeout = kCacheSeconds;
    entry.entry_timeout = kCacheSeconds;
    fuse_reply_entry(request, &entry);
}

namespace {

// The kernel's offers that we take. Never the writeback cache: it would acknowledge writes before
// they are in the log, and reorder and cut them.
void init(void*, fuse_conn_info* connection) {
    unsigned wanted = FUSE_CAP_ASYNC_READ | FUSE_CAP_ASYNC_DIO | FUSE_CAP_ATOMIC_O_TRUNC |
                      FUSE_CAP_PARALLEL_DIROPS | FUSE_CAP_READDIRPLUS | FUSE_CAP_READDIRPLUS_AUTO |
                      FUSE_CAP_EXPLICIT_INVAL_DATA;
    connection->want = wanted & connection->capable;
    connection->max_write = kFuseWriteBytesMax;
    connection->max_background = 256;
    connection->congestion_threshold = 192;
    connection->time_gran = 1;
}

}  // namespace

// What is absent is answered with ENOSYS by libfuse, which makes the kernel stop asking (flush,
// extended attributes) or do it by itself (locks, lseek, copy_file_range).
const fuse_lowlevel_ops& fuse_operations() {
    static const fuse_lowlevel_ops operations = [] {
        fuse_lowlevel_ops table{};
        table.init = init;
        table.lookup = fuse_names::lookup;
        table.getattr = fuse_files::getattr;
        table.setattr = fuse_files::setattr;
        table.readlink = fuse_names::readlink;
        table.mknod = fuse_names::mknod;
        table.mkdir = fuse_names::mkdir;
        table.unlink = fuse_names::unlink;
        table.rmdir = fuse_names::rmdir;
        table.symlink = fuse_names::symlink;
        table.rename = fuse_names::rename;
        table.link = fuse_names::link;
        table.open = fuse_files::open;
        table.read = fuse_files::read;
        table.write = fuse_files::write;
        table.release = fuse_files::release;
        table.fsync = fuse_files::fsync;
        table.opendir = fuse_directories::opendir;
        table.readdir = fuse_directories::readdir;
        table.readdirplus = fuse_directories::readdirplus;
        table.releasedir = fuse_directories::releasedir;
        table.fsyncdir = fuse_files::fsync;
        table.statfs = fuse_names::statfs;
        table.create = fuse_files::create;
        table.fallocate = fuse_files::fallocate;
        return table;
    }();
    return operations;
}

}  // namespace lb::store
