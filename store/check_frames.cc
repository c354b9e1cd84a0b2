#include "store/check_frames.h"

#include "base/text.h"

namespace lb::store {

namespace {

// The inode now; nullptr if there is none. Errors other than that pass.
Result<const Inode*> find_inode(Projection& projection, const Line& line, InodeId inode) {
    Result<const Inode*> found = projection.inode(line, inode);
    if (found || found.error().code != ErrorCode::kStoreNotFound) return found;
    return static_cast<const Inode*>(nullptr);
}

uint64_t block_count(uint64_t size_bytes) { return (size_bytes + kBlockBytes - 1) / kBlockBytes; }

}  // namespace

void FrameAudit::report(ProblemCode code, const ReplayRecord& record, std::string message) {
    report_({.code = code,
             .segment = record.location.segment,
             .offset = record.location.offset,
             .record = record.header,
             .message = std::move(message)});
}

Status FrameAudit::before(const ReplayFrame& frame) {
    touched_.clear();
    names_.clear();
    for (const ReplayRecord& record : frame.records) {
        if (line_of(record) == nullptr) continue;  // of this frame, or refused later
        Touched* touched = nullptr;
        if (record.header.type == RecordType::kInode) {
            LB_TRY(note_inode(LineId{record.header.line}, InodeId{record.header.object}, &touched));
        } else if (record.header.type == RecordType::kDirent) {
            LB_TRY(note_dirent(record));
        }
    }
    return ok();
}

// Remembers the file as it is before the frame.
Status FrameAudit::note_inode(LineId line, InodeId inode, Touched** touched) {
    auto [at, is_new] = touched_.try_emplace({line, inode});
    *touched = &at->second;
    if (!is_new) return ok();
    const Inode* found = LB_TRY(find_inode(projection_, *projection_.lines().find(line), inode));
    if (found == nullptr) return ok();
    const FileAttributes& attributes = found->record.attributes;
    at->second = {.existed = true,
                  .links_before = attributes.link_count,
                  .data_before = found->record.data,
                  .size_before_bytes = attributes.size_bytes};
    return ok();
}

Status FrameAudit::note_dirent(const ReplayRecord& record) {
    std::optional<DirentRecord> dirent = decode_dirent(record.payload);
    if (!dirent) return ok();  // refused later
    LineId line{record.header.line};
    InodeId parent{record.header.object};
    auto [name, is_new] = names_.try_emplace({line, parent, std::string(dirent->name)});
    if (is_new) {
        Result<const Directory*> directory = projection_.directory(*line_of(record), parent);
        LB_TRY(directory);
        auto child = (*directory)->find(dirent->name);
        if (child != (*directory)->end()) name->second = child->second.inode;
    }
    Touched* touched = nullptr;
    if (name->second != InodeId{}) {
        LB_TRY(note_inode(line, name->second, &touched));
        touched->names_added--;
    }
    name->second = dirent->child;
    if (dirent->child == InodeId{}) return ok();
    LB_TRY(note_inode(line, dirent->child, &touched));
    touched->names_added++;
    touched->named_by = &record;
    touched->named_type = dirent->type;
    return ok();
}

Status FrameAudit::after(const ReplayFrame& frame) {
    first_record_ = frame.records.data();
    for (const auto& [key, touched] : touched_) LB_TRY(check_file(key, touched));
    for (const ReplayRecord& record : frame.records) {
        switch (record.header.type) {
            case RecordType::kBlock:
            case RecordType::kTruncate: LB_TRY(check_data(record)); break;
            case RecordType::kLineCreate: check_line(frame, record); break;
            case RecordType::kDirent: {
                if (line_of(record) == nullptr) break;
                InodeId parent{record.header.object};
                const Inode* directory = LB_TRY(find_inode(projection_, *line_of(record), parent));
                if (directory != nullptr &&
                    directory->record.attributes.type == FileType::kDirectory) {
                    break;
                }
                report(ProblemCode::kDirectory, record,
                       cat("a name in inode ", parent.value(), ", which is no directory"));
                break;
            }
            case RecordType::kInode:
            case RecordType::kLineDelete:
            case RecordType::kLineSize:
            case RecordType::kNote: break;
        }
    }
    return ok();
}

Status FrameAudit::check_file(const FileKey& key, const Touched& touched) {
    const Line* line = projection_.lines().find(key.first);
    if (line == nullptr) return ok();
    const Inode* inode = LB_TRY(find_inode(projection_, *line, key.second));
    const ReplayRecord& record = touched.named_by != nullptr ? *touched.named_by : *first_record_;
    if (inode == nullptr) {
        if (touched.named_by != nullptr) {
            report(ProblemCode::kDirectory, record,
                   cat("a name leads to inode ", key.second.value(), ", which does not exist"));
        }
        return ok();
    }
    const FileAttributes& attributes = inode->record.attributes;
    if (touched.named_by != nullptr && attributes.type != touched.named_type) {
        report(ProblemCode::kDirectory, record,
               cat("a name says that inode ", key.second.value(), " has another type than it has"));
    }
    bool is_root = key.second == kRootInode;
    int64_t expected = touched.links_before + touched.names_added;
    if (!is_root && expected != int64_t{attributes.link_count}) {
        report(ProblemCode::kLinkCount, record,
               cat("inode ", key.second.value(), " of line ", key.first.value(), " has ",
                   attributes.link_count, " links and ", expected, " names"));
    }
    return ok();
}

// The contents are the file's own, before or after the frame, and not behind its end.
Status FrameAudit::check_data(const ReplayRecord& record) {
    if (line_of(record) == nullptr) return ok();  // was refused
    LineId line{record.header.line};
    DataId data{record.header.object};
    InodeId id = inode_of(data);
    const Inode* inode = LB_TRY(find_inode(projection_, *line_of(record), id));
    if (inode == nullptr) return ok();  // was refused
    DataId data_before = inode->record.data;
    uint64_t size_bytes = inode->record.attributes.size_bytes;
    if (auto touched = touched_.find({line, id}); touched != touched_.end()) {
        if (touched->second.existed) data_before = touched->second.data_before;
        size_bytes = std::max(size_bytes, touched->second.size_before_bytes);
    }
    bool is_file = inode->record.attributes.type == FileType::kFile;
    if (!is_file || (data != inode->record.data && data != data_before)) {
        report(ProblemCode::kData, record,
               cat("contents of inode ", id.value(), " with a data id that is not the file's"));
    } else if (record.header.type == RecordType::kBlock &&
               record.header.block >= block_count(size_bytes)) {
        report(ProblemCode::kData, record,
               cat("a block behind the end of inode ", id.value(), ", which has ", size_bytes,
                   " bytes"));
    }
    return ok();
}

void FrameAudit::check_line(const ReplayFrame& frame, const ReplayRecord& record) {
    const Line* line = line_of(record);
    if (line == nullptr || line->parent == nullptr) return;  // refused, or a root
    Position fork = line->info.fork_position;
    const LineInfo& parent = line->parent->info;
    Position first =
        line->parent->parent == nullptr ? parent.created_position : parent.fork_position;
    if (fork >= first && fork <= Position{frame.header.sequence}) return;
    report(ProblemCode::kLine, record,
           cat("line ", record.header.line, " forks at position ", fork.value(), " of line ",
               parent.line.value(), ", which has positions from ", first.value(), " to ",
               frame.header.sequence));
}

Status FrameAudit::refused(const ReplayFrame&, const ReplayRecord& record, Error error) {
    if (error.code != ErrorCode::kStoreDamaged) return error;
    report(ProblemCode::kInconsistent, record, std::move(error.message));
    return ok();
}

}  // namespace lb::store
