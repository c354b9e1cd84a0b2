// SegmentFiles: the names of the segment files and a small cache of open ones, so that a read costs
// no open(2) and a large store does not run out of descriptors. Thread-safe.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "store/disk.h"
#include "store/format.h"

namespace lb::store {

std::string segment_directory(const std::string& store_directory);
std::string cold_directory(const std::string& store_directory);
// Of a hot or a cold segment: the id tells which.
std::string segment_path(const std::string& store_directory, SegmentId segment);
// The reverse for a bare file name; nullopt if it is not the name of a segment.
std::optional<SegmentId> segment_from_name(std::string_view name);

class SegmentFiles {
public:
    SegmentFiles(Disk& disk, std::string store_directory, size_t open_files_max = 256)
        : disk_(disk),
          store_directory_(std::move(store_directory)),
          open_files_max_(open_files_max) {}

    // Opens the file if it is not. Errors: kStoreDamaged if the segment does not exist.
    Result<std::shared_ptr<File>> get(SegmentId segment);
    void put(SegmentId segment, std::shared_ptr<File> file);
    // The file is going to be removed. Who has it from get() keeps it.
    void forget(SegmentId segment) {
        std::lock_guard lock(mutex_);
        open_files_.erase(segment);
    }

private:
    struct Entry {
        std::shared_ptr<File> file;
        uint64_t last_use = 0;
    };

    void insert(SegmentId segment, std::shared_ptr<File> file);

    Disk& disk_;
    const std::string store_directory_;
    const size_t open_files_max_;

    std::mutex mutex_;
    std::unordered_map<SegmentId, Entry> open_files_;
    uint64_t use_count_ = 0;
};

}  // namespace lb::store
