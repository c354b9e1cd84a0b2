#include "tests/store/store_script.h"

#include <algorithm>
#include <filesystem>

#include "base/text.h"
#include "store/check.h"

namespace lb::store {

namespace fs = std::filesystem;

void showValue(const Step& step, std::ostream& out) {
    out << "{Action(" << static_cast<int>(step.action) << "), " << step.a << ", " << step.b << ", "
        << step.c << ", " << step.d << "}";
}

rc::Gen<std::vector<Step>> script_generator(WithPowerCuts with_power_cuts, Focus focus) {
    size_t cuts = with_power_cuts == WithPowerCuts::kYes ? 2 : 0;
    size_t faults = cuts / 2;
    bool is_reclaim = focus == Focus::kReclaim;
    size_t often = is_reclaim ? 12 : 3;
    auto action = rc::gen::weightedElement<Action>({{8, Action::kCreateFile},
                                                    {5, Action::kCreateDirectory},
                                                    {2, Action::kCreateSymlink},
                                                    {is_reclaim ? 50U : 16U, Action::kWrite},
                                                    {8, Action::kResize},
                                                    {2, Action::kAllocate},
                                                    {3, Action::kZero},
                                                    {4, Action::kRemoveFile},
                                                    {2, Action::kRemoveDirectory},
                                                    {7, Action::kRename},
                                                    {2, Action::kLink},
                                                    {2, Action::kChangeMode},
                                                    {6, Action::kForkHead},
                                                    {5, Action::kForkPast},
                                                    {3, Action::kDeleteLine},
                                                    {2, Action::kNote},
                                                    {2, Action::kRetain},
                                                    {2, Action::kRelease},
                                                    {2, Action::kSync},
                                                    {1, Action::kReopen},
                                                    {2, Action::kKill},
                                                    {1, Action::kLoseIndex},
                                                    {cuts, Action::kCutPower},
                                                    {faults, Action::kFaultyRestart},
                                                    {faults, Action::kFillDisk},
                                                    {cuts, Action::kMakeRoom},
                                                    {2, Action::kSetWindows},
                                                    {often, Action::kPassTime},
                                                    {often, Action::kReclaim}});
    auto number = rc::gen::inRange<uint32_t>(0, 1'000'000);
    auto step = rc::gen::apply(
        [](Action kind, uint32_t a, uint32_t b, uint32_t c, uint32_t d) {
            return Step{kind, a, b, c, d};
        },
        action, number, number, number, number);
    return rc::gen::scale(is_reclaim ? 4.0 : 1.5, rc::gen::container<std::vector<Step>>(step));
}

ScriptRunner::ScriptRunner(IndexKind index, CacheKind cache)
    : index_(index), cache_(cache), disk_(new MemoryDisk(1)) {
    // The real index syncs its files; in memory that costs nothing.
    fs::path temporary = fs::exists("/dev/shm") ? "/dev/shm" : fs::temp_directory_path();
    std::string name = (temporary / "lb-script-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
    fs::path path = "/";
    for (const fs::path& part : fs::path(directory_).relative_path()) {
        LB_MUST(disk_->create_directory((path / part).string()));
        LB_MUST(disk_->sync_directory(path.string()));
        path /= part;
    }
    open();
    for (int i = 0; i < 2; i++) fork({}, LineId{});
}

ScriptRunner::~ScriptRunner() {
    store_.reset();
    fs::remove_all(directory_);
}

void ScriptRunner::open() {
    Status opened = try_open();
    if (!opened) RC_FAIL(to_text(opened.error()));
}

Status ScriptRunner::try_open() {
    StoreOptions options{.directory = directory_,
                         .disk = disk_.get(),
                         .spare_segments = 0,
                         .segment_bytes = uint64_t{1} << 20,
                         .disk_reserve_bytes = 100'000,
                         .is_index_in_memory = index_ == IndexKind::kMemory,
                         .has_reclaim_thread = false};
    if (cache_ == CacheKind::kNone) options.index_cache_bytes = 0;
    store_ = LB_TRY(Store::open(options));
    if (windows_) store_->set_restore_windows(*windows_);
    return ok();
}

void ScriptRunner::run(const std::vector<Step>& script) {
    for (const Step& step : script) run_step(step);
    verify_all();
}

void ScriptRunner::run_step(const Step& step) {
    position_before_ = store_->position().value();
    std::vector<LineId> lines = model_.live_lines();
    if (lines.empty()) {
        fork(step, LineId{});
        return;
    }
    LineId line = lines[step.a % lines.size()];
    switch (step.action) {
        case Action::kForkHead:
        case Action::kForkPast: fork(step, line); break;
        case Action::kDeleteLine: delete_line(step, line); break;
        case Action::kNote: note(step); break;
        case Action::kRetain:
        case Action::kRelease: open_or_release(step, line); break;
        case Action::kSync:
            LB_MUST(store_->sync(store_->position().value()));
            synced_ = store_->position().value();
            RC_ASSERT(store_->is_durable(synced_));
            break;
        case Action::kFaultyRestart: restart_with_faults(step); break;
        case Action::kFillDisk: fill_disk(step.b); break;
        case Action::kMakeRoom: make_room(); break;
        case Action::kReopen:
        case Action::kKill:
        case Action::kLoseIndex:
        case Action::kCutPower: restart(step); break;
        case Action::kCreateFile:
        case Action::kCreateDirectory:
        case Action::kCreateSymlink: create(step, line); break;
        case Action::kWrite: write(step, line); break;
        case Action::kResize:
        case Action::kAllocate:
        case Action::kZero:
        case Action::kChangeMode: resize(step, line); break;
        case Action::kRemoveFile:
        case Action::kRemoveDirectory: remove(step, line); break;
        case Action::kRename: rename(step, line); break;
        case Action::kLink: link(step, line); break;
        case Action::kSetWindows: set_windows(step); break;
        case Action::kPassTime: {
            constexpr std::array<int64_t, 6> kSeconds{1, 30, 70, 1800, 4000, 90000};
            disk_->advance_clock(std::chrono::seconds{kSeconds[step.b % kSeconds.size()]});
            break;
        }
        case Action::kReclaim: reclaim(step); break;
    }
    times_.try_emplace(store_->position().value(), disk_->clock().now());
    if (step.d % 8 == 0 && model_.live(line) != nullptr) verify(line);
}

void ScriptRunner::fork(const Step& step, LineId parent) {
    Position at = kHead;
    const ModelLine* from = parent == LineId{} ? nullptr : &model_.lines.at(parent);
    uint64_t now = store_->position().value();
    if (from != nullptr && step.action == Action::kForkPast) {
        uint64_t first = from->parent == LineId{} ? from->created : from->fork;
        at = Position{first + step.b % (now - first + 1)};
    }
    LineId line = store_->reserve_line();
    NewLine request{.line = line, .parent = parent, .at = at};
    if (at != kHead && !store_->check_restorable(parent, at).is_ok()) {
        RC_ASSERT(!must_be_restorable(*from, parent, at.value()));
        RC_ASSERT(store_->commit({.create = {request}}).error().code == ErrorCode::kStoreInvalid);
        return;
    }
    auto created = commit({.create = {request}});
    if (!created) return;
    ModelLine added{.parent = parent, .created = *created};
    ModelTree start;
    if (from == nullptr) {
        start[kRootInode.value()] = {
            .type = FileType::kDirectory, .mode = 0700, .parent = kRootInode.value()};
    } else {
        added.fork = at == kHead ? now : at.value();
        start = StoreModel::inherit(*from->at(added.fork));
    }
    added.snapshots[*created] = std::make_shared<ModelTree>(std::move(start));
    LineInfo info = LB_MUST(store_->line(line));
    RC_ASSERT(info.fork_position.value() == added.fork);
    RC_ASSERT(info.own_bytes < 400U);
    if (from != nullptr) {
        RC_ASSERT(info.logical_bytes == StoreModel::logical_bytes(*from->at(added.fork)));
    }
    model_.lines[line] = std::move(added);
    verify(line);
}

void ScriptRunner::set_windows(const Step& step) {
    constexpr std::array<int64_t, 6> kSeconds{0, 0, 20, 3600, 7200, 7 * 86400};
    auto window = [&](uint32_t choice) -> std::chrono::nanoseconds {
        std::chrono::seconds chosen{kSeconds[choice % kSeconds.size()]};
        shortest_window_ = std::min<std::chrono::nanoseconds>(shortest_window_, chosen);
        return chosen;
    };
    windows_ = RestoreWindows{.standard = window(step.b)};
    if (step.c % 2 == 0) {
        for (LineId line : model_.live_lines()) {
            if ((line.value() + step.d) % 2 == 0) windows_->lines[line] = window(step.d);
        }
    }
    store_->set_restore_windows(*windows_);
}

void ScriptRunner::reclaim(const Step& step) {
    uint64_t position = store_->position().value();
    if (windows_) reclaimed_at_ = disk_->clock().now();
    for (uint32_t i = 0; i <= step.b % 4; i++) {
        Result<bool> has_more = store_->reclaim_step();
        if (!has_more) RC_ASSERT(is_disk_full_ && has_more.error().code == ErrorCode::kStoreFull);
        if (!has_more || !*has_more) break;
    }
    RC_ASSERT(store_->position().value() == position);
    if (step.c % 4 == 0) verify_all();
}

// Some of what must not have been given up: the head, and the last hour where no window is shorter.
bool ScriptRunner::must_be_restorable(const ModelLine& line, LineId id, uint64_t position) const {
    if (!windows_ || position >= LB_MUST(store_->line(id)).head.value()) return true;
    if (shortest_window_ < std::chrono::hours{1}) return false;
    auto written = times_.lower_bound(position);
    bool is_young =
        written != times_.end() && written->second > reclaimed_at_ - std::chrono::minutes{59};
    return is_young && position >= line.created;
}

void ScriptRunner::delete_line(const Step& step, LineId line) {
    if (model_.live_lines().size() < 3 && step.b % 4 != 0) return;
    auto position = commit({.remove = {line}});
    if (!position) return;
    model_.lines.at(line).deleted = *position;
    RC_ASSERT(store_->attributes(line, kRootInode).error().code == ErrorCode::kStoreNotFound);
}

void ScriptRunner::note(const Step& step) {
    std::string key = cat("note/", step.b % 5);
    Note note{.key = key, .value = {}};
    if (step.c % 3 != 0) note.value = pattern(step.d, step.d % 3000);
    auto position = commit({.notes = {note}});
    if (!position) return;
    ModelNotes notes = model_.notes.rbegin()->second;
    notes.erase(key);
    if (note.value) notes[key] = *note.value;
    model_.notes[*position] = std::move(notes);
}

void ScriptRunner::open_or_release(const Step& step, LineId line) {
    if (step.action == Action::kRetain) {
        uint64_t inode = pick_file(line, step.b);
        if (inode == 0) return;
        store_->retain(line, InodeId{inode});
        open_files_.push_back({line, inode});
        return;
    }
    if (open_files_.empty()) return;
    auto closed = open_files_.begin() + static_cast<ptrdiff_t>(step.b % open_files_.size());
    OpenFile file = *closed;
    open_files_.erase(closed);
    store_->release(file.line, InodeId{file.inode});
    if (is_open(file.line, file.inode) || model_.live(file.line) == nullptr) return;
    if (tree(file.line).at(file.inode).link_count > 0) return;
    RC_ASSERT(store_->attributes(file.line, InodeId{file.inode}).error().code ==
              ErrorCode::kStoreNotFound);
}

std::optional<uint64_t> ScriptRunner::commit(const Commit& commit) {
    Result<Position> committed = store_->commit(commit);
    if (!committed) {
        if (!is_disk_full_ || committed.error().code != ErrorCode::kStoreFull) {
            RC_FAIL(to_text(committed.error()));
        }
        RC_ASSERT(store_->position().value() == position_before_);
        return {};
    }
    synced_ = committed->value();
    return synced_;
}

void ScriptRunner::fill_disk(uint32_t left_bytes) {
    is_disk_full_ = true;
    disk_->set_capacity_bytes(disk_->used_bytes() + left_bytes % 300'000);
}

void ScriptRunner::make_room() {
    is_disk_full_ = false;
    disk_->set_capacity_bytes(UINT64_MAX);
}

void ScriptRunner::restart(const Step& step) {
    make_room();
    std::vector<LineInfo> before = store_->lines();
    uint64_t next_line = store_->reserve_line().value();
    uint64_t position = store_->position().value();
    open_files_.clear();
    if (step.action == Action::kCutPower) {
        cut_power(step.b);
        verify_all();
        return;
    }
    if (step.action == Action::kKill) {
        kill();
    } else {
        LB_MUST(store_->close());
        store_.reset();
        if (step.action == Action::kLoseIndex) fs::remove_all(directory_ + "/index");
    }
    if (step.c % 2 == 0) check_files();
    open();
    synced_ = position;
    RC_ASSERT(store_->position().value() == position);
    RC_ASSERT(store_->reserve_line().value() <= next_line);
    std::vector<LineInfo> after = store_->lines();
    RC_ASSERT(before.size() == after.size());
    for (size_t i = 0; i < before.size(); i++) {
        RC_ASSERT(before[i].line == after[i].line);
        RC_ASSERT(before[i].head == after[i].head);
        RC_ASSERT(before[i].own_bytes == after[i].own_bytes);
        RC_ASSERT(before[i].logical_bytes == after[i].logical_bytes);
        RC_ASSERT(before[i].created_at == after[i].created_at);
        RC_ASSERT(before[i].depth == after[i].depth);
    }
    if (step.b % 3 == 0) verify_all();
}

// The checker finds nothing wrong: with a store that is closed, killed or lost its power ...
void ScriptRunner::check_files() {
    bool has_index = index_ == IndexKind::kRocksdb;
    CheckReport report = LB_MUST(
        check_store({.directory = directory_,
                     .disk = disk_.get(),
                     .scratch_directory = has_index ? directory_ + "/scratch" : std::string()},
                    {}));
    for (const Problem& problem : report.problems) {
        // What a step that was cut short leaves is no damage.
        if (problem.code == ProblemCode::kLeftOver) continue;
        RC_FAIL(cat(problem_name(problem.code), ": ", problem.message));
    }
}

// ... and with one that is open.
void ScriptRunner::check_open_store() {
    CheckReport report = LB_MUST(store_->check("", {}));
    for (const Problem& problem : report.problems) {
        // Of a step that found the disk full; the next one writes over it.
        if (problem.code == ProblemCode::kLeftOver) continue;
        RC_FAIL(cat(problem_name(problem.code), ": ", problem.message));
    }
    RC_ASSERT(report.counts.position == store_->position());
    RC_ASSERT(report.counts.lines == store_->lines().size());
}

// The process was killed; recovery meets a disk that fails, is tried again, and may lose its power
// before that.
void ScriptRunner::restart_with_faults(const Step& step) {
    make_room();
    open_files_.clear();
    uint64_t before = store_->position().value();
    kill();
    disk_->fail_after(step.b % 60, Error{.code = ErrorCode::kIo, .message = "injected"},
                      step.c % 2 == 0 ? FaultMode::kOnce : FaultMode::kFromThenOn);
    bool is_open = try_open().is_ok();
    bool loses_power = step.d % 3 != 0;
    if (loses_power) disk_->crash(step.c);
    if (is_open) kill();
    disk_->stop_failing();
    open();
    uint64_t position = store_->position().value();
    RC_ASSERT(position <= before);
    RC_ASSERT(position >= (loses_power ? synced_ : before));
    model_.roll_back(position);
    synced_ = position;
    verify_all();
}

// What a killed process leaves: all that was written to the log, and of the index what reached its
// files.
void ScriptRunner::kill() {
    bool has_index = index_ == IndexKind::kRocksdb;
    // Until no file of it is removed by its threads meanwhile.
    for (std::error_code failed = std::make_error_code(std::errc::no_such_file_or_directory);
         has_index && failed;) {
        fs::remove_all(directory_ + "/copy");
        fs::copy(directory_ + "/index", directory_ + "/copy", fs::copy_options::recursive, failed);
    }
    store_.reset();
    if (has_index) {
        fs::remove_all(directory_ + "/index");
        fs::rename(directory_ + "/copy", directory_ + "/index");
    }
}

void ScriptRunner::cut_power(uint32_t seed) {
    if (seed % 2 == 0) {
        disk_->crash(seed);
        store_.reset();  // flushes the index, which may then be ahead of the log
    } else {
        disk_->crash(seed);
        kill();
    }
    check_files();
    open();
    uint64_t position = store_->position().value();
    RC_ASSERT(position >= synced_);
    model_.roll_back(position);
    synced_ = position;
}

void ScriptRunner::verify(LineId line) {
    const ModelTree& expected = tree(line);
    std::string wrong = difference(reachable(expected), read_tree(*store_, line));
    if (!wrong.empty()) RC_FAIL(cat("line ", line.value(), ": ", wrong));
}

void ScriptRunner::verify_all() {
    std::vector<LineId> expected = model_.live_lines();
    std::vector<LineInfo> actual = store_->lines();
    RC_ASSERT(expected.size() == actual.size());
    for (size_t i = 0; i < expected.size(); i++) {
        RC_ASSERT(expected[i] == actual[i].line);
        verify(expected[i]);
    }
    const ModelNotes& notes = model_.notes.rbegin()->second;
    std::vector<Note> found = LB_MUST(store_->notes("note/"));
    RC_ASSERT(found.size() == notes.size());
    for (const Note& note : found) RC_ASSERT(notes.at(note.key) == note.value);
    check_open_store();
}

}  // namespace lb::store
