// dump_segment(): a segment file as text.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "store/format_text.h"
#include "store/segment_scan.h"

namespace lb::store {

namespace {

using WriteLine = std::function<void(std::string_view)>;

void dump_frame(const ReplayFrame& frame, uint64_t offset, const WriteLine& write_line) {
    const FrameHeader& header = frame.header;
    write_line(cat("offset ", offset, " frame sequence=", header.sequence,
                   " time=", format_time(header.written_at), " records=", header.record_count,
                   " body=", header.body_bytes, " durable=", header.durable_sequence,
                   " hash=", hash_text(header.frame_hash)));
    for (const ReplayRecord& record : frame.records) {
        write_line(cat("offset ", record.location.offset, "   ", type_name(record.header.type),
                       " line=", record.header.line, " object=", record.header.object,
                       " block=", record.header.block, " stored=", record.header.stored_bytes,
                       " hash=", hash_text(record.header.payload_hash)));
    }
}

// Frames from the header to `end`, going on behind damage.
Status dump_frames(File& file, const SegmentHeader& segment, uint64_t end,
                   const WriteLine& write_line) {
    uint64_t seed = frame_seed(segment.store_id);
    FrameReaderOptions options{.file = &file,
                               .segment = segment.segment,
                               .seed = seed,
                               .end_offset = end,
                               .next_sequence = segment.first_sequence,
                               .previous_frame_hash = segment.previous_frame_hash};
    for (;;) {
        FrameReader reader(options);
        uint64_t offset = options.offset;
        while (const ReplayFrame* frame = LB_TRY(reader.next())) {
            dump_frame(*frame, offset, write_line);
            offset = reader.offset();
        }
        bool is_all_zero = true;
        LB_TRY(visit_nonzero(file, offset, end, [&](uint64_t, ByteView) {
            is_all_zero = false;
            return ok();
        }));
        if (is_all_zero) {
            write_line(cat("offset ", offset, " end of frames"));
            return ok();
        }
        write_line(cat("offset ", offset, " no frame: ", reason_text(reader.stop_reason())));
        FrameReaderOptions behind = options;
        behind.offset = offset + 8;
        std::optional<FoundFrame> found = LB_TRY(find_frame_header(behind));
        if (!found) return ok();
        options.offset = found->offset;
        options.next_sequence = found->header.sequence;
        options.previous_frame_hash.reset();
        write_line(cat("offset ", options.offset, " goes on here"));
    }
}

// Returns where the footer begins; the end of the file if there is none.
Result<uint64_t> dump_footer(File& file, uint64_t size_bytes, const WriteLine& write_line) {
    if (size_bytes < kSegmentHeaderBytes + kFooterTailBytes) return size_bytes;
    std::array<std::byte, kFooterTailBytes> tail_bytes;
    LB_TRY(file.read_at(size_bytes - tail_bytes.size(), tail_bytes));
    Result<Footer> tail = decode_footer_tail(tail_bytes);
    if (!tail) {
        write_line(cat("not sealed: ", reason_text(tail.error())));
        return size_bytes;
    }
    uint64_t begin = std::clamp(tail->frames_end_offset, kSegmentHeaderBytes, size_bytes);
    Bytes bytes(size_bytes - begin);
    LB_TRY(file.read_at(begin, bytes));
    Result<Footer> footer = decode_footer(bytes);
    if (!footer) {
        write_line(cat("footer: ", reason_text(footer.error())));
        return size_bytes;
    }
    write_line(cat("sealed: segment=", footer->segment.value(),
                   " last-sequence=", footer->last_sequence, " entries=", footer->entries.size(),
                   " frames-end=", footer->frames_end_offset,
                   " last-frame-hash=", hash_text(footer->last_frame_hash)));
    return begin;
}

// The records of a cold segment, going on behind damage.
Status dump_cold(File& file, uint64_t end, const WriteLine& write_line) {
    bool is_in_gap = false;
    for (uint64_t offset = kSegmentHeaderBytes; offset + kRecordHeaderBytes <= end;) {
        std::array<std::byte, kRecordHeaderBytes> bytes;
        LB_TRY(file.read_at(offset, bytes));
        Result<RecordHeader> header = decode_record_header(bytes);
        if (!header) {
            if (!std::exchange(is_in_gap, true)) {
                write_line(cat("offset ", offset, " no record: ", reason_text(header.error())));
            }
            offset += 8;
            continue;
        }
        if (std::exchange(is_in_gap, false)) write_line(cat("offset ", offset, " goes on here"));
        write_line(cat("offset ", offset, " ", type_name(header->type), " line=", header->line,
                       " object=", header->object, " block=", header->block,
                       " sequence=", header->sequence, " stored=", header->stored_bytes,
                       header->codec == Codec::kZstd ? " zstd" : " plain",
                       " hash=", hash_text(header->payload_hash)));
        offset += align_record(kRecordHeaderBytes + uint64_t{header->stored_bytes});
    }
    return ok();
}

}  // namespace

Status dump_segment(Disk& disk, const std::string& path, const WriteLine& write_line) {
    std::unique_ptr<File> file = LB_TRY(disk.open(path, OpenMode::kRead));
    uint64_t size_bytes = LB_TRY(file->size_bytes());
    Bytes bytes(std::min(size_bytes, kSegmentHeaderBytes));
    LB_TRY(file->read_at(0, bytes));
    Result<SegmentHeader> header = decode_segment_header(bytes);
    if (!header) {
        // Without the header the store's id is unknown, and so are the hashes of its frames.
        write_line(cat("no segment: ", reason_text(header.error())));
        return std::move(header).error();
    }
    write_line(
        cat("segment ", header->segment.value(), " of store ", hex(as_text(header->store_id)),
            header->segment_class == SegmentClass::kHot ? " hot" : " cold",
            " first-sequence=", header->first_sequence, " durable=", header->durable_sequence,
            " previous-hash=", hash_text(header->previous_frame_hash)));
    uint64_t end = LB_TRY(dump_footer(*file, size_bytes, write_line));
    if (header->segment_class == SegmentClass::kCold) return dump_cold(*file, end, write_line);
    return dump_frames(*file, *header, end, write_line);
}

}  // namespace lb::store
