#include <map>

#include "base/text.h"
#include "engine/branch_transaction_checks.h"
#include "engine/branch_transaction_cleanup.h"
#include "engine/branch_transaction_contents.h"
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
    Status create_pending_roles();
    Status create_pending_databases();
    Status fill_pending_database(const std::string& pending, const std::string& name);
    Status prepare_contents();
    Status prepare_contents_of(const std::string& database, const std::string& transaction_name);
    Status discard_databases();
    Status change_roles();
    Status change_role(const ResourceChange& change);
    Status set_memberships(const std::string& role, const std::vector<std::string>& wanted);
    Status change_databases();
    Status change_database(const ResourceChange& change);
    Status delete_roles();
    Status end(TransactionEnd end);
    Status end_once(TransactionEnd end);
    Status run(const std::string& sql);
    Result<SqlSession*> session();
    std::map<std::string, std::vector<ResourceChange>> by_database() const;

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
    std::map<std::string, std::vector<ResourceChange>> contents_ = by_database();
    RoleNames role_names_;
    std::unique_ptr<SqlSession> session_;
};

std::map<std::string, std::vector<ResourceChange>> PreparedBranchTransaction::by_database() const {
    std::map<std::string, std::vector<ResourceChange>> contents;
    for (const ResourceChange& change : changes_) {
        if (change.address.is_inside_database()) {
            contents[change.address.database].push_back(change);
        }
    }
    return contents;
}

Result<SqlSession*> PreparedBranchTransaction::session() {
    if (!session_) session_ = LB_TRY(SqlSession::connect(target_));
    return session_.get();
}

Status PreparedBranchTransaction::run(const std::string& sql) {
    LB_TRY(session_->query(sql));
    return ok();
}

// The order makes every statement find what it speaks of, in whatever order the changes stand:
// names become free first, roles come before what they own or belong to, and go after it. What is
// inside of databases is changed in transactions of their own, which see new roles under their
// pending names.
Status PreparedBranchTransaction::prepare_all() {
    LB_TRY(session());
    LB_TRY(create_pending_roles());
    LB_TRY(create_pending_databases());
    LB_TRY(prepare_contents());
    LB_TRY(run("BEGIN"));
    LB_TRY(discard_databases());
    LB_TRY(change_roles());
    LB_TRY(change_databases());
    LB_TRY(delete_roles());
    return run(cat("PREPARE TRANSACTION ", session_->quote_literal(name_)));
}

Status PreparedBranchTransaction::create_pending_roles() {
    std::string prefix = pending_prefix(name_);
    return for_each(ResourceKind::kRole, ChangeKind::kCreate,
                    [&](const ResourceChange& change, const std::string& index) {
                        role_names_.add(change.address.name, prefix + index);
                        return run(cat("CREATE ROLE ", session_->quote_identifier(prefix + index)));
                    });
}

Status PreparedBranchTransaction::create_pending_databases() {
    std::string prefix = pending_prefix(name_);
    return for_each(ResourceKind::kDatabase, ChangeKind::kCreate,
                    [&](const ResourceChange& change, const std::string& index) -> Status {
                        LB_TRY(run(create_database_statement(
                            *session_, prefix + index, std::get<DatabaseValue>(change.value))));
                        return fill_pending_database(prefix + index, change.address.name);
                    });
}

// Committed at once: what comes to nothing goes with its database.
Status PreparedBranchTransaction::fill_pending_database(const std::string& pending,
                                                        const std::string& name) {
    auto contents = contents_.extract(name);
    if (contents.empty()) return ok();
    SqlTarget inside = target_;
    inside.database = pending;
    std::unique_ptr<SqlSession> session = LB_TRY(SqlSession::connect(inside));
    LB_TRY(session->query("BEGIN"));
    LB_TRY(change_contents(*session, contents.mapped(), role_names_));
    LB_TRY(session->query("COMMIT"));
    return ok();
}

Status PreparedBranchTransaction::prepare_contents() {
    if (contents_.size() > kContentDatabasesMax) {
        return Error{.code = ErrorCode::kRefused,
                     .message = cat("the apply changes what is inside of ", contents_.size(),
                                    " databases, ", kContentDatabasesMax, " are possible at once"),
                     .help = "apply in several steps: change some databases in the spec first"};
    }
    size_t index = 0;
    for (const auto& [database, changes] : contents_) {
        LB_TRY(prepare_contents_of(database, content_transaction_name(name_, index++)));
    }
    return ok();
}

Status PreparedBranchTransaction::prepare_contents_of(const std::string& database,
                                                      const std::string& transaction_name) {
    LB_TRY(check_database_exists(*session_, database));
    SqlTarget inside = target_;
    inside.database = database;
    std::unique_ptr<SqlSession> session = LB_TRY(SqlSession::connect(inside));
    LB_TRY(session->query("BEGIN"));
    LB_TRY(change_contents(*session, contents_.at(database), role_names_));
    LB_TRY(for_each(ResourceKind::kRole, ChangeKind::kDelete,
                    [&](const ResourceChange& change, const std::string&) {
                        return check_role_leaves_database(*session, change.address.name);
                    }));
    LB_TRY(session->query(cat("PREPARE TRANSACTION ", session->quote_literal(transaction_name))));
    return ok();
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
        LB_TRY(run(close_database_statement(*session_, discarded)));
    }
    return ok();
}

Status PreparedBranchTransaction::change_roles() {
    LB_TRY(for_each(ResourceKind::kRole, ChangeKind::kCreate,
                    [&](const ResourceChange& change, const std::string&) {
                        const std::string& name = change.address.name;
                        return run(cat("ALTER ROLE ",
                                       session_->quote_identifier(role_names_.of(name)),
                                       " RENAME TO ", session_->quote_identifier(name)));
                    }));
    for (ChangeKind kind : {ChangeKind::kCreate, ChangeKind::kUpdate}) {
        LB_TRY(for_each(
            ResourceKind::kRole, kind,
            [&](const ResourceChange& change, const std::string&) { return change_role(change); }));
    }
    return ok();
}

Status PreparedBranchTransaction::change_role(const ResourceChange& change) {
    const std::string& name = change.address.name;
    const RoleAttributes& wanted = std::get<RoleValue>(change.value).attributes;
    LB_TRY(run(alter_role_statement(*session_, name, wanted)));
    Settings present = LB_TRY(present_settings(*session_, SettingsOf::kRole, name));
    for (const std::string& sql :
         settings_statements(*session_, "ROLE", name, present, wanted.settings)) {
        LB_TRY(run(sql));
    }
    return set_memberships(name, wanted.member_of);
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
                    [&](const ResourceChange& change, const std::string& index) {
                        return run(rename_database_statement(*session_, prefix + index,
                                                             change.address.name));
                    }));
    for (ChangeKind kind : {ChangeKind::kCreate, ChangeKind::kUpdate}) {
        LB_TRY(for_each(ResourceKind::kDatabase, kind,
                        [&](const ResourceChange& change, const std::string&) {
                            return change_database(change);
                        }));
    }
    return ok();
}

Status PreparedBranchTransaction::change_database(const ResourceChange& change) {
    const std::string& name = change.address.name;
    const auto& wanted = std::get<DatabaseValue>(change.value);
    LB_TRY(run(own_database_statement(*session_, name, wanted.owner)));
    LB_TRY(run(limit_database_statement(*session_, name, wanted.connection_limit)));
    Settings present = LB_TRY(present_settings(*session_, SettingsOf::kDatabase, name));
    for (const std::string& sql :
         settings_statements(*session_, "DATABASE", name, present, wanted.settings)) {
        LB_TRY(run(sql));
    }
    return ok();
}

// A role on which discarded databases depend, or something that goes in another transaction, is
// discarded with it: renamed now, dropped afterwards.
Status PreparedBranchTransaction::delete_roles() {
    std::string prefix = discarded_prefix(name_);
    return for_each(
        ResourceKind::kRole, ChangeKind::kDelete,
        [&](const ResourceChange& change, const std::string& index) -> Status {
            std::string role = session_->quote_identifier(change.address.name);
            auto is_settled = [&](std::string_view database) {
                return database.starts_with(prefix) || contents_.contains(std::string(database));
            };
            RoleDrop drop =
                LB_TRY(check_role_can_go(*session_, target_, change.address.name, is_settled));
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
    LB_TRY(end_prepared_transactions(*session, target_, name_, end));
    std::string pending = pending_prefix(name_);
    std::string discarded = discarded_prefix(name_);
    return drop_transaction_objects(*session, [&](std::string_view name) {
        return name.starts_with(pending) || name.starts_with(discarded);
    });
}

}  // namespace

std::unique_ptr<BranchTransaction> make_branch_transaction(
    const SqlTarget& target, std::string transaction_name,
    std::vector<ResourceChange> content_changes) {
    return std::make_unique<PreparedBranchTransaction>(target, std::move(transaction_name),
                                                       std::move(content_changes));
}

}  // namespace lb::engine
