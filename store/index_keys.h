// Keys and values of the index. Big-endian, so that byte order is the order we scan in; sequences
// are stored inverted, so that of the versions of one thing the newest comes first.
//
//   B line data chunk block ~sequence  -> location of the record      (a block's version)
//   T line data ~sequence              -> first block that is gone    (a truncation)
//   I line inode ~sequence             -> attributes                  (inode_codec.h)
//   D line directory name 00 ~sequence -> child, type                 (child 0: removed)
//   S line ~sequence                   -> logical bytes of the line from here on
//   L line                             -> the line as it is now       (line_table.h)
//   N key                              -> value of a note as it is now
//   C ~time                            -> a frame's place           (time_index.h)
//   M                                  -> up to where the log is in the index
//
// Names end with a zero byte (no name has one), so that one name is never a prefix of another.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "base/ids.h"
#include "store/format.h"

namespace lb::store {

enum class KeySpace : char {
    kBlock = 'B',
    kTruncate = 'T',
    kInode = 'I',
    kDirent = 'D',
    kLogicalBytes = 'S',
    kLine = 'L',
    kNote = 'N',
    kTime = 'C',
    kMeta = 'M',
};

// Blocks are looked up and kept in memory by the chunk.
inline constexpr uint32_t kChunkBlocks = 64;

inline constexpr uint64_t kNewest = UINT64_MAX;

// A key on the stack: the longest is a note's.
class IndexKey {
public:
    explicit IndexKey(KeySpace space) { u8(static_cast<uint8_t>(space)); }

    IndexKey& u8(uint8_t value) {
        bytes_[size_++] = static_cast<char>(value);
        return *this;
    }
    IndexKey& u32(uint32_t value) {
        uint32_t swapped = __builtin_bswap32(value);
        return raw({reinterpret_cast<const char*>(&swapped), sizeof swapped});
    }
    IndexKey& u64(uint64_t value) {
        uint64_t swapped = __builtin_bswap64(value);
        return raw({reinterpret_cast<const char*>(&swapped), sizeof swapped});
    }
    IndexKey& raw(std::string_view text) {
        LB_ASSERT(size_ + text.size() <= sizeof bytes_);
        std::memcpy(bytes_ + size_, text.data(), text.size());
        size_ += text.size();
        return *this;
    }

    operator std::string_view() const { return {bytes_, size_}; }

private:
    size_t size_ = 0;
    char bytes_[1040];
};

// With `sequence` as a bound: the first key at or after it is the newest version up to it.
IndexKey block_key(LineId line, DataId data, uint32_t block, uint64_t sequence);
IndexKey truncate_key(LineId line, DataId data, uint64_t sequence);
IndexKey inode_key(LineId line, InodeId inode, uint64_t sequence);
IndexKey dirent_key(LineId line, InodeId directory, std::string_view name, uint64_t sequence);
// Before all entries of the directory; and after all versions of one name.
IndexKey directory_start_key(LineId line, InodeId directory);
IndexKey after_name_key(LineId line, InodeId directory, std::string_view name);
IndexKey logical_bytes_key(LineId line, uint64_t sequence);
IndexKey line_key(LineId line);
IndexKey note_key(std::string_view key);
IndexKey meta_key();

// Length of the part of `key` that a cursor stays within; 0: the key space is scanned in total
// order.
size_t index_prefix_bytes(std::string_view key);

// From keys that the index returned.
uint32_t block_in_key(std::string_view key);
uint64_t sequence_in_key(std::string_view key);
LineId line_in_key(std::string_view key);
std::string_view name_in_key(std::string_view dirent_key);
std::string_view note_in_key(std::string_view key);

// A key of any origin, taken apart; nullopt if the functions above would not have made it.
struct DecodedKey {
    KeySpace space = KeySpace::kMeta;
    LineId line = {};
    uint64_t object = 0;  // data id, inode or directory
    uint32_t block = 0;
    std::string_view name = {};  // of a directory entry or a note
    uint64_t sequence = 0;       // 0: the key space has none
};
std::optional<DecodedKey> decode_key(std::string_view key);

inline constexpr size_t kLocationValueBytes = 10;
// Requires: a segment below 2^32 and a payload of at most a block.
std::array<char, kLocationValueBytes> encode_location(const RecordLocation& location);
std::optional<RecordLocation> decode_location(std::string_view value);

}  // namespace lb::store
