#include "store/segment_log.h"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/hash.h"
#include "base/text.h"
#include "store/cold_segment.h"
#include "store/log_frame.h"
#include "store/log_group_commit.h"
#include "store/log_recovery.h"
#include "store/log_super.h"
#include "store/segment_files.h"
#include "store/segment_pool.h"
#include "store/segment_scan.h"

namespace lb::store {

namespace {

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

Log::Log(const LogOptions& options, const Super& super, Manifest manifest,
         std::unique_ptr<SegmentPool> pool, RecoveredLog recovered,
         std::shared_ptr<File> active_file)
    : disk_(*options.disk),
      directory_(options.directory),
      super_(super),
      seed_(frame_seed(super.store_id)),
      files_(disk_, directory_),
      reserve_bytes_(options.reserve_bytes),
      pool_(std::move(pool)),
      last_sequence_(recovered.last_sequence),
      commits_([this] { return flush(); }, recovered.last_sequence),
      manifest_(std::make_shared<const Manifest>(std::move(manifest))),
      segments_(std::move(recovered.segments)),
      active_file_(std::move(active_file)),
      active_entries_(std::move(recovered.active_entries)),
      last_frame_hash_(recovered.last_frame_hash),
      last_written_at_(recovered.last_written_at) {
    for (const SegmentSummary& segment : segments_) sealed_bytes_ += segment.end_offset;
    sealed_bytes_ -= segments_.back().end_offset;
    files_.put(segments_.back().segment, active_file_);
    if (options.spare_segments > 0)
        sealed_syncer_ = std::thread([this] { sync_sealed_segments(); });
}

// ---- Appending ---------------------------------------------------------------------------------

Status Log::check_running() const {
    if (stopped_because_.empty()) return ok();
    return Error{
        .code = ErrorCode::kStoreReadOnly,
        .message = cat("the store takes no writes since an earlier failure: ", stopped_because_),
        .help = "check the disk, then restart lb"};
}

Error Log::stop(Error error) {
    if (stopped_because_.empty()) stopped_because_ = error.message;
    return error;
}

bool Log::fits(const PreparedFrame& frame) const {
    uint64_t entry_count = active_entries_.size() + frame.parts().size();
    return segments_.back().end_offset + frame.frame_bytes() + footer_bytes(entry_count) <=
           super_.segment_bytes;
}

bool Log::may_use_reserve(std::span<const NewRecord> records) {
    return std::ranges::any_of(records, [](const NewRecord& record) {
        return record.type == RecordType::kLineCreate || record.type == RecordType::kLineDelete ||
               record.type == RecordType::kNote;
    });
}

Status Log::check_reserve() const {
    if (reserve_bytes_ == 0) return ok();
    uint64_t free_bytes = LB_TRY(disk_.free_bytes(directory_));
    if (free_bytes >= reserve_bytes_) return ok();
    return Error{
        .code = ErrorCode::kStoreFull,
        .message = cat("the disk has ", format_bytes(free_bytes), " left, and ",
                       format_bytes(reserve_bytes_), " are kept for deleting and reclaiming"),
        .help =
            "delete branches, shorten restore windows, or free space on the disk; "
            "lb status tells what each branch holds"};
}

Result<Appended> Log::append(std::span<const NewRecord> records) {
    PreparedFrame frame(records);
    if (kSegmentHeaderBytes + frame.frame_bytes() + footer_bytes(records.size()) >
        super_.segment_bytes) {
        return Error{.code = ErrorCode::kStoreInvalid,
                     .message = cat("a frame of ", frame.frame_bytes(),
                                    " bytes does not fit a segment of ", super_.segment_bytes)};
    }
    std::lock_guard lock(mutex_);
    LB_TRY(check_running());
    if (!fits(frame)) {
        if (!may_use_reserve(records)) LB_TRY(check_reserve());
        LB_TRY(roll());
    }

    SegmentSummary& active = segments_.back();
    WallTime now = disk_.clock().now();
    FrameHeader header{.segment = active.segment,
                       .sequence = active.last_sequence + 1,
                       .written_at = std::max(now, last_written_at_ + std::chrono::nanoseconds{1}),
                       .durable_sequence = commits_.durable_sequence(),
                       .previous_frame_hash = last_frame_hash_};
    Appended appended{.sequence = header.sequence,
                      .written_at = header.written_at,
                      .stored_bytes = frame.frame_bytes()};
    size_t entry_count = active_entries_.size();
    std::span<const ByteView> pieces =
        builder_.build(frame, active.end_offset, seed_, header, appended, active_entries_);
    Status written = active_file_->write_at(active.end_offset, pieces);
    if (!written) {
        active_entries_.resize(entry_count);
        // What a full disk let through is overwritten by the next frame.
        if (written.error().code == ErrorCode::kStoreFull) return std::move(written).error();
        return stop(std::move(written).error());
    }
    active.end_offset += frame.frame_bytes();
    active.last_sequence = header.sequence;
    last_frame_hash_ = header.frame_hash;
    last_written_at_ = header.written_at;
    ++frame_count_;
    last_sequence_.store(header.sequence, std::memory_order_release);
    return appended;
}

// Begins the next segment, then seals the one in use: in this order, because a footer that more
// frames followed would hide them. A full disk leaves everything as it was.
Status Log::roll() {
    SegmentSummary& full = segments_.back();
    SegmentId next{full.segment.value() + 1};
    Status begun = prepare_segment(next);
    if (begun) {
        begun = write_footer(*active_file_, super_.segment_bytes, full, last_frame_hash_,
                             active_entries_);
    }
    if (!begun) {
        if (begun.error().code == ErrorCode::kStoreFull) return begun;
        return stop(std::move(begun).error());
    }
    sealed_bytes_ += full.end_offset;
    unsynced_sealed_.push_back(std::move(active_file_));
    sealed_or_closing_.notify_one();
    active_file_ = std::move(next_segment_.file);
    next_segment_ = {};
    active_entries_.clear();
    files_.put(next, active_file_);
    segments_.push_back({.segment = next,
                         .first_sequence = full.last_sequence + 1,
                         .last_sequence = full.last_sequence,
                         .end_offset = kSegmentHeaderBytes});
    return ok();
}

// Fills next_segment_. What an earlier call, that a full disk stopped, has left there is used
// first.
Status Log::prepare_segment(SegmentId segment) {
    if (!next_segment_.file) next_segment_ = LB_TRY(pool_->take());
    SegmentHeader header{.store_id = super_.store_id,
                         .segment = segment,
                         .first_sequence = segments_.back().last_sequence + 1,
                         .previous_frame_hash = last_frame_hash_,
                         .durable_sequence = commits_.durable_sequence(),
                         .previous_written_at = last_written_at_};
    std::array<std::byte, kSegmentHeaderBytes> bytes;
    encode_segment_header(header, bytes);
    ByteView piece = bytes;
    LB_TRY(next_segment_.file->write_at(0, {&piece, 1}));
    std::string path = segment_path(directory_, segment);
    LB_TRY(disk_.rename(next_segment_.path, path));
    next_segment_.path = std::move(path);
    is_directory_unsynced_ = true;
    return ok();
}

// ---- Durability --------------------------------------------------------------------------------

Status Log::sync(uint64_t sequence) {
    {
        std::lock_guard lock(mutex_);
        LB_TRY(check_running());
        LB_ASSERT(sequence <= segments_.back().last_sequence);
    }
    return commits_.wait(sequence);
}

// Old segments first: nothing is durable while something before it is not.
Result<uint64_t> Log::flush() {
    std::unique_lock lock(mutex_);
    LB_TRY(check_running());
    uint64_t target = segments_.back().last_sequence;
    std::vector<std::shared_ptr<File>> files = unsynced_sealed_;
    size_t sealed_count = files.size();
    files.push_back(active_file_);
    bool is_directory_synced = std::exchange(is_directory_unsynced_, false);
    lock.unlock();

    Status synced = ok();
    for (size_t i = 0; i < files.size() && synced; ++i) synced = files[i]->sync();
    if (synced && is_directory_synced) {
        synced = disk_.sync_directory(segment_directory(directory_));
    }

    lock.lock();
    if (!synced) return stop(std::move(synced).error());
    unsynced_sealed_.erase(unsynced_sealed_.begin(),
                           unsynced_sealed_.begin() + static_cast<ptrdiff_t>(sealed_count));
    return target;
}

// Syncs full segments as they come, so that neither the next commit after a bulk load nor a
// recovery finds gigabytes to do.
void Log::sync_sealed_segments() {
    std::unique_lock lock(mutex_);
    for (;;) {
        sealed_or_closing_.wait(lock, [&] { return is_closing_ || !unsynced_sealed_.empty(); });
        if (is_closing_ || !stopped_because_.empty()) return;
        uint64_t last_sealed_sequence = segments_.back().first_sequence - 1;
        lock.unlock();
        // A failure has stopped the log; whoever writes or syncs next is told.
        bool is_synced = commits_.wait(last_sealed_sequence).is_ok();
        lock.lock();
        if (!is_synced) return;
    }
}

void Log::stop_threads() {
    {
        std::lock_guard lock(mutex_);
        is_closing_ = true;
    }
    sealed_or_closing_.notify_all();
    if (sealed_syncer_.joinable()) sealed_syncer_.join();
    pool_->stop();
}

Status Log::close() {
    Status synced = sync(last_sequence());
    stop_threads();
    return synced;
}

// ---- Reading -----------------------------------------------------------------------------------

LogPlace Log::end() const {
    std::lock_guard lock(mutex_);
    const SegmentSummary& active = segments_.back();
    return {
        .segment = active.segment, .offset = active.end_offset, .sequence = active.last_sequence};
}

LogStatistics Log::statistics() const {
    std::lock_guard lock(mutex_);
    LogStatistics result{.segment_count = segments_.size(),
                         .log_bytes = sealed_bytes_ + segments_.back().end_offset,
                         .frame_count = frame_count_,
                         .syncs = commits_.flushes()};
    for (const ColdFile& cold : manifest_->cold) {
        result.cold_bytes += cold.size_bytes;
        result.cold_plain_bytes += cold.plain_bytes;
        ++result.cold_segment_count;
    }
    return result;
}

Status Log::read_block(const RecordLocation& location, const RecordHeader& expected,
                       std::span<std::byte, kBlockBytes> out) {
    Result<std::shared_ptr<File>> file = files_.get(location.segment);
    if (!file) return std::move(file).error();
    uint64_t size_limit = is_cold(location.segment) ? UINT32_MAX : super_.segment_bytes;
    return read_record(**file, size_limit, location, expected, out);
}

Result<uint64_t> Log::last_frame_until(LogPlace from, WallTime time) {
    std::vector<SegmentSummary> segments;
    {
        std::lock_guard lock(mutex_);
        segments = segments_;
    }
    uint64_t offset = 0;
    size_t start = LB_TRY(find_start(segments, from, offset));
    uint64_t last = from.sequence;
    for (size_t i = start; i < segments.size(); ++i) {
        std::shared_ptr<File> file = LB_TRY(files_.get(segments[i].segment));
        if (i != start) offset = kSegmentHeaderBytes;
        while (offset < segments[i].end_offset) {
            std::array<std::byte, kFrameHeaderBytes> bytes;
            LB_TRY(file->read_at(offset, bytes));
            FrameHeader header = LB_TRY(decode_frame_header(bytes, seed_));
            if (header.written_at > time) return last;
            last = header.sequence;
            offset += kFrameHeaderBytes + uint64_t{header.body_bytes};
        }
    }
    return last;
}

Status Log::replay(LogPlace from, const std::function<Status(const ReplayFrame&)>& visit) {
    std::vector<SegmentSummary> segments;
    {
        std::lock_guard lock(mutex_);
        segments = segments_;
    }
    uint64_t offset = 0;
    size_t start = LB_TRY(find_start(segments, from, offset));
    uint64_t next_sequence =
        from == LogPlace{} ? segments.front().first_sequence : from.sequence + 1;
    for (size_t i = start; i < segments.size(); ++i) {
        LB_TRY(replay_segment(segments[i], i == start ? offset : kSegmentHeaderBytes, next_sequence,
                              visit));
        next_sequence = segments[i].last_sequence + 1;
    }
    return ok();
}

// Index of the segment that `from` is in.
Result<size_t> Log::find_start(const std::vector<SegmentSummary>& segments, LogPlace from,
                               uint64_t& offset) {
    offset = from.offset;
    if (from == LogPlace{}) {
        offset = kSegmentHeaderBytes;
        return 0;
    }
    auto absent = [&] {
        return Error{.code = ErrorCode::kStoreNotFound,
                     .message = cat("sequence ", from.sequence, " is not in the log at segment ",
                                    from.segment.value(), ", offset ", from.offset)};
    };
    auto found = std::ranges::lower_bound(segments, from.segment, {}, &SegmentSummary::segment);
    if (found == segments.end() || found->segment != from.segment) return absent();
    if (from.sequence + 1 < found->first_sequence || from.sequence > found->last_sequence) {
        return absent();
    }
    bool is_at_end = from.sequence == found->last_sequence;
    if (is_at_end != (from.offset == found->end_offset)) return absent();
    bool is_at_start = from.sequence + 1 == found->first_sequence;
    if (is_at_start != (from.offset == kSegmentHeaderBytes)) return absent();
    if (is_at_end) return static_cast<size_t>(found - segments.begin());
    if (from.offset < kSegmentHeaderBytes || from.offset + kFrameHeaderBytes > found->end_offset) {
        return absent();
    }
    std::shared_ptr<File> file = LB_TRY(files_.get(found->segment));
    std::array<std::byte, kFrameHeaderBytes> bytes;
    LB_TRY(file->read_at(from.offset, bytes));
    Result<FrameHeader> header = decode_frame_header(bytes, seed_);
    if (!header || header->segment != from.segment || header->sequence != from.sequence + 1) {
        return absent();
    }
    return static_cast<size_t>(found - segments.begin());
}

Status Log::replay_segment(const SegmentSummary& segment, uint64_t offset, uint64_t next_sequence,
                           const std::function<Status(const ReplayFrame&)>& visit) {
    std::shared_ptr<File> file = LB_TRY(files_.get(segment.segment));
    FrameReader reader({.file = file.get(),
                        .segment = segment.segment,
                        .seed = seed_,
                        .offset = offset,
                        .end_offset = segment.end_offset,
                        .next_sequence = next_sequence});
    while (reader.offset() < segment.end_offset) {
        const ReplayFrame* frame = LB_TRY(reader.next());
        if (frame == nullptr) return reader.stop_reason();
        LB_TRY(visit(*frame));
    }
    return ok();
}

// ---- Reclaim -----------------------------------------------------------------------------------

std::shared_ptr<const Manifest> Log::manifest() const {
    std::lock_guard lock(mutex_);
    return manifest_;
}

Status Log::set_manifest(Manifest manifest) {
    std::shared_ptr<const Manifest> old = this->manifest();
    manifest.number = old->number + 1;
    LB_TRY(write_manifest(disk_, directory_, super_.store_id, manifest));
    std::vector<SegmentId> unneeded;
    for (const ColdFile& cold : old->cold) {
        if (std::ranges::find(manifest.cold, cold.segment, &ColdFile::segment) ==
            manifest.cold.end()) {
            unneeded.push_back(cold.segment);
        }
    }
    {
        std::lock_guard lock(mutex_);
        auto kept = std::ranges::lower_bound(segments_, manifest.base.first_segment, {},
                                             &SegmentSummary::segment);
        LB_ASSERT(kept != segments_.end());
        for (auto gone = segments_.begin(); gone != kept; ++gone) {
            unneeded.push_back(gone->segment);
            sealed_bytes_ -= gone->end_offset;
        }
        segments_.erase(segments_.begin(), kept);
        manifest_ = std::make_shared<const Manifest>(std::move(manifest));
    }
    for (SegmentId segment : unneeded) {
        files_.forget(segment);
        // What cannot be removed now is removed by the next open: nothing names it any more.
        static_cast<void>(disk_.remove(segment_path(directory_, segment)).is_ok());
    }
    return ok();
}

std::vector<SegmentSummary> Log::full_segments() const {
    std::lock_guard lock(mutex_);
    return {segments_.begin(), std::prev(segments_.end())};
}

Result<LogBase> Log::base_at(SegmentId segment) {
    std::shared_ptr<File> file = LB_TRY(files_.get(segment));
    std::array<std::byte, kSegmentHeaderBytes> bytes;
    LB_TRY(file->read_at(0, bytes));
    SegmentHeader header = LB_TRY(decode_segment_header(bytes));
    return LogBase{.first_segment = segment,
                   .previous_sequence = header.first_sequence - 1,
                   .previous_frame_hash = header.previous_frame_hash,
                   .previous_written_at = header.previous_written_at};
}

Status Log::visit_segments(SegmentId end, const std::function<Status(const ReplayFrame&)>& visit) {
    for (const SegmentSummary& segment : full_segments()) {
        if (segment.segment >= end) break;
        LB_TRY(replay_segment(segment, kSegmentHeaderBytes, segment.first_sequence, visit));
    }
    return ok();
}

Status Log::visit_cold_segment(const ColdFile& cold,
                               const std::function<Status(const ReplayRecord&)>& visit) {
    std::shared_ptr<File> file = LB_TRY(files_.get(cold.segment));
    return visit_cold(*file, super_.store_id, cold, visit);
}

std::unique_ptr<ColdWriter> Log::cold_writer(SegmentId segment) {
    return std::make_unique<ColdWriter>(disk_, directory_, super_.store_id, segment);
}

// A step that was cut short leaves cold segments that nothing names.
Status remove_unnamed_cold_segments(Disk& disk, const std::string& directory,
                                    const Manifest& manifest) {
    std::string cold = cold_directory(directory);
    if (!LB_TRY(disk.exists(cold))) return ok();
    for (const std::string& name : LB_TRY(disk.list(cold))) {
        std::optional<SegmentId> segment = segment_from_name(name);
        if (!segment || is_named(manifest, *segment)) continue;
        LB_TRY(disk.remove(segment_path(directory, *segment)));
    }
    return ok();
}

}  // namespace

Result<std::unique_ptr<SegmentLog>> SegmentLog::open(LogOptions options) {
    LB_ASSERT(options.disk != nullptr);
    if (options.segment_bytes < kSegmentBytesMin || options.segment_bytes > kSegmentBytesMax ||
        options.segment_bytes % 4096 != 0) {
        return Error{.code = ErrorCode::kStoreInvalid,
                     .message = cat("segments cannot have ", options.segment_bytes, " bytes")};
    }
    Disk& disk = *options.disk;
    std::string segments = segment_directory(options.directory);
    LB_TRY(disk.create_directory(options.directory));
    LB_TRY(disk.create_directory(segments));
    std::optional<Super> super = LB_TRY(read_super(disk, options.directory));
    if (!super) super = LB_TRY(create_store(disk, options.directory, options.segment_bytes));
    Manifest manifest =
        LB_TRY(open_manifest(disk, options.directory, super->store_id, options.on_damage))
            .value_or(first_manifest(super->store_id));
    RecoveredLog recovered = LB_TRY(recover_log(disk, options.directory, *super, manifest.base,
                                                options.known_durable_sequence));
    LB_TRY(remove_unnamed_cold_segments(disk, options.directory, manifest));
    if (super->version < kFormatVersion) {
        super->version = kFormatVersion;
        LB_TRY(write_super(disk, options.directory, *super));
    }
    std::shared_ptr<File> active_file = LB_TRY(disk.open(
        segment_path(options.directory, recovered.segments.back().segment), OpenMode::kReadWrite));
    std::unique_ptr<SegmentPool> pool =
        LB_TRY(SegmentPool::open({.disk = &disk,
                                  .directory = segments,
                                  .segment_bytes = super->segment_bytes,
                                  .zeroed_spares = options.spare_segments}));
    return std::unique_ptr<SegmentLog>(std::make_unique<Log>(options, *super, std::move(manifest),
                                                             std::move(pool), std::move(recovered),
                                                             std::move(active_file)));
}

}  // namespace lb::store
