// Start-up: from the index and the log's tail, or from the log alone.
#include "base/text.h"
#include "store/index_meta.h"
#include "store/projection.h"
#include "store/record_keys.h"

namespace lb::store {

namespace {

constexpr size_t kBaseBatchEntries = 4096;

}  // namespace

void Projection::put_meta() {
    batch_.put(meta_key(), encode_index_meta({.store_id = log_.store_id(),
                                              .place = log_.end(),
                                              .next_inode = next_inode_,
                                              .next_line = next_line_,
                                              .reclaim_step = reclaim_step_}));
}

// nullopt if the index does not belong to this log or is none of ours.
Result<std::optional<LogPlace>> Projection::read_meta() {
    std::optional<LogPlace> none;
    std::optional<std::string> value = LB_TRY(index_.get(meta_key()));
    std::optional<IndexMeta> meta = value ? decode_index_meta(*value) : std::nullopt;
    if (!meta || meta->version != kIndexVersion || meta->store_id != log_.store_id() ||
        meta->place.sequence > log_.last_sequence()) {
        return none;
    }
    if (!may_have_seen(*log_.manifest(), meta->reclaim_step)) return none;
    next_inode_ = meta->next_inode;
    next_line_ = meta->next_line;
    reclaim_step_ = meta->reclaim_step;
    return std::optional<LogPlace>(meta->place);
}

// Parents come first: they have lower ids.
Status Projection::read_lines() {
    std::unique_ptr<IndexCursor> cursor = index_.cursor();
    IndexKey start = line_key(LineId{});
    bool is_valid = LB_TRY(cursor->seek(start));
    while (is_valid && cursor->key().front() == static_cast<char>(KeySpace::kLine)) {
        std::optional<LineInfo> info =
            decode_line_info(line_in_key(cursor->key()), cursor->value());
        bool has_parent =
            info && (info->parent == LineId{} ||
                     (info->parent < info->line && lines_.find(info->parent) != nullptr));
        if (!has_parent) {
            return Error{.code = ErrorCode::kStoreDamaged,
                         .message = "the index has an unreadable entry for a line"};
        }
        lines_.add(std::move(*info));
        is_valid = LB_TRY(cursor->next());
    }
    return ok();
}

Status Projection::recover() {
    Result<std::optional<LogPlace>> meta = read_meta();
    if (!meta && meta.error().code != ErrorCode::kStoreDamaged) return std::move(meta).error();
    std::optional<LogPlace> place = meta ? *meta : std::nullopt;
    if (place) {
        Status recovered = read_lines();
        if (recovered.is_ok()) recovered = read_times(place->sequence);
        if (recovered.is_ok()) recovered = replay(*place);
        if (recovered.is_ok()) return ok();
        // The place is not in the log, or the index does not agree with it. If the log itself is
        // damaged, the replay from its beginning says so.
        ErrorCode code = recovered.error().code;
        if (code != ErrorCode::kStoreNotFound && code != ErrorCode::kStoreDamaged) return recovered;
    }
    return start_over();
}

Status Projection::start_over() {
    lines_ = LineTable();
    inodes_.clear();
    directories_.clear();
    directory_entries_ = 0;
    blocks_ = BlockMap();
    batch_.clear();
    dirty_inodes_.clear();
    forgotten_lines_.clear();
    LB_TRY(index_.clear());
    LB_TRY(load_base());
    return replay(LogPlace{});
}

// Points in time: those that the manifest has, and those of the hot log up to `last_sequence`.
Status Projection::read_times(uint64_t last_sequence) {
    history_.set_state(log_.manifest()->history);
    std::vector<TimeEntry> entries;  // the newest first
    std::unique_ptr<IndexCursor> cursor = index_.cursor();
    bool is_valid = LB_TRY(cursor->seek(IndexKey(KeySpace::kTime)));
    while (is_valid && cursor->key().front() == static_cast<char>(KeySpace::kTime)) {
        std::optional<TimeEntry> entry = decode_time_entry(cursor->key(), cursor->value());
        if (!entry) return unreadable_time();
        if (entry->sequence() <= last_sequence) entries.push_back(*entry);
        is_valid = LB_TRY(cursor->next());
    }
    for (size_t i = entries.size(); i-- > 0;) {
        uint64_t newest = i == 0 ? last_sequence : entries[i - 1].before.sequence;
        history_.add_frame(newest, entries[i].written_at);
    }
    return ok();
}

// What is known from before the beginning of the log.
Status Projection::load_base() {
    std::shared_ptr<const Manifest> manifest = log_.manifest();
    const LogBase& base = manifest->base;
    history_ = History();
    history_.set_state(manifest->history);
    if (base.previous_sequence != 0) {
        history_.add_frame(base.previous_sequence, base.previous_written_at);
        put_time(batch_, entry_of_base(base));
    }
    next_inode_ = manifest->next_inode;
    next_line_ = manifest->next_line;
    reclaim_step_ = manifest->index_step;
    for (const LineInfo& line : manifest->lines) lines_.mark_dirty(lines_.add(line));
    for (const auto& [key, value] : manifest->notes) batch_.put(note_key(key), value);
    for (const ColdFile& cold : manifest->cold) LB_TRY(load_cold_segment(cold));
    return ok();
}

Status Projection::load_cold_segment(const ColdFile& cold) {
    return log_.visit_cold_segment(cold, [&](const ReplayRecord& record) -> Status {
        LB_TRY(put_record(batch_, record));
        if (batch_.entry_count() < kBaseBatchEntries) return ok();
        LB_TRY(index_.write(batch_));
        batch_.clear();
        return ok();
    });
}

Status Projection::replay(LogPlace from) {
    is_replaying_ = true;
    doomed_lines_.clear();
    LB_TRY(log_.replay(from, [&](const ReplayFrame& frame) { return apply_replayed(frame); }));
    is_replaying_ = false;
    lines_.set_head_limit(kNewest);
    for (const auto& [line, sequence] : doomed_lines_) {
        if (lines_.find(line) == nullptr) continue;
        return Error{.code = ErrorCode::kStoreDamaged,
                     .message = cat("frame ", sequence, " of the log changes a file of line ",
                                    line.value(), " that does not exist"),
                     .help = "run: lb debug segment FILE"};
    }
    // A killed process leaves its last frames in the page cache only: from here on they are
    // durable, and nobody needs to know which files they belong to.
    if (log_.durable_sequence() < log_.last_sequence()) LB_TRY(log_.sync(log_.last_sequence()));
    return write_index();
}

Status Projection::apply_replayed(const ReplayFrame& frame) {
    // What an interrupted replay left in the index is newer than this frame and must not be seen.
    lines_.set_head_limit(frame.header.sequence - 1);
    if (audit_ != nullptr) LB_TRY(audit_->before(frame));
    note_time({frame.header.sequence, frame.header.written_at}, frame.records.front().location);
    for (const ReplayRecord& record : frame.records) {
        const RecordHeader& header = record.header;
        Status applied = apply({frame.header.sequence, frame.header.written_at},
                               {header.type, LineId{header.line}, header.object, header.block,
                                record.payload, record.location});
        if (!applied && audit_ != nullptr) {
            applied = audit_->refused(frame, record, std::move(applied).error());
        }
        LB_TRY(std::move(applied));
        bytes_since_flush_ += kRecordHeaderBytes + header.stored_bytes;
    }
    if (audit_ != nullptr) LB_TRY(audit_->after(frame));
    return trim();
}

}  // namespace lb::store
