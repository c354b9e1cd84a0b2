#include "engine/branch_transaction_statements.h"

#include <algorithm>

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

Status check_role(const ResourceChange& change) {
    LB_TRY(check_role_name(change.address.name));
    if (change.kind == ChangeKind::kDelete) return ok();
    const auto* role = std::get_if<RoleValue>(&change.value);
    LB_ASSERT(role != nullptr);
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
    return database->owner.empty() ? ok() : check_reference(database->owner);
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
    return cat(option(attributes.login, "LOGIN"), option(attributes.superuser, "SUPERUSER"),
               option(attributes.create_database, "CREATEDB"),
               option(attributes.create_role, "CREATEROLE"), option(attributes.inherit, "INHERIT"),
               option(attributes.replication, "REPLICATION"),
               option(attributes.bypass_row_security, "BYPASSRLS"), " CONNECTION LIMIT ",
               attributes.connection_limit, " PASSWORD ", password);
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
        if (change.address.kind == ResourceKind::kRole) {
            LB_TRY(check_role(change));
        } else {
            LB_ASSERT(change.address.kind == ResourceKind::kDatabase);
            LB_TRY(check_database(change));
        }
    }
    return ok();
}

std::string create_role_statement(SqlSession& session, const std::string& name,
                                  const RoleAttributes& attributes) {
    return cat("CREATE ROLE ", session.quote_identifier(name), " WITH",
               attributes_text(session, attributes));
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

std::string rename_database_statement(SqlSession& session, const std::string& from,
                                      const std::string& to) {
    return cat("ALTER DATABASE ", session.quote_identifier(from), " RENAME TO ",
               session.quote_identifier(to));
}

std::string own_database_statement(SqlSession& session, const std::string& name,
                                   const std::string& owner) {
    return cat("ALTER DATABASE ", session.quote_identifier(name), " OWNER TO ",
               session.quote_identifier(owner.empty() ? kSuperuser : owner));
}

std::string connections_statement(SqlSession& session, const std::string& name,
                                  Connections connections) {
    return cat("ALTER DATABASE ", session.quote_identifier(name), " WITH ALLOW_CONNECTIONS ",
               connections == Connections::kAllowed ? "true" : "false");
}

}  // namespace lb::engine
