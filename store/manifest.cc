#include "store/manifest.h"

#include <algorithm>
#include <array>

#include "base/hash.h"
#include "base/text.h"

namespace lb::store {

namespace {

constexpr uint64_t kMagic = 0x3146'494e'414d'424c;  // "LBMANIF1"
constexpr uint64_t kHashSeed = 7;
constexpr size_t kHashBytes = 8;
constexpr size_t kHeadBytes = 8 + 4 + 4 + 16;
constexpr uint64_t kManifestMaxBytes = uint64_t{1} << 31;
constexpr std::array<std::string_view, 2> kNames{"MANIFEST", "MANIFEST.copy"};
constexpr const char* kTemporarySuffix = ".tmp";

Error damaged(std::string_view what) {
    return {.code = ErrorCode::kStoreDamaged, .message = cat("manifest ", what)};
}

std::string path_of(const std::string& store_directory, size_t copy) {
    return cat(store_directory, "/", kNames[copy]);
}

int64_t to_nanoseconds(WallTime time) { return time.time_since_epoch().count(); }
WallTime to_time(int64_t nanoseconds) { return WallTime{std::chrono::nanoseconds{nanoseconds}}; }

void encode_cold_file(Encoder& encoder, const ColdFile& file) {
    encoder.u64(file.segment.value());
    encoder.u64(file.size_bytes);
    encoder.u64(file.record_count);
    encoder.u64(file.plain_bytes);
}

ColdFile decode_cold_file(Decoder& decoder) {
    ColdFile file;
    file.segment = SegmentId{decoder.u64()};
    file.size_bytes = decoder.u64();
    file.record_count = decoder.u64();
    file.plain_bytes = decoder.u64();
    return file;
}

void encode_line(Encoder& encoder, const LineInfo& line) {
    encoder.u64(line.line.value());
    encoder.u64(line.parent.value());
    encoder.u64(line.fork_position.value());
    encoder.u64(line.created_position.value());
    encoder.i64(to_nanoseconds(line.created_at));
    encoder.u64(line.head.value());
    encoder.u64(line.logical_bytes);
    encoder.u64(line.own_bytes);
    encoder.u8(line.is_deleted ? 1 : 0);
}

LineInfo decode_line(Decoder& decoder) {
    LineInfo line;
    line.line = LineId{decoder.u64()};
    line.parent = LineId{decoder.u64()};
    line.fork_position = Position{decoder.u64()};
    line.created_position = Position{decoder.u64()};
    line.created_at = to_time(decoder.i64());
    line.head = Position{decoder.u64()};
    line.logical_bytes = decoder.u64();
    line.own_bytes = decoder.u64();
    line.is_deleted = decoder.u8() != 0;
    return line;
}

void encode_history(Encoder& encoder, const History::State& history) {
    encoder.i64(to_nanoseconds(history.advanced_at));
    encoder.u64(history.dense_from);
    encoder.u32(static_cast<uint32_t>(history.floors.size()));
    for (const auto& [line, position] : history.floors) {
        encoder.u64(line.value());
        encoder.u64(position);
    }
    encoder.u32(static_cast<uint32_t>(history.points.size()));
    for (const GridPoint& point : history.points) {
        encoder.i64(point.second);
        encoder.u64(point.position);
    }
}

History::State decode_history(Decoder& decoder) {
    History::State history;
    history.advanced_at = to_time(decoder.i64());
    history.dense_from = decoder.u64();
    for (uint32_t left = decoder.u32(); left > 0 && decoder.is_ok(); left--) {
        LineId line{decoder.u64()};
        history.floors[line] = decoder.u64();
    }
    for (uint32_t left = decoder.u32(); left > 0 && decoder.is_ok(); left--) {
        GridPoint point{decoder.i64(), 0};
        point.position = decoder.u64();
        history.points.push_back(point);
    }
    return history;
}

void encode_step(Encoder& encoder, const std::optional<ReclaimStep>& step) {
    encoder.u8(step ? 1 : 0);
    if (!step) return;
    encoder.u64(step->hot_end.value());
    encoder.u32(static_cast<uint32_t>(step->cold_inputs.size()));
    for (SegmentId input : step->cold_inputs) encoder.u64(input.value());
    encoder.u8(step->output ? 1 : 0);
    if (step->output) encode_cold_file(encoder, *step->output);
}

std::optional<ReclaimStep> decode_step(Decoder& decoder) {
    if (decoder.u8() == 0) return std::nullopt;
    ReclaimStep step;
    step.hot_end = SegmentId{decoder.u64()};
    for (uint32_t left = decoder.u32(); left > 0 && decoder.is_ok(); left--) {
        step.cold_inputs.push_back(SegmentId{decoder.u64()});
    }
    if (decoder.u8() != 0) step.output = decode_cold_file(decoder);
    return step;
}

// What only a bug or a forged checksum can break.
Status check_sense(const Manifest& manifest) {
    auto id = [](const LineInfo& line) { return line.line; };
    if (manifest.number == 0 || manifest.base.first_segment == SegmentId{0} ||
        is_cold(manifest.base.first_segment)) {
        return damaged("with an impossible number or base");
    }
    LineId last;
    for (const LineInfo& line : manifest.lines) {
        bool has_parent = line.parent == LineId{} ||
                          std::ranges::binary_search(manifest.lines, line.parent, {}, id);
        if (line.line <= last || line.parent >= line.line || !has_parent) {
            return damaged(cat("with an impossible line ", line.line.value()));
        }
        last = line.line;
    }
    SegmentId previous{0};
    for (const ColdFile& file : manifest.cold) {
        if (!is_cold(file.segment) || file.segment <= previous ||
            file.segment.value() >= manifest.next_cold_segment ||
            manifest.next_cold_segment > uint64_t{UINT32_MAX} + 1) {
            return damaged(cat("with an impossible cold segment ", file.segment.value()));
        }
        previous = file.segment;
    }
    const std::vector<GridPoint>& points = manifest.history.points;
    for (size_t i = 1; i < points.size(); i++) {
        if (points[i - 1].second >= points[i].second ||
            points[i - 1].position >= points[i].position) {
            return damaged("with unsorted points in time");
        }
    }
    return ok();
}

Result<ManifestCopy> read_copy(Disk& disk, const std::string& store_directory, size_t index,
                               const StoreId& store_id) {
    ManifestCopy copy{.name = kNames[index]};
    std::string path = path_of(store_directory, index);
    copy.is_there = LB_TRY(disk.exists(path));
    if (!copy.is_there) return copy;
    std::unique_ptr<File> file = LB_TRY(disk.open(path, OpenMode::kRead));
    uint64_t size_bytes = LB_TRY(file->size_bytes());
    Bytes bytes(std::min(size_bytes, kManifestMaxBytes));
    LB_TRY(file->read_at(0, bytes));
    Result<Manifest> decoded = decode_manifest(bytes, store_id);
    if (decoded) {
        copy.manifest = std::move(decoded).value();
        copy.hash = load_little_endian<uint64_t>(bytes.data() + bytes.size() - kHashBytes);
    } else if (decoded.error().code == ErrorCode::kStoreFormatNewer) {
        return std::move(decoded).error();
    } else {
        copy.problem = std::move(decoded).error().with(cat("in ", quoted(path)));
    }
    return copy;
}

Status write_temporary(Disk& disk, const std::string& path, ByteView bytes) {
    if (LB_TRY(disk.exists(path))) LB_TRY(disk.remove(path));
    std::unique_ptr<File> file = LB_TRY(disk.open(path, OpenMode::kCreate));
    LB_TRY(file->write_at(0, {&bytes, 1}));
    return file->sync();
}

// From here on what is on disk is unknown after a failure, so that it is never "try again later".
Status put_in_place(Disk& disk, const std::string& store_directory) {
    for (size_t copy = 0; copy < kNames.size(); copy++) {
        std::string path = path_of(store_directory, copy);
        Status placed = disk.rename(path + kTemporarySuffix, path);
        if (placed) placed = disk.sync_directory(store_directory);
        if (placed) continue;
        Error error = std::move(placed).error();
        error.code = ErrorCode::kIo;
        return error;
    }
    return ok();
}

}  // namespace

Manifest first_manifest(const StoreId& store_id) {
    return {.base = {.previous_frame_hash = frame_seed(store_id)},
            .next_inode = kRootInode.value() + 1,
            .next_line = 1};
}

Bytes encode_manifest(const Manifest& manifest, const StoreId& store_id) {
    Encoder encoder;
    encoder.u64(kMagic);
    encoder.u32(kFormatVersion);
    encoder.u32(0);
    encoder.bytes(store_id);
    encoder.u64(manifest.number);
    encoder.u64(manifest.index_step);
    encoder.u64(manifest.base.first_segment.value());
    encoder.u64(manifest.base.previous_sequence);
    encoder.u64(manifest.base.previous_frame_hash);
    encoder.i64(to_nanoseconds(manifest.base.previous_written_at));
    encoder.u64(manifest.next_inode);
    encoder.u64(manifest.next_line);
    encoder.u64(manifest.next_cold_segment);
    encode_step(encoder, manifest.step);
    encoder.u32(static_cast<uint32_t>(manifest.cold.size()));
    for (const ColdFile& file : manifest.cold) encode_cold_file(encoder, file);
    encoder.u32(static_cast<uint32_t>(manifest.lines.size()));
    for (const LineInfo& line : manifest.lines) encode_line(encoder, line);
    encode_history(encoder, manifest.history);
    encoder.u32(static_cast<uint32_t>(manifest.notes.size()));
    for (const auto& [key, value] : manifest.notes) {
        encoder.text(key);
        encoder.text(value);
    }
    encoder.u64(hash64(encoder.out(), kHashSeed));
    return encoder.take();
}

Result<StoreId> manifest_store(ByteView bytes) {
    if (bytes.size() < kHeadBytes + kHashBytes) return damaged("is cut off");
    if (load_little_endian<uint64_t>(bytes.data()) != kMagic) {
        return damaged("without its magic number");
    }
    ByteView hashed = bytes.first(bytes.size() - kHashBytes);
    if (load_little_endian<uint64_t>(bytes.data() + hashed.size()) != hash64(hashed, kHashSeed)) {
        return damaged(cat("checksum mismatch at byte ", hashed.size()));
    }
    auto version = load_little_endian<uint32_t>(bytes.data() + 8);
    if (version > kFormatVersion) {
        return Error{.code = ErrorCode::kStoreFormatNewer,
                     .message = cat("the manifest has format version ", version,
                                    ", this lb reads up to version ", kFormatVersion),
                     .help = "install the lb that wrote it, or a newer one"};
    }
    StoreId store_id;
    std::ranges::copy(bytes.subspan(16, store_id.size()), store_id.begin());
    return store_id;
}

Result<Manifest> decode_manifest(ByteView bytes, const StoreId& store_id) {
    if (LB_TRY(manifest_store(bytes)) != store_id) return damaged("is one of another store");
    Decoder decoder(bytes.subspan(kHeadBytes, bytes.size() - kHeadBytes - kHashBytes));
    Manifest manifest;
    manifest.number = decoder.u64();
    manifest.index_step = decoder.u64();
    manifest.base.first_segment = SegmentId{decoder.u64()};
    manifest.base.previous_sequence = decoder.u64();
    manifest.base.previous_frame_hash = decoder.u64();
    manifest.base.previous_written_at = to_time(decoder.i64());
    manifest.next_inode = decoder.u64();
    manifest.next_line = decoder.u64();
    manifest.next_cold_segment = decoder.u64();
    manifest.step = decode_step(decoder);
    for (uint32_t left = decoder.u32(); left > 0 && decoder.is_ok(); left--) {
        manifest.cold.push_back(decode_cold_file(decoder));
    }
    for (uint32_t left = decoder.u32(); left > 0 && decoder.is_ok(); left--) {
        manifest.lines.push_back(decode_line(decoder));
    }
    manifest.history = decode_history(decoder);
    for (uint32_t left = decoder.u32(); left > 0 && decoder.is_ok(); left--) {
        std::string key(decoder.text());
        manifest.notes.insert_or_assign(std::move(key), std::string(decoder.text()));
    }
    if (!decoder.is_finished()) return damaged("with a length that does not fit its contents");
    LB_TRY(check_sense(manifest));
    return manifest;
}

Result<ManifestCopies> read_manifest_copies(Disk& disk, const std::string& store_directory,
                                            const StoreId& store_id) {
    ManifestCopies copies;
    for (size_t i = 0; i < copies.size(); i++) {
        copies[i] = LB_TRY(read_copy(disk, store_directory, i, store_id));
    }
    return copies;
}

const Manifest* newest_manifest(const ManifestCopies& copies) {
    const Manifest* newest = nullptr;
    for (const ManifestCopy& copy : copies) {
        if (!copy.manifest) continue;
        if (newest == nullptr || copy.manifest->number > newest->number) newest = &*copy.manifest;
    }
    return newest;
}

// The first copy is replaced before the second: a change that is cut short between them leaves the
// second one step behind, or absent if it is the store's first manifest.
std::vector<ManifestProblem> problems_of(const ManifestCopies& copies) {
    std::vector<ManifestProblem> problems;
    const Manifest* newest = newest_manifest(copies);
    std::string_view use = newest != nullptr ? "; the other copy is whole"
                                             : "; there is no other one: it is unknown where the "
                                               "log begins, and the store does not open";
    bool is_any_there = copies[0].is_there || copies[1].is_there;
    for (const ManifestCopy& copy : copies) {
        bool is_second = &copy == &copies[1];
        if (!copy.is_there) {
            if (!is_any_there || newest == nullptr) continue;
            bool is_cut_short = is_second && newest->number == 1;
            problems.push_back({cat(copy.name, " is missing", use), !is_cut_short});
        } else if (!copy.manifest) {
            problems.push_back({cat(copy.name, ": ", copy.problem.message, use)});
        } else if (uint64_t behind = newest->number - copy.manifest->number; behind > 0) {
            problems.push_back(
                {cat(copy.name, " is ", behind, " changes older than the other copy"),
                 !is_second || behind > 1});
        } else if (copies[1].manifest && is_second && copy.hash != copies[0].hash &&
                   copies[0].manifest && copies[0].manifest->number == newest->number) {
            problems.push_back({cat(copy.name, " differs from the other copy")});
        }
    }
    return problems;
}

Result<std::optional<Manifest>> open_manifest(Disk& disk, const std::string& store_directory,
                                              const StoreId& store_id,
                                              const std::function<void(const Error&)>& on_damage) {
    ManifestCopies copies = LB_TRY(read_manifest_copies(disk, store_directory, store_id));
    const Manifest* newest = newest_manifest(copies);
    if (newest == nullptr) {
        for (ManifestCopy& copy : copies) {
            if (copy.is_there) return std::move(copy.problem);
        }
        return std::optional<Manifest>();
    }
    std::vector<ManifestProblem> problems = problems_of(copies);
    if (!problems.empty()) LB_TRY(write_manifest(disk, store_directory, store_id, *newest));
    for (const ManifestProblem& problem : problems) {
        if (!problem.is_damage || !on_damage) continue;
        on_damage({.code = ErrorCode::kStoreDamaged,
                   .message = cat(problem.message, "; it was written anew")});
    }
    return std::optional<Manifest>(*newest);
}

bool is_named(const Manifest& manifest, SegmentId cold_segment) {
    bool is_output =
        manifest.step && manifest.step->output && manifest.step->output->segment == cold_segment;
    return is_output ||
           std::ranges::binary_search(manifest.cold, cold_segment, {}, &ColdFile::segment);
}

bool may_have_seen(const Manifest& manifest, uint64_t index_step) {
    return index_step == manifest.index_step ||
           (manifest.step && index_step == manifest.index_step + 1);
}

Status write_manifest(Disk& disk, const std::string& store_directory, const StoreId& store_id,
                      const Manifest& manifest) {
    Bytes bytes = encode_manifest(manifest, store_id);
    Status written;
    for (size_t copy = 0; copy < kNames.size() && written; copy++) {
        written = write_temporary(disk, path_of(store_directory, copy) + kTemporarySuffix, bytes);
    }
    if (written) return put_in_place(disk, store_directory);
    for (size_t copy = 0; copy < kNames.size(); copy++) {
        // Only to give the space back; the next one replaces it.
        static_cast<void>(disk.remove(path_of(store_directory, copy) + kTemporarySuffix).is_ok());
    }
    return written;
}

Status dump_manifest(Disk& disk, const std::string& path,
                     const std::function<void(std::string_view)>& write_line) {
    std::unique_ptr<File> file = LB_TRY(disk.open(path, OpenMode::kRead));
    Bytes bytes(std::min(LB_TRY(file->size_bytes()), kManifestMaxBytes));
    LB_TRY(file->read_at(0, bytes));
    StoreId store_id = LB_TRY(manifest_store(bytes));
    Manifest manifest = LB_TRY(decode_manifest(bytes, store_id));
    const LogBase& base = manifest.base;
    write_line(cat("manifest ", manifest.number, " of store ", hex(as_text(store_id))));
    write_line(cat("base segment=", base.first_segment.value(),
                   " previous-sequence=", base.previous_sequence,
                   " previous-time=", format_time(base.previous_written_at)));
    write_line(cat("next inode=", manifest.next_inode, " line=", manifest.next_line,
                   " cold=", manifest.next_cold_segment));
    if (manifest.step) {
        write_line(cat("step hot-end=", manifest.step->hot_end.value(),
                       " cold-inputs=", manifest.step->cold_inputs.size(), " output=",
                       manifest.step->output ? manifest.step->output->segment.value() : 0));
    }
    for (const ColdFile& cold : manifest.cold) {
        write_line(cat("cold ", cold.segment.value(), " bytes=", cold.size_bytes,
                       " records=", cold.record_count, " plain=", cold.plain_bytes));
    }
    for (const LineInfo& line : manifest.lines) {
        write_line(cat("line ", line.line.value(), " parent=", line.parent.value(),
                       " fork=", line.fork_position.value(), " head=", line.head.value(),
                       line.is_deleted ? " deleted" : ""));
    }
    const History::State& history = manifest.history;
    write_line(cat("history advanced-at=", format_time(history.advanced_at),
                   " dense-from=", history.dense_from, " points=", history.points.size()));
    for (const auto& [line, position] : history.floors) {
        write_line(cat("floor line=", line.value(), " position=", position));
    }
    write_line(cat("notes ", manifest.notes.size()));
    return ok();
}

}  // namespace lb::store
