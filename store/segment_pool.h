// SegmentPool: segment files that are ready before they are needed. A background thread fills
// spares with zeros, because fdatasync into written blocks costs a fifth of one that also has to
// record where new blocks are; when none is filled in time, a file that is only allocated does.
//
// Thread-safe. Errors: kStoreFull, kIo.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "store/disk.h"

namespace lb::store {

struct Spare {
    std::string path;
    std::unique_ptr<File> file;  // segment_bytes long, all zeros
};

struct SegmentPoolOptions {
    Disk* disk = nullptr;
    std::string directory;  // where the segments are
    uint64_t segment_bytes = 0;
    uint32_t zeroed_spares = 0;  // 0: no thread
};

class SegmentPool {
public:
    // Removes or takes over the spares of an earlier run; without a thread, allocates the first
    // one.
    static Result<std::unique_ptr<SegmentPool>> open(SegmentPoolOptions options);
    ~SegmentPool();

    // A ready spare or, if there is none, one that is allocated now.
    Result<Spare> take();

    // Joins the thread. No call may follow.
    void stop();

private:
    explicit SegmentPool(SegmentPoolOptions options) : options_(std::move(options)) {}

    Result<Spare> allocate();
    Status fill_with_zeros(File& file);
    Result<Spare> next_zeroed();
    bool is_stopping();
    void run();

    const SegmentPoolOptions options_;

    std::mutex mutex_;
    std::condition_variable wanted_;
    std::vector<Spare> ready_;
    std::vector<std::string> old_paths_;  // of an earlier run, not looked at yet
    uint64_t next_number_ = 0;
    bool is_stopping_ = false;
    std::thread thread_;
};

}  // namespace lb::store
