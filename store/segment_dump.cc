// dump_segment(): a segment file as text.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "store/segment_scan.h"

namespace lb::store {

namespace {

using WriteLine = std::function<void(std::string_view)>;

std::string_view type_name(RecordType type) {
    switch (type) {
        case RecordType::kBlock: return "block";
        case RecordType::kTruncate: return "truncate";
        case RecordType::kInode: return "inode";
        case RecordType::kDirent: return "dirent";
        case RecordType::kLineCreate: return "line-create";
        case RecordType::kLineDelete: return "line-delete";
        case RecordType::kNote: return "note";
    }
    return "unknown";
}

std::string hash_text(uint64_t hash) {
    std::array<char, 8> bytes;
    for (size_t i = 0; i < bytes.size(); ++i) {
        bytes[i] = static_cast<char>(hash >> (56 - 8 * i) & 0xff);
    }
    return hex({bytes.data(), bytes.size()});
}

std::string problem_text(const Error& error) {
    return error.notes.empty() ? error.message
                               : cat(error.message, " (", join(error.notes, ", "), ")");
}

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

// Next place after `offset` where a frame header of the segment decodes; `end` if there is none.
Result<uint64_t> next_frame_header(File& file, SegmentId segment, uint64_t seed, uint64_t offset,
                                   uint64_t end, uint64_t& sequence) {
    std::array<std::byte, 65536> window;
    while (offset + kFrameHeaderBytes <= end) {
        ByteView bytes = ByteView(window).first(std::min<uint64_t>(window.size(), end - offset));
        LB_TRY(file.read_at(offset, std::span(window).first(bytes.size())));
        for (size_t at = 0; at + kFrameHeaderBytes <= bytes.size(); at += 8) {
            if (!may_be_frame_header(bytes.subspan(at))) continue;
            Result<FrameHeader> header = decode_frame_header(bytes.subspan(at), seed);
            if (!header || header->segment != segment) continue;
            sequence = header->sequence;
            return offset + at;
        }
        // Multiples of 8, the last 56 bytes again.
        offset += (bytes.size() - kFrameHeaderBytes + 8) & ~uint64_t{7};
    }
    return end;
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
        write_line(cat("offset ", offset, " no frame: ", problem_text(reader.stop_reason())));
        options.offset = LB_TRY(
            next_frame_header(file, segment.segment, seed, offset + 8, end, options.next_sequence));
        options.previous_frame_hash.reset();
        if (options.offset >= end) return ok();
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
        write_line(cat("not sealed: ", problem_text(tail.error())));
        return size_bytes;
    }
    uint64_t begin = std::clamp(tail->frames_end_offset, kSegmentHeaderBytes, size_bytes);
    Bytes bytes(size_bytes - begin);
    LB_TRY(file.read_at(begin, bytes));
    Result<Footer> footer = decode_footer(bytes);
    if (!footer) {
        write_line(cat("footer: ", problem_text(footer.error())));
        return size_bytes;
    }
    write_line(cat("sealed: segment=", footer->segment.value(),
                   " last-sequence=", footer->last_sequence, " entries=", footer->entries.size(),
                   " frames-end=", footer->frames_end_offset,
                   " last-frame-hash=", hash_text(footer->last_frame_hash)));
    return begin;
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
        write_line(cat("no segment: ", problem_text(header.error())));
        return std::move(header).error();
    }
    write_line(
        cat("segment ", header->segment.value(), " of store ", hex(as_text(header->store_id)),
            header->segment_class == SegmentClass::kHot ? " hot" : " cold",
            " first-sequence=", header->first_sequence, " durable=", header->durable_sequence,
            " previous-hash=", hash_text(header->previous_frame_hash)));
    uint64_t end = LB_TRY(dump_footer(*file, size_bytes, write_line));
    return dump_frames(*file, *header, end, write_line);
}

}  // namespace lb::store
