#include "store/check_run.h"

#include <algorithm>
#include <filesystem>

#include "base/hash.h"
#include "base/text.h"
#include "store/check_index.h"
#include "store/cold_segment.h"
#include "store/cold_survey.h"
#include "store/format_text.h"
#include "store/index_keys.h"
#include "store/log_recovery.h"
#include "store/path_finder.h"
#include "store/record_keys.h"
#include "store/segment_files.h"

namespace lb::store {

namespace {

constexpr uint64_t kProgressBytes = uint64_t{8} << 20;
constexpr uint64_t kScratchCacheBytes = uint64_t{64} << 20;
// Telling which lines show a damaged block takes time for each.
constexpr size_t kNamedProblemsMax = 200;

// What the record is in the index.
Status visit_entry(const ReplayRecord& record,
                   const std::function<void(std::string_view, std::string_view)>& visit) {
    IndexBatch batch;
    LB_TRY(put_record(batch, record));
    batch.for_each([&](std::string_view key, std::string_view value, bool) { visit(key, value); });
    return ok();
}

// Removes the scratch index at the end, and one that a killed check has left at the beginning.
class Scratch {
public:
    explicit Scratch(std::string directory) : directory_(std::move(directory)) { remove(); }
    ~Scratch() {
        index_.reset();
        remove();
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;

    Result<Index*> open() {
        if (directory_.empty()) {
            index_ = make_memory_index();
        } else {
            index_ = LB_TRY(open_rocksdb_index({.directory = directory_, .before_flush = {}}));
        }
        return index_.get();
    }

private:
    void remove() {
        std::error_code ignored;  // a leftover costs space only
        if (!directory_.empty()) std::filesystem::remove_all(directory_, ignored);
    }

    const std::string directory_;
    std::unique_ptr<Index> index_;
};

}  // namespace

// The log as a replay wants it, read through the survey: damage is reported and passed.
class CheckRun::ReadOnlyLog final : public SegmentLog {
public:
    ReadOnlyLog(CheckRun& run, std::vector<SurveyedSegment> segments)
        : run_(run), segments_(std::move(segments)) {
        if (run_.options_.end) end_ = *run_.options_.end;
    }

    Status replay(LogPlace, const std::function<Status(const ReplayFrame&)>& visit) override;

    LogPlace end() const override { return end_; }
    uint64_t durable_sequence() const override { return end_.sequence; }
    uint64_t last_sequence() const override { return end_.sequence; }
    const StoreId& store_id() const override { return run_.options_.super.store_id; }

    Result<uint64_t> last_frame_until(LogPlace, WallTime) override { return read_only(); }
    Result<Appended> append(std::span<const NewRecord>) override { return read_only(); }
    Status sync(uint64_t) override { return ok(); }
    Status read_block(const RecordLocation&, const RecordHeader&,
                      std::span<std::byte, kBlockBytes>) override {
        return read_only();
    }
    LogStatistics statistics() const override {
        LogStatistics result;
        for (const ColdFile& cold : manifest()->cold) result.cold_bytes += cold.size_bytes;
        return result;
    }

    std::shared_ptr<const Manifest> manifest() const override { return run_.options_.manifest; }
    Status set_manifest(Manifest) override { return read_only(); }
    std::vector<SegmentSummary> full_segments() const override { return {}; }
    Result<LogBase> base_at(SegmentId) override { return read_only(); }
    Status visit_segments(SegmentId, const std::function<Status(const ReplayFrame&)>&) override {
        return read_only();
    }
    Status visit_cold_segment(const ColdFile& cold,
                              const std::function<Status(const ReplayRecord&)>& visit) override;
    std::unique_ptr<ColdWriter> cold_writer(SegmentId) override { return nullptr; }
    Status close() override { return ok(); }

private:
    static Error read_only() {
        return {.code = ErrorCode::kStoreReadOnly, .message = "a check changes nothing"};
    }

    CheckRun& run_;
    const std::vector<SurveyedSegment> segments_;
    LogPlace end_;
    uint64_t cold_bytes_ = 0;  // read
};

// As replay(): what cannot be read is reported and left out.
Status CheckRun::ReadOnlyLog::visit_cold_segment(
    const ColdFile& cold, const std::function<Status(const ReplayRecord&)>& visit) {
    ColdSurveySink sink;
    sink.problem = [&](Problem problem) { run_.report_.add(std::move(problem)); };
    sink.record = [&](const ReplayRecord& record) -> Status {
        run_.report_.counts.records++;
        Status visited = visit(record);
        if (visited) return run_.note_cold(cold, record);
        if (visited.error().code != ErrorCode::kStoreDamaged) return visited;
        sink.problem({.code = ProblemCode::kInconsistent,
                      .segment = cold.segment,
                      .offset = record.location.offset,
                      .record = record.header,
                      .message = reason_text(visited.error())});
        return ok();
    };
    LB_TRY(
        survey_cold_segment(*run_.options_.disk, run_.options_.directory, store_id(), cold, sink));
    run_.report_.counts.segments++;
    run_.report_.counts.bytes += cold.size_bytes;
    cold_bytes_ += cold.size_bytes;
    return run_.progress("cold segments", cold_bytes_, statistics().cold_bytes);
}

Status CheckRun::ReadOnlyLog::replay(LogPlace,
                                     const std::function<Status(const ReplayFrame&)>& visit) {
    const CheckRunOptions& options = run_.options_;
    CheckCounts& counts = run_.report_.counts;
    const LogBase& base = options.manifest->base;
    SurveyChain chain{.sequence = base.previous_sequence,
                      .frame_hash = base.previous_frame_hash,
                      .written_at = base.previous_written_at};
    uint64_t total_bytes = segments_.size() * options.super.segment_bytes;
    uint64_t shown_bytes = 0;
    for (size_t i = 0; i < segments_.size(); i++) {
        if (run_.step_ && segments_[i].segment == options.manifest->step->hot_end) {
            run_.step_->end_hot({.first_segment = segments_[i].segment,
                                 .previous_sequence = chain.sequence,
                                 .previous_written_at = chain.written_at});
        }
        uint64_t start_bytes = i * options.super.segment_bytes;
        uint64_t end_offset = kSegmentHeaderBytes;
        SurveySink sink;
        sink.problem = [&](Problem problem) { run_.report_.add(std::move(problem)); };
        sink.frame = [&](const ReplayFrame& frame) -> Status {
            counts.frames++;
            counts.records += frame.records.size();
            if (!frame.records.empty()) {
                const RecordLocation& last = frame.records.back().location;
                end_offset =
                    last.offset + align_record(kRecordHeaderBytes + uint64_t{last.stored_bytes});
            }
            if (!options.end) {
                end_ = {segments_[i].segment, end_offset, frame.header.sequence};
            }
            if (start_bytes + end_offset >= shown_bytes + kProgressBytes) {
                shown_bytes = start_bytes + end_offset;
                LB_TRY(run_.progress("log", shown_bytes, total_bytes));
            }
            return visit(frame);
        };
        LB_TRY(survey_segment(*options.disk, options.directory, options.super, segments_[i], chain,
                              sink));
        counts.segments++;
        counts.bytes += end_offset;
    }
    return run_.progress("log", total_bytes, total_bytes);
}

// Adds to the audit of frames what the comparison needs.
class CheckRun::Audit final : public ReplayAudit {
public:
    Audit(CheckRun& run)
        : run_(run), frames_(*run.projection_, [&run](Problem problem) {
              run.frame_problems_.push_back(std::move(problem));
          }) {}

    Status before(const ReplayFrame& frame) override {
        if (frame.header.sequence > run_.options_.used_place.sequence) LB_TRY(run_.compare());
        for (const ReplayRecord& record : frame.records) {
            if (record.header.type != RecordType::kInode) continue;
            IndexKey key = inode_key(LineId{record.header.line}, InodeId{record.header.object},
                                     frame.header.sequence);
            run_.logged_inodes_.push_back(hash64(as_bytes(key)));
        }
        return frames_.before(frame);
    }
    Status after(const ReplayFrame& frame) override { return frames_.after(frame); }
    Status refused(const ReplayFrame& frame, const ReplayRecord& record, Error error) override {
        return frames_.refused(frame, record, std::move(error));
    }

private:
    CheckRun& run_;
    FrameAudit frames_;
};

CheckRun::CheckRun(const CheckRunOptions& options, const CheckSink& sink, CheckReport& report)
    : options_(options), sink_(sink), report_(report) {}
CheckRun::~CheckRun() = default;

Status CheckRun::progress(std::string_view step, uint64_t done_bytes, uint64_t total_bytes) {
    if (sink_.progress) sink_.progress({step, done_bytes, total_bytes});
    if (!sink_.is_cancelled || !sink_.is_cancelled()) return ok();
    return Error{.code = ErrorCode::kInterrupted, .message = "the check was stopped"};
}

Status CheckRun::run() {
    std::vector<SurveyedSegment> segments = LB_TRY(list_segments(
        *options_.disk, options_.directory, options_.manifest->base.first_segment, options_.end));
    for (const SegmentSummary& unsettled : options_.unsettled) {
        auto found = std::ranges::find(segments, unsettled.segment, &SurveyedSegment::segment);
        if (found == segments.end()) continue;
        found->is_sealed = false;
        found->end_offset = unsettled.end_offset;
    }
    log_ = std::make_unique<ReadOnlyLog>(*this, std::move(segments));
    LB_TRY(find_left_overs());
    LB_TRY(load_step());
    projection_ = std::make_unique<Projection>(*log_, *options_.rebuilt,
                                               ProjectionLimits::for_bytes(kScratchCacheBytes));
    audit_ = std::make_unique<Audit>(*this);
    projection_->set_audit(audit_.get());
    LB_TRY(projection_->recover());
    LB_TRY(compare());
    report_frame_problems();
    LB_TRY(name_files());
    report_.lines = projection_->lines().live();
    report_.notes = LB_TRY(projection_->notes(""));
    report_.counts.lines = report_.lines.size();
    report_.counts.position = Position{log_->last_sequence()};
    report_.counts.index_position = Position{options_.used_place.sequence};
    return ok();
}

// Files that nothing names: of steps that were cut short.
Status CheckRun::find_left_overs() {
    const Manifest& manifest = *options_.manifest;
    auto report = [&](SegmentId segment, std::string_view what) {
        report_.add(
            {.code = ProblemCode::kLeftOver, .segment = segment, .message = std::string(what)});
    };
    for (const std::string& name :
         LB_TRY(options_.disk->list(segment_directory(options_.directory)))) {
        std::optional<SegmentId> id = segment_from_name(name);
        if (id && *id < manifest.base.first_segment) report(*id, "it was reclaimed");
    }
    std::string directory = cold_directory(options_.directory);
    if (!LB_TRY(options_.disk->exists(directory))) return ok();
    for (const std::string& name : LB_TRY(options_.disk->list(directory))) {
        std::optional<SegmentId> id = segment_from_name(name);
        if (!id) {
            report({}, cat("cold/", name, " is no cold segment"));
        } else if (!is_named(manifest, *id)) {
            report(*id, "the manifest does not name it");
        }
    }
    return ok();
}

// What a step that was cut short has written. What it works on passes by later.
Status CheckRun::load_step() {
    const Manifest& manifest = *options_.manifest;
    if (!manifest.step) return ok();
    step_.emplace();
    if (manifest.step->hot_end != SegmentId{0}) {
        step_->begin_hot(manifest.base.previous_sequence + 1);
    }
    if (!manifest.step->output) return ok();
    return log_->visit_cold_segment(*manifest.step->output, [&](const ReplayRecord& record) {
        return visit_entry(record, [&](std::string_view key, std::string_view value) {
            step_->add_output(key, value);
        });
    });
}

// A record from before the base, for the comparison of the indexes.
Status CheckRun::note_cold(const ColdFile& cold, const ReplayRecord& record) {
    const std::optional<ReclaimStep>& step = options_.manifest->step;
    if (step && step->output && step->output->segment == cold.segment) return ok();
    bool is_input =
        step && std::ranges::find(step->cold_inputs, cold.segment) != step->cold_inputs.end();
    bool is_inode = record.header.type == RecordType::kInode;
    if (!is_input && !is_inode) return ok();
    return visit_entry(record, [&](std::string_view key, std::string_view) {
        if (is_inode) logged_inodes_.push_back(hash64(as_bytes(key)));
        if (is_input) step_->add_input(key);
    });
}

// What a line that is gone had inherited is reclaimed with it, while its frames may still be in the
// log: they cannot be judged.
void CheckRun::report_frame_problems() {
    bool is_reclaimed = options_.manifest->number != 0;
    for (Problem& problem : std::exchange(frame_problems_, {})) {
        bool is_known = !problem.record || problem.record->line == 0 ||
                        projection_->lines().find(LineId{problem.record->line}) != nullptr;
        if (is_known || !is_reclaimed) report_.add(std::move(problem));
    }
}

// Called when the log is replayed just as far as the used index has seen it.
Status CheckRun::compare() {
    if (std::exchange(is_compared_, true) || options_.used == nullptr) return ok();
    LB_TRY(projection_->write_index());
    std::ranges::sort(logged_inodes_);
    std::unique_ptr<IndexCursor> rebuilt = options_.rebuilt->cursor();
    Result<uint64_t> compared = compare_indexes(
        {.used = options_.used,
         .rebuilt = rebuilt.get(),
         .sequence = options_.used_place.sequence,
         .logged_inodes = &logged_inodes_,
         .step = step_ ? &*step_ : nullptr,
         .lines = options_.manifest->number != 0 ? &projection_->lines() : nullptr,
         .report = [&](Problem problem) { report_.add(std::move(problem)); },
         .progress = [&](uint64_t) { return progress("index", 0, 0); },
         .attributes = [&](LineId line, InodeId inode,
                           uint64_t sequence) { return attributes_at(line, inode, sequence); }});
    if (compared) {
        report_.counts.index_entries = *compared;
        return ok();
    }
    if (compared.error().code != ErrorCode::kStoreDamaged) return std::move(compared).error();
    report_.add(unreadable_index(compared.error()));
    return ok();
}

// Of a line that is gone for good only its own entries are known: what it inherited counts as
// right.
Result<std::optional<std::string>> CheckRun::attributes_at(LineId id, InodeId inode,
                                                           uint64_t sequence) {
    const Line* line = projection_->lines().find(id);
    std::unique_ptr<IndexCursor> cursor = options_.rebuilt->cursor();
    LineView view{line, sequence};
    for (; view.line != nullptr; view = view.parent()) {
        if (!LB_TRY(cursor->seek(inode_key(view.line->info.line, inode, view.limit)))) continue;
        return std::optional(std::string(cursor->value()));
    }
    if (line != nullptr) return std::optional<std::string>();
    if (LB_TRY(cursor->seek(inode_key(id, inode, sequence)))) {
        return std::optional(std::string(cursor->value()));
    }
    return std::optional(std::string(options_.used->value()));
}

Status CheckRun::name_files() {
    size_t named_count = 0;
    for (Problem& problem : report_.problems) {
        if (!problem.record || problem.record->line == 0) continue;
        if (++named_count > kNamedProblemsMax) break;
        Status named = name_file(problem);
        // Where the tree itself is damaged there may be no telling.
        if (!named && named.error().code != ErrorCode::kStoreDamaged &&
            named.error().code != ErrorCode::kStoreNotFound) {
            return named;
        }
    }
    return ok();
}

// The line that wrote it and those that inherit it, as far as they show it now.
Status CheckRun::name_file(Problem& problem) {
    const RecordHeader& record = *problem.record;
    bool is_content = record.type == RecordType::kBlock || record.type == RecordType::kTruncate;
    bool is_file =
        is_content || record.type == RecordType::kInode || record.type == RecordType::kDirent;
    std::vector<LineId> open = {LineId{record.line}};
    while (!open.empty()) {
        const Line* line = projection_->lines().find(open.back());
        open.pop_back();
        if (line == nullptr) continue;
        for (LineId child : line->children) {
            const Line* found = projection_->lines().find(child);
            if (found->info.fork_position.value() >= record.sequence) open.push_back(child);
        }
        if (line->info.is_deleted || !LB_TRY(is_current(*line, problem))) continue;
        problem.lines.push_back(line->info.line);
        if (!is_file || !problem.path.empty()) continue;
        InodeId inode = is_content ? inode_of(DataId{record.object}) : InodeId{record.object};
        problem.path = LB_TRY(path_of(*projection_, *line, inode));
    }
    std::ranges::sort(problem.lines);
    return ok();
}

Result<bool> CheckRun::is_current(const Line& line, const Problem& problem) {
    const RecordHeader& record = *problem.record;
    if (record.type != RecordType::kBlock) return line.info.line.value() == record.line;
    DataId data{record.object};
    Result<const Inode*> inode = projection_->inode(line, inode_of(data));
    if (!inode && inode.error().code == ErrorCode::kStoreNotFound) return false;
    if (!inode) return std::move(inode).error();
    if ((*inode)->record.data != data || (*inode)->record.attributes.link_count == 0) return false;
    const BlockChunk* chunk = LB_TRY(projection_->chunk(line, data, record.block / kChunkBlocks));
    return (*chunk)[record.block % kChunkBlocks].sequence == record.sequence;
}

Status check_log(CheckRunOptions options, const std::string& scratch_directory,
                 const CheckSink& sink, CheckReport& report) {
    Scratch scratch(scratch_directory);
    options.rebuilt = LB_TRY(scratch.open());
    return CheckRun(options, sink, report).run();
}

Problem unreadable_index(const Error& error) {
    return {.code = ProblemCode::kIndexUnreadable, .message = reason_text(error)};
}

}  // namespace lb::store
