#include "store/index_keys.h"

#include "base/codec.h"

namespace lb::store {

namespace {

uint32_t narrow_line(LineId line) {
    LB_ASSERT(line.value() <= UINT32_MAX);
    return static_cast<uint32_t>(line.value());
}

uint32_t read_u32(std::string_view key, size_t at) {
    uint32_t value = 0;
    std::memcpy(&value, key.data() + at, sizeof value);
    return __builtin_bswap32(value);
}

constexpr size_t kDirentHeadBytes = 1 + 4 + 8;
constexpr size_t kBlockPrefixBytes = 1 + 4 + 8 + 4;

}  // namespace

IndexKey block_key(LineId line, DataId data, uint32_t block, uint64_t sequence) {
    IndexKey key(KeySpace::kBlock);
    key.u32(narrow_line(line)).u64(data.value()).u32(block / kChunkBlocks);
    key.u8(static_cast<uint8_t>(block % kChunkBlocks)).u64(~sequence);
    return key;
}

IndexKey truncate_key(LineId line, DataId data, uint64_t sequence) {
    IndexKey key(KeySpace::kTruncate);
    key.u32(narrow_line(line)).u64(data.value()).u64(~sequence);
    return key;
}

IndexKey inode_key(LineId line, InodeId inode, uint64_t sequence) {
    IndexKey key(KeySpace::kInode);
    key.u32(narrow_line(line)).u64(inode.value()).u64(~sequence);
    return key;
}

IndexKey dirent_key(LineId line, InodeId directory, std::string_view name, uint64_t sequence) {
    IndexKey key(KeySpace::kDirent);
    key.u32(narrow_line(line)).u64(directory.value()).raw(name).u8(0).u64(~sequence);
    return key;
}

IndexKey directory_start_key(LineId line, InodeId directory) {
    IndexKey key(KeySpace::kDirent);
    key.u32(narrow_line(line)).u64(directory.value());
    return key;
}

IndexKey after_name_key(LineId line, InodeId directory, std::string_view name) {
    IndexKey key(KeySpace::kDirent);
    key.u32(narrow_line(line)).u64(directory.value()).raw(name).u8(1);
    return key;
}

IndexKey logical_bytes_key(LineId line, uint64_t sequence) {
    IndexKey key(KeySpace::kLogicalBytes);
    key.u32(narrow_line(line)).u64(~sequence);
    return key;
}

IndexKey line_key(LineId line) {
    IndexKey key(KeySpace::kLine);
    key.u32(narrow_line(line));
    return key;
}

IndexKey note_key(std::string_view key) {
    IndexKey result(KeySpace::kNote);
    result.raw(key);
    return result;
}

IndexKey meta_key() { return IndexKey(KeySpace::kMeta); }

size_t index_prefix_bytes(std::string_view key) {
    if (key.empty()) return 0;
    size_t prefix_bytes = 0;
    switch (static_cast<KeySpace>(key[0])) {
        case KeySpace::kBlock: prefix_bytes = kBlockPrefixBytes; break;
        case KeySpace::kTruncate:
        case KeySpace::kInode:
        case KeySpace::kDirent: prefix_bytes = kDirentHeadBytes; break;
        case KeySpace::kLogicalBytes: prefix_bytes = 1 + 4; break;
        case KeySpace::kLine:
        case KeySpace::kNote:
        case KeySpace::kTime:
        case KeySpace::kMeta: break;
    }
    return key.size() >= prefix_bytes ? prefix_bytes : 0;
}

uint32_t block_in_key(std::string_view key) {
    return read_u32(key, 13) * kChunkBlocks + static_cast<uint8_t>(key[17]);
}

uint64_t sequence_in_key(std::string_view key) {
    uint64_t value = 0;
    std::memcpy(&value, key.data() + key.size() - sizeof value, sizeof value);
    return ~__builtin_bswap64(value);
}

LineId line_in_key(std::string_view key) { return LineId{read_u32(key, 1)}; }

std::string_view name_in_key(std::string_view dirent_key) {
    return dirent_key.substr(kDirentHeadBytes, dirent_key.size() - kDirentHeadBytes - 1 - 8);
}

std::string_view note_in_key(std::string_view key) { return key.substr(1); }

std::optional<DecodedKey> decode_key(std::string_view key) {
    if (key.empty()) return std::nullopt;
    DecodedKey result{.space = static_cast<KeySpace>(key[0])};
    Decoder decoder(as_bytes(key.substr(1)));
    auto line = [&] { return LineId{__builtin_bswap32(decoder.u32())}; };
    auto u64 = [&] { return __builtin_bswap64(decoder.u64()); };
    switch (result.space) {
        case KeySpace::kBlock: {
            result.line = line();
            result.object = u64();
            uint32_t chunk = __builtin_bswap32(decoder.u32());
            uint8_t block = decoder.u8();
            if (block >= kChunkBlocks || chunk > UINT32_MAX / kChunkBlocks) return std::nullopt;
            result.block = chunk * kChunkBlocks + block;
            break;
        }
        case KeySpace::kTruncate:
        case KeySpace::kInode:
            result.line = line();
            result.object = u64();
            break;
        case KeySpace::kDirent:
            result.line = line();
            result.object = u64();
            if (decoder.remaining() < sizeof(uint64_t) + 2) return std::nullopt;
            result.name = as_text(decoder.bytes(decoder.remaining() - sizeof(uint64_t) - 1));
            if (decoder.u8() != 0 || result.name.find('\0') != std::string_view::npos) {
                return std::nullopt;
            }
            break;
        case KeySpace::kTime:
            result.object = ~u64();
            return decoder.is_finished() ? std::optional(result) : std::nullopt;
        case KeySpace::kLogicalBytes: result.line = line(); break;
        case KeySpace::kLine:
            result.line = line();
            return decoder.is_finished() ? std::optional(result) : std::nullopt;
        case KeySpace::kNote:
            result.name = key.substr(1);
            return result.name.empty() ? std::nullopt : std::optional(result);
        case KeySpace::kMeta: return key.size() == 1 ? std::optional(result) : std::nullopt;
        default: return std::nullopt;
    }
    result.sequence = ~u64();
    return decoder.is_finished() ? std::optional(result) : std::nullopt;
}

std::array<char, kLocationValueBytes> encode_location(const RecordLocation& location) {
    LB_ASSERT(location.segment.value() <= UINT32_MAX && location.stored_bytes <= UINT16_MAX);
    std::array<char, kLocationValueBytes> value;
    auto segment = static_cast<uint32_t>(location.segment.value());
    auto stored_bytes = static_cast<uint16_t>(location.stored_bytes);
    std::memcpy(value.data(), &segment, 4);
    std::memcpy(value.data() + 4, &location.offset, 4);
    std::memcpy(value.data() + 8, &stored_bytes, 2);
    return value;
}

std::optional<RecordLocation> decode_location(std::string_view value) {
    if (value.size() != kLocationValueBytes) return std::nullopt;
    uint32_t segment = 0;
    uint16_t stored_bytes = 0;
    RecordLocation location;
    std::memcpy(&segment, value.data(), 4);
    std::memcpy(&location.offset, value.data() + 4, 4);
    std::memcpy(&stored_bytes, value.data() + 8, 2);
    location.segment = SegmentId{segment};
    location.stored_bytes = stored_bytes;
    return location;
}

}  // namespace lb::store
