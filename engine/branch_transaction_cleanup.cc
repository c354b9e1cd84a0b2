#include "engine/branch_transaction_cleanup.h"

#include "base/text.h"
#include "engine/branch_transaction_names.h"

namespace lb::engine {

namespace {

class FirstFailure {
public:
    void note(Status status) {
        if (!status && first_.is_ok()) first_ = std::move(status);
    }
    Status take() { return std::move(first_); }

private:
    Status first_;
};

Status run(SqlSession& session, const std::string& sql) {
    LB_TRY(session.query(sql));
    return ok();
}

// Only the superuser's, as ours are: the shape of a name alone is no proof.
constexpr const char* kDatabasesQuery =
    "SELECT datname FROM pg_database WHERE left(datname, 3) = 'lb_' AND datdba = 10";
constexpr const char* kRolesQuery =
    "SELECT rolname FROM pg_authid WHERE left(rolname, 3) = 'lb_' AND NOT rolcanlogin";
constexpr const char* kEndOrphansQuery =
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE usesysid IS NOT NULL AND NOT EXISTS "
    "(SELECT FROM pg_authid WHERE pg_authid.oid = usesysid)";

}  // namespace

Status drop_transaction_objects(SqlSession& session,
                                const std::function<bool(std::string_view name)>& is_wanted) {
    auto is_ours = [&](const std::string& name) {
        return is_transaction_name(name) && is_wanted(name);
    };
    FirstFailure failure;
    for (const SqlRow& row : LB_TRY(session.query(kDatabasesQuery))) {
        std::string name = row[0].value_or("");
        if (!is_ours(name)) continue;
        failure.note(run(session, cat("DROP DATABASE IF EXISTS ", session.quote_identifier(name),
                                      " WITH (FORCE)")));
    }
    // After the databases whose objects depended on them.
    for (const SqlRow& row : LB_TRY(session.query(kRolesQuery))) {
        std::string name = row[0].value_or("");
        if (!is_ours(name)) continue;
        failure.note(run(session, cat("DROP ROLE IF EXISTS ", session.quote_identifier(name))));
    }
    failure.note(run(session, kEndOrphansQuery));
    return failure.take();
}

Status end_prepared_transaction(SqlSession& session, const std::string& transaction_name,
                                TransactionEnd end) {
    std::vector<SqlRow> found = LB_TRY(session.query(
        "SELECT FROM pg_prepared_xacts WHERE gid = $1 AND database = current_database()",
        {transaction_name}));
    if (found.empty()) return ok();
    return run(session, cat(end == TransactionEnd::kCommit ? "COMMIT" : "ROLLBACK", " PREPARED ",
                            session.quote_literal(transaction_name)));
}

Status settle_transactions(
    const SqlTarget& target,
    const std::function<Result<bool>(std::string_view transaction_name)>& is_committed) {
    std::unique_ptr<SqlSession> session = LB_TRY(SqlSession::connect(target));
    std::vector<SqlRow> prepared = LB_TRY(session->query(
        "SELECT gid FROM pg_prepared_xacts WHERE database = current_database() AND owner = $1",
        {target.user}));
    for (const SqlRow& row : prepared) {
        std::string name = row[0].value_or("");
        if (!name.starts_with(kTransactionPrefix)) continue;
        TransactionEnd end =
            LB_TRY(is_committed(name)) ? TransactionEnd::kCommit : TransactionEnd::kRollback;
        LB_TRY(end_prepared_transaction(*session, name, end));
    }
    return drop_transaction_objects(*session, [](std::string_view) { return true; });
}

}  // namespace lb::engine
