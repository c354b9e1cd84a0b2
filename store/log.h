// Log: the SegmentLog on segment files. Private to the store.
//
//   segment_log.cc  opening, appending, durability
//   log_read.cc     reading, and what reclaim does with segments
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "store/log_frame.h"
#include "store/log_group_commit.h"
#include "store/log_recovery.h"
#include "store/log_super.h"
#include "store/segment_files.h"
#include "store/segment_log.h"
#include "store/segment_pool.h"

namespace lb::store {

class Log final : public SegmentLog {
public:
    Log(const LogOptions& options, const Super& super, Manifest manifest,
        std::unique_ptr<SegmentPool> pool, RecoveredLog recovered,
        std::shared_ptr<File> active_file);
    ~Log() override { stop_threads(); }

    Status replay(LogPlace from, const std::function<Status(const ReplayFrame&)>& visit) override;
    Result<uint64_t> last_frame_until(LogPlace from, WallTime time) override;
    Result<Appended> append(std::span<const NewRecord> records) override;
    Status sync(uint64_t sequence) override;
    uint64_t durable_sequence() const override { return commits_.durable_sequence(); }
    uint64_t last_sequence() const override {
        return last_sequence_.load(std::memory_order_acquire);
    }
    LogPlace end() const override;
    Status read_block(const RecordLocation& location, const RecordHeader& expected,
                      std::span<std::byte, kBlockBytes> out) override;
    std::shared_ptr<const Manifest> manifest() const override;
    Status set_manifest(Manifest manifest) override;
    std::vector<SegmentSummary> full_segments() const override;
    Result<LogBase> base_at(SegmentId segment) override;
    Status visit_segments(SegmentId end,
                          const std::function<Status(const ReplayFrame&)>& visit) override;
    Status visit_cold_segment(const ColdFile& cold,
                              const std::function<Status(const ReplayRecord&)>& visit) override;
    std::unique_ptr<ColdWriter> cold_writer(SegmentId segment) override;
    const StoreId& store_id() const override { return super_.store_id; }
    LogStatistics statistics() const override;
    Status close() override;

private:
    // With mutex_ held:
    Status check_running() const;
    Error stop(Error error);
    bool fits(const PreparedFrame& frame) const;
    static bool may_use_reserve(std::span<const NewRecord> records);
    Status check_reserve() const;
    Status roll();
    Status prepare_segment(SegmentId segment);

    Result<uint64_t> flush();
    void sync_sealed_segments();
    void stop_threads();
    Result<size_t> find_start(const std::vector<SegmentSummary>& segments, LogPlace from,
                              uint64_t& offset);
    Status replay_segment(const SegmentSummary& segment, uint64_t offset, uint64_t next_sequence,
                          const std::function<Status(const ReplayFrame&)>& visit);

    Disk& disk_;
    const std::string directory_;
    const Super super_;
    const uint64_t seed_;
    SegmentFiles files_;
    const uint64_t reserve_bytes_;
    const std::unique_ptr<SegmentPool> pool_;
    std::atomic<uint64_t> last_sequence_;
    GroupCommit commits_;

    mutable std::mutex mutex_;
    std::shared_ptr<const Manifest> manifest_;
    std::vector<SegmentSummary> segments_;  // oldest first; the last one is the active one
    std::shared_ptr<File> active_file_;
    std::vector<FooterEntry> active_entries_;
    Spare next_segment_;  // named already, but not begun because the disk was full
    std::vector<std::shared_ptr<File>> unsynced_sealed_;  // oldest first
    bool is_directory_unsynced_ = false;
    uint64_t last_frame_hash_;
    WallTime last_written_at_;
    uint64_t sealed_bytes_ = 0;
    uint64_t frame_count_ = 0;
    FrameBuilder builder_;
    std::string stopped_because_;  // not empty: the log is stopped

    std::condition_variable sealed_or_closing_;
    bool is_closing_ = false;
    std::thread sealed_syncer_;
};

}  // namespace lb::store
