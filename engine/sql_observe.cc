#include <algorithm>
#include <charconv>

#include "engine/sql.h"

namespace lb::engine {

namespace {

// pg_* are PostgreSQL's, lb_* are lb's (base/model/names.h).
constexpr const char* kRolesQuery = R"(
    SELECT rolname, rolcanlogin, rolsuper, rolcreatedb, rolcreaterole, rolinherit, rolreplication,
           rolbypassrls, rolconnlimit, rolpassword,
           CASE WHEN isfinite(rolvaliduntil)
                THEN (extract(epoch FROM rolvaliduntil) * 1000000)::bigint END
    FROM pg_authid
    WHERE rolname <> 'postgres' AND left(rolname, 3) NOT IN ('pg_', 'lb_'))";

constexpr const char* kMembershipsQuery = R"(
    SELECT member.rolname, role.rolname
    FROM pg_auth_members
    JOIN pg_authid member ON member.oid = pg_auth_members.member
    JOIN pg_authid role ON role.oid = pg_auth_members.roleid)";

constexpr const char* kDatabasesQuery = R"(
    SELECT datname, pg_get_userbyid(datdba), datconnlimit, pg_encoding_to_char(encoding),
           datcollate, datctype, datallowconn
    FROM pg_database
    WHERE NOT datistemplate AND datname <> 'postgres' AND left(datname, 3) <> 'lb_')";

// Of roles everywhere, and of everybody in a database: the role, the database, "name=value".
constexpr const char* kSettingsQuery = R"(
    SELECT rolname, datname, unnest(setconfig)
    FROM pg_db_role_setting
    LEFT JOIN pg_authid ON pg_authid.oid = setrole
    LEFT JOIN pg_database ON pg_database.oid = setdatabase
    WHERE setrole = 0 OR setdatabase = 0)";

// Without PostgreSQL's own and those that an extension brought.
constexpr const char* kSchemasQuery = R"(
    SELECT nspname, pg_get_userbyid(nspowner)
    FROM pg_namespace
    WHERE left(nspname, 3) <> 'pg_' AND nspname NOT IN ('information_schema', 'public')
        AND NOT EXISTS (SELECT FROM pg_depend
                        WHERE classid = 'pg_namespace'::regclass AND objid = pg_namespace.oid
                            AND deptype = 'e'))";

constexpr const char* kExtensionsQuery = R"(
    SELECT extname, nspname, extversion
    FROM pg_extension
    JOIN pg_namespace ON pg_namespace.oid = extnamespace
    WHERE extname <> 'plpgsql')";

constexpr std::string_view kScramPrefix = "SCRAM-SHA-256$";

bool is_true(const std::optional<std::string>& field) { return field == "t"; }

template <class Number>
std::optional<Number> number_of(const std::optional<std::string>& field) {
    if (!field) return std::nullopt;
    Number number{};
    auto [end, failure] = std::from_chars(field->data(), field->data() + field->size(), number);
    return failure == std::errc{} ? std::optional(number) : std::nullopt;
}

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
    attributes.connection_limit = number_of<int32_t>(row[8]).value_or(-1);
    // An MD5 hash opens no door here (pg_hba.conf asks for SCRAM), so it counts as no password.
    std::string password = row[9].value_or("");
    if (password.starts_with(kScramPrefix)) attributes.password_verifier = std::move(password);
    if (auto microseconds = number_of<int64_t>(row[10])) {
        attributes.valid_until = WallTime{std::chrono::microseconds(*microseconds)};
    }
    return role;
}

template <class Named>
void sort_by_name(std::vector<Named>& list) {
    std::sort(list.begin(), list.end(),
              [](const Named& left, const Named& right) { return left.name < right.name; });
}

template <class Named>
Named* find_named(std::vector<Named>& list, const std::string& name) {
    auto found = std::lower_bound(
        list.begin(), list.end(), name,
        [](const Named& left, const std::string& wanted) { return left.name < wanted; });
    return found != list.end() && found->name == name ? &*found : nullptr;
}

Status read_roles(SqlSession& session, Observation& seen) {
    for (const SqlRow& row : LB_TRY(session.query(kRolesQuery))) {
        seen.roles.push_back(role_of(row));
    }
    sort_by_name(seen.roles);
    for (const SqlRow& row : LB_TRY(session.query(kMembershipsQuery))) {
        RoleState* role = find_named(seen.roles, row[0].value_or(""));
        if (role != nullptr) role->attributes.member_of.push_back(row[1].value_or(""));
    }
    for (RoleState& role : seen.roles) {
        std::vector<std::string>& groups = role.attributes.member_of;
        std::sort(groups.begin(), groups.end());
        groups.erase(std::unique(groups.begin(), groups.end()), groups.end());
    }
    return ok();
}

// Returns those that accept connections.
Result<std::vector<std::string>> read_databases(SqlSession& session, Observation& seen) {
    std::vector<std::string> open;
    for (const SqlRow& row : LB_TRY(session.query(kDatabasesQuery))) {
        DatabaseState& database = seen.databases.emplace_back();
        database.name = row[0].value_or("");
        database.owner = row[1].value_or("");
        database.connection_limit = number_of<int32_t>(row[2]).value_or(-1);
        database.encoding = row[3].value_or("");
        database.locale = row[4].value_or("");
        if (row[4] != row[5]) database.locale += "/" + row[5].value_or("");
        if (is_true(row[6])) open.push_back(database.name);
    }
    sort_by_name(seen.databases);
    return open;
}

Status read_settings(SqlSession& session, Observation& seen) {
    for (const SqlRow& row : LB_TRY(session.query(kSettingsQuery))) {
        auto [name, value] = setting_of(row[2].value_or(""));
        RoleState* role = row[0] ? find_named(seen.roles, *row[0]) : nullptr;
        DatabaseState* database = row[1] ? find_named(seen.databases, *row[1]) : nullptr;
        if (role != nullptr && !row[1]) role->attributes.settings[name] = value;
        if (database != nullptr && !row[0]) database->settings[name] = value;
    }
    return ok();
}

Result<std::vector<std::string>> read_shared(SqlSession& session, Observation& seen) {
    LB_TRY(read_roles(session, seen));
    std::vector<std::string> open = LB_TRY(read_databases(session, seen));
    LB_TRY(read_settings(session, seen));
    return open;
}

Status read_contents(SqlSession& session, DatabaseState& database) {
    for (const SqlRow& row : LB_TRY(session.query(kSchemasQuery))) {
        SchemaState& schema = database.schemas.emplace_back();
        schema.name = row[0].value_or("");
        schema.owner = row[1].value_or("");
    }
    sort_by_name(database.schemas);
    for (const SqlRow& row : LB_TRY(session.query(kExtensionsQuery))) {
        ExtensionState& extension = database.extensions.emplace_back();
        extension.name = row[0].value_or("");
        extension.schema = row[1].value_or("");
        extension.version = row[2].value_or("");
    }
    sort_by_name(database.extensions);
    return ok();
}

// One snapshot: a membership must not speak of a role that the first query did not see.
template <class Read>
auto in_one_snapshot(SqlSession& session, Read read) -> decltype(read()) {
    LB_TRY(session.query("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"));
    auto seen = read();
    auto ended = session.query("COMMIT");
    if (seen.is_ok() && !ended) return std::move(ended).error();
    return seen;
}

Result<bool> is_open(SqlSession& session, const std::string& database) {
    auto rows = LB_TRY(
        session.query("SELECT FROM pg_database WHERE datname = $1 AND datallowconn", {database}));
    return !rows.empty();
}

}  // namespace

Result<Observation> observe(const SqlTarget& target) {
    std::unique_ptr<SqlSession> session = LB_TRY(SqlSession::connect(target));
    Observation seen;
    std::vector<std::string> open =
        LB_TRY(in_one_snapshot(*session, [&] { return read_shared(*session, seen); }));
    for (const std::string& name : open) {
        SqlTarget inside = target;
        inside.database = name;
        auto inner = SqlSession::connect(inside);
        if (!inner) {
            // Somebody may just have dropped it.
            if (LB_TRY(is_open(*session, name))) return std::move(inner).error();
            std::erase_if(seen.databases,
                          [&](const DatabaseState& database) { return database.name == name; });
            continue;
        }
        DatabaseState& database = *find_named(seen.databases, name);
        LB_TRY(in_one_snapshot(**inner, [&] { return read_contents(**inner, database); }));
    }
    return seen;
}

}  // namespace lb::engine
