#include "engine/wal_history.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "engine/wal_page.h"

namespace lb::engine {

namespace {

using Page = std::array<std::byte, kWalPageBytes>;
static_assert(kWalPageBytes == store::kBlockBytes);

Error not_in_history(std::string message) {
    return Error{.code = ErrorCode::kNotInHistory, .message = std::move(message)};
}

Result<store::InodeId> wal_directory(store::Store& store, LineId line) {
    return LB_TRY(store.lookup(line, store::kRootInode, "pg_wal")).inode;
}

struct WalFile {
    WalFileName name;
    store::InodeId inode;
};

// Newest first.
Result<std::vector<WalFile>> wal_files(store::Store& store, LineId line, Position at) {
    store::InodeId directory = LB_TRY(wal_directory(store, line));
    std::vector<WalFile> files;
    for (const store::DirectoryEntry& entry : LB_TRY(store.list_at(line, at, directory))) {
        auto name = parse_wal_file_name(entry.name);
        if (name) files.push_back({.name = *name, .inode = entry.inode});
    }
    std::ranges::sort(files, std::ranges::greater{}, &WalFile::name);
    return files;
}

struct WalEnd {
    Lsn end;
    uint32_t timeline = 0;
    uint64_t segment_bytes = 0;
};

// Where the records of a file end; nullopt if it has none yet (PostgreSQL makes files ahead).
Result<std::optional<WalEnd>> end_in_file(store::Store& store, LineId line, Position at,
                                          const WalFile& file) {
    Page page;
    LB_TRY(store.read_block_at(line, at, file.inode, 0, page));
    std::optional<WalPage> first = decode_wal_page(page);
    bool is_used =
        first && first->segment_bytes != 0 && first->start == file.name.start(first->segment_bytes);
    if (!is_used) return std::optional<WalEnd>();
    WalEnd end{.end = wal_page_end(*first, page),
               .timeline = first->timeline,
               .segment_bytes = first->segment_bytes};
    // Pages are written in order, so the last one is found by halves.
    auto has_page = [&](uint32_t block) -> Result<bool> {
        LB_TRY(store.read_block_at(line, at, file.inode, block, page));
        std::optional<WalPage> header = decode_wal_page(page);
        return header &&
               header->start.value() == first->start.value() + uint64_t{block} * kWalPageBytes;
    };
    uint32_t last = 0;
    auto beyond = static_cast<uint32_t>(first->segment_bytes / kWalPageBytes);
    while (beyond - last > 1) {
        uint32_t middle = last + (beyond - last) / 2;
        (LB_TRY(has_page(middle)) ? last : beyond) = middle;
    }
    if (LB_TRY(has_page(last))) end.end = wal_page_end(*decode_wal_page(page), page);
    return std::optional(end);
}

Result<WalEnd> wal_end(store::Store& store, LineId line, Position at) {
    for (const WalFile& file : LB_TRY(wal_files(store, line, at))) {
        std::optional<WalEnd> end = LB_TRY(end_in_file(store, line, at, file));
        if (end) return *end;
    }
    return not_in_history("the branch has no WAL");
}

// Right behind the header of a page nothing new has happened since the end of the page before.
Lsn without_page_header(Lsn lsn, uint64_t segment_bytes) {
    uint64_t in_page = lsn.value() % kWalPageBytes;
    bool is_first = lsn.value() % segment_bytes < kWalPageBytes;
    return in_page <= (is_first ? 40U : 24U) ? Lsn{lsn.value() - in_page} : lsn;
}

// The restorable positions at which the block's versions first show, in order. Others may have lost
// part of what they showed.
Result<std::vector<Position>> shown_versions(store::Store& store, LineId line, store::InodeId inode,
                                             uint32_t block) {
    std::vector<Position> shown;
    Result<std::vector<Position>> written = store.block_positions(line, inode, block);
    if (!written.is_ok()) {
        if (written.error().code == ErrorCode::kStoreNotFound) return shown;  // all given up
        return std::move(written).error();
    }
    for (size_t i = 0; i < written->size(); ++i) {
        Position at = LB_TRY(store.nearest_restorable(line, (*written)[i])).after;
        if (i + 1 < written->size() && at >= (*written)[i + 1]) continue;
        shown.push_back(at);
    }
    return shown;
}

// The first of the block's versions whose beginning is what it finally became.
Result<std::optional<Position>> first_with_prefix(store::Store& store, LineId line,
                                                  store::InodeId inode, Lsn page_start,
                                                  uint64_t segment_bytes, size_t prefix_bytes) {
    auto block = static_cast<uint32_t>(page_start.value() % segment_bytes / kWalPageBytes);
    std::vector<Position> positions = LB_TRY(shown_versions(store, line, inode, block));
    std::optional<Page> last;
    std::optional<Position> found;
    for (auto at = positions.rbegin(); at != positions.rend(); ++at) {
        Page page;
        LB_TRY(store.read_block_at(line, *at, inode, block, page));
        std::optional<WalPage> header = decode_wal_page(page);
        bool is_this_page = header && header->start == page_start;
        if (!last && !is_this_page) continue;  // cut off, or another use of the file
        if (!last) last = page;
        bool has_prefix = std::equal(
            page.begin(), page.begin() + static_cast<ptrdiff_t>(prefix_bytes), last->begin());
        if (!is_this_page || !has_prefix) break;
        found = *at;
    }
    return found;
}

// `found`: the first restorable position with all WAL before `lsn`. If the position before it can
// be restored to as well, no other was in between. If not, data pages may be newer than `lsn`,
// unless there is no WAL behind it.
Result<Position> exactly(store::Store& store, LineId line, Position found, Lsn lsn) {
    Position previous{found.value() - 1};
    store::NearestRestorable near = LB_TRY(store.nearest_restorable(line, previous));
    if (near.after == previous) return found;
    Lsn end = LB_TRY(wal_end(store, line, found)).end;
    if (end <= lsn) return found;
    Error error = not_in_history(cat("the position at which the WAL reached ", to_text(lsn),
                                     " is no longer kept: history older than an hour is thinned "
                                     "out"));
    error.help = cat("position:", found.value(), " has the WAL up to ", to_text(end));
    if (!near.before) return error;
    Result<WalEnd> before = wal_end(store, line, *near.before);
    if (before.is_ok()) {
        error.help = cat("position:", near.before->value(), " has the WAL up to ",
                         to_text(before->end), ", ", error.help);
    }
    return error;
}

}  // namespace

Result<WalRange> wal_range(store::Store& store, LineId line, Position begin) {
    WalEnd now = LB_TRY(wal_end(store, line, kHead));
    Result<WalEnd> before = wal_end(store, line, begin);
    // A line on which initdb ran has had no WAL at first.
    if (!before.is_ok()) before = WalEnd{.end = Lsn{now.segment_bytes}};
    return WalRange{.begin = begin, .first = before->end, .last = now.end};
}

Result<Position> position_of_lsn(store::Store& store, LineId line, const WalRange& range, Lsn lsn) {
    LB_ASSERT(range.first <= lsn && lsn <= range.last);
    WalEnd now = LB_TRY(wal_end(store, line, kHead));
    Lsn wanted = without_page_header(lsn, now.segment_bytes);
    if (wanted <= range.first) return range.begin;
    Lsn last_byte{wanted.value() - 1};
    Lsn page_start{last_byte.value() / kWalPageBytes * kWalPageBytes};
    WalFileName name = WalFileName::of(now.timeline, last_byte, now.segment_bytes);
    store::InodeId directory = LB_TRY(wal_directory(store, line));
    for (store::InodeId inode : LB_TRY(store.inodes_of_name(line, directory, to_text(name)))) {
        std::optional<Position> found =
            LB_TRY(first_with_prefix(store, line, inode, page_start, now.segment_bytes,
                                     wanted.value() - page_start.value()));
        if (found) return exactly(store, line, std::max(*found, range.begin), lsn);
    }
    return not_in_history(cat("the WAL at ", to_text(lsn), " is no longer in the store"));
}

Status cut_wal(store::Store& store, LineId line, Lsn lsn) {
    WalEnd end = LB_TRY(wal_end(store, line, kHead));
    WalFileName name = WalFileName::of(end.timeline, lsn, end.segment_bytes);
    store::InodeId directory = LB_TRY(wal_directory(store, line));
    for (const WalFile& file : LB_TRY(wal_files(store, line, kHead))) {
        if (file.name > name) {
            LB_TRY(store.remove(line, directory, to_text(file.name), store::FileType::kFile));
        } else if (file.name == name) {
            uint64_t offset = lsn.value() % end.segment_bytes;
            LB_TRY(store.zero(line, file.inode, offset, end.segment_bytes - offset));
        }
    }
    return ok();
}

}  // namespace lb::engine
