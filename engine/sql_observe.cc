#include <algorithm>
#include <charconv>

#include "engine/sql.h"

namespace lb::engine {

namespace {

// pg_* are PostgreSQL's, lb_* are lb's (base/model/names.h).
constexpr const char* kRolesQuery = R"(
    SELECT rolname, rolcanlogin, rolsuper, rolcreatedb, rolcreaterole, rolinherit, rolreplication,
           rolbypassrls, rolconnlimit, rolpassword
    FROM pg_authid
    WHERE rolname <> 'postgres' AND left(rolname, 3) NOT IN ('pg_', 'lb_'))";

constexpr const char* kMembershipsQuery = R"(
    SELECT member.rolname, role.rolname
    FROM pg_auth_members
    JOIN pg_authid member ON member.oid = pg_auth_members.member
    JOIN pg_authid role ON role.oid = pg_auth_members.roleid)";

constexpr const char* kDatabasesQuery = R"(
    SELECT datname, pg_get_userbyid(datdba)
    FROM pg_database
    WHERE NOT datistemplate AND datname <> 'postgres' AND left(datname, 3) <> 'lb_')";

constexpr std::string_view kScramPrefix = "SCRAM-SHA-256$";

bool is_true(const std::optional<std::string>& field) { return field == "t"; }

RoleState role_of(const SqlRow& row) {
    RoleState role;
    role.name = row[0].value_or("");
    RoleAttributes& attributes = role.attributes;
    attributes.login = is_true(row[1]);
    attributes.superuser = is_true(row[2]);
    attributes.create_database = is_true(row[3]);
    attributes.create_role = is_true(row[4]);
    attributes.inherit = is_true(row[5]);
    attributes.replication = is_true(row[6]);
    attributes.bypass_row_security = is_true(row[7]);
    std::string limit = row[8].value_or("-1");
    std::from_chars(limit.data(), limit.data() + limit.size(), attributes.connection_limit);
    // An MD5 hash opens no door here (pg_hba.conf asks for SCRAM), so it counts as no password.
    std::string password = row[9].value_or("");
    if (password.starts_with(kScramPrefix)) attributes.password_verifier = std::move(password);
    return role;
}

template <class Named>
void sort_by_name(std::vector<Named>& list) {
    std::sort(list.begin(), list.end(),
              [](const Named& left, const Named& right) { return left.name < right.name; });
}

Result<Observation> read_all(SqlSession& session) {
    Observation seen;
    for (const SqlRow& row : LB_TRY(session.query(kRolesQuery))) {
        seen.roles.push_back(role_of(row));
    }
    sort_by_name(seen.roles);
    for (const SqlRow& row : LB_TRY(session.query(kMembershipsQuery))) {
        std::string member = row[0].value_or("");
        auto role = std::lower_bound(
            seen.roles.begin(), seen.roles.end(), member,
            [](const RoleState& left, const std::string& name) { return left.name < name; });
        if (role == seen.roles.end() || role->name != member) continue;
        role->attributes.member_of.push_back(row[1].value_or(""));
    }
    for (RoleState& role : seen.roles) {
        std::vector<std::string>& groups = role.attributes.member_of;
        std::sort(groups.begin(), groups.end());
        groups.erase(std::unique(groups.begin(), groups.end()), groups.end());
    }
    for (const SqlRow& row : LB_TRY(session.query(kDatabasesQuery))) {
        DatabaseState& database = seen.databases.emplace_back();
        database.name = row[0].value_or("");
        database.owner = row[1].value_or("");
    }
    sort_by_name(seen.databases);
    return seen;
}

}  // namespace

Result<Observation> observe(SqlSession& session) {
    // One snapshot: a membership must not speak of a role that the first query did not see.
    LB_TRY(session.query("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"));
    Result<Observation> seen = read_all(session);
    auto ended = session.query("COMMIT");
    if (seen && !ended) return std::move(ended).error();
    return seen;
}

}  // namespace lb::engine
