#include "base/text.h"
#include "engine/branch_transaction_checks.h"
#include "engine/branch_transaction_cleanup.h"
#include "engine/branch_transaction_names.h"
#include "engine/branch_transaction_sessions.h"
#include "engine/branch_transaction_statements.h"
#include "engine/sql.h"

namespace lb::engine {

namespace {

class PreparedBranchTransaction final : public BranchTransaction {
public:
    PreparedBranchTransaction(SqlTarget target, std::string name,
                              std::vector<ResourceChange> changes)
        : target_(std::move(target)), name_(std::move(name)), changes_(std::move(changes)) {
        LB_ASSERT(name_.starts_with(kTransactionPrefix));
    }

    Status prepare() override {
        LB_TRY(check_changes(changes_));
        if (changes_.empty()) return ok();
        Status prepared = prepare_all();
        if (prepared.is_ok()) return prepared;
        // If this fails too, the server is gone; the next start of the compute settles it.
        session_.reset();
        static_cast<void>(rollback());
        return prepared;
    }

    Status commit() override { return end(TransactionEnd::kCommit); }
    Status rollback() override { return end(TransactionEnd::kRollback); }

private:
    Status prepare_all();
    Status create_pending_databases();
    Status discard_databases();
    Status change_roles();
    Status set_memberships(const std::string& role, const std::vector<std::string>& wanted);
    Status change_databases();
    Status delete_roles();
    Status end(TransactionEnd end);
    Status end_once(TransactionEnd end);
    Status run(const std::string& sql);
    Result<SqlSession*> session();

    template <class Action>
    Status for_each(ResourceKind resource, ChangeKind kind, Action action) {
        size_t index = 0;
        for (const ResourceChange& change : changes_) {
            if (change.address.kind != resource || change.kind != kind) continue;
            LB_TRY(action(change, std::to_string(index++)));
        }
        return ok();
    }

    const SqlTarget target_;
    const std::string name_;
    const std::vector<ResourceChange> changes_;
    std::unique_ptr<SqlSession> session_;
};

Result<SqlSession*> PreparedBranchTransaction::session() {
    if (!session_) session_ = LB_TRY(SqlSession::connect(target_));
    return session_.get();
}

Status PreparedBranchTransaction::run(const std::string& sql) {
    LB_TRY(session_->query(sql));
    return ok();
}

// The order makes every statement find what it speaks of, in whatever order the changes stand:
// names become free first, roles come before what they own or belong to, and go after it.
Status PreparedBranchTransaction::prepare_all() {
    LB_TRY(session());
    LB_TRY(create_pending_databases());
    LB_TRY(run("BEGIN"));
    LB_TRY(discard_databases());
    LB_TRY(change_roles());
    LB_TRY(change_databases());
    LB_TRY(delete_roles());
    return run(cat("PREPARE TRANSACTION ", session_->quote_literal(name_)));
}

Status PreparedBranchTransaction::create_pending_databases() {
    std::string prefix = pending_prefix(name_);
    return for_each(
        ResourceKind::kDatabase, ChangeKind::kCreate,
        [&](const ResourceChange&, const std::string& index) {
            return run(cat("CREATE DATABASE ", session_->quote_identifier(prefix + index),
                           " ALLOW_CONNECTIONS false"));
        });
}

Status PreparedBranchTransaction::discard_databases() {
    std::string prefix = discarded_prefix(name_);
    std::vector<std::string> names;
    LB_TRY(for_each(ResourceKind::kDatabase, ChangeKind::kDelete,
                    [&](const ResourceChange& change, const std::string&) {
                        names.push_back(change.address.name);
                        return check_database_can_go(*session_, change.address.name);
                    }));
    if (names.empty()) return ok();
    auto ender = LB_TRY(SessionEnder::start(target_, names));
    for (size_t index = 0; index < names.size(); ++index) {
        std::string discarded = cat(prefix, index);
        LB_TRY(run(rename_database_statement(*session_, names[index], discarded)));
        LB_TRY(run(own_database_statement(*session_, discarded, "")));
        LB_TRY(run(connections_statement(*session_, discarded, Connections::kRefused)));
    }
    return ok();
}

Status PreparedBranchTransaction::change_roles() {
    LB_TRY(for_each(ResourceKind::kRole, ChangeKind::kCreate,
                    [&](const ResourceChange& change, const std::string&) {
                        return run(
                            create_role_statement(*session_, change.address.name,
                                                  std::get<RoleValue>(change.value).attributes));
                    }));
    LB_TRY(for_each(ResourceKind::kRole, ChangeKind::kUpdate,
                    [&](const ResourceChange& change, const std::string&) {
                        return run(
                            alter_role_statement(*session_, change.address.name,
                                                 std::get<RoleValue>(change.value).attributes));
                    }));
    for (ChangeKind kind : {ChangeKind::kCreate, ChangeKind::kUpdate}) {
        LB_TRY(for_each(
            ResourceKind::kRole, kind, [&](const ResourceChange& change, const std::string&) {
                return set_memberships(change.address.name,
                                       std::get<RoleValue>(change.value).attributes.member_of);
            }));
    }
    return ok();
}

Status PreparedBranchTransaction::set_memberships(const std::string& role,
                                                  const std::vector<std::string>& wanted) {
    std::vector<std::string> present;
    for (const SqlRow& row : LB_TRY(session_->query(
             "SELECT DISTINCT roles.rolname FROM pg_auth_members "
             "JOIN pg_authid members ON members.oid = member "
             "JOIN pg_authid roles ON roles.oid = roleid WHERE members.rolname = $1",
             {role}))) {
        present.push_back(row[0].value_or(""));
    }
    for (const std::string& sql : membership_statements(*session_, role, present, wanted)) {
        LB_TRY(run(sql));
    }
    return ok();
}

Status PreparedBranchTransaction::change_databases() {
    std::string prefix = pending_prefix(name_);
    LB_TRY(for_each(ResourceKind::kDatabase, ChangeKind::kCreate,
                    [&](const ResourceChange& change, const std::string& index) -> Status {
                        const std::string& name = change.address.name;
                        const std::string& owner = std::get<DatabaseValue>(change.value).owner;
                        LB_TRY(run(rename_database_statement(*session_, prefix + index, name)));
                        LB_TRY(run(own_database_statement(*session_, name, owner)));
                        return run(connections_statement(*session_, name, Connections::kAllowed));
                    }));
    return for_each(
        ResourceKind::kDatabase, ChangeKind::kUpdate,
        [&](const ResourceChange& change, const std::string&) {
            return run(own_database_statement(*session_, change.address.name,
                                              std::get<DatabaseValue>(change.value).owner));
        });
}

// A role on which discarded databases depend is discarded with them: renamed now, dropped after
// they are.
Status PreparedBranchTransaction::delete_roles() {
    std::string prefix = discarded_prefix(name_);
    return for_each(
        ResourceKind::kRole, ChangeKind::kDelete,
        [&](const ResourceChange& change, const std::string& index) -> Status {
            std::string role = session_->quote_identifier(change.address.name);
            RoleDrop drop =
                LB_TRY(check_role_can_go(*session_, target_, change.address.name, prefix));
            if (drop == RoleDrop::kNow) return run(cat("DROP ROLE ", role));
            LB_TRY(run(cat("ALTER ROLE ", role, " WITH NOLOGIN NOSUPERUSER PASSWORD NULL")));
            return run(cat("ALTER ROLE ", role, " RENAME TO ",
                           session_->quote_identifier(prefix + index)));
        });
}

Status PreparedBranchTransaction::end(TransactionEnd end) {
    if (changes_.empty()) return ok();
    bool is_session_old = session_ != nullptr;
    Status ended = end_once(end);
    if (ended.is_ok()) return ended;
    session_.reset();
    // The server may have been restarted since prepare(); what was prepared is still there.
    bool is_worth_another = is_session_old && ended.error().code == ErrorCode::kComputeLost;
    return is_worth_another ? end_once(end) : ended;
}

Status PreparedBranchTransaction::end_once(TransactionEnd end) {
    SqlSession* session = LB_TRY(this->session());
    LB_TRY(end_prepared_transaction(*session, name_, end));
    std::string pending = pending_prefix(name_);
    std::string discarded = discarded_prefix(name_);
    return drop_transaction_objects(*session, [&](std::string_view name) {
        return name.starts_with(pending) || name.starts_with(discarded);
    });
}

}  // namespace

std::unique_ptr<BranchTransaction> make_branch_transaction(
    const SqlTarget& target, std::string transaction_name,
    std::vector<ResourceChange> role_and_database_changes) {
    return std::make_unique<PreparedBranchTransaction>(target, std::move(transaction_name),
                                                       std::move(role_and_database_changes));
}

}  // namespace lb::engine
