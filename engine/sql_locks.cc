// The locks of prepared transactions, for people.
#include <algorithm>
#include <map>

#include "engine/branch_transaction_names.h"
#include "engine/rehearsal.h"

namespace lb::engine {

namespace {

// Locks of prepared transactions have no process. Weaker modes than these let others read and
// write; catalogs of PostgreSQL's own are locked for moments by everybody.
constexpr const char* kBlockingLocks = R"(
SELECT coalesce(pg_database.datname, ''), locks.locktype, locks.mode,
       locks.relation, locks.classid, locks.objid
FROM pg_locks locks
LEFT JOIN pg_database ON pg_database.oid = locks.database
WHERE locks.pid IS NULL AND locks.locktype IN ('relation', 'object')
  AND locks.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
)";

constexpr const char* kDescribeRelation = R"(
SELECT CASE relkind WHEN 'i' THEN 'index ' WHEN 'S' THEN 'sequence ' WHEN 'v' THEN 'view '
                    WHEN 'm' THEN 'materialized view ' ELSE 'table ' END
       || quote_ident(nspname) || '.' || quote_ident(relname)
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE pg_class.oid = $1::oid)";

// An object that the transaction itself makes cannot be seen, nor be in anybody's way.
constexpr const char* kDescribeObject = R"(
SELECT type || ' ' || identity FROM pg_identify_object($1::oid, $2::oid, 0)
WHERE identity IS NOT NULL)";

// "database lb_new_0123456789abcdef_0": made for the apply, nobody else knows it.
bool is_of_the_apply(std::string_view object) {
    return is_transaction_name(object.substr(object.find(' ') + 1));  // npos + 1 is 0
}

}  // namespace

bool Rehearsal::is_ok() const {
    return std::ranges::none_of(branches,
                                [](const RehearsedBranch& b) { return b.failure.has_value(); });
}

Result<std::vector<RehearsedLock>> locks_of_prepared(const SqlTarget& target) {
    std::unique_ptr<SqlSession> session = LB_TRY(SqlSession::connect(target));
    std::map<std::string, std::unique_ptr<SqlSession>> sessions;
    std::vector<RehearsedLock> locks;
    for (const SqlRow& row : LB_TRY(session->query(kBlockingLocks))) {
        const std::string database = row[0].value_or("");
        SqlSession* inside = session.get();
        if (!database.empty() && database != target.database) {
            std::unique_ptr<SqlSession>& known = sessions[database];
            if (!known) {
                SqlTarget other = target;
                other.database = database;
                known = LB_TRY(SqlSession::connect(other));
            }
            inside = known.get();
        }
        bool is_relation = row[1] == "relation";
        std::vector<SqlRow> names;
        if (is_relation) {
            names = LB_TRY(inside->query(kDescribeRelation, {row[3].value_or("0")}));
        } else {
            names = LB_TRY(
                inside->query(kDescribeObject, {row[4].value_or("0"), row[5].value_or("0")}));
        }
        if (names.empty() || is_of_the_apply(names[0][0].value_or(""))) continue;
        locks.push_back({.database = database,
                         .object = names[0][0].value_or(""),
                         .mode = row[2].value_or("")});
    }
    std::ranges::sort(locks);
    auto repeated = std::ranges::unique(locks);
    locks.erase(repeated.begin(), repeated.end());
    return locks;
}

}  // namespace lb::engine
