// The SQL of one branch's changes of roles, databases and what is inside of databases. Builds text
// only; names and values are quoted by the session that will run it.
#pragma once

#include <string>
#include <vector>

#include "base/model/change.h"
#include "engine/sql.h"

namespace lb::engine {

// Names that PostgreSQL would cut, misread or refuse, and passwords that are no verifiers, stop an
// apply before its first effect. Errors: kInvalidName, kBadRequest.
Status check_changes(const std::vector<ResourceChange>& changes);

// A well-formed SCRAM-SHA-256 verifier: what PostgreSQL stores as it is instead of hashing it as if
// it were a password.
bool is_scram_verifier(std::string_view text);

std::string alter_role_statement(SqlSession& session, const std::string& name,
                                 const RoleAttributes& attributes);

// GRANT and REVOKE that lead from the one set of memberships to the other.
std::vector<std::string> membership_statements(SqlSession& session, const std::string& name,
                                               const std::vector<std::string>& present,
                                               const std::vector<std::string>& wanted);

// "ROLE" or "DATABASE": ALTER ... SET and RESET that lead from the one set of settings to the
// other.
std::vector<std::string> settings_statements(SqlSession& session, const char* kind,
                                             const std::string& name, const Settings& present,
                                             const Settings& wanted);

// Closed to everybody but the superuser, so that it can be filled before it has its name.
std::string create_database_statement(SqlSession& session, const std::string& name,
                                      const DatabaseValue& value);
std::string rename_database_statement(SqlSession& session, const std::string& from,
                                      const std::string& to);
// An empty owner is the superuser.
std::string own_database_statement(SqlSession& session, const std::string& name,
                                   const std::string& owner);
std::string limit_database_statement(SqlSession& session, const std::string& name,
                                     int32_t connection_limit);
std::string close_database_statement(SqlSession& session, const std::string& name);

std::string create_schema_statement(SqlSession& session, const std::string& name,
                                    const std::string& owner);
std::string own_schema_statement(SqlSession& session, const std::string& name,
                                 const std::string& owner);
std::string create_extension_statement(SqlSession& session, const std::string& name,
                                       const ExtensionValue& value);

}  // namespace lb::engine
