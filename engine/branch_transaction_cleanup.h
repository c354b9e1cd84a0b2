// Removing what transactions leave for afterwards: pending databases that came to nothing,
// databases and roles that were given up.
#pragma once

#include <functional>
#include <string_view>

#include "engine/sql.h"

namespace lb::engine {

// Drops the databases and roles with transaction names (engine/branch_transaction_names.h) that
// `is_wanted` picks, and ends sessions of roles that are gone. Goes on after a failure and returns
// the first one. Idempotent.
Status drop_transaction_objects(SqlSession& session,
                                const std::function<bool(std::string_view name)>& is_wanted);

enum class TransactionEnd { kCommit, kRollback };

// Those of one apply, in whatever databases. Ok too if there are none.
Status end_prepared_transactions(SqlSession& session, const SqlTarget& target,
                                 const std::string& transaction_name, TransactionEnd end);

}  // namespace lb::engine
