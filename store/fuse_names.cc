#define FUSE_USE_VERSION 314
#include <fuse3/fuse_lowlevel.h>
#include <linux/fs.h>  // RENAME_NOREPLACE

#include <cerrno>
#include <cstring>

#include "store/fuse_connection.h"

namespace lb::store::fuse_names {

namespace {

constexpr uint32_t kModeMask = 07777;

// Lines come and go behind the kernel's back, so that an absent one must not be remembered.
void lookup_line(fuse_req* request, const char* name) {
    Store& store = connection_of(request).store;
    Result<LineId> line = line_of_name(store, name);
    if (!line) return reply_error(request, line.error());
    reply_entry(request, *line, store.attributes(*line, kRootInode));
}

// The mount's root changes by the engine's commits only.
bool refuse_in_list_of_lines(fuse_req* request, Node directory) {
    if (!directory.is_list_of_lines()) return false;
    fuse_reply_err(request, EPERM);
    return true;
}

void create(fuse_req* request, uint64_t parent, const char* name, const NewFile& file) {
    Node directory = node_of(parent);
    if (refuse_in_list_of_lines(request, directory)) return;
    reply_entry(request, directory.line,
                connection_of(request).store.create(directory.line, directory.inode, name, file));
}

void remove(fuse_req* request, uint64_t parent, const char* name, FileType expected) {
    Node directory = node_of(parent);
    if (refuse_in_list_of_lines(request, directory)) return;
    reply_status(request, connection_of(request).store.remove(directory.line, directory.inode, name,
                                                              expected));
}

}  // namespace

void lookup(fuse_req* request, uint64_t parent, const char* name) {
    Node directory = node_of(parent);
    // The kernel looks up a name before it does anything with it, so that this is the only check.
    if (std::strlen(name) > kNameMaxBytes) {
        fuse_reply_err(request, ENAMETOOLONG);
        return;
    }
    if (directory.is_list_of_lines()) return lookup_line(request, name);
    Result<FileAttributes> file =
        connection_of(request).store.lookup(directory.line, directory.inode, name);
    if (!file && file.error().code == ErrorCode::kStoreNotFound) {
        fuse_entry_param absent{};
        absent.entry_timeout = kCacheSeconds;
        fuse_reply_entry(request, &absent);
        return;
    }
    reply_entry(request, directory.line, file);
}

void readlink(fuse_req* request, uint64_t id) {
    Node node = node_of(id);
    Result<std::string> target = connection_of(request).store.symlink_target(node.line, node.inode);
    if (!target) return reply_error(request, target.error());
    fuse_reply_readlink(request, target->c_str());
}

void mknod(fuse_req* request, uint64_t parent, const char* name, mode_t mode, dev_t) {
    if (!S_ISREG(mode)) {
        fuse_reply_err(request, EOPNOTSUPP);
        return;
    }
    create(request, parent, name, {.type = FileType::kFile, .mode = mode & kModeMask});
}

void mkdir(fuse_req* request, uint64_t parent, const char* name, mode_t mode) {
    create(request, parent, name, {.type = FileType::kDirectory, .mode = mode & kModeMask});
}

void symlink(fuse_req* request, const char* target, uint64_t parent, const char* name) {
    create(request, parent, name,
           {.type = FileType::kSymlink, .mode = 0777, .symlink_target = target});
}

void unlink(fuse_req* request, uint64_t parent, const char* name) {
    remove(request, parent, name, FileType::kFile);
}

void rmdir(fuse_req* request, uint64_t parent, const char* name) {
    remove(request, parent, name, FileType::kDirectory);
}

void rename(fuse_req* request, uint64_t parent, const char* name, uint64_t new_parent,
            const char* new_name, unsigned int flags) {
    Node from = node_of(parent);
    Node to = node_of(new_parent);
    if (refuse_in_list_of_lines(request, from)) return;
    if (from.line != to.line || (flags & ~unsigned{RENAME_NOREPLACE}) != 0) {
        fuse_reply_err(request, from.line != to.line ? EXDEV : EINVAL);
        return;
    }
    RenameMode mode = flags == RENAME_NOREPLACE ? RenameMode::kNoReplace : RenameMode::kReplace;
    reply_status(request, connection_of(request).store.rename(from.line, from.inode, name, to.inode,
                                                              new_name, mode));
}

void link(fuse_req* request, uint64_t id, uint64_t new_parent, const char* new_name) {
    Node file = node_of(id);
    Node directory = node_of(new_parent);
    if (refuse_in_list_of_lines(request, directory)) return;
    if (file.line != directory.line) {
        fuse_reply_err(request, EXDEV);
        return;
    }
    reply_entry(
        request, file.line,
        connection_of(request).store.link(file.line, file.inode, directory.inode, new_name));
}

void statfs(fuse_req* request, uint64_t) {
    StoreStatistics store = connection_of(request).store.statistics();
    struct statvfs result {};
    result.f_bsize = kBlockBytes;
    result.f_frsize = kBlockBytes;
    result.f_bfree = store.free_bytes / kBlockBytes;
    result.f_bavail = result.f_bfree;
    result.f_blocks = result.f_bfree + store.log_bytes / kBlockBytes;
    result.f_namemax = kNameMaxBytes;
    fuse_reply_statfs(request, &result);
}

}  // namespace lb::store::fuse_names
