// Steps: what to work on, what is needed of it, and carrying it out.
#include "store/reclaim.h"

#include <algorithm>

#include "base/text.h"
#include "store/cold_segment.h"
#include "store/liveness.h"
#include "store/log_frame.h"
#include "store/record_keys.h"

namespace lb::store {

namespace {

// Records decided or index entries changed under one hold of the lock.
constexpr size_t kPieceRecords = 128;
// Cold segments below this size are merged.
constexpr uint64_t kSmallColdBytes = uint64_t{8} << 20;
constexpr size_t kSmallColdCount = 8;

}  // namespace

Reclaim::Reclaim(SegmentLog& log, Projection& projection, Clock& clock, std::mutex& change_mutex,
                 std::function<bool(LineId, InodeId)> is_open, ReclaimOptions options)
    : log_(log),
      projection_(projection),
      clock_(clock),
      change_mutex_(change_mutex),
      is_open_(std::move(is_open)),
      options_(std::move(options)) {}

ReclaimStatistics Reclaim::statistics() const {
    std::lock_guard lock(statistics_mutex_);
    return statistics_;
}

Status Reclaim::resume() {
    std::optional<ReclaimStep> step = log_.manifest()->step;
    if (!step) return ok();
    Result<Inputs> inputs = load(*step);
    if (inputs) return finish(*step, *inputs);
    has_failed_ = true;  // nothing has changed: the step stays pending, with all of its files
    return std::move(inputs).error();
}

Result<bool> Reclaim::step(const RestoreWindows& windows, Urgency urgency) {
    if (has_failed_) return false;
    LB_TRY(advance_history(windows));
    std::optional<ReclaimStep> chosen = choose(urgency);
    if (!chosen) return false;
    is_interrupted_ = false;
    Result<bool> done = run(std::move(*chosen));
    if (is_interrupted_) return false;
    if (!done && done.error().code != ErrorCode::kStoreFull) has_failed_ = true;
    return done;
}

Status Reclaim::advance_history(const RestoreWindows& windows) {
    std::lock_guard lock(change_mutex_);
    std::vector<LineId> lines;
    for (const LineInfo& line : projection_.lines().live()) lines.push_back(line.line);
    History& history = projection_.history();
    history.advance(clock_.now(), windows, lines, log_.last_sequence());
    dense_from_ = lines.empty() ? log_.last_sequence() : UINT64_MAX;
    for (LineId line : lines) dense_from_ = std::min(dense_from_, history.dense_from(line));
    return ok();
}

// ---- What to work on ---------------------------------------------------------------------------

bool Reclaim::is_hot_old(const SegmentSummary& segment) const {
    return segment.last_sequence < dense_from_;
}

std::optional<ReclaimStep> Reclaim::choose(Urgency urgency) {
    ReclaimStep step;
    uint64_t bytes = 0;
    uint64_t debt_bytes = 0;
    std::vector<SegmentSummary> segments = log_.full_segments();
    for (const SegmentSummary& segment : segments) {
        if (is_hot_old(segment)) debt_bytes += segment.end_offset;
    }
    for (const SegmentSummary& segment : segments) {
        if (!is_hot_old(segment) && urgency == Urgency::kNormal) break;
        if (bytes > 0 && bytes + segment.end_offset > options_.step_bytes) break;
        bytes += segment.end_offset;
        step.hot_end = SegmentId{segment.segment.value() + 1};
    }
    {
        std::lock_guard lock(statistics_mutex_);
        statistics_.debt_bytes = debt_bytes;
    }
    if (bytes > 0) return step;
    return choose_cold();
}

// Small ones together, else the one that was not looked at for longest.
std::optional<ReclaimStep> Reclaim::choose_cold() {
    std::shared_ptr<const Manifest> manifest = log_.manifest();
    if (check_all_cold_.exchange(false)) checked_.clear();
    ReclaimStep small;
    for (const ColdFile& cold : manifest->cold) {
        if (cold.size_bytes < kSmallColdBytes && small.cold_inputs.size() < kSmallColdCount) {
            small.cold_inputs.push_back(cold.segment);
        }
    }
    if (small.cold_inputs.size() == kSmallColdCount) return small;
    const ColdFile* oldest = nullptr;
    WallTime oldest_check = clock_.now() - options_.cold_check_interval;
    for (const ColdFile& cold : manifest->cold) {
        auto checked = checked_.find(cold.segment);
        WallTime at = checked == checked_.end() ? WallTime{} : checked->second;
        if (at > oldest_check) continue;
        oldest = &cold;
        oldest_check = at;
    }
    if (oldest == nullptr) return std::nullopt;
    return ReclaimStep{.cold_inputs = {oldest->segment}};
}

// Writing a cold segment anew must free enough.
bool Reclaim::is_worth_it(const Inputs& inputs, const ReclaimStep& step) {
    if (step.hot_end.value() != 0 || step.cold_inputs.size() > 1) return true;
    uint64_t all_bytes = 0;
    uint64_t unneeded_bytes = 0;
    for (const Item& item : inputs.items) {
        uint64_t bytes = kRecordHeaderBytes + item.record.header.stored_bytes;
        all_bytes += bytes;
        if (!item.is_needed) unneeded_bytes += bytes;
    }
    checked_[step.cold_inputs.front()] = clock_.now();
    return static_cast<double>(unneeded_bytes) >
           options_.cold_garbage_share * static_cast<double>(all_bytes);
}

// Before the step is in a manifest it can be given up at any time.
Status Reclaim::pause() {
    if (options_.may_go_on()) return ok();
    is_interrupted_ = true;
    return Error{.code = ErrorCode::kStoreReadOnly, .message = "reclaim was asked to stop"};
}

// ---- Deciding and writing ----------------------------------------------------------------------

Status Reclaim::decide(Inputs& inputs) {
    std::set<LineId> base_lines;
    for (const LineInfo& line : inputs.lines) base_lines.insert(line.line);
    for (size_t at = 0; at < inputs.items.size();) {
        {
            std::lock_guard lock(change_mutex_);
            Liveness liveness({.cursor = LB_TRY(projection_.cursor()),
                               .lines = &projection_.lines(),
                               .history = &projection_.history(),
                               .base_position = inputs.base.previous_sequence,
                               .base_lines = &base_lines,
                               .is_open = is_open_});
            size_t end = std::min(inputs.items.size(), at + kPieceRecords);
            for (; at < end; at++) {
                Item& item = inputs.items[at];
                item.is_needed = LB_TRY(liveness.is_needed(item.view()));
            }
        }
        LB_TRY(pause());
    }
    return ok();
}

Result<std::optional<ColdFile>> Reclaim::write_output(const Inputs& inputs) {
    bool is_any_needed = std::ranges::any_of(inputs.items, &Item::is_needed);
    if (!is_any_needed) return std::optional<ColdFile>();
    std::unique_ptr<ColdWriter> writer =
        log_.cold_writer(SegmentId{log_.manifest()->next_cold_segment});
    LB_TRY(writer->begin());
    std::array<std::byte, kBlockBytes> block;
    size_t count = 0;
    for (const Item& item : inputs.items) {
        if (!item.is_needed) continue;
        ByteView plain = item.payload;
        if (item.record.header.type == RecordType::kBlock) {
            plain = {};
            if (item.record.location.stored_bytes != 0) {
                LB_TRY(log_.read_block(item.record.location, item.record.header, block));
                plain = without_trailing_zeros(block);
            }
        }
        LB_TRY(writer->add(item.record.header, plain));
        if (++count % kPieceRecords == 0) LB_TRY(pause());
    }
    return std::optional<ColdFile>(LB_TRY(writer->finish()));
}

Result<bool> Reclaim::run(ReclaimStep step) {
    Inputs inputs = LB_TRY(load(step));
    LB_TRY(decide(inputs));
    if (!is_worth_it(inputs, step)) return true;
    step.output = LB_TRY(write_output(inputs));
    Manifest manifest = *log_.manifest();
    if (step.output) manifest.next_cold_segment++;
    manifest.step = step;
    {
        std::lock_guard lock(change_mutex_);
        manifest.history = projection_.history().state();
    }
    // What was decided on must not be lost: a version counts as replaced by one that is.
    LB_TRY(log_.sync(log_.last_sequence()));
    LB_TRY(log_.set_manifest(std::move(manifest)));
    Status finished = finish(step, inputs);
    if (!finished) has_failed_ = true;  // whatever it was: the next open finishes it
    LB_TRY(std::move(finished));
    return true;
}

// ---- Carrying it out ---------------------------------------------------------------------------

Status Reclaim::put_output(const ReclaimStep& step, const Inputs& inputs, BlockMap::Moves& moves,
                           std::vector<Item>& kept) {
    if (!step.output) return ok();
    LB_TRY(log_.visit_cold_segment(*step.output, [&](const ReplayRecord& record) {
        kept.push_back(
            {.record = record, .payload = Bytes(record.payload.begin(), record.payload.end())});
        return ok();
    }));
    sort_items(kept);
    for (size_t at = 0; at < kept.size();) {
        std::lock_guard lock(change_mutex_);
        LB_TRY(projection_.change_index([&](IndexBatch& batch) -> Status {
            size_t end = std::min(kept.size(), at + kPieceRecords);
            for (; at < end; at++) LB_TRY(put_record(batch, kept[at].view()));
            return ok();
        }));
    }
    // Both are sorted; the first of an identity decides, there is no second one of a block.
    auto input = inputs.items.begin();
    for (const Item& item : kept) {
        if (item.record.header.type != RecordType::kBlock) continue;
        while (input != inputs.items.end() && comes_before(*input, item)) ++input;
        if (input == inputs.items.end() || comes_before(item, *input)) continue;
        moves[input->record.location] = item.record.location;
    }
    return ok();
}

Status Reclaim::erase_unneeded(const Inputs& inputs, const std::vector<Item>& kept) {
    std::vector<const Item*> unneeded;
    auto other = kept.begin();
    for (const Item& item : inputs.items) {
        while (other != kept.end() && comes_before(*other, item)) ++other;
        bool is_kept = other != kept.end() && !comes_before(item, *other);
        if (!is_kept) unneeded.push_back(&item);
    }
    for (size_t at = 0; at < unneeded.size();) {
        std::lock_guard lock(change_mutex_);
        LB_TRY(projection_.change_index([&](IndexBatch& batch) -> Status {
            size_t end = std::min(unneeded.size(), at + kPieceRecords);
            for (; at < end; at++) LB_TRY(erase_record(batch, unneeded[at]->view()));
            return ok();
        }));
    }
    return ok();
}

// Times of frames that are no longer in the hot log are points of the history only.
Status Reclaim::erase_times(const LogBase& base) {
    if (base.previous_sequence == 0) return ok();
    bool is_rest = true;
    while (is_rest) {
        std::lock_guard lock(change_mutex_);
        std::unique_ptr<IndexCursor> cursor = LB_TRY(projection_.cursor());
        LB_TRY(projection_.change_index([&](IndexBatch& batch) -> Status {
            bool is_valid = LB_TRY(cursor->seek(time_key(base.previous_written_at)));
            auto is_time = [&] {
                return is_valid && cursor->key().front() == static_cast<char>(KeySpace::kTime);
            };
            for (size_t i = 0; i < kPieceRecords && is_time(); i++) {
                batch.erase(cursor->key());
                is_valid = LB_TRY(cursor->next());
            }
            is_rest = is_time();
            if (!is_rest) put_time(batch, entry_of_base(base));
            return ok();
        }));
    }
    return ok();
}

// The same whether the step was just decided or found half done.
Status Reclaim::finish(const ReclaimStep& step, const Inputs& inputs) {
    Manifest manifest = *log_.manifest();
    BlockMap::Moves moves;
    std::vector<Item> kept;
    LB_TRY(put_output(step, inputs, moves, kept));
    LB_TRY(erase_unneeded(inputs, kept));
    if (step.hot_end.value() != 0) LB_TRY(erase_times(inputs.base));
    manifest.index_step++;
    {
        std::lock_guard lock(change_mutex_);
        projection_.move_blocks(moves);
        projection_.set_reclaim_step(manifest.index_step);
        LB_TRY(projection_.write_index());
    }
    LB_TRY(projection_.flush_index());

    std::erase_if(manifest.cold, [&](const ColdFile& cold) {
        return std::ranges::find(step.cold_inputs, cold.segment) != step.cold_inputs.end();
    });
    if (step.output) manifest.cold.push_back(*step.output);
    manifest.step.reset();
    manifest.base = inputs.base;
    manifest.lines = inputs.lines;
    manifest.notes = inputs.notes;
    manifest.next_inode = inputs.next_inode;
    manifest.next_line = inputs.next_line;
    LB_TRY(log_.set_manifest(std::move(manifest)));
    for (SegmentId input : step.cold_inputs) checked_.erase(input);
    std::lock_guard lock(statistics_mutex_);
    statistics_.step_count++;
    statistics_.removed_bytes += inputs.bytes;
    if (step.output) statistics_.written_bytes += step.output->size_bytes;
    return ok();
}

}  // namespace lb::store
