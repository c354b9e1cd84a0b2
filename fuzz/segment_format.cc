// Everything that reads the log's bytes from disk. The input is taken as each structure in turn, as
// a whole segment file, and as a list of changes to the files of a small valid store: no bytes may
// make a decoder crash, and a store that opens must show a prefix of what was written.
#include <array>
#include <cstdint>

#include "store/disk_memory.h"
#include "store/log_frame.h"
#include "store/log_recovery.h"
#include "store/segment_files.h"
#include "store/segment_scan.h"

using namespace lb;
using namespace lb::store;

namespace {

constexpr uint64_t kSize = kSegmentBytesMin;
constexpr uint32_t kFrames = 6;  // three in each of two segments
const StoreId kStore{std::byte{1}, std::byte{2}};
const std::string kDirectory = "store";

void decode_everything(ByteView bytes) {
    static_cast<void>(decode_segment_header(bytes).is_ok());
    static_cast<void>(decode_frame_header(bytes, frame_seed(kStore)).is_ok());
    static_cast<void>(decode_record_header(bytes).is_ok());
    static_cast<void>(decode_footer(bytes).is_ok());
    static_cast<void>(decode_footer_tail(bytes).is_ok());
    static_cast<void>(decode_super(bytes).is_ok());
    if (bytes.size() < 2) return;
    FrameHeader header{.record_count = std::to_integer<uint32_t>(bytes[0]),
                       .body_bytes = static_cast<uint32_t>(bytes.size() - 1)};
    std::vector<ReplayRecord> records;
    static_cast<void>(parse_frame_body(header, 4096, bytes.subspan(1), records).is_ok());
}

void write_file(Disk& disk, const std::string& path, uint64_t offset, ByteView bytes) {
    bool is_there = LB_MUST(disk.exists(path));
    auto file = LB_MUST(disk.open(path, is_there ? OpenMode::kReadWrite : OpenMode::kCreate));
    LB_MUST(file->write_at(offset, {&bytes, 1}));
}

void dump(ByteView bytes) {
    MemoryDisk disk;
    write_file(disk, "a.seg", 0, bytes);
    static_cast<void>(dump_segment(disk, "a.seg", [](std::string_view) {}).is_ok());
}

// Two segments, one sealed and one open, of frames whose block number is their sequence.
void make_store(MemoryDisk& disk) {
    LB_MUST(disk.create_directory(kDirectory));
    LB_MUST(disk.create_directory(segment_directory(kDirectory)));
    std::array<std::byte, kSuperBytes> super;
    encode_super({.store_id = kStore, .segment_bytes = kSize}, super);
    write_file(disk, kDirectory + "/SUPER", 0, super);
    uint64_t hash = first_previous_frame_hash(kStore);
    FrameBuilder builder;
    uint64_t sequence = 0;
    for (uint64_t segment = 1; segment <= 2; ++segment) {
        std::string path = segment_path(kDirectory, SegmentId{segment});
        std::array<std::byte, kSegmentHeaderBytes> header;
        encode_segment_header({.store_id = kStore,
                               .segment = SegmentId{segment},
                               .first_sequence = sequence + 1,
                               .previous_frame_hash = hash},
                              header);
        write_file(disk, path, 0, header);
        LB_MUST(LB_MUST(disk.open(path, OpenMode::kReadWrite))->allocate(kSize));
        SegmentSummary summary{.segment = SegmentId{segment},
                               .first_sequence = sequence + 1,
                               .end_offset = kSegmentHeaderBytes};
        std::vector<FooterEntry> entries;
        while (sequence < segment * kFrames / 2) {
            FrameHeader frame{.segment = SegmentId{segment},
                              .sequence = ++sequence,
                              .durable_sequence = sequence > 4 ? sequence - 4 : 0,
                              .previous_frame_hash = hash};
            Bytes payload(20, static_cast<std::byte>(sequence));
            NewRecord record{.block = static_cast<uint32_t>(sequence), .payload = payload};
            PreparedFrame prepared({&record, 1});
            Appended appended;
            auto pieces = builder.build(prepared, summary.end_offset, frame_seed(kStore), frame,
                                        appended, entries);
            for (uint64_t at = summary.end_offset; ByteView piece : pieces) {
                write_file(disk, path, at, piece);
                at += piece.size();
            }
            hash = frame.frame_hash;
            summary.end_offset += prepared.frame_bytes();
        }
        summary.last_sequence = sequence;
        if (segment == 1) {
            auto file = LB_MUST(disk.open(path, OpenMode::kReadWrite));
            LB_MUST(write_footer(*file, kSize, summary, hash, entries));
        }
    }
}

// Each six bytes: which file, where (u16), how to change it, two bytes.
void change_store(MemoryDisk& disk, ByteView bytes) {
    for (; bytes.size() >= 6; bytes = bytes.subspan(6)) {
        auto file_index = std::to_integer<unsigned>(bytes[0]);
        std::string path = file_index % 8 == 7
                               ? kDirectory + "/SUPER"
                               : segment_path(kDirectory, SegmentId{1 + file_index % 3});
        if (!LB_MUST(disk.exists(path))) continue;
        uint64_t offset = load_little_endian<uint16_t>(&bytes[1]) % kSize;
        auto file = LB_MUST(disk.open(path, OpenMode::kReadWrite));
        switch (std::to_integer<unsigned>(bytes[3]) % 8) {
            case 0: LB_MUST(disk.remove(path)); break;
            case 1: LB_MUST(file->truncate(offset)); break;
            case 2: write_file(disk, path, offset, Bytes(64 + file_index)); break;
            default: write_file(disk, path, offset, bytes.subspan(4, 2)); break;
        }
    }
}

void open_changed_store(ByteView changes) {
    MemoryDisk disk;
    make_store(disk);
    change_store(disk, changes);
    auto log = SegmentLog::open(
        {.disk = &disk, .directory = kDirectory, .spare_segments = 0, .segment_bytes = kSize});
    if (!log) return;
    uint64_t sequence = 0;
    Status replayed = (*log)->replay({}, [&](const ReplayFrame& frame) {
        ++sequence;
        LB_ASSERT(frame.header.sequence == sequence);
        LB_ASSERT(frame.records.size() == 1 && frame.records[0].header.block == sequence);
        return ok();
    });
    LB_ASSERT(!replayed || sequence == (*log)->last_sequence());
    LB_ASSERT(sequence <= kFrames);
    if (changes.size() < 6) LB_ASSERT(sequence == kFrames);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    ByteView bytes = std::as_bytes(std::span(data, size));
    decode_everything(bytes);
    dump(bytes);
    if (size <= 60) open_changed_store(bytes);
    return 0;
}
