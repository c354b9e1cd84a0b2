#include "store/store_dump.h"

#include <map>

#include "base/text.h"
#include "store/format_text.h"
#include "store/index.h"
#include "store/inode_codec.h"
#include "store/log_super.h"
#include "store/manifest.h"
#include "store/segment_survey.h"

namespace lb::store {

Status dump_index(const std::string& store_directory,
                  const std::function<void(std::string_view key, std::string_view value)>& visit) {
    std::unique_ptr<Index> index = LB_TRY(open_rocksdb_index_to_read(store_directory + "/index"));
    std::unique_ptr<IndexCursor> cursor = index->cursor();
    for (bool is_valid = LB_TRY(cursor->seek("")); is_valid; is_valid = LB_TRY(cursor->next())) {
        visit(cursor->key(), cursor->value());
    }
    return ok();
}

Result<std::vector<Note>> notes_of_log(Disk& disk, const std::string& store_directory,
                                       const std::function<void(const Problem&)>& problem) {
    Super super = LB_TRY(super_or_guess(disk, store_directory, problem));
    ManifestCopies copies = LB_TRY(read_manifest_copies(disk, store_directory, super.store_id));
    for (const ManifestProblem& wrong : problems_of(copies)) {
        if (wrong.is_damage) problem({.code = ProblemCode::kManifest, .message = wrong.message});
    }
    const Manifest* manifest = newest_manifest(copies);
    SegmentId first = manifest != nullptr ? manifest->base.first_segment : SegmentId{1};
    std::map<std::string, std::string> found;
    if (manifest != nullptr) found = manifest->notes;
    SurveySink sink;
    sink.problem = problem;
    sink.frame = [&](const ReplayFrame& frame) {
        for (const ReplayRecord& record : frame.records) {
            if (record.header.type != RecordType::kNote) continue;
            std::optional<NoteRecord> note = decode_note(record.payload);
            if (note && note->value) {
                found[std::string(note->key)] = std::string(*note->value);
            } else if (note) {
                found.erase(std::string(note->key));
            }
        }
        return ok();
    };
    SurveyChain chain{.is_known = false};
    for (const SurveyedSegment& segment :
         LB_TRY(list_segments(disk, store_directory, first, std::nullopt))) {
        LB_TRY(survey_segment(disk, store_directory, super, segment, chain, sink));
    }
    std::vector<Note> notes;
    for (auto& [key, value] : found) notes.push_back({key, std::move(value)});
    return notes;
}

Status dump_super(Disk& disk, const std::string& store_directory,
                  const std::function<void(std::string_view)>& write_line) {
    std::string path = store_directory + "/SUPER";
    std::unique_ptr<File> file = LB_TRY(disk.open(path, OpenMode::kRead));
    Bytes bytes(std::min(LB_TRY(file->size_bytes()), kSuperBytes + 1));
    LB_TRY(file->read_at(0, bytes));
    Result<Super> super = decode_super(bytes);
    // The places of these fields are the same in every version.
    if (bytes.size() >= 40) {
        ByteView view = bytes;
        write_line(cat("magic ", as_text(view.first(8)) == "LBSUPER1" ? "LBSUPER1" : "wrong"));
        write_line(cat("format version ", load_little_endian<uint32_t>(view.data() + 8)));
        write_line(cat("store ", hex(as_text(view.subspan(16, sizeof(StoreId))))));
        write_line(cat("segment bytes ", load_little_endian<uint64_t>(view.data() + 32)));
    }
    if (!super) {
        write_line(cat("damaged: ", reason_text(super.error())));
        return std::move(super).error();
    }
    write_line("checksum right");
    return ok();
}

}  // namespace lb::store
