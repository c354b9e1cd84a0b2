#include "engine/branch_transaction_statements.h"

#include <algorithm>

#include "base/model/moment.h"
#include "base/model/names.h"
#include "base/text.h"

namespace lb::engine {

namespace {

constexpr size_t kIdentifierMaxBytes = 63;
constexpr const char* kSuperuser = "postgres";

// A role that is referred to: it may be one of PostgreSQL's.
Status check_reference(const std::string& name) {
    if (!name.empty() && name.size() <= kIdentifierMaxBytes &&
        name.find('\0') == std::string::npos && is_utf8(name)) {
        return ok();
    }
    return Error{.code = ErrorCode::kInvalidName,
                 .message = cat("role name ", quoted(name.substr(0, 80)), " is not possible"),
                 .help = "use 1 to 63 bytes of UTF-8"};
}

Status check_owner(const std::string& owner) {
    return owner.empty() ? ok() : check_reference(owner);
}

// Values come from a client: none may end a statement or a protocol message early.
Status check_text(const std::string& text) {
    if (text.find('\0') == std::string::npos && is_utf8(text)) return ok();
    return Error{.code = ErrorCode::kBadRequest, .message = "a text is not UTF-8 or has a NUL"};
}

Status check_settings(const Settings& settings) {
    for (const auto& [name, value] : settings) {
        LB_TRY(check_text(name));
        LB_TRY(check_text(value));
    }
    return ok();
}

Status check_role(const ResourceChange& change) {
    LB_TRY(check_role_name(change.address.name));
    if (change.kind == ChangeKind::kDelete) return ok();
    const auto* role = std::get_if<RoleValue>(&change.value);
    LB_ASSERT(role != nullptr);
    LB_TRY(check_settings(role->attributes.settings));
    for (const std::string& group : role->attributes.member_of) LB_TRY(check_reference(group));
    const std::string& verifier = role->attributes.password_verifier;
    if (verifier.empty() || is_scram_verifier(verifier)) return ok();
    return Error{.code = ErrorCode::kBadRequest,
                 .message = cat("the password of role ", quoted(change.address.name),
                                " is not a SCRAM-SHA-256 verifier"),
                 .help = "update lb: the client must send verifiers, never passwords"};
}

Status check_database(const ResourceChange& change) {
    LB_TRY(check_database_name(change.address.name));
    if (change.kind == ChangeKind::kDelete) return ok();
    const auto* database = std::get_if<DatabaseValue>(&change.value);
    LB_ASSERT(database != nullptr);
    LB_TRY(check_text(database->encoding));
    LB_TRY(check_text(database->locale));
    LB_TRY(check_text(database->template_name));
    LB_TRY(check_settings(database->settings));
    return check_owner(database->owner);
}

Status check_schema(const ResourceChange& change) {
    LB_TRY(check_database_name(change.address.database));
    LB_TRY(check_schema_name(change.address.name));
    if (change.kind == ChangeKind::kDelete) return ok();
    const auto* schema = std::get_if<SchemaValue>(&change.value);
    LB_ASSERT(schema != nullptr);
    return check_owner(schema->owner);
}

Status check_extension(const ResourceChange& change) {
    LB_TRY(check_database_name(change.address.database));
    LB_TRY(check_extension_name(change.address.name));
    if (change.kind == ChangeKind::kDelete) return ok();
    const auto* extension = std::get_if<ExtensionValue>(&change.value);
    LB_ASSERT(extension != nullptr);
    LB_TRY(check_text(extension->schema));
    return check_text(extension->version);
}

bool is_base64(std::string_view text) {
    while (text.ends_with('=')) text.remove_suffix(1);
    return text.find_first_not_of(
               "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
               "0123456789+/") == std::string_view::npos;
}

std::string attributes_text(SqlSession& session, const RoleAttributes& attributes) {
    auto option = [](bool is_set, const char* name) { return cat(is_set ? " " : " NO", name); };
    std::string password = attributes.password_verifier.empty()
                               ? std::string("NULL")
                               : session.quote_literal(attributes.password_verifier);
    std::string valid_until =
        attributes.valid_until ? exact_time_text(*attributes.valid_until) : std::string("infinity");
    return cat(option(attributes.login, "LOGIN"), option(attributes.superuser, "SUPERUSER"),
               option(attributes.create_database, "CREATEDB"),
               option(attributes.create_role, "CREATEROLE"), option(attributes.inherit, "INHERIT"),
               option(attributes.replication, "REPLICATION"),
               option(attributes.bypass_row_security, "BYPASSRLS"), " CONNECTION LIMIT ",
               attributes.connection_limit, " PASSWORD ", password, " VALID UNTIL ",
               session.quote_literal(valid_until));
}

std::string owner_identifier(SqlSession& session, const std::string& owner) {
    return session.quote_identifier(owner.empty() ? kSuperuser : owner);
}

// Names of extensions' settings have dots, each part of which is an identifier.
std::string setting_identifier(SqlSession& session, const std::string& setting) {
    std::vector<std::string> parts;
    for (const std::string& part : split(setting, '.')) {
        parts.push_back(session.quote_identifier(part));
    }
    return join(parts, ".");
}

// A list is given element by element; as one text it would be a list of one.
std::string setting_literals(SqlSession& session, const std::string& setting,
                             const std::string& value) {
    if (!is_list_setting(setting)) return session.quote_literal(value);
    std::vector<std::string> literals;
    for (const std::string& element : setting_list(value)) {
        literals.push_back(session.quote_literal(element));
    }
    return literals.empty() ? session.quote_literal("") : join(literals, ", ");
}

}  // namespace

bool is_scram_verifier(std::string_view text) {
    static constexpr std::string_view kPrefix = "SCRAM-SHA-256$";
    constexpr size_t kKeyCharacters = 44;  // 32 bytes in base64
    if (!text.starts_with(kPrefix)) return false;
    text.remove_prefix(kPrefix.size());
    size_t colon = text.find(':');
    size_t dollar = text.find('$');
    size_t last_colon = text.rfind(':');
    if (dollar == std::string_view::npos || colon >= dollar || last_colon <= dollar) return false;
    std::string_view iterations = text.substr(0, colon);
    std::string_view salt = text.substr(colon + 1, dollar - colon - 1);
    std::string_view stored_key = text.substr(dollar + 1, last_colon - dollar - 1);
    std::string_view server_key = text.substr(last_colon + 1);
    return !iterations.empty() && iterations.size() <= 9 &&
           iterations.find_first_not_of("0123456789") == std::string_view::npos && !salt.empty() &&
           salt.size() % 4 == 0 && is_base64(salt) && stored_key.size() == kKeyCharacters &&
           is_base64(stored_key) && server_key.size() == kKeyCharacters && is_base64(server_key);
}

Status check_changes(const std::vector<ResourceChange>& changes) {
    for (const ResourceChange& change : changes) {
        switch (change.address.kind) {
            case ResourceKind::kProject:
            case ResourceKind::kBranch:
            case ResourceKind::kCompute: LB_ASSERT(false); break;
            case ResourceKind::kRole: LB_TRY(check_role(change)); break;
            case ResourceKind::kDatabase: LB_TRY(check_database(change)); break;
            case ResourceKind::kSchema: LB_TRY(check_schema(change)); break;
            case ResourceKind::kExtension: LB_TRY(check_extension(change)); break;
        }
    }
    return ok();
}

std::string alter_role_statement(SqlSession& session, const std::string& name,
                                 const RoleAttributes& attributes) {
    return cat("ALTER ROLE ", session.quote_identifier(name), " WITH",
               attributes_text(session, attributes));
}

std::vector<std::string> membership_statements(SqlSession& session, const std::string& name,
                                               const std::vector<std::string>& present,
                                               const std::vector<std::string>& wanted) {
    auto holds = [](const std::vector<std::string>& list, const std::string& element) {
        return std::find(list.begin(), list.end(), element) != list.end();
    };
    std::string member = session.quote_identifier(name);
    std::vector<std::string> statements;
    for (const std::string& group : present) {
        if (holds(wanted, group)) continue;
        statements.push_back(cat("REVOKE ", session.quote_identifier(group), " FROM ", member));
    }
    for (const std::string& group : wanted) {
        if (holds(present, group)) continue;
        statements.push_back(cat("GRANT ", session.quote_identifier(group), " TO ", member));
    }
    return statements;
}

std::vector<std::string> settings_statements(SqlSession& session, const char* kind,
                                             const std::string& name, const Settings& present,
                                             const Settings& wanted) {
    std::string subject = cat("ALTER ", kind, " ", session.quote_identifier(name));
    std::vector<std::string> statements;
    for (const auto& [setting, value] : present) {
        if (wanted.contains(setting)) continue;
        statements.push_back(cat(subject, " RESET ", setting_identifier(session, setting)));
    }
    for (const auto& [setting, value] : wanted) {
        auto found = present.find(setting);
        if (found != present.end() && found->second == value) continue;
        statements.push_back(cat(subject, " SET ", setting_identifier(session, setting), " TO ",
                                 setting_literals(session, setting, value)));
    }
    return statements;
}

std::string create_database_statement(SqlSession& session, const std::string& name,
                                      const DatabaseValue& value) {
    std::string sql =
        cat("CREATE DATABASE ", session.quote_identifier(name), " CONNECTION LIMIT 0");
    if (!value.encoding.empty()) sql += cat(" ENCODING ", session.quote_literal(value.encoding));
    if (!value.locale.empty()) sql += cat(" LOCALE ", session.quote_literal(value.locale));
    // Only the empty template can be had in another encoding or locale.
    bool is_special = !value.encoding.empty() || !value.locale.empty();
    std::string from = value.template_name;
    if (from.empty() && is_special) from = "template0";
    if (!from.empty()) sql += cat(" TEMPLATE ", session.quote_identifier(from));
    return sql;
}

std::string rename_database_statement(SqlSession& session, const std::string& from,
                                      const std::string& to) {
    return cat("ALTER DATABASE ", session.quote_identifier(from), " RENAME TO ",
               session.quote_identifier(to));
}

std::string own_database_statement(SqlSession& session, const std::string& name,
                                   const std::string& owner) {
    return cat("ALTER DATABASE ", session.quote_identifier(name), " OWNER TO ",
               owner_identifier(session, owner));
}

std::string limit_database_statement(SqlSession& session, const std::string& name,
                                     int32_t connection_limit) {
    return cat("ALTER DATABASE ", session.quote_identifier(name), " WITH CONNECTION LIMIT ",
               connection_limit);
}

std::string close_database_statement(SqlSession& session, const std::string& name) {
    return cat("ALTER DATABASE ", session.quote_identifier(name), " WITH ALLOW_CONNECTIONS false");
}

std::string create_schema_statement(SqlSession& session, const std::string& name,
                                    const std::string& owner) {
    return cat("CREATE SCHEMA ", session.quote_identifier(name), " AUTHORIZATION ",
               owner_identifier(session, owner));
}

std::string own_schema_statement(SqlSession& session, const std::string& name,
                                 const std::string& owner) {
    return cat("ALTER SCHEMA ", session.quote_identifier(name), " OWNER TO ",
               owner_identifier(session, owner));
}

std::string create_extension_statement(SqlSession& session, const std::string& name,
                                       const ExtensionValue& value) {
    std::string sql = cat("CREATE EXTENSION ", session.quote_identifier(name));
    if (!value.schema.empty()) sql += cat(" SCHEMA ", session.quote_identifier(value.schema));
    if (!value.version.empty()) sql += cat(" VERSION ", session.quote_literal(value.version));
    return sql;
}

}  // namespace lb::engine
