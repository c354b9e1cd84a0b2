#include "store/log_super.h"

#include <algorithm>
#include <array>

#include "base/hash.h"
#include "base/text.h"

namespace lb::store {

namespace {

constexpr uint64_t kMagic = 0x3152'4550'5553'424c;  // "LBSUPER1"
constexpr uint64_t kHashSeed = 6;
constexpr size_t kHashOffset = kSuperBytes - 8;

Error damaged(std::string message) {
    return {.code = ErrorCode::kStoreDamaged, .message = std::move(message)};
}

}  // namespace

void encode_super(const Super& super, std::span<std::byte, kSuperBytes> out) {
    std::ranges::fill(out, std::byte{0});
    store_little_endian(out.data(), kMagic);
    store_little_endian(out.data() + 8, kFormatVersion);
    std::ranges::copy(super.store_id, out.begin() + 16);
    store_little_endian(out.data() + 32, super.segment_bytes);
    store_little_endian(out.data() + kHashOffset, hash64(out.first(kHashOffset), kHashSeed));
}

Result<Super> decode_super(ByteView bytes) {
    if (bytes.size() != kSuperBytes) {
        return damaged(cat("SUPER has ", bytes.size(), " bytes instead of ", kSuperBytes));
    }
    if (load_little_endian<uint64_t>(bytes.data()) != kMagic) {
        return damaged("SUPER without its magic number");
    }
    if (load_little_endian<uint64_t>(bytes.data() + kHashOffset) !=
        hash64(bytes.first(kHashOffset), kHashSeed)) {
        return damaged(cat("SUPER checksum mismatch at byte ", kHashOffset));
    }
    auto version = load_little_endian<uint32_t>(bytes.data() + 8);
    if (version > kFormatVersion) {
        return Error{.code = ErrorCode::kStoreFormatNewer,
                     .message = cat("the store has format version ", version,
                                    ", this lb reads up to version ", kFormatVersion),
                     .help = "install the lb that wrote it, or a newer one"};
    }
    Super super{.version = version};
    std::ranges::copy(bytes.subspan(16, super.store_id.size()), super.store_id.begin());
    super.segment_bytes = load_little_endian<uint64_t>(bytes.data() + 32);
    if (version == 0 || super.segment_bytes < kSegmentBytesMin ||
        super.segment_bytes > kSegmentBytesMax || super.segment_bytes % 4096 != 0) {
        return damaged("SUPER with an unknown version or an impossible segment size");
    }
    return super;
}

Result<std::optional<Super>> read_super(Disk& disk, const std::string& directory) {
    std::string path = directory + "/SUPER";
    if (!LB_TRY(disk.exists(path))) return std::optional<Super>{};
    std::unique_ptr<File> file = LB_TRY(disk.open(path, OpenMode::kRead));
    uint64_t size_bytes = LB_TRY(file->size_bytes());
    // One byte more than it may have, so that decode_super() sees that it is too long.
    Bytes bytes(std::min(size_bytes, kSuperBytes + 1));
    LB_TRY(file->read_at(0, bytes));
    Result<Super> super = decode_super(bytes);
    if (!super) return std::move(super).error().with(cat("in ", quoted(path)));
    return std::optional<Super>{*super};
}

Status write_super(Disk& disk, const std::string& directory, const Super& super) {
    std::string path = directory + "/SUPER";
    std::string temporary_path = path + ".tmp";
    if (LB_TRY(disk.exists(temporary_path))) LB_TRY(disk.remove(temporary_path));
    std::unique_ptr<File> file = LB_TRY(disk.open(temporary_path, OpenMode::kCreate));
    std::array<std::byte, kSuperBytes> bytes;
    encode_super(super, bytes);
    ByteView piece = bytes;
    LB_TRY(file->write_at(0, {&piece, 1}));
    LB_TRY(file->sync());
    LB_TRY(disk.rename(temporary_path, path));
    return disk.sync_directory(directory);
}

}  // namespace lb::store
