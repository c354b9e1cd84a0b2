// The part of an apply that an error undoes.
#include <algorithm>

#include "base/text.h"
#include "engine/apply_run.h"
#include "engine/postgres_port.h"
#include "engine/postgres_setting_check.h"
#include "engine/project_computes.h"
#include "engine/project_observation.h"
#include "engine/template_lines.h"

namespace lb::engine {

Status ApplyRun::prepare() {
    LB_TRY(check_settings());
    LB_TRY(resolve_moments());
    LB_TRY(name_lines());
    choose_hidden();
    LB_TRY(prepare_ports());
    for (const std::string& name : draft_.in_order()) {
        Status prepared = prepare_branch(name, draft_.branches.at(name));
        if (!prepared.is_ok()) {
            return std::move(prepared).error().with(cat("while preparing branch ", quoted(name)));
        }
    }
    return retire_computes();
}

// A server with a setting that it refuses would not start after the commit.
Status ApplyRun::check_settings() const {
    if (draft_.removes_project) return ok();
    std::set<Settings> checked;
    for (const auto& [name, branch] : draft_.branches) {
        if (branch.after && branch.is_compute_changed) {
            checked.insert(
                compute_request(context_, draft_.project, *branch.after, {}).settings.settings);
        }
    }
    if (draft_.are_settings_changed) checked.insert(draft_.project.settings);
    checked.erase(Settings{});
    if (checked.empty()) return ok();
    PostgresInstallation postgres =
        LB_TRY(find_postgres(draft_.project.pg_version, context_.options.postgres_bin_directory));
    for (const Settings& settings : checked) {
        LB_TRY(check_setting_values(postgres, context_.options.postgres_user, settings));
    }
    return ok();
}

// Numbers for what is made. A reserved number that is not used costs nothing.
Status ApplyRun::name_lines() {
    for (const auto& [name, branch] : draft_.branches) {
        if (!branch.is_created() || !branch.parent.empty() || template_line_ != LineId{}) continue;
        template_line_ = LB_TRY(
            template_line(context_, draft_.project.pg_version, [this](const ProgressEvent& event) {
                tell(event.step, event.address, event.message);
            }));
    }
    for (const std::string& name : draft_.in_order()) {
        BranchDraft& branch = draft_.branches.at(name);
        if (branch.move) LB_TRY(name_moved_line(branch));
        if (!branch.is_created() || branch.undeleted) continue;
        branch.after->line = context_.store().reserve_line();
        branch.after->id = BranchId{branch.after->line.value()};
        branch.after->parent = LB_TRY(parent_of(branch)).id;
    }
    if (!draft_.removes_project) {
        auto made = draft_.branches.find(draft_.default_branch);
        bool is_made = made != draft_.branches.end() && made->second.is_created();
        draft_.project.default_branch = is_made ? made->second.after->id : live_default_branch_;
        if (draft_.creates_project) {
            draft_.project.id = ProjectId{draft_.project.default_branch.value()};
        }
    }
    transaction_ = transaction_name(draft_.project.name, draft_.project.generation,
                                    context_.store().position());
    return ok();
}

// The line that a new branch is made from. Of a branch that the apply makes too, the parent has its
// numbers already, because parents come first.
Result<ApplyRun::Parent> ApplyRun::parent_of(const BranchDraft& branch) const {
    auto live = live_parents_.find(branch.after->name);
    if (live != live_parents_.end()) return live->second;
    if (branch.parent.empty()) return Parent{.id = {}, .line = template_line_};
    const BranchDraft& made = draft_.branches.at(branch.parent);
    LB_ASSERT(made.is_created());
    return Parent{.id = made.after->id, .line = made.after->line};
}

// SQL on a new branch runs before the commit, on a line that nobody can see yet; and so must the
// new branches be there that it is made from. All others come into being in the commit frame.
void ApplyRun::choose_hidden() {
    for (const auto& [name, moment] : moments_) {
        if (moment.cut_at) hidden_.insert(name);
    }
    for (const auto& [name, branch] : draft_.branches) {
        if (!branch.is_created() || branch.sql_changes.empty()) continue;
        std::string ancestor = name;
        while (hidden_.insert(ancestor).second) {
            const std::string& parent = draft_.branches.at(ancestor).parent;
            auto found = draft_.branches.find(parent);
            if (found == draft_.branches.end() || !found->second.is_created()) break;
            ancestor = parent;
        }
    }
}

Status ApplyRun::prepare_branch(const std::string& name, BranchDraft& branch) {
    if (hidden_.contains(name)) LB_TRY(make_hidden_line(name, branch));
    if (branch.sql_changes.empty() || branch.is_deleted()) return ok();
    if (branch.is_created()) return run_hidden_sql(name, branch);
    return prepare_live_sql(name, branch);
}

Status ApplyRun::make_hidden_line(const std::string& name, const BranchDraft& branch) {
    tell("branch.prepare", to_text(Address::of_branch(name)));
    Parent parent = LB_TRY(parent_of(branch));
    store::Commit frame;
    frame.create.push_back(
        {.line = branch.after->line, .parent = parent.line, .at = position_of(name)});
    Result<Position> made = context_.store().commit(frame);
    if (!made.is_ok()) return commit_error(std::move(made).error());
    hidden_lines_.push_back(branch.after->line);
    auto moment = moments_.find(name);
    if (moment == moments_.end() || !moment->second.cut_at) return ok();
    return cut_wal(context_.store(), branch.after->line, *moment->second.cut_at);
}

// On a hidden line there is nothing to keep apart from the commit: if the frame does not come, the
// line goes. So its transaction is committed at once, and the branches that are made from it
// inherit no prepared transaction.
Status ApplyRun::run_hidden_sql(const std::string& name, BranchDraft& branch) {
    SqlTarget target = LB_TRY(start_hidden(name, *branch.after));
    if (!branch.parent.empty()) contents_before_[name] = LB_TRY(observe(target));
    tell("sql.prepare", to_text(Address::of_branch(name)));
    auto transaction = make_branch_transaction(target, transaction_, branch.sql_changes);
    LB_TRY(transaction->prepare());
    tell("sql.prepared", to_text(Address::of_branch(name)));
    return transaction->commit();
}

Result<SqlTarget> ApplyRun::start_hidden(const std::string& name, BranchRecord& record) {
    if (active_port(record) == 0) LB_TRY(reserve_port_for(record));
    tell("compute.start", to_text(Address::of_compute(name)));
    for (int attempt = 1;; ++attempt) {
        Result<SqlTarget> started =
            context_.pool.start(compute_request(context_, draft_.project, record, transaction_));
        bool is_port_taken = !started.is_ok() && record.compute.port == 0 &&
                             started.error().code == ErrorCode::kPortInUse;
        if (!is_port_taken || attempt == kPortAttempts) return started;
        LB_TRY(reserve_port_for(record));
    }
}

Status ApplyRun::prepare_live_sql(const std::string& name, const BranchDraft& branch) {
    LineId line = branch.before->line;
    tell("compute.start", to_text(Address::of_compute(name)));
    SqlTarget target = LB_TRY(start_branch(context_, draft_.project.name, name));
    contents_before_[name] = LB_TRY(observe_branch(context_, draft_.project.name, name));
    context_.pool.hold(line);
    live_transactions_.push_back(
        {.branch = name,
         .line = line,
         .transaction = make_branch_transaction(target, transaction_, branch.sql_changes)});
    tell("sql.prepare", to_text(Address::of_branch(name)));
    LB_TRY(live_transactions_.back().transaction->prepare());
    tell("sql.prepared", to_text(Address::of_branch(name)));
    return ok();
}

// A port conflict is found before the commit. What can still go wrong afterwards is that somebody
// takes the port in between.
Status ApplyRun::prepare_ports() {
    std::set<uint16_t> wanted;
    for (auto& [name, branch] : draft_.branches) {
        if (!branch.after) continue;
        uint16_t fixed = branch.after->compute.port;
        if (fixed != 0 && (branch.is_created() || branch.is_compute_changed) &&
            !wanted.insert(fixed).second) {
            return Error{.code = ErrorCode::kPortInUse,
                         .message = cat("two branches ask for port ", fixed),
                         .help = "give each its own port, or leave it out"};
        }
        Status prepared = prepare_port(name, branch);
        if (!prepared.is_ok()) {
            return std::move(prepared).error().with(
                cat("for ", to_text(Address::of_compute(name))));
        }
    }
    return ok();
}

// Others may have got the ports of a branch while it was deleted.
void ApplyRun::give_up_taken_ports(const std::string& name, BranchRecord& after) {
    std::lock_guard lock(context_.catalog_mutex);
    for (uint16_t taken : context_.catalog.taken_ports(after.id)) {
        if (after.port == taken) after.port = 0;
        if (after.compute.port != taken) continue;
        after.compute.port = 0;
        tell("warning", to_text(Address::of_compute(name)),
             cat("port ", taken, " belongs to another branch now; lb chooses a free one"));
    }
}

Status ApplyRun::prepare_port(const std::string& name, BranchDraft& branch) {
    BranchRecord& after = *branch.after;
    if (branch.undeleted) give_up_taken_ports(name, after);
    bool is_new_to_us = branch.is_created() || branch.is_compute_changed;
    if (!is_new_to_us) return ok();
    uint16_t fixed = after.compute.port;
    if (fixed != 0) {
        std::lock_guard lock(context_.catalog_mutex);
        for (uint16_t taken : context_.catalog.taken_ports(after.id)) {
            if (taken != fixed) continue;
            return Error{.code = ErrorCode::kPortInUse,
                         .message = cat("port ", fixed, " belongs to another branch of this home"),
                         .help = "choose another port, or leave it out and lb finds a free one"};
        }
    }
    bool is_running = branch.before && context_.pool.running(branch.before->line);
    if (!after.compute.always_on && !is_running) return ok();
    if (active_port(after) == 0) return reserve_port_for(after);
    // Where our own server listens nobody else does; then only new addresses can be wrong.
    bool has_port = is_running && active_port(*branch.before) == active_port(after);
    tell("port.check", to_text(Address::of_compute(name)));
    Status is_free = check_port_is_free(after.compute.listen_addresses,
                                        has_port ? uint16_t{0} : active_port(after));
    if (is_free.is_ok() || is_free.error().code != ErrorCode::kPortInUse || fixed != 0) {
        return is_free;
    }
    // What lb chose earlier somebody else has taken since.
    return reserve_port_for(after);
}

Status ApplyRun::reserve_port_for(BranchRecord& record) {
    record.port = LB_TRY(reserve_port(context_, record));
    reserved_ports_.push_back(record.port);
    return ok();
}

}  // namespace lb::engine
