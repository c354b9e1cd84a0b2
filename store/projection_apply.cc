// How a frame changes what is derived from the log. Everything written to the index here is
// absolute and keyed by the frame's sequence, so that applying a frame twice gives the same index.
#include "base/text.h"
#include "store/projection.h"
#include "store/record_keys.h"

namespace lb::store {

namespace {

uint64_t logical_bytes(const InodeRecord& inode) {
    const FileAttributes& attributes = inode.attributes;
    bool counts = attributes.type == FileType::kFile && attributes.link_count > 0;
    return counts ? attributes.size_bytes : 0;
}

Error damaged_frame(uint64_t sequence, std::string_view what) {
    return Error{.code = ErrorCode::kStoreDamaged,
                 .message = cat("frame ", sequence, " of the store's log ", what),
                 .help = "run: lb debug segment FILE"};
}

}  // namespace

Result<Appended> Projection::append(std::span<const NewRecord> records) {
    if (is_failed_) {
        return Error{.code = ErrorCode::kStoreReadOnly,
                     .message = "the store stopped after a failure and takes no more changes",
                     .help = "restart lb"};
    }
    Appended appended = LB_TRY(log_.append(records));
    LB_ASSERT(appended.locations.size() == records.size());
    bytes_since_flush_ += appended.stored_bytes;
    Frame frame{appended.sequence, appended.written_at};
    auto alone = exclude();
    is_applying_ = true;
    note_time(frame, appended.locations.front());
    Status applied;
    for (size_t i = 0; i < records.size() && applied.is_ok(); i++) {
        const NewRecord& record = records[i];
        applied = apply(frame, {record.type, record.line, record.object, record.block,
                                record.payload, appended.locations[i]});
    }
    is_applying_ = false;
    is_failed_ = !applied.is_ok();
    LB_TRY(std::move(applied));
    return appended;
}

void Projection::note_time(const Frame& frame, const RecordLocation& first_record) {
    if (!history_.add_frame(frame.sequence, frame.written_at)) return;
    put_time(batch_, {.written_at = frame.written_at,
                      .before = {.segment = first_record.segment,
                                 .offset = first_record.offset - kFrameHeaderBytes,
                                 .sequence = frame.sequence - 1}});
}

Status Projection::apply(const Frame& frame, const Record& record) {
    Line* line = lines_.find(record.line);
    bool needs_line = record.type != RecordType::kLineCreate && record.type != RecordType::kNote;
    if (needs_line && line == nullptr) {
        return damaged_frame(frame.sequence,
                             cat("names line ", record.line.value(), ", which does not exist"));
    }
    if (needs_line) {
        line->info.own_bytes += kRecordHeaderBytes + record.location.stored_bytes;
        line->info.head = Position{frame.sequence};
        lines_.mark_dirty(*line);
    }
    switch (record.type) {
        case RecordType::kBlock: return apply_block(frame, record, *line);
        case RecordType::kTruncate: return apply_truncate(frame, record, *line);
        case RecordType::kInode: return apply_inode(frame, record, *line);
        case RecordType::kDirent: return apply_dirent(frame, record, *line);
        case RecordType::kLineCreate: return apply_line_create(frame, record);
        case RecordType::kLineDelete: return apply_line_delete(frame, record);
        case RecordType::kNote: return apply_note(frame, record);
        case RecordType::kLineSize: break;
    }
    return damaged_frame(frame.sequence, "has a record of an unknown type");
}

Status Projection::apply_block(const Frame& frame, const Record& record, Line& line) {
    DataId data{record.object};
    std::array<char, kLocationValueBytes> value = encode_location(record.location);
    batch_.put(block_key(record.line, data, record.block, frame.sequence),
               {value.data(), value.size()});
    blocks_.set(record.line, data, record.block,
                BlockVersion(record.location, frame.sequence, record.line));
    return touch(frame, line, inode_of(data));
}

Status Projection::apply_truncate(const Frame& frame, const Record& record, Line& line) {
    DataId data{record.object};
    std::string value(sizeof record.block, '\0');
    std::memcpy(value.data(), &record.block, sizeof record.block);
    batch_.put(truncate_key(record.line, data, frame.sequence), value);
    if (const Inode* inode = find_inode(record.line, inode_of(data))) {
        uint64_t size_bytes = inode->record.attributes.size_bytes;
        blocks_.cut(record.line, data, record.block, (size_bytes + kBlockBytes - 1) / kBlockBytes);
    }
    return touch(frame, line, inode_of(data));
}

Status Projection::apply_inode(const Frame& frame, const Record& record, Line& line) {
    InodeId id{record.object};
    std::optional<InodeRecord> decoded = decode_inode(id, record.payload);
    if (!decoded) return damaged_frame(frame.sequence, "has unreadable attributes");
    decoded->attributes.last_sequence = frame.sequence;

    Key key{record.line, id};
    Inode* known = nullptr;
    if (id.value() < next_inode_) {
        Result<Inode*> loaded = load_inode(line, id);
        if (loaded.is_ok()) {
            known = *loaded;
        } else if (loaded.error().code != ErrorCode::kStoreNotFound) {
            return std::move(loaded).error();
        }
    } else {
        next_inode_ = id.value() + 1;
    }

    uint64_t before = known == nullptr ? 0 : logical_bytes(known->record);
    uint64_t after = logical_bytes(*decoded);
    if (before != after) {
        line.info.logical_bytes += after - before;
        batch_.put(logical_bytes_key(record.line, frame.sequence),
                   encode_u64_value(line.info.logical_bytes));
    }
    batch_.put(inode_key(record.line, id, frame.sequence), as_text(record.payload));
    if (known != nullptr) {
        *known = Inode{.record = std::move(*decoded)};
        return ok();
    }
    bool is_directory = decoded->attributes.type == FileType::kDirectory;
    if (is_directory && !is_replaying_) directories_.insert(key, Directory());
    inodes_.insert(key, Inode{.record = std::move(*decoded)});
    return ok();
}

Status Projection::apply_dirent(const Frame& frame, const Record& record, Line& line) {
    std::optional<DirentRecord> dirent = decode_dirent(record.payload);
    if (!dirent) return damaged_frame(frame.sequence, "has an unreadable directory entry");
    InodeId parent{record.object};
    std::string value = encode_u64_value(dirent->child.value());
    value += static_cast<char>(dirent->type);
    batch_.put(dirent_key(record.line, parent, dirent->name, frame.sequence), value);
    if (Directory* directory = directories_.find({record.line, parent})) {
        auto at = directory->find(dirent->name);
        directory_entries_ -= directory->size();
        if (dirent->child != InodeId{}) {
            DirectoryChild child{dirent->child, dirent->type};
            directory->insert_or_assign(std::string(dirent->name), child);
        } else if (at != directory->end()) {
            directory->erase(at);
        }
        directory_entries_ += directory->size();
    }
    return touch(frame, line, parent);
}

// The times of an inode that a frame changed without carrying its attributes.
Status Projection::touch(const Frame& frame, const Line& line, InodeId id) {
    Result<Inode*> loaded = load_inode(line, id);
    if (!loaded.is_ok()) {
        if (loaded.error().code != ErrorCode::kStoreNotFound) return std::move(loaded).error();
        // What a line inherited is reclaimed once the line is gone, and its frames may still be in
        // the log. The end of the replay checks that it is gone, or an audit does.
        if (is_replaying_ && audit_ == nullptr && log_.manifest()->number != 0) {
            doomed_lines_.try_emplace(line.info.line, frame.sequence);
            return ok();
        }
        return damaged_frame(frame.sequence, cat("changes inode ", id.value(), " of line ",
                                                 line.info.line.value(), ", which does not exist"));
    }
    Inode& inode = **loaded;
    inode.record.attributes.modified_at = frame.written_at;
    inode.record.attributes.changed_at = frame.written_at;
    inode.record.attributes.last_sequence = frame.sequence;
    if (!inode.is_dirty) {
        inode.is_dirty = true;
        dirty_inodes_.push_back({line.info.line, id});
    }
    return ok();
}

Status Projection::apply_line_create(const Frame& frame, const Record& record) {
    std::optional<LineRecord> decoded = decode_line(record.payload);
    const Line* parent = decoded ? lines_.find(decoded->parent) : nullptr;
    bool is_root = decoded && decoded->parent == LineId{};
    bool is_new = lines_.find(record.line) == nullptr;
    if (!decoded || !is_new ||
        (!is_root && (parent == nullptr || record.line <= decoded->parent))) {
        return damaged_frame(frame.sequence, cat("creates line ", record.line.value(), " wrongly"));
    }
    LineInfo info{.line = record.line,
                  .parent = decoded->parent,
                  .fork_position = decoded->fork_position,
                  .created_position = Position{frame.sequence},
                  .created_at = frame.written_at,
                  .head = decoded->fork_position};
    info.own_bytes = kRecordHeaderBytes + record.location.stored_bytes;
    if (!is_root) {
        info.logical_bytes = LB_TRY(logical_bytes_at(*parent, decoded->fork_position));
    }
    batch_.put(logical_bytes_key(record.line, frame.sequence),
               encode_u64_value(info.logical_bytes));
    lines_.mark_dirty(lines_.add(std::move(info)));
    next_line_ = std::max(next_line_, record.line.value() + 1);
    return ok();
}

Result<uint64_t> Projection::logical_bytes_at(const Line& line, Position position) {
    if (position >= line.info.head) return line.info.logical_bytes;
    std::unique_ptr<IndexCursor> cursor = LB_TRY(this->cursor());
    for (LineView view{&line, position.value()}; view.line != nullptr; view = view.parent()) {
        IndexKey key = logical_bytes_key(view.line->info.line, view.limit);
        if (!LB_TRY(cursor->seek(key))) continue;
        Decoder decoder(as_bytes(cursor->value()));
        return decoder.u64();
    }
    return 0;
}

Status Projection::apply_line_delete(const Frame& frame, const Record& record) {
    if (lines_.find_live(record.line) == nullptr) {
        return damaged_frame(frame.sequence, "deletes a line that was deleted before");
    }
    lines_.remove(record.line, [&](LineId line) { forgotten_lines_.push_back(line); });
    return ok();
}

Status Projection::apply_note(const Frame& frame, const Record& record) {
    std::optional<NoteRecord> note = decode_note(record.payload);
    if (!note) return damaged_frame(frame.sequence, "has an unreadable note");
    if (note->value) {
        batch_.put(note_key(note->key), *note->value);
    } else {
        batch_.erase(note_key(note->key));
    }
    return ok();
}

}  // namespace lb::store
