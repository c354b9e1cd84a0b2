// Inputs of a step: all records of the segments, what the index derived from them, and the state
// at the base that follows.
#include <algorithm>
#include <tuple>

#include "base/text.h"
#include "store/index_keys.h"
#include "store/reclaim.h"

namespace lb::store {

namespace {

constexpr size_t kPieceObjects = 64;

Error unreadable(uint64_t sequence) {
    return Error{.code = ErrorCode::kStoreDamaged,
                 .message = cat("frame ", sequence, " of the store's log cannot be read")};
}

}  // namespace

// What is collected while the frames pass by.
struct Reclaim::HotScan {
    explicit HotScan(const Manifest& manifest) {
        for (const LineInfo& line : manifest.lines) lines.add(line);
        for (const LineInfo& line : manifest.lines) ids.insert(line.line);
    }

    // Versions of these are in the index also where no record of theirs is.
    std::set<std::pair<LineId, InodeId>> inodes;
    std::set<LineId> changed_lines;
    LineTable lines;
    std::set<LineId> ids;
    uint64_t first_sequence = 0;
    uint64_t last_sequence = 0;

    Status add_line(const ReplayFrame& frame, const ReplayRecord& record);
    void touch(const ReplayRecord& record);
};

Status Reclaim::HotScan::add_line(const ReplayFrame& frame, const ReplayRecord& record) {
    std::optional<LineRecord> decoded = decode_line(record.payload);
    LineId id{record.header.line};
    bool is_possible = decoded && lines.find(id) == nullptr &&
                       (decoded->parent == LineId{} ||
                        (decoded->parent < id && lines.find(decoded->parent) != nullptr));
    if (!is_possible) return unreadable(frame.header.sequence);
    lines.add({.line = id,
               .parent = decoded->parent,
               .fork_position = decoded->fork_position,
               .created_position = Position{frame.header.sequence},
               .created_at = frame.header.written_at,
               .head = decoded->fork_position,
               .own_bytes = kRecordHeaderBytes + record.header.stored_bytes});
    ids.insert(id);
    changed_lines.insert(id);
    return ok();
}

// As Projection::apply() does, which inodes a record changes and what its line becomes.
void Reclaim::HotScan::touch(const ReplayRecord& record) {
    const RecordHeader& header = record.header;
    LineId id{header.line};
    bool is_data = header.type == RecordType::kBlock || header.type == RecordType::kTruncate;
    InodeId inode = is_data ? inode_of(DataId{header.object}) : InodeId{header.object};
    if (header.type != RecordType::kLineDelete) {
        inodes.insert({id, inode});
        changed_lines.insert(id);
    }
    if (Line* line = lines.find(id)) {
        line->info.own_bytes += kRecordHeaderBytes + header.stored_bytes;
        line->info.head = Position{header.sequence};
    }
}

bool Reclaim::comes_before(const Item& a, const Item& b) {
    auto order = [](const RecordHeader& header) {
        return std::tuple(header.type, header.line, header.object, header.block, header.sequence);
    };
    auto first = order(a.record.header);
    auto second = order(b.record.header);
    if (first != second) return first < second;
    if (a.record.header.type != RecordType::kDirent) return false;
    // One frame may change several names of a directory.
    std::optional<DirentRecord> name = decode_dirent(a.payload);
    std::optional<DirentRecord> other = decode_dirent(b.payload);
    return name && other && name->name < other->name;
}

// Sorted; of two records of one identity in a frame the index has the last.
void Reclaim::sort_items(std::vector<Item>& items) {
    std::ranges::stable_sort(items, comes_before);
    auto is_replaced = [&](size_t i) {
        return i + 1 < items.size() && !comes_before(items[i], items[i + 1]);
    };
    size_t kept = 0;
    for (size_t i = 0; i < items.size(); i++) {
        if (is_replaced(i)) continue;
        if (kept != i) items[kept] = std::move(items[i]);
        kept++;
    }
    items.resize(kept);
}

Result<Reclaim::Inputs> Reclaim::load(const ReclaimStep& step) {
    std::shared_ptr<const Manifest> manifest = log_.manifest();
    Inputs inputs{.base = manifest->base,
                  .lines = manifest->lines,
                  .notes = manifest->notes,
                  .next_inode = manifest->next_inode,
                  .next_line = manifest->next_line};
    {
        // So that what the index derives from frames up to here is in it.
        std::lock_guard lock(change_mutex_);
        LB_TRY(projection_.write_index());
    }
    if (step.hot_end.value() != 0) LB_TRY(load_hot(step.hot_end, inputs));
    LB_TRY(load_cold(step.cold_inputs, inputs));
    sort_items(inputs.items);
    return inputs;
}

Status Reclaim::load_cold(const std::vector<SegmentId>& segments, Inputs& inputs) {
    std::shared_ptr<const Manifest> manifest = log_.manifest();
    for (SegmentId segment : segments) {
        auto cold = std::ranges::find(manifest->cold, segment, &ColdFile::segment);
        if (cold == manifest->cold.end()) {
            return Error{
                .code = ErrorCode::kStoreDamaged,
                .message = cat("the manifest does not know cold segment ", segment.value())};
        }
        inputs.bytes += cold->size_bytes;
        LB_TRY(log_.visit_cold_segment(*cold, [&](const ReplayRecord& record) {
            inputs.items.push_back(
                {.record = record, .payload = Bytes(record.payload.begin(), record.payload.end())});
            return ok();
        }));
    }
    return ok();
}

Status Reclaim::load_hot(SegmentId end, Inputs& inputs) {
    HotScan scan(*log_.manifest());
    scan.first_sequence = inputs.base.previous_sequence + 1;
    LB_TRY(log_.visit_segments(end, [&](const ReplayFrame& frame) -> Status {
        for (const ReplayRecord& record : frame.records) {
            const RecordHeader& header = record.header;
            if (header.type == RecordType::kNote) {
                std::optional<NoteRecord> note = decode_note(record.payload);
                if (!note) return unreadable(header.sequence);
                inputs.notes.erase(std::string(note->key));
                if (note->value) inputs.notes.emplace(note->key, *note->value);
                continue;
            }
            if (header.type == RecordType::kLineCreate) {
                LB_TRY(scan.add_line(frame, record));
                inputs.next_line = std::max<uint64_t>(inputs.next_line, header.line + 1);
                continue;
            }
            scan.touch(record);
            if (header.type == RecordType::kLineDelete) {
                LineId id{header.line};
                if (scan.lines.find_live(id) == nullptr) return unreadable(header.sequence);
                scan.lines.remove(id, [&](LineId gone) { scan.ids.erase(gone); });
            } else if (header.type == RecordType::kInode) {
                inputs.next_inode = std::max(inputs.next_inode, header.object + 1);
            } else {
                Item item{.record = record};
                if (header.type != RecordType::kBlock) {
                    item.payload.assign(record.payload.begin(), record.payload.end());
                }
                inputs.items.push_back(std::move(item));
            }
        }
        return ok();
    }));
    for (const SegmentSummary& segment : log_.full_segments()) {
        if (segment.segment < end) inputs.bytes += segment.end_offset;
    }
    inputs.base = LB_TRY(log_.base_at(end));
    scan.last_sequence = inputs.base.previous_sequence;
    LB_TRY(add_derived(scan, inputs));
    inputs.lines.clear();
    for (LineId id : scan.ids) inputs.lines.push_back(scan.lines.find(id)->info);
    return ok();
}

// Versions of inodes and sizes of lines come from the index: it has some that no record of their
// own stands for (times of files that were written in place, sizes).
Status Reclaim::add_derived(HotScan& scan, Inputs& inputs) {
    auto add = [&](RecordType type, LineId line, uint64_t object, IndexCursor& cursor) {
        std::string_view value = cursor.value();
        Item item{.record = {.header = {.type = type,
                                        .line = static_cast<uint32_t>(line.value()),
                                        .object = object,
                                        .stored_bytes = static_cast<uint32_t>(value.size()),
                                        .sequence = sequence_in_key(cursor.key())}}};
        item.payload.assign(as_bytes(value).begin(), as_bytes(value).end());
        inputs.items.push_back(std::move(item));
    };
    auto is_in_range = [&](IndexCursor& cursor) {
        return sequence_in_key(cursor.key()) >= scan.first_sequence;
    };
    for (auto inode = scan.inodes.begin(); inode != scan.inodes.end();) {
        std::lock_guard lock(change_mutex_);
        std::unique_ptr<IndexCursor> cursor = LB_TRY(projection_.cursor());
        for (size_t i = 0; i < kPieceObjects && inode != scan.inodes.end(); i++, ++inode) {
            auto [line, id] = *inode;
            bool is_valid = LB_TRY(cursor->seek(inode_key(line, id, scan.last_sequence)));
            for (; is_valid && is_in_range(*cursor); is_valid = LB_TRY(cursor->next())) {
                add(RecordType::kInode, line, id.value(), *cursor);
            }
        }
    }
    std::lock_guard lock(change_mutex_);
    std::unique_ptr<IndexCursor> cursor = LB_TRY(projection_.cursor());
    for (LineId line : scan.changed_lines) {
        IndexKey newest = logical_bytes_key(line, scan.last_sequence);
        bool is_valid = LB_TRY(cursor->seek(newest));
        bool is_first = true;
        for (; is_valid && is_in_range(*cursor); is_valid = LB_TRY(cursor->next())) {
            if (Line* found = scan.lines.find(line); found != nullptr && is_first) {
                Decoder decoder(as_bytes(cursor->value()));
                found->info.logical_bytes = decoder.u64();
            }
            is_first = false;
            add(RecordType::kLineSize, line, 0, *cursor);
        }
    }
    return ok();
}

}  // namespace lb::store
