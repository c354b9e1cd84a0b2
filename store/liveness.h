// Liveness: is a version still needed? It is if somebody can read it:
// - at a position of its line that can be restored to (history.h), the head included,
// - at the fork position of a child, also of a deleted one that a descendant reads through,
// - at the base of the log, where a rebuild of the index and a check begin (all but contents).
//
// A version is needed at some of these positions if and only if it is visible at the first one that
// is not before it: what is superseded, cut off or dead at one position is so at all later ones,
// because ids of files and of their contents are not used again. So one look-up decides.
//
// Sees the index as it is when this is made. Not thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include "store/history.h"
#include "store/index.h"
#include "store/inode_codec.h"
#include "store/line_table.h"
#include "store/segment_log.h"

namespace lb::store {

struct LivenessSources {
    std::unique_ptr<IndexCursor> cursor;
    const LineTable* lines = nullptr;
    const History* history = nullptr;
    // Where a rebuild of the index would begin.
    uint64_t base_position = 0;
    const std::set<LineId>* base_lines = nullptr;
    // Files that are open stay readable without a name.
    std::function<bool(LineId, InodeId)> is_open;
};

class Liveness {
public:
    explicit Liveness(LivenessSources sources) : sources_(std::move(sources)) {}

    // Requires: a type that has an entry in the index. Errors: those of the index; kStoreDamaged.
    Result<bool> is_needed(const ReplayRecord& record);

private:
    struct Cut {
        uint64_t sequence = 0;
        uint32_t first_block = 0;
    };

    std::optional<uint64_t> first_reader(LineId line, uint64_t sequence);
    std::optional<uint64_t> first_reader_or_base(LineId line, uint64_t sequence);
    const std::vector<uint64_t>& forks_of(const Line& line);
    Result<bool> is_newest(std::string_view bound, uint64_t sequence);

    Result<bool> is_block_needed(const RecordHeader& record);
    Result<bool> is_truncate_needed(const RecordHeader& record);
    Result<bool> is_inode_needed(const ReplayRecord& record);
    Result<bool> is_dirent_needed(const ReplayRecord& record);
    Result<bool> is_size_needed(const RecordHeader& record);
    Result<bool> hides_an_inode(const RecordHeader& record);
    Result<bool> hides_a_name(const RecordHeader& record, std::string_view name);

    // Whether the file has these contents at the position.
    Result<bool> is_data_there(LineId line, DataId data, uint64_t position);
    Result<std::optional<InodeRecord>> inode_at(LineView view, InodeId inode);
    Result<bool> is_cut(const RecordHeader& record, uint64_t position);

    LivenessSources sources_;
    std::unordered_map<LineId, std::vector<uint64_t>> forks_;

    // The last answers: neighbours ask the same.
    struct {
        LineId line;
        DataId data;
        uint64_t position = 0;
        bool is_there = false;
    } last_data_;
    struct {
        LineId line;
        DataId data;
        std::vector<Cut> cuts;  // newest first
    } last_cuts_;
};

}  // namespace lb::store
