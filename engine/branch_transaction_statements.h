// The SQL of one branch's role and database changes. Builds text only; names and values are quoted
// by the session that will run it.
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

std::string create_role_statement(SqlSession& session, const std::string& name,
                                  const RoleAttributes& attributes);
std::string alter_role_statement(SqlSession& session, const std::string& name,
                                 const RoleAttributes& attributes);

// GRANT and REVOKE that lead from the one set of memberships to the other.
std::vector<std::string> membership_statements(SqlSession& session, const std::string& name,
                                               const std::vector<std::string>& present,
                                               const std::vector<std::string>& wanted);

std::string rename_database_statement(SqlSession& session, const std::string& from,
                                      const std::string& to);
// An empty owner is the superuser.
std::string own_database_statement(SqlSession& session, const std::string& name,
                                   const std::string& owner);
enum class Connections { kRefused, kAllowed };
std::string connections_statement(SqlSession& session, const std::string& name,
                                  Connections connections);

}  // namespace lb::engine
