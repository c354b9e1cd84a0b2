#include "store/liveness.h"

#include <algorithm>

#include "base/text.h"
#include "store/index_keys.h"

namespace lb::store {

namespace {

Error unreadable(std::string_view what, LineId line, uint64_t object) {
    return Error{.code = ErrorCode::kStoreDamaged,
                 .message = cat("the index has an unreadable entry for ", what, " ", object,
                                " on line ", line.value())};
}

}  // namespace

const std::vector<uint64_t>& Liveness::forks_of(const Line& line) {
    auto [found, is_new] = forks_.try_emplace(line.info.line);
    if (is_new) {
        for (LineId child : line.children) {
            found->second.push_back(sources_.lines->find(child)->info.fork_position.value());
        }
        std::ranges::sort(found->second);
    }
    return found->second;
}

// The first position at or after `sequence` at which somebody may read the line.
std::optional<uint64_t> Liveness::first_reader(LineId line, uint64_t sequence) {
    const Line* found = sources_.lines->find(line);
    if (found == nullptr) return std::nullopt;
    std::optional<uint64_t> first;
    if (!found->info.is_deleted) first = sources_.history->first_from(line, sequence);
    const std::vector<uint64_t>& forks = forks_of(*found);
    auto fork = std::ranges::lower_bound(forks, sequence);
    if (fork != forks.end() && (!first || *fork < *first)) first = *fork;
    return first;
}

std::optional<uint64_t> Liveness::first_reader_or_base(LineId line, uint64_t sequence) {
    std::optional<uint64_t> first = first_reader(line, sequence);
    uint64_t base = sources_.base_position;
    bool has_base = sequence <= base && sources_.base_lines->contains(line);
    if (has_base && (!first || base < *first)) return base;
    return first;
}

// `bound` is a version key with the position of a reader: is the version `sequence` what it sees?
Result<bool> Liveness::is_newest(std::string_view bound, uint64_t sequence) {
    IndexCursor& cursor = *sources_.cursor;
    if (!LB_TRY(cursor.seek(bound))) return false;
    std::string_view key = cursor.key();
    size_t stem_bytes = bound.size() - sizeof(uint64_t);
    return key.size() == bound.size() && key.substr(0, stem_bytes) == bound.substr(0, stem_bytes) &&
           sequence_in_key(key) == sequence;
}

Result<bool> Liveness::is_needed(const ReplayRecord& record) {
    switch (record.header.type) {
        case RecordType::kBlock: return is_block_needed(record.header);
        case RecordType::kTruncate: return is_truncate_needed(record.header);
        case RecordType::kInode: return is_inode_needed(record);
        case RecordType::kDirent: return is_dirent_needed(record);
        case RecordType::kLineSize: return is_size_needed(record.header);
        case RecordType::kLineCreate:
        case RecordType::kLineDelete:
        case RecordType::kNote: break;
    }
    LB_ASSERT(false);
    return true;
}

Result<std::optional<InodeRecord>> Liveness::inode_at(LineView view, InodeId inode) {
    IndexCursor& cursor = *sources_.cursor;
    for (; view.line != nullptr; view = view.parent()) {
        LineId line = view.line->info.line;
        if (!LB_TRY(cursor.seek(inode_key(line, inode, view.limit)))) continue;
        std::optional<InodeRecord> record = decode_inode(inode, as_bytes(cursor.value()));
        if (!record) return unreadable("inode", line, inode.value());
        return record;
    }
    return std::optional<InodeRecord>();
}

Result<bool> Liveness::is_data_there(LineId line, DataId data, uint64_t position) {
    auto& last = last_data_;
    if (last.line == line && last.data == data && last.position == position) return last.is_there;
    InodeId id = inode_of(data);
    std::optional<InodeRecord> inode = LB_TRY(inode_at({sources_.lines->find(line), position}, id));
    bool is_there = inode && inode->data == data &&
                    (inode->attributes.link_count > 0 || sources_.is_open(line, id));
    last = {line, data, position, is_there};
    return is_there;
}

Result<bool> Liveness::is_cut(const RecordHeader& record, uint64_t position) {
    LineId line{record.line};
    DataId data{record.object};
    if (last_cuts_.line != line || last_cuts_.data != data) {
        last_cuts_ = {line, data, {}};
        IndexCursor& cursor = *sources_.cursor;
        bool is_valid = LB_TRY(cursor.seek(truncate_key(line, data, kNewest)));
        while (is_valid) {
            Decoder decoder(as_bytes(cursor.value()));
            last_cuts_.cuts.push_back({sequence_in_key(cursor.key()), decoder.u32()});
            if (!decoder.is_finished()) return unreadable("data", line, data.value());
            is_valid = LB_TRY(cursor.next());
        }
    }
    return std::ranges::any_of(last_cuts_.cuts, [&](const Cut& cut) {
        return cut.sequence > record.sequence && cut.sequence <= position &&
               cut.first_block <= record.block;
    });
}

Result<bool> Liveness::is_block_needed(const RecordHeader& record) {
    LineId line{record.line};
    DataId data{record.object};
    std::optional<uint64_t> reader = first_reader(line, record.sequence);
    if (!reader) return false;
    if (!LB_TRY(is_newest(block_key(line, data, record.block, *reader), record.sequence))) {
        return false;
    }
    if (LB_TRY(is_cut(record, *reader))) return false;
    return is_data_there(line, data, *reader);
}

// `block` of a truncation is the first that is gone; a later one from there or before replaces it.
Result<bool> Liveness::is_truncate_needed(const RecordHeader& record) {
    std::optional<uint64_t> reader = first_reader(LineId{record.line}, record.sequence);
    if (!reader || LB_TRY(is_cut(record, *reader))) return false;
    return is_data_there(LineId{record.line}, DataId{record.object}, *reader);
}

Result<bool> Liveness::is_inode_needed(const ReplayRecord& record) {
    const RecordHeader& header = record.header;
    LineId line{header.line};
    InodeId id{header.object};
    std::optional<uint64_t> reader = first_reader_or_base(line, header.sequence);
    if (!reader) return false;
    if (!LB_TRY(is_newest(inode_key(line, id, *reader), header.sequence))) return false;
    std::optional<InodeRecord> inode = decode_inode(id, record.payload);
    if (!inode) return unreadable("inode", line, header.object);
    if (inode->attributes.link_count > 0) return true;
    return hides_an_inode(header);
}

// A removed inode is remembered while something of it is left that must not come back, or that
// later frames may still touch.
Result<bool> Liveness::hides_an_inode(const RecordHeader& record) {
    LineId line{record.line};
    InodeId id{record.object};
    if (record.sequence > sources_.base_position || sources_.is_open(line, id)) return true;
    if (!LB_TRY(is_newest(inode_key(line, id, kNewest), record.sequence))) return true;
    if (LB_TRY(sources_.cursor->seek(inode_key(line, id, record.sequence - 1)))) return true;
    const Line* found = sources_.lines->find(line);
    if (found == nullptr) return true;
    LineView parent = LineView{found, kNewest}.parent();
    return LB_TRY(inode_at(parent, id)).has_value();
}

Result<bool> Liveness::is_dirent_needed(const ReplayRecord& record) {
    const RecordHeader& header = record.header;
    LineId line{header.line};
    InodeId directory{header.object};
    std::optional<DirentRecord> dirent = decode_dirent(record.payload);
    if (!dirent) return unreadable("directory", line, header.object);
    std::optional<uint64_t> reader = first_reader_or_base(line, header.sequence);
    if (!reader) return false;
    IndexKey bound = dirent_key(line, directory, dirent->name, *reader);
    if (!LB_TRY(is_newest(bound, header.sequence))) return false;
    if (dirent->child != InodeId{}) return true;
    return hides_a_name(header, dirent->name);
}

// That a name is gone is remembered while there is an older entry that it hides.
Result<bool> Liveness::hides_a_name(const RecordHeader& record, std::string_view name) {
    IndexCursor& cursor = *sources_.cursor;
    InodeId directory{record.object};
    LineView view{sources_.lines->find(LineId{record.line}), record.sequence - 1};
    for (; view.line != nullptr; view = view.parent()) {
        LineId line = view.line->info.line;
        if (!LB_TRY(cursor.seek(dirent_key(line, directory, name, view.limit)))) continue;
        if (name_in_key(cursor.key()) != name) continue;
        // On the line itself even an entry without a child: it may hide another in its turn.
        if (line == LineId{record.line}) return true;
        return Decoder(as_bytes(cursor.value())).u64() != 0;
    }
    return false;
}

Result<bool> Liveness::is_size_needed(const RecordHeader& record) {
    LineId line{record.line};
    std::optional<uint64_t> reader = first_reader_or_base(line, record.sequence);
    if (!reader) return false;
    return is_newest(logical_bytes_key(line, *reader), record.sequence);
}

}  // namespace lb::store
