// SQL on a compute, as the superuser through its Unix socket. The only user of libpqxx is sql.cc.
// Names and values are always quoted or bound; nothing is pasted into SQL.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/model/change.h"
#include "base/model/state.h"
#include "base/result.h"

namespace lb::engine {

struct SqlTarget {
    std::string socket_directory;
    uint16_t port = 0;
    std::string user = "postgres";
    std::string database = "postgres";
};

using SqlRow = std::vector<std::optional<std::string>>;

// One session. Not thread-safe. Errors: kSqlFailed with SQLSTATE and the server's message, detail
// and hint in the notes; kComputeLost when the connection breaks.
class SqlSession {
public:
    static Result<std::unique_ptr<SqlSession>> connect(const SqlTarget& target);
    virtual ~SqlSession() = default;

    // Outside of a transaction block unless begin() was called.
    virtual Result<std::vector<SqlRow>> query(const std::string& sql,
                                              const std::vector<std::string>& parameters = {}) = 0;
    virtual std::string quote_identifier(std::string_view name) = 0;
    virtual std::string quote_literal(std::string_view value) = 0;
};

struct Observation {
    std::vector<RoleState> roles;          // without PostgreSQL's own and lb's; origin kManual
    std::vector<DatabaseState> databases;  // without templates, "postgres" and lb's pending ones
};
Result<Observation> observe(SqlSession& session);

// The role and database changes of one apply on one branch, all or nothing with the catalog's
// commit frame:
//   prepare()  makes new databases under pending names, then runs everything else in one
//              transaction that ends in PREPARE TRANSACTION. After an error, nothing is left.
//   commit()   COMMIT PREPARED, then drops what was to be dropped. Idempotent.
//   rollback() ROLLBACK PREPARED and drops pending databases. Idempotent.
// `transaction_name` ("lb-<project>-<generation>") names the prepared transaction and the pending
// databases, so that settle() can decide after a crash.
class BranchTransaction {
public:
    virtual ~BranchTransaction() = default;
    virtual Status prepare() = 0;
    virtual Status commit() = 0;
    virtual Status rollback() = 0;
};
std::unique_ptr<BranchTransaction> make_branch_transaction(
    const SqlTarget& target, std::string transaction_name,
    std::vector<ResourceChange> role_and_database_changes);

// After a compute start: commits or rolls back each prepared transaction of lb's that is found, as
// `is_committed(transaction_name)` says, then drops pending and dropped databases that belong to
// none. A branch made while its parent had a prepared transaction inherits it; this settles it
// there too. An error of `is_committed` ends it with the transaction untouched.
Status settle_transactions(
    const SqlTarget& target,
    const std::function<Result<bool>(std::string_view transaction_name)>& is_committed);

}  // namespace lb::engine
