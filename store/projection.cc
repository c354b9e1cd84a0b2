#include "store/projection.h"

#include "base/text.h"

namespace lb::store {

namespace {

constexpr size_t kBatchEntries = 256;
// Bounds what a restart after a kill has to replay.
constexpr uint64_t kFlushBytes = uint64_t{256} << 20;
constexpr uint64_t kFlushEntries = 400'000;

Error unreadable_entry(std::string_view what, LineId line, uint64_t object) {
    return Error{.code = ErrorCode::kStoreDamaged,
                 .message = cat("the index has an unreadable entry for ", what, " ", object,
                                " on line ", line.value()),
                 .help = "restart lb with the index directory removed: it is rebuilt from the log"};
}

}  // namespace

ProjectionLimits ProjectionLimits::for_bytes(uint64_t bytes) {
    return {.inode_count = bytes / 5 / 250,
            .directory_count = bytes / 20 / 200,
            .directory_entries = bytes / 4 / 100,
            .chunk_count = bytes / 2 / 1700};
}

const Inode* Projection::find_inode(LineId line, InodeId inode) const {
    return inodes_.find({line, inode});
}

const Directory* Projection::find_directory(LineId line, InodeId directory) const {
    return directories_.find({line, directory});
}

Result<const Inode*> Projection::inode(const Line& line, InodeId inode) {
    return static_cast<const Inode*>(LB_TRY(load_inode(line, inode)));
}

Status Projection::write_for_read() {
    if (batch_.is_empty()) return ok();
    return write_batch(is_applying_ || is_replaying_ ? WithMeta::kNo : WithMeta::kYes);
}

Result<std::unique_ptr<IndexCursor>> Projection::cursor() {
    LB_TRY(write_for_read());
    return index_.cursor();
}

Result<Inode*> Projection::load_inode(const Line& line, InodeId inode) {
    Key key{line.info.line, inode};
    if (Inode* found = inodes_.find(key)) return found;
    std::unique_ptr<IndexCursor> cursor = LB_TRY(this->cursor());
    for (LineView view = lines_.view(line); view.line != nullptr; view = view.parent()) {
        LineId owner = view.line->info.line;
        if (!LB_TRY(cursor->seek(inode_key(owner, inode, view.limit)))) continue;
        std::optional<InodeRecord> record = decode_inode(inode, as_bytes(cursor->value()));
        if (!record) return unreadable_entry("inode", owner, inode.value());
        record->attributes.last_sequence = sequence_in_key(cursor->key());
        auto alone = exclude_for_load();
        return &inodes_.insert(key, Inode{.record = std::move(*record)});
    }
    return Error{.code = ErrorCode::kStoreNotFound,
                 .message = cat("line ", line.info.line.value(), " has no inode ", inode.value())};
}

Result<const Directory*> Projection::directory(const Line& line, InodeId directory) {
    Key key{line.info.line, directory};
    if (const Directory* found = directories_.find(key)) return found;
    Directory loaded = LB_TRY(read_directory(lines_.view(line), directory));
    auto alone = exclude_for_load();
    directory_entries_ += loaded.size();
    return static_cast<const Directory*>(&directories_.insert(key, std::move(loaded)));
}

// Merges the entries of the line and of its ancestors: for each name the nearest line decides.
Result<Directory> Projection::read_directory(LineView view, InodeId directory) {
    const Line* line = view.line;
    std::unique_ptr<IndexCursor> cursor = LB_TRY(this->cursor());
    Directory merged;  // with child 0 for names that are gone
    DirectoryRole role = directory == kRootInode ? DirectoryRole::kRoot : DirectoryRole::kOther;
    for (; view.line != nullptr; view = view.parent()) {
        bool is_inherited = view.line != line;
        if (is_inherited && role == DirectoryRole::kOther) {
            InodeId temporary =
                LB_TRY(child_at(*cursor, view, kRootInode, kStatisticsTemporaryName));
            if (temporary == directory) role = DirectoryRole::kStatisticsTemporary;
        }
        LB_TRY(merge_directory(*cursor, view, directory, is_inherited ? &role : nullptr, merged));
    }
    std::erase_if(merged, [](const auto& entry) { return entry.second.inode == InodeId{}; });
    return merged;
}

// Adds what one line has of a directory. `hiding`: the rules for inherited names; nullptr: none.
Status Projection::merge_directory(IndexCursor& cursor, LineView view, InodeId directory,
                                   const DirectoryRole* hiding, Directory& merged) {
    LineId owner = view.line->info.line;
    bool is_valid = LB_TRY(cursor.seek(directory_start_key(owner, directory)));
    while (is_valid) {
        std::string name(name_in_key(cursor.key()));
        if (sequence_in_key(cursor.key()) > view.limit) {
            is_valid = LB_TRY(advance(cursor, dirent_key(owner, directory, name, view.limit)));
            continue;
        }
        Decoder decoder(as_bytes(cursor.value()));
        DirectoryChild child{InodeId{decoder.u64()}, static_cast<FileType>(decoder.u8())};
        if (!decoder.is_finished()) return unreadable_entry("directory", owner, directory.value());
        if (hiding != nullptr && is_hidden_when_inherited(*hiding, name)) child.inode = InodeId{};
        merged.try_emplace(name, child);
        is_valid = LB_TRY(advance(cursor, after_name_key(owner, directory, name)));
    }
    return ok();
}

// The inode under a name, hidden or not; 0 if there is none.
Result<InodeId> Projection::child_at(IndexCursor& cursor, LineView view, InodeId directory,
                                     std::string_view name) {
    for (; view.line != nullptr; view = view.parent()) {
        LineId owner = view.line->info.line;
        if (!LB_TRY(cursor.seek(dirent_key(owner, directory, name, view.limit)))) continue;
        if (name_in_key(cursor.key()) != name) continue;
        return InodeId{Decoder(as_bytes(cursor.value())).u64()};
    }
    return InodeId{};
}

Result<const BlockChunk*> Projection::chunk(const Line& line, DataId data, uint32_t chunk) {
    if (const BlockChunk* found = find_chunk(line.info.line, data, chunk)) return found;
    std::unique_ptr<IndexCursor> cursor = LB_TRY(this->cursor());
    chunk_misses_.fetch_add(1, std::memory_order_relaxed);
    BlockChunk loaded = LB_TRY(read_chunk(*cursor, lines_.view(line), data, chunk));
    auto alone = exclude_for_load();
    return &blocks_.insert(line.info.line, data, chunk, loaded);
}

void Projection::add_empty_chunk(LineId line, DataId data, uint32_t chunk) {
    if (find_chunk(line, data, chunk) != nullptr) return;
    auto alone = exclude_for_load();
    blocks_.insert(line, data, chunk, BlockChunk{});
}

std::unique_lock<std::shared_mutex> Projection::exclude_for_load() {
    if (is_applying_) return {};
    return exclude();
}

Result<std::optional<std::string>> Projection::note(std::string_view key) {
    LB_TRY(write_for_read());
    return index_.get(note_key(key));
}

Result<std::vector<Note>> Projection::notes(std::string_view prefix) {
    std::unique_ptr<IndexCursor> cursor = LB_TRY(this->cursor());
    std::vector<Note> result;
    IndexKey start = note_key(prefix);
    bool is_valid = LB_TRY(cursor->seek(start));
    while (is_valid && cursor->key().starts_with(start)) {
        result.push_back({std::string(note_in_key(cursor->key())), std::string(cursor->value())});
        is_valid = LB_TRY(cursor->next());
    }
    return result;
}

Status Projection::trim() {
    if (batch_.entry_count() >= kBatchEntries) LB_TRY(write_for_read());
    auto has_too_many_directories = [&] {
        return directories_.size() > limits_.directory_count ||
               directory_entries_ > limits_.directory_entries;
    };
    auto has_too_many_inodes = [&] { return inodes_.size() > limits_.inode_count; };
    bool has_too_many_chunks = blocks_.size() > limits_.chunk_count;
    if (!has_too_many_directories() && !has_too_many_inodes() && !has_too_many_chunks) return ok();
    auto alone = exclude_for_load();
    directories_.trim(has_too_many_directories, [&](const Key&, const Directory& directory) {
        directory_entries_ -= directory.size();
    });
    blocks_.trim(limits_.chunk_count);
    inodes_.trim(has_too_many_inodes, [&](const Key& key, const Inode& inode) {
        if (inode.is_dirty) put_inode(key, inode);
    });
    return ok();
}

void Projection::put_inode(const Key& key, const Inode& inode) {
    uint64_t sequence = inode.record.attributes.last_sequence;
    batch_.put(inode_key(key.line, key.inode, sequence), as_text(encode_inode(inode.record)));
}

Status Projection::change_index(const std::function<Status(IndexBatch&)>& change) {
    LB_TRY(change(batch_));
    return write_batch(WithMeta::kYes);
}

void Projection::move_blocks(const BlockMap::Moves& moves) {
    auto alone = exclude();
    blocks_.move(moves);
    move_count_.fetch_add(1, std::memory_order_acq_rel);
}

Status Projection::write_index() { return write_batch(WithMeta::kYes); }

// With meta the index stands for a place in the log afterwards. That is not so in the middle of a
// frame or of a replay; those entries are written again by the replay after a crash, which changes
// nothing, because all of them are absolute.
Status Projection::write_batch(WithMeta with_meta) {
    for (const Key& key : std::exchange(dirty_inodes_, {})) {
        Inode* inode = inodes_.find(key);
        if (inode == nullptr || !inode->is_dirty) continue;
        put_inode(key, *inode);
        inode->is_dirty = false;
    }
    if (with_meta == WithMeta::kYes) {
        for (LineId id : lines_.take_dirty()) {
            const Line* line = lines_.find(id);
            if (line != nullptr) batch_.put(line_key(id), encode_line_info(line->info));
        }
        for (LineId id : std::exchange(forgotten_lines_, {})) batch_.erase(line_key(id));
        put_meta();
    }
    LB_TRY(index_.write(batch_));
    entries_since_flush_ += batch_.entry_count();
    batch_.clear();
    if (bytes_since_flush_ >= kFlushBytes || entries_since_flush_ >= kFlushEntries) {
        LB_TRY(index_.start_flush());
        bytes_since_flush_ = 0;
        entries_since_flush_ = 0;
    }
    return ok();
}

}  // namespace lb::store
