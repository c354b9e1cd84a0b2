#include "store/check_index.h"

#include <algorithm>

#include "base/hash.h"
#include "base/text.h"
#include "store/index_keys.h"
#include "store/index_text.h"
#include "store/inode_codec.h"

namespace lb::store {

namespace {

constexpr uint64_t kProgressEntries = 65'536;

// Attributes but for their times, which may be newer in memory than in the log.
std::string without_times(std::string_view value) {
    std::optional<InodeRecord> inode = decode_inode(InodeId{1}, as_bytes(value));
    if (!inode) return std::string(value);
    inode->attributes.modified_at = {};
    inode->attributes.changed_at = {};
    return std::string(as_text(encode_inode(*inode)));
}

class Comparer {
public:
    explicit Comparer(const IndexComparison& comparison) : given_(comparison) {}

    Result<uint64_t> run() {
        IndexCursor& used = *given_.used;
        IndexCursor& rebuilt = *given_.rebuilt;
        bool has_used = LB_TRY(used.seek(""));
        bool has_rebuilt = LB_TRY(rebuilt.seek(""));
        while (has_used || has_rebuilt) {
            int order = !has_used ? 1 : !has_rebuilt ? -1 : used.key().compare(rebuilt.key());
            if (order == 0) compare_values();
            if (order < 0) LB_TRY(check_extra());
            if (order > 0) check_missing();
            if (order <= 0) {
                has_used = LB_TRY(used.next());
                if (++entries_ % kProgressEntries == 0) LB_TRY(given_.progress(entries_));
            }
            if (order >= 0) has_rebuilt = LB_TRY(rebuilt.next());
        }
        return entries_;
    }

private:
    // Both have the key.
    void compare_values() {
        std::string_view value = given_.used->value();
        std::string_view expected = given_.rebuilt->value();
        if (value == expected) return;
        std::optional<DecodedKey> key = decode_key(given_.used->key());
        if (key && key->space == KeySpace::kMeta) return;
        if (given_.step != nullptr && given_.step->may_be(given_.used->key(), value)) return;
        if (key && key->space == KeySpace::kNote && is_partly_replayed_) return;
        if (key && key->space == KeySpace::kInode &&
            without_times(value) == without_times(expected)) {
            return;
        }
        bool is_size = key && key->space == KeySpace::kLogicalBytes;
        if (key && cannot_be_told(*key, given_.used->key())) return;
        bool is_count = is_size || (key && is_statistics(*key));
        report(is_count ? ProblemCode::kStatistics : ProblemCode::kIndexWrong, key,
               cat(index_entry_text(given_.used->key(), value),
                   "; by the log: ", index_entry_text(given_.rebuilt->key(), expected)));
    }

    // Only the counts of a line differ.
    bool is_statistics(const DecodedKey& key) const {
        if (key.space != KeySpace::kLine) return false;
        std::optional<LineInfo> used = decode_line_info(key.line, given_.used->value());
        std::optional<LineInfo> rebuilt = decode_line_info(key.line, given_.rebuilt->value());
        if (!used || !rebuilt) return false;
        used->logical_bytes = rebuilt->logical_bytes;
        used->own_bytes = rebuilt->own_bytes;
        return encode_line_info(*used) == encode_line_info(*rebuilt);
    }

    // The used index has an entry of which the log knows nothing.
    Status check_extra() {
        std::optional<DecodedKey> key = decode_key(given_.used->key());
        if (key && key->sequence > given_.sequence) {
            is_partly_replayed_ = true;
            return ok();
        }
        if (key && key->space == KeySpace::kNote && is_partly_replayed_) return ok();
        // A start of the store may add times that a replay would not.
        if (key && (key->space == KeySpace::kMeta || key->space == KeySpace::kTime)) return ok();
        if (key && cannot_be_told(*key, given_.used->key())) return ok();
        if (key && key->space == KeySpace::kInode) {
            // Written out with newer times than the log's: else as the log has it.
            std::optional<std::string> logged =
                LB_TRY(given_.attributes(key->line, InodeId{key->object}, key->sequence));
            if (logged && without_times(*logged) == without_times(given_.used->value())) {
                return ok();
            }
        }
        report(ProblemCode::kIndexExtra, key,
               cat(index_entry_text(given_.used->key(), given_.used->value()),
                   ": the log has no such record"));
        return ok();
    }

    void check_missing() {
        std::string_view raw_key = given_.rebuilt->key();
        std::optional<DecodedKey> key = decode_key(raw_key);
        if (key && (key->space == KeySpace::kMeta || key->space == KeySpace::kTime)) return;
        if (key && key->space == KeySpace::kNote && is_partly_replayed_) return;
        if (key && given_.step != nullptr && given_.step->may_be_gone(*key, raw_key)) return;
        if (key && (is_unlogged_inode(*key, raw_key) || cannot_be_told(*key, raw_key))) return;
        report(ProblemCode::kIndexMissing, key,
               cat("no entry for ", index_entry_text(raw_key, given_.rebuilt->value())));
    }

    // It follows from what a line had inherited that is gone, and was reclaimed with it.
    bool cannot_be_told(const DecodedKey& key, std::string_view raw_key) const {
        bool is_gone = given_.lines != nullptr && given_.lines->find(key.line) == nullptr;
        return is_gone && (key.space == KeySpace::kLogicalBytes || is_unlogged_inode(key, raw_key));
    }
    // Attributes that came from memory, when their times were written out.
    bool is_unlogged_inode(const DecodedKey& key, std::string_view raw_key) const {
        return key.space == KeySpace::kInode &&
               !std::ranges::binary_search(*given_.logged_inodes, hash64(as_bytes(raw_key)));
    }

    void report(ProblemCode code, const std::optional<DecodedKey>& key, std::string message) {
        Problem problem{.code = code, .message = std::move(message)};
        if (key) {
            problem.record = RecordHeader{.type = type_of(key->space),
                                          .line = static_cast<uint32_t>(key->line.value()),
                                          .object = key->object,
                                          .block = key->block,
                                          .sequence = key->sequence};
        }
        given_.report(std::move(problem));
    }

    static RecordType type_of(KeySpace space) {
        switch (space) {
            case KeySpace::kBlock: return RecordType::kBlock;
            case KeySpace::kTruncate: return RecordType::kTruncate;
            case KeySpace::kInode:
            case KeySpace::kLogicalBytes: return RecordType::kInode;
            case KeySpace::kDirent: return RecordType::kDirent;
            case KeySpace::kLine: return RecordType::kLineCreate;
            case KeySpace::kNote:
            case KeySpace::kTime:
            case KeySpace::kMeta: return RecordType::kNote;
        }
        return RecordType::kNote;
    }

    const IndexComparison& given_;
    uint64_t entries_ = 0;
    // 'B', 'D', 'I' come before 'N' in the order of keys, so this is known by then.
    bool is_partly_replayed_ = false;
};

}  // namespace

Result<uint64_t> compare_indexes(const IndexComparison& comparison) {
    return Comparer(comparison).run();
}

}  // namespace lb::store
