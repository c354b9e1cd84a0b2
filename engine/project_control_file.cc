#include "engine/project_control_file.h"

#include <array>

namespace lb::engine {

namespace {

constexpr uint32_t kControlVersion = 1300;
constexpr uint32_t kShutDown = 1;  // DB_SHUTDOWNED
constexpr size_t kVersionOffset = 8;
constexpr size_t kStateOffset = 16;
constexpr size_t kNextTransactionOffset = 64;  // checkPointCopy.nextXid
constexpr size_t kBytesNeeded = 72;

}  // namespace

std::optional<ControlFile> decode_control_file(ByteView bytes) {
    if (bytes.size() < kBytesNeeded) return std::nullopt;
    auto u32_at = [&](size_t offset) {
        return load_little_endian<uint32_t>(bytes.subspan(offset).data());
    };
    if (u32_at(kVersionOffset) != kControlVersion) return std::nullopt;
    return ControlFile{.is_shut_down = u32_at(kStateOffset) == kShutDown,
                       .next_transaction_id = load_little_endian<uint64_t>(
                           bytes.subspan(kNextTransactionOffset).data())};
}

std::optional<ControlFile> read_control_file(store::Store& store, LineId line) {
    Result<store::FileAttributes> directory = store.lookup(line, store::kRootInode, "global");
    if (!directory.is_ok()) return std::nullopt;
    Result<store::FileAttributes> file = store.lookup(line, directory->inode, "pg_control");
    if (!file.is_ok()) return std::nullopt;
    std::array<std::byte, kBytesNeeded> bytes{};
    Result<size_t> count = store.read(line, file->inode, 0, bytes);
    if (!count.is_ok() || *count != bytes.size()) return std::nullopt;
    return decode_control_file(bytes);
}

}  // namespace lb::engine
