// FuseOpenDirectories: the directories that programs list, by handle. Handles are numbers, not
// addresses, so that they mean the same to the next image of the process. Thread-safe; the kernel
// sends the requests of one handle one after the other.
#pragma once

#include <map>
#include <mutex>
#include <vector>

#include "store/fuse_handover.h"

namespace lb::store {

class FuseOpenDirectories {
public:
    uint64_t open() {
        std::lock_guard lock(mutex_);
        directories_.try_emplace(next_handle_);
        return next_handle_++;
    }
    // The copy of a directory's entries; the reference is good until close().
    std::vector<ListedEntry>& entries(uint64_t handle) {
        std::lock_guard lock(mutex_);
        return directories_[handle];
    }
    void close(uint64_t handle) {
        std::lock_guard lock(mutex_);
        directories_.erase(handle);
    }

    void hand_over(FuseHandover& handover) const {
        std::lock_guard lock(mutex_);
        handover.next_directory_handle = next_handle_;
        for (const auto& [handle, entries] : directories_) {
            handover.directories.push_back({.handle = handle, .entries = entries});
        }
    }
    void take_over(const FuseHandover& handover) {
        std::lock_guard lock(mutex_);
        next_handle_ = handover.next_directory_handle;
        for (const ListedDirectory& directory : handover.directories) {
            directories_[directory.handle] = directory.entries;
        }
    }

private:
    mutable std::mutex mutex_;
    uint64_t next_handle_ = 1;
    std::map<uint64_t, std::vector<ListedEntry>> directories_;
};

}  // namespace lb::store
