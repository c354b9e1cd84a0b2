#include "store/segment_log.h"

#include <algorithm>
#include <array>

#include "base/hash.h"
#include "base/text.h"
#include "store/cold_segment.h"
#include "store/log.h"
#include "store/segment_scan.h"

namespace lb::store {

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

namespace {

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
