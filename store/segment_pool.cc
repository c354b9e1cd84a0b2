#include "store/segment_pool.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/text.h"
#include "store/segment_scan.h"

namespace lb::store {

namespace {

// Small, so that a sync of the log never waits behind much of it.
constexpr uint64_t kStepBytes = uint64_t{1} << 20;

constexpr std::string_view kPrefix = "spare-";
constexpr std::string_view kSuffix = ".tmp";

std::string spare_path(const std::string& directory, uint64_t number) {
    return cat(directory, "/", kPrefix, number, kSuffix);
}

// The number of a spare; nullopt if `name` is not one that spare_path() makes.
std::optional<uint64_t> spare_from_name(std::string_view name) {
    if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) return {};
    uint64_t number = 0;
    std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), number);
    if (number == UINT64_MAX || cat(kPrefix, number, kSuffix) != name) return {};
    return number;
}

// A file that is all zeros and of the right size was finished by an earlier run.
Result<bool> is_finished(File& file, uint64_t segment_bytes) {
    if (LB_TRY(file.size_bytes()) != segment_bytes) return false;
    bool is_all_zero = true;
    LB_TRY(visit_nonzero(file, 0, segment_bytes, [&](uint64_t, ByteView) {
        is_all_zero = false;
        return ok();
    }));
    return is_all_zero;
}

}  // namespace

Result<std::unique_ptr<SegmentPool>> SegmentPool::open(SegmentPoolOptions options) {
    std::unique_ptr<SegmentPool> pool(new SegmentPool(std::move(options)));
    const SegmentPoolOptions& own = pool->options_;
    for (const std::string& name : LB_TRY(own.disk->list(own.directory))) {
        std::optional<uint64_t> number = spare_from_name(name);
        if (!number) continue;
        std::string path = spare_path(own.directory, *number);
        if (pool->old_paths_.size() < own.zeroed_spares) {
            pool->next_number_ = std::max(pool->next_number_, *number + 1);
            pool->old_paths_.push_back(std::move(path));
        } else {
            LB_TRY(own.disk->remove(path));
        }
    }
    if (own.zeroed_spares > 0) {
        pool->thread_ = std::thread([raw = pool.get()] { raw->run(); });
        return pool;
    }
    Result<Spare> first = pool->allocate();
    if (first) {
        pool->ready_.push_back(*std::move(first));
    } else if (first.error().code != ErrorCode::kStoreFull) {
        return std::move(first).error();
    }
    return pool;
}

SegmentPool::~SegmentPool() { stop(); }

void SegmentPool::stop() {
    {
        std::lock_guard lock(mutex_);
        is_stopping_ = true;
    }
    wanted_.notify_all();
    if (thread_.joinable()) thread_.join();
}

Result<Spare> SegmentPool::take() {
    std::unique_lock lock(mutex_);
    Spare spare;
    if (ready_.empty()) {
        lock.unlock();
        spare = LB_TRY(allocate());
        lock.lock();
    } else {
        spare = std::move(ready_.back());
        ready_.pop_back();
    }
    wanted_.notify_all();
    if (options_.zeroed_spares == 0 && ready_.empty()) {
        lock.unlock();
        // The one after it, so that a full disk is noticed a segment early. Not having it is no
        // error.
        Result<Spare> next = allocate();
        lock.lock();
        if (next) ready_.push_back(*std::move(next));
    }
    return spare;
}

Result<Spare> SegmentPool::allocate() {
    Spare spare;
    {
        std::lock_guard lock(mutex_);
        spare.path = spare_path(options_.directory, next_number_++);
    }
    spare.file = LB_TRY(options_.disk->open(spare.path, OpenMode::kCreate));
    Status allocated = spare.file->allocate(options_.segment_bytes);
    if (allocated) return spare;
    spare.file.reset();
    // The reason why there is no spare matters more than that its file stays for the next open.
    static_cast<void>(options_.disk->remove(spare.path).is_ok());
    return std::move(allocated).error();
}

bool SegmentPool::is_stopping() {
    std::lock_guard lock(mutex_);
    return is_stopping_;
}

Status SegmentPool::fill_with_zeros(File& file) {
    const Bytes zeros(std::min(kStepBytes, options_.segment_bytes));
    for (uint64_t offset = 0; offset < options_.segment_bytes && !is_stopping();) {
        ByteView piece =
            ByteView(zeros).first(std::min(kStepBytes, options_.segment_bytes - offset));
        LB_TRY(file.write_at(offset, {&piece, 1}));
        LB_TRY(file.sync());
        offset += piece.size();
    }
    return ok();
}

Result<Spare> SegmentPool::next_zeroed() {
    while (!old_paths_.empty() && !is_stopping()) {
        Spare spare{.path = old_paths_.back(), .file = {}};
        old_paths_.pop_back();
        spare.file = LB_TRY(options_.disk->open(spare.path, OpenMode::kReadWrite));
        if (LB_TRY(is_finished(*spare.file, options_.segment_bytes))) return spare;
        spare.file.reset();
        LB_TRY(options_.disk->remove(spare.path));
    }
    Spare spare = LB_TRY(allocate());
    Status filled = fill_with_zeros(*spare.file);
    if (filled) return spare;
    spare.file.reset();
    static_cast<void>(options_.disk->remove(spare.path).is_ok());
    return std::move(filled).error();
}

void SegmentPool::run() {
    std::unique_lock lock(mutex_);
    while (!is_stopping_) {
        if (ready_.size() >= options_.zeroed_spares) {
            wanted_.wait(lock);
            continue;
        }
        lock.unlock();
        Result<Spare> spare = next_zeroed();
        lock.lock();
        if (spare) {
            ready_.push_back(*std::move(spare));
        } else if (!is_stopping_) {
            // Tried again when the next segment is begun, which then allocates for itself and
            // reports what is wrong.
            wanted_.wait(lock);
        }
    }
}

}  // namespace lb::store
