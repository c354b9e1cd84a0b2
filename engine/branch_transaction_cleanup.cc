#include "engine/branch_transaction_cleanup.h"

#include <set>

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

Status end_prepared_transactions(SqlSession& session, const SqlTarget& target,
                                 const std::string& transaction_name, TransactionEnd end) {
    const char* verb = end == TransactionEnd::kCommit ? "COMMIT" : "ROLLBACK";
    for (const SqlRow& row : LB_TRY(session.query(
             "SELECT gid, database, database = current_database() FROM pg_prepared_xacts "
             "WHERE (gid = $1 OR starts_with(gid, $1 || '/')) AND owner = $2 ORDER BY gid",
             {transaction_name, target.user}))) {
        std::string sql = cat(verb, " PREPARED ", session.quote_literal(row[0].value_or("")));
        if (row[2] == "t") {
            LB_TRY(run(session, sql));
            continue;
        }
        // It can be ended only from where it was prepared.
        SqlTarget inside = target;
        inside.database = row[1].value_or("");
        std::unique_ptr<SqlSession> inner = LB_TRY(SqlSession::connect(inside));
        LB_TRY(run(*inner, sql));
    }
    return ok();
}

Status settle_transactions(
    const SqlTarget& target,
    const std::function<Result<bool>(std::string_view transaction_name)>& is_committed) {
    std::unique_ptr<SqlSession> session = LB_TRY(SqlSession::connect(target));
    std::set<std::string> names;
    for (const SqlRow& row : LB_TRY(session->query(
             "SELECT gid FROM pg_prepared_xacts WHERE starts_with(gid, $1) AND owner = $2",
             {std::string(kTransactionPrefix), target.user}))) {
        names.insert(std::string(apply_transaction_name(row[0].value_or(""))));
    }
    for (const std::string& name : names) {
        TransactionEnd end =
            LB_TRY(is_committed(name)) ? TransactionEnd::kCommit : TransactionEnd::kRollback;
        LB_TRY(end_prepared_transactions(*session, target, name, end));
    }
    return drop_transaction_objects(*session, [](std::string_view) { return true; });
}

}  // namespace lb::engine
