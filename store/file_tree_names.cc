// Names: look-up, create, link, remove, rename, list.
#include "base/text.h"
#include "store/file_tree.h"

namespace lb::store {

namespace {

Error store_error(ErrorCode code, std::string message) {
    return Error{.code = code, .message = std::move(message)};
}

Error no_such_file(std::string_view name) {
    return store_error(ErrorCode::kStoreNotFound, cat("no such file: ", quoted(name)));
}

Status check_name(std::string_view name) {
    if (is_valid_name(name)) return ok();
    return Error{.code = ErrorCode::kStoreInvalid,
                 .message = cat("not a file name: ", quoted(name)),
                 .help = "use 1 to 255 bytes without a slash, other than . and .."};
}

}  // namespace

std::optional<Result<FileAttributes>> FileTree::find_name(LineId line, InodeId directory,
                                                          std::string_view name) const {
    const Directory* entries = projection_.find_directory(line, directory);
    if (entries == nullptr) return std::nullopt;
    auto found = entries->find(name);
    if (found == entries->end()) return no_such_file(name);
    std::optional<FileAttributes> attributes = find_attributes(line, found->second.inode);
    if (!attributes) return std::nullopt;
    return *attributes;
}

Result<FileAttributes> FileTree::lookup(const Line& line, InodeId directory,
                                        std::string_view name) {
    const Directory* entries = LB_TRY(this->directory(line, directory));
    auto found = entries->find(name);
    if (found == entries->end()) return no_such_file(name);
    return LB_TRY(existing(line, found->second.inode))->record.attributes;
}

Result<FileAttributes> FileTree::create(const Line& line, InodeId directory, std::string_view name,
                                        const NewFile& file) {
    LB_TRY(check_name(name));
    const Directory* entries = LB_TRY(this->directory(line, directory));
    if (entries->contains(name)) {
        return store_error(ErrorCode::kStoreExists, cat("file exists: ", quoted(name)));
    }
    InodeId inode = projection_.next_inode();
    if (inode.value() > kInodeMax) {
        return store_error(ErrorCode::kStoreInvalid, "the store has used up its file numbers");
    }
    InodeRecord record{.data = first_data(inode)};
    WallTime now = clock_.now();
    record.attributes = {.inode = inode,
                         .type = file.type,
                         .mode = file.mode,
                         .modified_at = now,
                         .changed_at = now};
    if (file.type == FileType::kDirectory) record.parent = directory;
    if (file.type == FileType::kSymlink) {
        LB_TRY(check_symlink(line, directory, file.symlink_target));
        record.symlink_target = file.symlink_target;
        record.attributes.size_bytes = file.symlink_target.size();
    }
    FrameRecords frame;
    frame.dirent(line.info.line, directory, {inode, file.type, name});
    frame.inode(line.info.line, record);
    record.attributes.last_sequence = LB_TRY(projection_.append(frame.records())).sequence;
    return record.attributes;
}

Result<FileAttributes> FileTree::link(const Line& line, InodeId inode, InodeId new_directory,
                                      std::string_view new_name) {
    LB_TRY(check_name(new_name));
    const Inode* source = LB_TRY(existing(line, inode));
    if (source->record.attributes.type == FileType::kDirectory) {
        return store_error(ErrorCode::kStoreIsDirectory, "directories have one name only");
    }
    if (source->record.attributes.link_count == 0) {
        return store_error(ErrorCode::kStoreNotFound, "the file was removed");
    }
    const Directory* entries = LB_TRY(this->directory(line, new_directory));
    if (entries->contains(new_name)) {
        return store_error(ErrorCode::kStoreExists, cat("file exists: ", quoted(new_name)));
    }
    InodeRecord record = source->record;
    record.attributes.link_count++;
    record.attributes.changed_at = clock_.now();
    FrameRecords frame;
    frame.dirent(line.info.line, new_directory, {inode, record.attributes.type, new_name});
    frame.inode(line.info.line, record);
    record.attributes.last_sequence = LB_TRY(projection_.append(frame.records())).sequence;
    return record.attributes;
}

Status FileTree::remove(const Line& line, InodeId directory, std::string_view name,
                        FileType expected) {
    const Directory* entries = LB_TRY(this->directory(line, directory));
    auto found = entries->find(name);
    if (found == entries->end()) return no_such_file(name);
    DirectoryChild child = found->second;
    bool is_directory = child.type == FileType::kDirectory;
    if (expected == FileType::kDirectory && !is_directory) {
        return store_error(ErrorCode::kStoreNotDirectory, cat("not a directory: ", quoted(name)));
    }
    if (expected != FileType::kDirectory && is_directory) {
        return store_error(ErrorCode::kStoreIsDirectory, cat("is a directory: ", quoted(name)));
    }
    if (is_directory && !LB_TRY(this->directory(line, child.inode))->empty()) {
        return store_error(ErrorCode::kStoreNotEmpty, cat("directory not empty: ", quoted(name)));
    }
    InodeRecord record = LB_TRY(existing(line, child.inode))->record;
    record.attributes.link_count--;
    record.attributes.changed_at = clock_.now();
    FrameRecords frame;
    frame.dirent(line.info.line, directory, {InodeId{}, child.type, name});
    frame.inode(line.info.line, record);
    LB_TRY(projection_.append(frame.records()));
    return ok();
}

Status FileTree::rename(const Line& line, InodeId directory, std::string_view name,
                        InodeId new_directory, std::string_view new_name, RenameMode mode) {
    LB_TRY(check_name(new_name));
    const Directory* from = LB_TRY(this->directory(line, directory));
    const Directory* to = LB_TRY(this->directory(line, new_directory));
    auto source = from->find(name);
    if (source == from->end()) return no_such_file(name);
    DirectoryChild moved = source->second;
    auto target = to->find(new_name);
    bool replaces = target != to->end();
    if (replaces && mode == RenameMode::kNoReplace) {
        return store_error(ErrorCode::kStoreExists, cat("file exists: ", quoted(new_name)));
    }
    if (replaces && target->second.inode == moved.inode) return ok();  // as POSIX has it
    if (replaces) LB_TRY(check_replaceable(line, moved, target->second, new_name));

    FrameRecords frame;
    LineId id = line.info.line;
    frame.dirent(id, directory, {InodeId{}, moved.type, name});
    frame.dirent(id, new_directory, {moved.inode, moved.type, new_name});
    if (replaces) {
        InodeRecord replaced = LB_TRY(existing(line, target->second.inode))->record;
        replaced.attributes.link_count--;
        replaced.attributes.changed_at = clock_.now();
        frame.inode(id, replaced);
    }
    if (directory != new_directory) {
        InodeRecord record = LB_TRY(existing(line, moved.inode))->record;
        switch (moved.type) {
            case FileType::kFile: break;
            case FileType::kSymlink:
                LB_TRY(check_symlink(line, new_directory, record.symlink_target));
                break;
            case FileType::kDirectory:
                LB_TRY(check_move(line, moved.inode, new_directory));
                record.parent = new_directory;
                record.attributes.changed_at = clock_.now();
                frame.inode(id, record);
                break;
        }
    }
    LB_TRY(projection_.append(frame.records()));
    return ok();
}

Status FileTree::check_replaceable(const Line& line, const DirectoryChild& source,
                                   const DirectoryChild& target, std::string_view name) {
    bool is_directory = source.type == FileType::kDirectory;
    bool is_target_directory = target.type == FileType::kDirectory;
    if (is_directory && !is_target_directory) {
        return store_error(ErrorCode::kStoreNotDirectory, cat("not a directory: ", quoted(name)));
    }
    if (!is_directory && is_target_directory) {
        return store_error(ErrorCode::kStoreIsDirectory, cat("is a directory: ", quoted(name)));
    }
    if (is_target_directory && !LB_TRY(directory(line, target.inode))->empty()) {
        return store_error(ErrorCode::kStoreNotEmpty, cat("directory not empty: ", quoted(name)));
    }
    return ok();
}

// A directory must not become its own ancestor.
Status FileTree::check_move(const Line& line, InodeId source, InodeId new_directory) {
    InodeId ancestor = new_directory;
    while (ancestor != kRootInode) {
        if (ancestor == source) {
            return store_error(ErrorCode::kStoreInvalid, "a directory cannot be moved into itself");
        }
        ancestor = LB_TRY(existing(line, ancestor))->record.parent;
    }
    return ok();
}

Result<uint32_t> FileTree::depth_of(const Line& line, InodeId directory) {
    uint32_t depth = 0;
    for (InodeId at = directory; at != kRootInode; depth++) {
        at = LB_TRY(existing(line, at))->record.parent;
    }
    return depth;
}

// A target that leaves the line would show other data than the branch's. Only leading ".." are
// taken, because one after a name could climb out of whatever that name links to.
Status FileTree::check_symlink(const Line& line, InodeId directory, std::string_view target) {
    if (target.empty() || target.size() > kSymlinkTargetMaxBytes) {
        return store_error(ErrorCode::kStoreInvalid,
                           "a symbolic link's target has 1 to 4095 bytes");
    }
    Error outside{.code = ErrorCode::kStoreNotSupported,
                  .message = cat("symbolic link out of the branch is refused: ", quoted(target)),
                  .help =
                      "use a relative target inside of the data directory; tablespaces are "
                      "not supported, because a branch could not copy them"};
    if (target.front() == '/' || target.find('\0') != std::string_view::npos) return outside;
    uint32_t climbs = 0;
    bool has_name = false;
    for (const std::string& component : split(target, '/')) {
        if (component.empty() || component == ".") continue;
        bool is_climb = component == "..";
        if (is_climb && has_name) return outside;
        climbs += is_climb ? 1 : 0;
        has_name = has_name || !is_climb;
    }
    if (climbs > LB_TRY(depth_of(line, directory))) return outside;
    return ok();
}

Result<std::vector<DirectoryEntry>> FileTree::list(const Line& line, InodeId directory,
                                                   std::string_view after, size_t limit) {
    const Directory* entries = LB_TRY(this->directory(line, directory));
    std::vector<DirectoryEntry> result;
    for (auto at = after.empty() ? entries->begin() : entries->upper_bound(after);
         at != entries->end() && result.size() < limit; ++at) {
        result.push_back({at->first, at->second.inode, at->second.type});
    }
    return result;
}

Result<std::string> FileTree::symlink_target(const Line& line, InodeId inode) {
    const Inode* found = LB_TRY(existing(line, inode));
    if (found->record.attributes.type != FileType::kSymlink) {
        return store_error(ErrorCode::kStoreInvalid, "not a symbolic link");
    }
    return found->record.symlink_target;
}

}  // namespace lb::store
