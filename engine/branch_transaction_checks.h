// What would make a deletion fail, found out before anything is promised.
#pragma once

#include <string>

#include "engine/sql.h"

namespace lb::engine {

// Ok if DROP DATABASE will succeed once its sessions are gone. Errors: kNotFound, kRefused naming
// what is in the way (prepared transactions, subscriptions, replication slots in use).
Status check_database_can_go(SqlSession& session, const std::string& name);

enum class RoleDrop {
    kNow,    // nothing depends on the role
    kLater,  // only discarded databases (named with `discarded_prefix`) do
};

// Run inside the transaction that has discarded the databases already. Errors: kNotFound; kRefused
// naming what depends on the role, by database.
Result<RoleDrop> check_role_can_go(SqlSession& session, const SqlTarget& target,
                                   const std::string& name, const std::string& discarded_prefix);

}  // namespace lb::engine
