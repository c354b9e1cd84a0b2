// What would make a deletion fail, found out before anything is promised.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "engine/sql.h"

namespace lb::engine {

// Ok if DROP DATABASE will succeed once its sessions are gone. Errors: kNotFound, kRefused naming
// what is in the way (prepared transactions, subscriptions, replication slots in use).
Status check_database_can_go(SqlSession& session, const std::string& name);

// Errors: kNotFound.
Status check_database_exists(SqlSession& session, const std::string& name);

enum class RoleDrop {
    kNow,    // nothing depends on the role
    kLater,  // only something in settled databases does
};

// Run inside the transaction that has discarded databases already. `is_settled`: databases that
// were discarded, and those for which check_role_leaves_database() was asked. Errors: kNotFound;
// kRefused naming what depends on the role, by database.
Result<RoleDrop> check_role_can_go(SqlSession& session, const SqlTarget& target,
                                   const std::string& name,
                                   const std::function<bool(std::string_view)>& is_settled);

// Run inside the transaction that has changed the session's database: nothing in it depends on the
// role any more. Errors: kRefused naming what does.
Status check_role_leaves_database(SqlSession& session, const std::string& name);

enum class SettingsOf { kRole, kDatabase };
// What ALTER ROLE and ALTER DATABASE have set, in the form of Settings.
Result<Settings> present_settings(SqlSession& session, SettingsOf of, const std::string& name);

}  // namespace lb::engine
