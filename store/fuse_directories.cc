// Listing. Each open directory holds a copy of its entries, taken when it is read from the start,
// so that a reader sees every name that stays exactly once, whatever is created and removed
// meanwhile. Offsets are indexes into that copy.
#define FUSE_USE_VERSION 314
#include <fuse3/fuse_lowlevel.h>

#include <cerrno>
#include <vector>

#include "store/fuse_connection.h"

namespace lb::store::fuse_directories {

namespace {

constexpr size_t kListedAtOnce = 4096;

void list_lines(Store& store, std::vector<ListedEntry>& out) {
    for (const LineInfo& info : store.lines()) {
        out.push_back({to_string(info.line), node_id(info.line, kRootInode), FileType::kDirectory});
    }
}

Status list_names(Store& store, Node directory, std::vector<ListedEntry>& out) {
    std::string after;
    for (;;) {
        std::vector<DirectoryEntry> page =
            LB_TRY(store.list(directory.line, directory.inode, after, kListedAtOnce));
        for (DirectoryEntry& entry : page) {
            after = entry.name;
            out.push_back(
                {std::move(entry.name), node_id(directory.line, entry.inode), entry.type});
        }
        if (page.size() < kListedAtOnce) return ok();
    }
}

Result<std::vector<ListedEntry>> list(Store& store, Node directory) {
    std::vector<ListedEntry> entries;
    entries.push_back({".", node_id(directory.line, directory.inode), FileType::kDirectory});
    // The parent's number is not known here; programs do not rely on it.
    entries.push_back({"..", node_id(LineId{}, kRootInode), FileType::kDirectory});
    if (directory.is_list_of_lines()) {
        list_lines(store, entries);
    } else {
        LB_TRY(list_names(store, directory, entries));
    }
    return entries;
}

mode_t type_bits(FileType type) {
    switch (type) {
        case FileType::kFile: return S_IFREG;
        case FileType::kDirectory: return S_IFDIR;
        case FileType::kSymlink: return S_IFLNK;
    }
    LB_ASSERT(false);
    return 0;
}

// Entries in the kernel's format, as many as fit.
class Reply {
public:
    Reply(fuse_req* request, size_t size) : request_(request), bytes_(size) {}

    // False: no room.
    bool add(const ListedEntry& entry, off_t next_offset) {
        struct stat attributes {};
        attributes.st_ino = entry.id;
        attributes.st_mode = type_bits(entry.type);
        return take(fuse_add_direntry(request_, free_space(), free_bytes(), entry.name.c_str(),
                                      &attributes, next_offset));
    }

    // With attributes, which the kernel then needs no lookup for. Without them (id 0) the entry is
    // only a name.
    bool add_plus(const ListedEntry& entry, const fuse_entry_param& attributes, off_t next_offset) {
        return take(fuse_add_direntry_plus(request_, free_space(), free_bytes(), entry.name.c_str(),
                                           &attributes, next_offset));
    }

    void send() { fuse_reply_buf(request_, bytes_.data(), used_bytes_); }

private:
    char* free_space() { return bytes_.data() + used_bytes_; }
    size_t free_bytes() const { return bytes_.size() - used_bytes_; }
    bool take(size_t needed_bytes) {
        if (needed_bytes > free_bytes()) return false;
        used_bytes_ += needed_bytes;
        return true;
    }

    fuse_req* request_;
    std::vector<char> bytes_;
    size_t used_bytes_ = 0;
};

// The entry as it is now, not as it was when the copy was taken: a name that was removed since must
// not come back to life in the kernel's cache.
fuse_entry_param present_entry(FuseConnection& connection, Node directory,
                               const ListedEntry& entry) {
    fuse_entry_param result{};
    result.attr.st_ino = entry.id;
    result.attr.st_mode = type_bits(entry.type);
    if (entry.name == "." || entry.name == "..") return result;
    Node listed = node_of(entry.id);
    Result<FileAttributes> file =
        directory.is_list_of_lines()
            ? connection.store.attributes(listed.line, listed.inode)
            : connection.store.lookup(directory.line, directory.inode, entry.name);
    if (!file) return result;
    result.ino = node_id(listed.line, file->inode);
    result.attr = stat_of(connection, listed.line, *file);
    result.attr_timeout = kCacheSeconds;
    result.entry_timeout = kCacheSeconds;
    return result;
}

// The copy, which is made when reading starts, so that rewinddir(3) sees what is new.
Result<const std::vector<ListedEntry>*> entries_of(FuseConnection& connection, Node directory,
                                                   const fuse_file_info* handle, off_t offset) {
    std::vector<ListedEntry>& entries = connection.directories.entries(handle->fh);
    if (offset == 0) entries = LB_TRY(list(connection.store, directory));
    return &entries;
}

void forget(FuseConnection& connection, Node directory, uint64_t handle) {
    connection.directories.close(handle);
    if (!directory.is_list_of_lines()) {
        connection.store.release(directory.line, directory.inode);
    }
}

}  // namespace

void opendir(fuse_req* request, uint64_t id, fuse_file_info* handle) {
    FuseConnection& connection = connection_of(request);
    Node node = node_of(id);
    if (!node.is_list_of_lines()) connection.store.retain(node.line, node.inode);
    handle->fh = connection.directories.open();
    if (fuse_reply_open(request, handle) != 0) forget(connection, node, handle->fh);
}

void readdir(fuse_req* request, uint64_t id, size_t size, off_t offset, fuse_file_info* handle) {
    FuseConnection& connection = connection_of(request);
    Result<const std::vector<ListedEntry>*> found =
        entries_of(connection, node_of(id), handle, offset);
    if (!found) return reply_error(request, found.error());
    const std::vector<ListedEntry>& entries = **found;
    Reply reply(request, size);
    for (auto i = static_cast<size_t>(offset); i < entries.size(); ++i) {
        if (!reply.add(entries[i], static_cast<off_t>(i + 1))) break;
    }
    reply.send();
}

void readdirplus(fuse_req* request, uint64_t id, size_t size, off_t offset,
                 fuse_file_info* handle) {
    FuseConnection& connection = connection_of(request);
    Node directory = node_of(id);
    Result<const std::vector<ListedEntry>*> found =
        entries_of(connection, directory, handle, offset);
    if (!found) return reply_error(request, found.error());
    const std::vector<ListedEntry>& entries = **found;
    Reply reply(request, size);
    for (auto i = static_cast<size_t>(offset); i < entries.size(); ++i) {
        const ListedEntry& entry = entries[i];
        fuse_entry_param present = present_entry(connection, directory, entry);
        if (!reply.add_plus(entry, present, static_cast<off_t>(i + 1))) break;
    }
    reply.send();
}

void releasedir(fuse_req* request, uint64_t id, fuse_file_info* handle) {
    forget(connection_of(request), node_of(id), handle->fh);
    fuse_reply_err(request, 0);
}

}  // namespace lb::store::fuse_directories
