// What changes inside of one database: schemas and extensions.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/model/change.h"
#include "engine/sql.h"

namespace lb::engine {

// Existing databases that one apply can change inside: each takes one of the server's
// max_prepared_transactions (engine/postgres_settings.cc).
inline constexpr size_t kContentDatabasesMax = 96;

// The names that roles have for now: new ones have a pending name until the commit.
class RoleNames {
public:
    void add(const std::string& role, std::string pending) {
        pending_.emplace(role, std::move(pending));
    }
    const std::string& of(const std::string& role) const {
        auto found = pending_.find(role);
        return found == pending_.end() ? role : found->second;
    }

private:
    std::map<std::string, std::string> pending_;
};

// Carries out `changes`, which are all inside of the session's database. Requires: a transaction
// block. Errors: kNotFound, kRefused naming what depends on what is to go, kSqlFailed.
Status change_contents(SqlSession& session, const std::vector<ResourceChange>& changes,
                       const RoleNames& names);

}  // namespace lb::engine
