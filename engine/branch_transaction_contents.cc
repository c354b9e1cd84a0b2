#include "engine/branch_transaction_contents.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "engine/branch_transaction_statements.h"

namespace lb::engine {

namespace {

constexpr const char* kDependentObjectsExist = "SQLSTATE 2BP01";
constexpr size_t kDependentsShownMax = 5;
constexpr const char* kUsualExtensionSchema = "public";

// What is on the machine: the version, the schema that its author fixed, and what it requires.
constexpr const char* kVersionQuery = R"(
    SELECT versions.schema, array_to_string(requires, ',')
    FROM pg_available_extension_versions versions
    JOIN pg_available_extensions available ON available.name = versions.name
    WHERE versions.name = $1
        AND version = coalesce(nullif($2, ''), available.default_version))";

// "table api.orders depends on schema api", one a line, as PostgreSQL tells it.
void show_dependents(Error& error, std::string_view lines) {
    size_t count = 0;
    for (const std::string& line : split(lines, '\n')) {
        if (++count <= kDependentsShownMax) error.notes.push_back(line);
    }
    if (count > kDependentsShownMax) {
        error.notes.push_back(cat("and ", count - kDependentsShownMax, " more"));
    }
}

// What depends on what goes is somebody's data: nothing is dropped along.
Error drop_error(ResourceKind kind, const std::string& database,
                 const std::vector<std::string>& names, Error error) {
    auto state = std::ranges::find(error.notes, kDependentObjectsExist);
    if (state == error.notes.end()) return error;
    std::vector<std::string> quoted_names;
    for (const std::string& name : names) quoted_names.push_back(quoted(name));
    bool is_one = names.size() == 1;
    const char* reason = kind == ResourceKind::kSchema
                             ? (is_one ? "it is not empty" : "they are not empty")
                             : (is_one ? "something depends on it" : "something depends on them");
    Error refused{
        .code = ErrorCode::kRefused,
        .message = cat(to_text(kind), is_one ? " " : "s ", join(quoted_names, ", "),
                       " cannot be deleted from database ", quoted(database), ", because ", reason),
        .help = cat("drop or move what is named here first, or keep the ", to_text(kind),
                    " in the spec")};
    if (state != error.notes.begin()) show_dependents(refused, error.notes.front());
    return refused;
}

class ContentChanger {
public:
    ContentChanger(SqlSession& session, const std::vector<ResourceChange>& changes,
                   const RoleNames& names)
        : session_(session), changes_(changes), names_(names) {}

    // Extensions leave before the schemas that they are in, and come after them; a schema goes when
    // what was in it has moved.
    Status run() {
        LB_TRY(drop_all(ResourceKind::kExtension, "DROP EXTENSION "));
        LB_TRY(
            for_each(ResourceKind::kSchema, ChangeKind::kCreate, [&](const ResourceChange& change) {
                return query(
                    create_schema_statement(session_, change.address.name, owner_of(change)));
            }));
        LB_TRY(
            for_each(ResourceKind::kSchema, ChangeKind::kUpdate, [&](const ResourceChange& change) {
                return query(own_schema_statement(session_, change.address.name, owner_of(change)));
            }));
        LB_TRY(create_extensions());
        LB_TRY(for_each(ResourceKind::kExtension, ChangeKind::kUpdate,
                        [&](const ResourceChange& change) { return update_extension(change); }));
        return drop_all(ResourceKind::kSchema, "DROP SCHEMA ");
    }

private:
    struct NewExtension {
        std::string name;
        ExtensionValue value;
        std::vector<std::string> requires_names = {};
    };

    template <class Action>
    Status for_each(ResourceKind resource, ChangeKind kind, Action action) {
        for (const ResourceChange& change : changes_) {
            if (change.address.kind != resource || change.kind != kind) continue;
            Status done = action(change);
            if (!done.is_ok()) {
                return std::move(done).error().with(
                    cat("while changing ", to_text(resource), " ", quoted(change.address.name),
                        " of database ", quoted(change.address.database)));
            }
        }
        return ok();
    }

    Status query(const std::string& sql) {
        LB_TRY(session_.query(sql));
        return ok();
    }

    std::string owner_of(const ResourceChange& change) const {
        return names_.of(std::get<SchemaValue>(change.value).owner);
    }

    // All in one statement: they may depend on each other.
    Status drop_all(ResourceKind kind, const char* verb) {
        std::vector<std::string> names;
        std::vector<std::string> identifiers;
        LB_TRY(for_each(kind, ChangeKind::kDelete, [&](const ResourceChange& change) {
            names.push_back(change.address.name);
            identifiers.push_back(session_.quote_identifier(change.address.name));
            return ok();
        }));
        if (names.empty()) return ok();
        Status dropped = query(cat(verb, join(identifiers, ", "), " RESTRICT"));
        if (dropped.is_ok()) return dropped;
        return drop_error(kind, changes_.front().address.database, names,
                          std::move(dropped).error());
    }

    // Each after those that it requires.
    Status create_extensions() {
        std::vector<NewExtension> open;
        LB_TRY(for_each(ResourceKind::kExtension, ChangeKind::kCreate,
                        [&](const ResourceChange& change) -> Status {
                            open.push_back(LB_TRY(look_up(change)));
                            return ok();
                        }));
        while (!open.empty()) {
            std::set<std::string> waiting;
            for (const NewExtension& extension : open) waiting.insert(extension.name);
            auto is_ready = [&](const NewExtension& extension) {
                return std::ranges::none_of(extension.requires_names, [&](const std::string& name) {
                    return waiting.contains(name);
                });
            };
            auto next = std::ranges::find_if(open, is_ready);
            // Those that require each other PostgreSQL refuses itself.
            if (next == open.end()) next = open.begin();
            LB_TRY(query(create_extension_statement(session_, next->name, next->value)));
            open.erase(next);
        }
        return ok();
    }

    Result<NewExtension> look_up(const ResourceChange& change) {
        const std::string& name = change.address.name;
        NewExtension extension{.name = name, .value = std::get<ExtensionValue>(change.value)};
        auto rows = LB_TRY(session_.query(kVersionQuery, {name, extension.value.version}));
        if (rows.empty()) return missing(name, extension.value.version);
        // Without one our sessions would put it into pg_catalog.
        if (extension.value.schema.empty() && !rows[0][0]) {
            extension.value.schema = kUsualExtensionSchema;
        }
        extension.requires_names = split(rows[0][1].value_or(""), ',');
        return extension;
    }

    Error missing(const std::string& name, const std::string& version) {
        auto rows = session_.query(
            "SELECT string_agg(version, ', ' ORDER BY version) "
            "FROM pg_available_extension_versions WHERE name = $1",
            {name});
        if (!rows) return std::move(rows).error();
        std::string versions = rows->empty() ? std::string() : (*rows)[0][0].value_or("");
        if (!versions.empty()) {
            return Error{.code = ErrorCode::kNotFound,
                         .message = cat("extension ", quoted(name), " has no version ",
                                        quoted(version), " on this machine"),
                         .help = cat("use one of: ", versions)};
        }
        return Error{.code = ErrorCode::kNotFound,
                     .message = cat("extension ", quoted(name), " is not on this machine"),
                     .help =
                         "install its package; what there is says: SELECT name FROM "
                         "pg_available_extensions"};
    }

    Status update_extension(const ResourceChange& change) {
        const std::string& name = change.address.name;
        const auto& wanted = std::get<ExtensionValue>(change.value);
        auto rows = LB_TRY(session_.query(
            "SELECT nspname, extversion FROM pg_extension "
            "JOIN pg_namespace ON pg_namespace.oid = extnamespace WHERE extname = $1",
            {name}));
        if (rows.empty()) {
            return Error{.code = ErrorCode::kNotFound,
                         .message = cat("extension ", quoted(name), " does not exist"),
                         .help = "plan again: lb plan"};
        }
        std::string subject = cat("ALTER EXTENSION ", session_.quote_identifier(name));
        if (!wanted.version.empty() && rows[0][1] != wanted.version) {
            LB_TRY(query(cat(subject, " UPDATE TO ", session_.quote_literal(wanted.version))));
        }
        if (wanted.schema.empty() || rows[0][0] == wanted.schema) return ok();
        return query(cat(subject, " SET SCHEMA ", session_.quote_identifier(wanted.schema)));
    }

    SqlSession& session_;
    const std::vector<ResourceChange>& changes_;
    const RoleNames& names_;
};

}  // namespace

Status change_contents(SqlSession& session, const std::vector<ResourceChange>& changes,
                       const RoleNames& names) {
    return ContentChanger(session, changes, names).run();
}

}  // namespace lb::engine
