// ApplyRun: one apply, from the check of the plan to the start of computes. docs/apply.md tells the
// story; each step is announced to the progress sink before it runs.
//
//   prepare   hidden lines, SQL in prepared transactions, ports          undone after an error
//   commit    one frame in the store's log: the generation record, the catalog, the lines
//   finish    COMMIT PREPARED, ends and starts computes                   errors are warnings
#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "engine/apply_draft.h"
#include "engine/branch_moment.h"
#include "engine/engine.h"
#include "engine/project_context.h"
#include "engine/rehearsal.h"

namespace lb::engine {

class ApplyRun {
public:
    // The arguments must outlive the run.
    ApplyRun(Context& context, const ChangeSet& changes, const ProgressSink& progress)
        : context_(context), changes_(changes), progress_(progress) {}

    Result<Applied> run(std::chrono::milliseconds patience);
    // Prepares everything on copies, and gives it up. Errors: those of the check of the plan; what
    // fails in a branch is in the rehearsal.
    Result<Rehearsal> rehearse();

private:
    // SQL on a branch that exists: prepared, and to be committed or rolled back.
    struct LiveTransaction {
        std::string branch;
        LineId line;
        std::unique_ptr<BranchTransaction> transaction;
    };
    struct Parent {
        BranchId id;
        LineId line;
    };
    enum class Outcome { kCommit, kRollback };

    // apply_run.cc
    Result<std::unique_lock<std::timed_mutex>> take_turn(std::chrono::milliseconds patience);
    Status draft();
    Result<Position> commit();
    CatalogEdit catalog_edit() const;
    void tell(std::string step, std::string address = {}, std::string message = {});

    // apply_record.cc
    ResourceValue value_before(const Address& address, const Project* project) const;
    ResourceValue value_after(const ResourceChange& change) const;
    GenerationRecord generation_record(const Project* project) const;
    bool has_sql() const;
    void add_computes(const Project* project, GenerationRecord& record) const;
    std::string move_detail(const Address& address) const;

    // apply_prepare.cc
    Status prepare();
    Status check_settings() const;
    Status name_lines();
    void choose_hidden();
    Status prepare_branch(const std::string& name, BranchDraft& branch);
    Status make_hidden_line(const std::string& name, const BranchDraft& branch);
    Status run_hidden_sql(const std::string& name, BranchDraft& branch);
    Result<SqlTarget> start_hidden(const std::string& name, BranchRecord& record);
    Status prepare_live_sql(const std::string& name, const BranchDraft& branch);
    Status prepare_ports();
    void give_up_taken_ports(const std::string& name, BranchRecord& after);
    Status prepare_port(const std::string& name, BranchDraft& branch);
    Status reserve_port_for(BranchRecord& record);
    Result<Parent> parent_of(const BranchDraft& branch) const;

    // apply_rehearse.cc
    Result<Rehearsal> rehearse_branches();
    Status rehearse_branch(const std::string& name, BranchDraft& branch, RehearsedBranch& result);
    Status copy_live_line(const std::string& name, BranchRecord& copy);

    // apply_moments.cc
    Status resolve_moments();
    Position position_of(const std::string& name) const;
    Error commit_error(Error error) const;
    Status name_moved_line(BranchDraft& branch);
    Status undo_managed(const std::string& name, BranchDraft& branch);
    Status retire_computes();

    // apply_finish.cc
    void end_transactions(Outcome outcome);
    Status end_transaction(LiveTransaction& live, Outcome outcome);
    void remove_computes();
    void start_computes();
    std::set<std::string> running_branches() const;
    void undo();

    Context& context_;
    const ChangeSet& changes_;
    const ProgressSink& progress_;
    std::mutex progress_mutex_;

    ApplyDraft draft_;
    // Of branches that are made or moved: what they are made from.
    std::map<std::string, Parent> live_parents_;
    std::map<std::string, BranchRecord> live_sources_;
    std::map<std::string, ResolvedMoment> moments_;  // those that are not the present
    std::map<std::string, LineId> retired_lines_;    // lines that moved branches leave
    std::set<std::string> restarts_;                 // moved branches whose server ran
    BranchId live_default_branch_;                   // of the wanted name, if it exists already
    std::string transaction_;                        // name of all prepared transactions
    LineId template_line_;
    std::set<std::string> hidden_;  // branches that are made before the commit frame
    std::vector<LineId> hidden_lines_;
    std::vector<uint16_t> reserved_ports_;
    std::vector<LiveTransaction> live_transactions_;
    std::map<std::string, Observation> contents_before_;  // of branches whose SQL has run
    std::vector<LineId> removed_lines_;
    std::vector<LineId> kept_lines_;  // of branches that are deleted and can be had back
};

}  // namespace lb::engine
