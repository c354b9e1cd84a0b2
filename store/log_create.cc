// create_store(): an empty store, in an order that a power cut cannot make look like a damaged one.
#include <algorithm>
#include <array>
#include <random>

#include "base/text.h"
#include "store/log_recovery.h"
#include "store/segment_files.h"

namespace lb::store {

namespace {

StoreId random_store_id() {
    StoreId id;
    std::random_device random;
    for (std::byte& byte : id) byte = static_cast<std::byte>(random() & 0xff);
    return id;
}

// A creation that was cut short leaves at most segment 1, without frames.
Status remove_leftovers(Disk& disk, const std::string& store_directory) {
    std::string directory = segment_directory(store_directory);
    for (const std::string& name : LB_TRY(disk.list(directory))) {
        std::optional<SegmentId> segment = segment_from_name(name);
        if (!segment) continue;
        std::string path = segment_path(store_directory, *segment);
        bool has_frames = *segment != SegmentId{1};
        if (!has_frames) {
            std::unique_ptr<File> file = LB_TRY(disk.open(path, OpenMode::kRead));
            std::array<std::byte, kFrameHeaderBytes> first{};
            uint64_t size_bytes = LB_TRY(file->size_bytes());
            if (size_bytes >= kSegmentHeaderBytes + first.size()) {
                LB_TRY(file->read_at(kSegmentHeaderBytes, first));
            }
            has_frames = may_be_frame_header(first);
        }
        if (has_frames) {
            return Error{.code = ErrorCode::kStoreDamaged,
                         .message = cat(quoted(store_directory), " has segments but no SUPER"),
                         .help = "restore SUPER from a backup of the directory"};
        }
        LB_TRY(disk.remove(path));
    }
    return ok();
}

std::string parent_directory(const std::string& path) {
    size_t end = path.find_last_not_of('/');
    size_t slash = end == std::string::npos ? end : path.rfind('/', end);
    if (slash == std::string::npos) return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

Result<Super> create_store(Disk& disk, const std::string& store_directory, uint64_t segment_bytes) {
    LB_TRY(remove_leftovers(disk, store_directory));
    Super super{.store_id = random_store_id(), .segment_bytes = segment_bytes};
    SegmentHeader header{.store_id = super.store_id,
                         .segment = SegmentId{1},
                         .first_sequence = 1,
                         .previous_frame_hash = first_previous_frame_hash(super.store_id)};
    std::array<std::byte, kSegmentHeaderBytes> bytes;
    encode_segment_header(header, bytes);
    ByteView piece = bytes;
    std::unique_ptr<File> file =
        LB_TRY(disk.open(segment_path(store_directory, header.segment), OpenMode::kCreate));
    LB_TRY(file->allocate(segment_bytes));
    LB_TRY(file->write_at(0, {&piece, 1}));
    LB_TRY(file->sync());
    LB_TRY(disk.sync_directory(segment_directory(store_directory)));
    LB_TRY(disk.sync_directory(store_directory));
    LB_TRY(disk.sync_directory(parent_directory(store_directory)));
    LB_TRY(write_super(disk, store_directory, super));
    return super;
}

}  // namespace lb::store
