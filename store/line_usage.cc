#include "store/line_usage.h"

#include <algorithm>
#include <functional>

#include "base/text.h"
#include "store/index_keys.h"
#include "store/inode_codec.h"

namespace lb::store {

namespace {

// A version of a block is what the line shows from `first` to before `end`.
struct BlockLife {
    uint64_t first = 0;
    uint64_t end = kNewest;
    uint64_t stored_bytes = 0;
};

// Visits the lives of all blocks that the line wrote.
class BlockLives {
public:
    BlockLives(const UsageSources& sources, std::function<void(const BlockLife&)> visit)
        : sources_(sources), visit_(std::move(visit)) {}

    Status run();

private:
    struct Cut {
        uint64_t sequence = 0;
        uint32_t first_block = 0;
    };

    Error unreadable() const {
        return {.code = ErrorCode::kStoreDamaged,
                .message = cat("the index has an unreadable entry for data ", data_.value(),
                               " on line ", sources_.line.line.value())};
    }
    Status begin_data(DataId data);
    Status load_cuts();
    Status load_ends();
    uint64_t end_of(uint32_t block, uint64_t sequence) const;

    const UsageSources& sources_;
    const std::function<void(const BlockLife&)> visit_;
    DataId data_{};
    std::vector<Cut> cuts_;
    std::vector<uint64_t> ends_;  // where the file lost these contents or its last name, sorted
};

Status BlockLives::load_cuts() {
    cuts_.clear();
    IndexCursor& cursor = *sources_.versions;
    bool is_valid = LB_TRY(cursor.seek(truncate_key(sources_.line.line, data_, kNewest)));
    while (is_valid) {
        Decoder decoder(as_bytes(cursor.value()));
        cuts_.push_back({sequence_in_key(cursor.key()), decoder.u32()});
        if (!decoder.is_finished()) return unreadable();
        is_valid = LB_TRY(cursor.next());
    }
    return ok();
}

Status BlockLives::load_ends() {
    ends_.clear();
    IndexCursor& cursor = *sources_.versions;
    InodeId id = inode_of(data_);
    bool is_valid = LB_TRY(cursor.seek(inode_key(sources_.line.line, id, kNewest)));
    while (is_valid) {
        std::optional<InodeRecord> inode = decode_inode(id, as_bytes(cursor.value()));
        if (!inode) return unreadable();
        bool is_there = inode->data == data_ && inode->attributes.link_count > 0;
        if (!is_there) ends_.push_back(sequence_in_key(cursor.key()));
        is_valid = LB_TRY(cursor.next());
    }
    std::ranges::reverse(ends_);
    return ok();
}

Status BlockLives::begin_data(DataId data) {
    data_ = data;
    LB_TRY(load_cuts());
    return load_ends();
}

uint64_t BlockLives::end_of(uint32_t block, uint64_t sequence) const {
    auto gone = std::ranges::upper_bound(ends_, sequence);
    uint64_t end = gone == ends_.end() ? kNewest : *gone;
    for (const Cut& cut : cuts_) {
        if (cut.sequence > sequence && cut.first_block <= block) end = std::min(end, cut.sequence);
    }
    return end;
}

Status BlockLives::run() {
    IndexCursor& cursor = *sources_.blocks;
    IndexKey start(KeySpace::kBlock);
    start.u32(static_cast<uint32_t>(sources_.line.line.value()));
    uint32_t block = 0;
    uint64_t replaced_at = kNewest;  // by the next newer version of the same block
    bool is_valid = LB_TRY(cursor.seek(start));
    while (is_valid && cursor.key().starts_with(std::string_view(start))) {
        std::optional<DecodedKey> key = decode_key(cursor.key());
        std::optional<RecordLocation> location = decode_location(cursor.value());
        if (!key || !location) return unreadable();
        bool is_new_data = data_ != DataId{key->object};
        if (is_new_data) LB_TRY(begin_data(DataId{key->object}));
        if (is_new_data || key->block != block) replaced_at = kNewest;
        block = key->block;
        visit_({.first = key->sequence,
                .end = std::min(replaced_at, end_of(block, key->sequence)),
                .stored_bytes = kRecordHeaderBytes + uint64_t{location->stored_bytes}});
        replaced_at = key->sequence;
        is_valid = LB_TRY(cursor.next());
    }
    return ok();
}

bool is_read_by_fork(const UsageSources& sources, const BlockLife& life) {
    auto fork = std::ranges::lower_bound(sources.forks, life.first);
    return fork != sources.forks.end() && *fork < life.end;
}

}  // namespace

Result<LineUsage> measure_usage(const UsageSources& sources) {
    LineUsage usage;
    uint64_t shown_blocks = 0;
    BlockLives lives(sources, [&](const BlockLife& life) {
        bool is_shown = life.end == kNewest;
        if (is_shown) shown_blocks++;
        (is_shown ? usage.own_bytes : usage.history_bytes) += life.stored_bytes;
        if (!is_read_by_fork(sources, life)) usage.freed_by_delete_bytes += life.stored_bytes;
    });
    LB_TRY(lives.run());
    uint64_t own_file_bytes = shown_blocks * kBlockBytes;
    if (sources.line.parent != LineId{} && sources.line.logical_bytes > own_file_bytes) {
        usage.shared_bytes = sources.line.logical_bytes - own_file_bytes;
    }
    return usage;
}

Result<uint64_t> measure_freed(const UsageSources& sources, uint64_t floor) {
    LineId line = sources.line.line;
    History later = sources.history;
    later.raise_floor(line, floor);
    uint64_t freed_bytes = 0;
    BlockLives lives(sources, [&](const BlockLife& life) {
        bool is_freed = sources.history.first_from(line, life.first) < life.end &&
                        later.first_from(line, life.first) >= life.end;
        if (is_freed && !is_read_by_fork(sources, life)) freed_bytes += life.stored_bytes;
    });
    LB_TRY(lives.run());
    return freed_bytes;
}

}  // namespace lb::store
