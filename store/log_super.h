// SUPER: the one small file that says that a directory is a store, which one, and in what format.
// It is written last, when all else of a new store is durable, and again by the first lb that
// has a newer format.
//
// Errors: kStoreFormatNewer (with both versions), kStoreDamaged, those of Disk.
#pragma once

#include <optional>
#include <string>

#include "store/disk.h"
#include "store/format.h"

namespace lb::store {

inline constexpr uint64_t kSuperBytes = 4096;
inline constexpr uint64_t kSegmentBytesMin = uint64_t{16} << 10;
inline constexpr uint64_t kSegmentBytesMax = uint64_t{1} << 30;

struct Super {
    StoreId store_id{};
    uint64_t segment_bytes = kSegmentBytes;
    uint32_t version = kFormatVersion;  // of what is in the store; write_super() writes our own
};

void encode_super(const Super& super, std::span<std::byte, kSuperBytes> out);
Result<Super> decode_super(ByteView bytes);

// nullopt: there is no SUPER, so this is no store yet.
Result<std::optional<Super>> read_super(Disk& disk, const std::string& directory);
// Replaces it atomically; durable on return.
Status write_super(Disk& disk, const std::string& directory, const Super& super);

}  // namespace lb::store
