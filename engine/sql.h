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
// Looks into every database that accepts connections; of others, schemas and extensions are empty.
Result<Observation> observe(const SqlTarget& target);

// The changes of one apply to the roles and databases of one branch, and to what is inside of
// databases, all or nothing with the catalog's commit frame:
//   prepare()  makes new roles and databases under pending names, and what is inside of the new
//              databases. Then it runs everything else in transactions, one for each database that
//              is changed inside and one for the rest, which end in PREPARE TRANSACTION. After an
//              error, nothing is left.
//   commit()   COMMIT PREPARED, then drops what was to be dropped. Idempotent.
//   rollback() ROLLBACK PREPARED and drops what has a pending name. Idempotent.
// `transaction_name` ("lb-<project>-<generation>") names the prepared transactions (those inside
// of databases with a slash and a number behind it) and what is pending, so that settle() can
// decide after a crash.
class BranchTransaction {
public:
    virtual ~BranchTransaction() = default;
    virtual Status prepare() = 0;
    virtual Status commit() = 0;
    virtual Status rollback() = 0;
};
std::unique_ptr<BranchTransaction> make_branch_transaction(
    const SqlTarget& target, std::string transaction_name,
    std::vector<ResourceChange> content_changes);

// After a compute start: commits or rolls back each prepared transaction of lb's that is found, as
// `is_committed(transaction_name)` says, then drops pending and dropped databases and roles that
// belong to none. A branch made while its parent had a prepared transaction inherits it; this
// settles it there too. An error of `is_committed` ends it with the transaction untouched.
Status settle_transactions(
    const SqlTarget& target,
    const std::function<Result<bool>(std::string_view transaction_name)>& is_committed);

}  // namespace lb::engine
