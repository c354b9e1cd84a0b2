#include "engine/branch_transaction_checks.h"

#include <map>

#include "base/text.h"

namespace lb::engine {

namespace {

constexpr size_t kDescribedMax = 5;

// Database (empty: shared by all), catalog, object, sub-object, kind of dependency.
constexpr const char* kDependenciesQuery = R"(
    SELECT coalesce(pg_database.datname, ''), classid::text, objid::text, objsubid::text,
           deptype::text, coalesce(shared.datname, '')
    FROM pg_shdepend
    LEFT JOIN pg_database ON pg_database.oid = dbid
    LEFT JOIN pg_database shared
        ON dbid = 0 AND classid = 'pg_database'::regclass AND shared.oid = objid
    WHERE refclassid = 'pg_authid'::regclass AND refobjid = $1::oid
    ORDER BY 1, 2, 3, 4)";

struct Dependency {
    std::string catalog;
    std::string object;
    std::string sub_object;
    std::string kind;
};
using DependenciesByDatabase = std::map<std::string, std::vector<Dependency>>;

Error refused(std::string message, std::string help) {
    return Error{
        .code = ErrorCode::kRefused, .message = std::move(message), .help = std::move(help)};
}

std::string relation_text(const std::string& kind) {
    if (kind == "o") return "owner of ";
    if (kind == "a") return "privileges for ";
    if (kind == "r") return "target of ";
    return "depends on ";
}

// "owner of table orders"; pg_describe_object() knows only the objects of its own database.
std::string describe(SqlSession& session, const Dependency& dependency) {
    auto rows = session.query("SELECT pg_describe_object($1::oid, $2::oid, $3::int)",
                              {dependency.catalog, dependency.object, dependency.sub_object});
    // It may be gone by now.
    std::string name = rows && !rows->empty() ? (*rows)[0][0].value_or("") : "";
    if (name.empty()) name = cat("object ", dependency.object);
    return relation_text(dependency.kind) + name;
}

std::string describe_all(SqlSession& session, const std::string& database,
                         const std::vector<Dependency>& dependencies) {
    std::string text = database.empty() ? std::string("in the server:")
                                        : cat("in database ", quoted(database), ":");
    size_t described = 0;
    for (const Dependency& dependency : dependencies) {
        if (described++ == kDescribedMax) break;
        text += cat("\n  ", describe(session, dependency));
    }
    if (dependencies.size() > kDescribedMax) {
        text += cat("\n  and ", dependencies.size() - kDescribedMax, " more");
    }
    return text;
}

Error dependency_error(SqlSession& session, SqlTarget target, const std::string& role,
                       const DependenciesByDatabase& dependencies) {
    std::string identifier = session.quote_identifier(role);
    std::vector<std::string> places;
    std::vector<std::string> notes;
    for (const auto& [database, list] : dependencies) {
        if (database.empty()) {
            notes.push_back(describe_all(session, database, list));
            continue;
        }
        places.push_back(cat("database ", quoted(database)));
        target.database = database;
        auto other = SqlSession::connect(target);
        if (!other) {
            notes.push_back(cat("in database ", quoted(database), ": ", list.size(), " objects"));
            continue;
        }
        notes.push_back(describe_all(**other, database, list));
    }
    if (places.empty()) places.push_back("the server");
    Error error = refused(cat("role ", quoted(role), " cannot be deleted, because objects in ",
                              join(places, ", "), " depend on it"),
                          cat("in each of these databases: REASSIGN OWNED BY ", identifier,
                              " TO postgres; DROP OWNED BY ", identifier, ";"));
    error.notes = std::move(notes);
    return error;
}

Error database_not_found(const std::string& name) {
    return Error{.code = ErrorCode::kNotFound,
                 .message = cat("database ", quoted(name), " does not exist"),
                 .help = "plan again: lb plan"};
}

struct Obstacle {
    const char* query;  // $1: the database's oid; gives a count
    const char* what;
    const char* help;
};
constexpr Obstacle kObstacles[] = {
    {"SELECT count(*) FROM pg_prepared_xacts JOIN pg_database ON datname = database "
     "WHERE pg_database.oid = $1::oid",
     "prepared transactions", "end them: SELECT gid FROM pg_prepared_xacts; ROLLBACK PREPARED"},
    {"SELECT count(*) FROM pg_subscription WHERE subdbid = $1::oid", "subscriptions",
     "in that database: DROP SUBSCRIPTION"},
    {"SELECT count(*) FROM pg_replication_slots WHERE datoid = $1::oid AND active",
     "replication slots in use", "stop their consumers: SELECT * FROM pg_replication_slots"},
};

}  // namespace

Status check_database_can_go(SqlSession& session, const std::string& name) {
    std::vector<SqlRow> rows = LB_TRY(session.query(
        "SELECT oid::text, datistemplate::text FROM pg_database WHERE datname = $1", {name}));
    if (rows.empty()) return database_not_found(name);
    if (rows[0][1] == "true") {
        return refused(
            cat("database ", quoted(name), " is a template"),
            cat("ALTER DATABASE ", session.quote_identifier(name), " IS_TEMPLATE false"));
    }
    std::string oid = rows[0][0].value_or("0");
    for (const Obstacle& obstacle : kObstacles) {
        std::vector<SqlRow> counted = LB_TRY(session.query(obstacle.query, {oid}));
        std::string count = counted[0][0].value_or("0");
        if (count == "0") continue;
        return refused(cat("database ", quoted(name), " cannot be deleted, because it has ", count,
                           " ", obstacle.what),
                       obstacle.help);
    }
    return ok();
}

Status check_database_exists(SqlSession& session, const std::string& name) {
    if (!LB_TRY(session.query("SELECT FROM pg_database WHERE datname = $1", {name})).empty()) {
        return ok();
    }
    return database_not_found(name);
}

Result<RoleDrop> check_role_can_go(SqlSession& session, const SqlTarget& target,
                                   const std::string& name,
                                   const std::function<bool(std::string_view)>& is_settled) {
    std::vector<SqlRow> found =
        LB_TRY(session.query("SELECT oid::text FROM pg_authid WHERE rolname = $1", {name}));
    if (found.empty()) {
        return Error{.code = ErrorCode::kNotFound,
                     .message = cat("role ", quoted(name), " does not exist"),
                     .help = "plan again: lb plan"};
    }
    std::vector<SqlRow> rows =
        LB_TRY(session.query(kDependenciesQuery, {found[0][0].value_or("0")}));
    if (rows.empty()) return RoleDrop::kNow;
    DependenciesByDatabase remaining;
    for (const SqlRow& row : rows) {
        std::string database = row[0].value_or("");
        std::string shared_database = row[5].value_or("");
        if (is_settled(database) || (database.empty() && is_settled(shared_database))) continue;
        remaining[database].push_back(
            {row[1].value_or(""), row[2].value_or(""), row[3].value_or(""), row[4].value_or("")});
    }
    if (remaining.empty()) return RoleDrop::kLater;
    return dependency_error(session, target, name, remaining);
}

Status check_role_leaves_database(SqlSession& session, const std::string& name) {
    std::vector<Dependency> dependencies;
    for (const SqlRow& row : LB_TRY(session.query(
             "SELECT classid::text, objid::text, objsubid::text, deptype::text FROM pg_shdepend "
             "JOIN pg_authid ON pg_authid.oid = refobjid AND refclassid = 'pg_authid'::regclass "
             "JOIN pg_database ON pg_database.oid = dbid "
             "WHERE rolname = $1 AND datname = current_database() ORDER BY 1, 2, 3",
             {name}))) {
        dependencies.push_back(
            {row[0].value_or(""), row[1].value_or(""), row[2].value_or(""), row[3].value_or("")});
    }
    if (dependencies.empty()) return ok();
    std::string database = LB_TRY(session.query("SELECT current_database()"))[0][0].value_or("");
    std::string identifier = session.quote_identifier(name);
    Error error = refused(cat("role ", quoted(name), " cannot be deleted, because objects in ",
                              "database ", quoted(database), " depend on it"),
                          cat("in this database: REASSIGN OWNED BY ", identifier,
                              " TO postgres; DROP OWNED BY ", identifier, ";"));
    error.notes.push_back(describe_all(session, database, dependencies));
    return error;
}

Result<Settings> present_settings(SqlSession& session, SettingsOf of, const std::string& name) {
    const char* query =
        of == SettingsOf::kRole
            ? "SELECT unnest(setconfig) FROM pg_db_role_setting "
              "JOIN pg_authid ON pg_authid.oid = setrole WHERE setdatabase = 0 AND rolname = $1"
            : "SELECT unnest(setconfig) FROM pg_db_role_setting "
              "JOIN pg_database ON pg_database.oid = setdatabase "
              "WHERE setrole = 0 AND datname = $1";
    Settings settings;
    for (const SqlRow& row : LB_TRY(session.query(query, {name}))) {
        settings.insert(setting_of(row[0].value_or("")));
    }
    return settings;
}

}  // namespace lb::engine
