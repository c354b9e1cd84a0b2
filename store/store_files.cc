// Files: from memory if it has the answer, else alone.
#include "base/text.h"
#include "store/log_store.h"

namespace lb::store {

Result<FileAttributes> LogStore::lookup(LineId line, InodeId directory, std::string_view name) {
    {
        auto shared = projection_->share();
        if (projection_->lines().find_live(line) != nullptr) {
            if (auto found = tree_->find_name(line, directory, name)) return *found;
        }
    }
    return alone(line, [&](const Line& found) { return tree_->lookup(found, directory, name); });
}

Result<FileAttributes> LogStore::attributes(LineId line, InodeId inode) {
    {
        auto shared = projection_->share();
        if (projection_->lines().find_live(line) != nullptr) {
            if (auto found = tree_->find_attributes(line, inode)) return *found;
        }
    }
    return alone(line, [&](const Line& found) { return tree_->attributes(found, inode); });
}

Result<FileAttributes> LogStore::create(LineId line, InodeId directory, std::string_view name,
                                        const NewFile& file) {
    return alone(line,
                 [&](const Line& found) { return tree_->create(found, directory, name, file); });
}

Result<FileAttributes> LogStore::link(LineId line, InodeId inode, InodeId new_directory,
                                      std::string_view new_name) {
    return alone(line, [&](const Line& found) {
        return tree_->link(found, inode, new_directory, new_name);
    });
}

Status LogStore::remove(LineId line, InodeId directory, std::string_view name, FileType expected) {
    return alone(
        line, [&](const Line& found) { return tree_->remove(found, directory, name, expected); });
}

Status LogStore::rename(LineId line, InodeId directory, std::string_view name,
                        InodeId new_directory, std::string_view new_name, RenameMode mode) {
    return alone(line, [&](const Line& found) {
        return tree_->rename(found, directory, name, new_directory, new_name, mode);
    });
}

Result<FileAttributes> LogStore::set_attributes(LineId line, InodeId inode,
                                                const AttributeChanges& changes) {
    return alone(line,
                 [&](const Line& found) { return tree_->set_attributes(found, inode, changes); });
}

Result<std::string> LogStore::symlink_target(LineId line, InodeId inode) {
    return alone(line, [&](const Line& found) { return tree_->symlink_target(found, inode); });
}

Result<std::vector<DirectoryEntry>> LogStore::list(LineId line, InodeId directory,
                                                   std::string_view after, size_t limit) {
    return alone(line,
                 [&](const Line& found) { return tree_->list(found, directory, after, limit); });
}

Result<size_t> LogStore::read(LineId line, InodeId inode, uint64_t offset,
                              std::span<std::byte> out) {
    for (;;) {
        uint64_t moves = projection_->move_count();
        ReadPlan plan = LB_TRY(plan_read(line, inode, offset, out.size()));
        block_reads_.fetch_add(plan.pieces.size(), std::memory_order_relaxed);
        Status fetched = FileTree::fetch(*log_, plan, out);
        if (fetched) return plan.length_bytes;
        // What the plan names may have moved to another segment, and its file be gone.
        if (projection_->move_count() == moves) {
            return met(line, inode, offset, std::move(fetched).error());
        }
    }
}

Result<ReadPlan> LogStore::plan_read(LineId line, InodeId inode, uint64_t offset, size_t length) {
    {
        auto shared = projection_->share();
        if (projection_->lines().find_live(line) != nullptr) {
            std::optional<ReadPlan> plan = tree_->find_read(line, inode, offset, length);
            if (plan) {
                reads_placed_by_memory_.fetch_add(1, std::memory_order_relaxed);
                return std::move(*plan);
            }
        }
    }
    reads_placed_by_index_.fetch_add(1, std::memory_order_relaxed);
    Result<ReadPlan> made = alone(
        line, [&](const Line& found) { return tree_->plan_read(found, inode, offset, length); });
    if (!made) return met(line, inode, offset, std::move(made).error());
    return made;
}

Result<FileAttributes> LogStore::write(LineId line, InodeId inode, uint64_t offset, ByteView data) {
    block_writes_.fetch_add((data.size() + kBlockBytes - 1) / kBlockBytes,
                            std::memory_order_relaxed);
    Result<FileAttributes> written =
        alone(line, [&](const Line& found) { return tree_->write(found, inode, offset, data); });
    if (!written) return met(line, inode, offset, std::move(written).error());
    reclaim_->throttle().charge(data.size());
    return written;
}

Error LogStore::met(LineId line, InodeId inode, uint64_t offset, Error error) {
    if (error.code == ErrorCode::kStoreDamaged) tell({line, inode, offset, error});
    return error;
}

void LogStore::tell(const DamageMet& damage) {
    damage_met_.fetch_add(1, std::memory_order_relaxed);
    if (options_.on_damage) options_.on_damage(damage);
}

Status LogStore::allocate(LineId line, InodeId inode, uint64_t offset, uint64_t length) {
    return alone(line,
                 [&](const Line& found) { return tree_->allocate(found, inode, offset, length); });
}

Status LogStore::zero(LineId line, InodeId inode, uint64_t offset, uint64_t length) {
    return alone(line,
                 [&](const Line& found) { return tree_->zero(found, inode, offset, length); });
}

void LogStore::retain(LineId line, InodeId inode) {
    std::lock_guard lock(change_mutex_);
    tree_->retain(line, inode);
}

void LogStore::release(LineId line, InodeId inode) {
    std::lock_guard lock(change_mutex_);
    tree_->release(line, inode);
}

std::vector<OpenInode> LogStore::open_inodes() const {
    std::lock_guard lock(change_mutex_);
    return tree_->open_inodes();
}

Status LogStore::sync(uint64_t sequence) {
    if (is_durable(sequence)) return ok();
    return log_->sync(sequence);
}

}  // namespace lb::store
