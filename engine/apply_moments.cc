// The moments of an apply, and the branches that it moves to another line: docs/time-travel.md.
#include "base/text.h"
#include "engine/apply_move.h"
#include "engine/apply_run.h"

namespace lb::engine {

// From here on a moment is a position, whatever is written meanwhile.
Status ApplyRun::resolve_moments() {
    for (const auto& [name, branch] : draft_.branches) {
        const Moment& moment = branch.move ? branch.move->to : branch.at;
        if (std::holds_alternative<Present>(moment)) continue;
        auto source = live_sources_.find(name);
        if (source == live_sources_.end()) {
            return Error{.code = ErrorCode::kNotInHistory,
                         .message = cat("branch ", quoted(name), " is to be made from ",
                                        quoted(branch.parent), " at ", to_text(moment),
                                        ", but that one is only made in this apply"),
                         .help = "leave out \"at\""};
        }
        moments_[name] =
            LB_TRY(resolve_moment(context_, draft_.project.name, source->second, moment));
    }
    return ok();
}

Position ApplyRun::position_of(const std::string& name) const {
    auto found = moments_.find(name);
    return found == moments_.end() ? kHead : found->second.at;
}

// The store has the last word: a position may have been given up since it was found.
Error ApplyRun::commit_error(Error error) const {
    if (error.code == ErrorCode::kStoreFull) {
        error.help =
            "free space on its disk; of lb: deleted branches (`lb branch list --deleted`, "
            "`lb branch delete NAME --purge`), branches, or history (history_retention)";
        return error;
    }
    if (error.code != ErrorCode::kStoreInvalid || moments_.empty()) return error;
    return Error{.code = ErrorCode::kNotInHistory,
                 .message = "a moment of this apply has just left the restore window",
                 .help = cat(error.help, "; lb history shows what there is"),
                 .notes = {error.message}};
}

Status ApplyRun::name_moved_line(BranchDraft& branch) {
    branch.after->line = context_.store().reserve_line();
    // A number that no line gets: the backup has the line that gave the branch its id.
    if (branch.move->backup) {
        branch.move->backup->id = BranchId{context_.store().reserve_line().value()};
    }
    return undo_managed(branch.after->name, branch);
}

// What lb made of roles and databases after the moment is not there any more, and not lb's.
Status ApplyRun::undo_managed(const std::string& name, BranchDraft& branch) {
    const BranchRecord& source = live_sources_.at(name);
    Position position = position_of(name);
    if (source.id != branch.before->id) {
        // Another branch inherited them when it was made.
        position = LB_TRY(context_.store().line(source.line)).fork_position;
    }
    std::vector<GenerationRecord> later;
    std::string prefix = cat(kGenerationPrefix, draft_.project.id.value(), '/');
    std::vector<store::Note> notes = LB_TRY(context_.store().notes(prefix));
    for (auto note = notes.rbegin(); note != notes.rend(); ++note) {
        GenerationRecord record = LB_TRY(decode_generation(note->value.value_or("")));
        if (record.position <= position) break;
        later.push_back(std::move(record));
    }
    branch.managed = managed_before(std::move(branch.managed), name, later);
    return ok();
}

// Nothing is written to the old state any more, and the port is free for the server on the new
// line. Last, because it ends sessions: an error before it has cost nobody anything.
Status ApplyRun::retire_computes() {
    for (const auto& [name, branch] : draft_.branches) {
        if (!branch.move) continue;
        LineId line = branch.before->line;
        std::string address = to_text(Address::of_compute(name));
        if (context_.pool.running(line)) restarts_.insert(name);
        tell("compute.stop", address);
        retired_lines_[name] = line;
        LB_TRY(context_.pool.retire(line));
    }
    return ok();
}

}  // namespace lb::engine
