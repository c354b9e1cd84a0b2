#include "tests/engine/sql_branch_transaction_support.h"

#include "base/text.h"

namespace lb::engine::testing {

ResourceChange role_change(ChangeKind kind, const std::string& name, RoleAttributes attributes) {
    ResourceChange change;
    change.address = Address::of_role("main", name);
    change.kind = kind;
    if (kind != ChangeKind::kDelete) change.value = RoleValue{std::move(attributes)};
    return change;
}

ResourceChange database_change(ChangeKind kind, const std::string& name, const std::string& owner) {
    ResourceChange change;
    change.address = Address::of_database("main", name);
    change.kind = kind;
    if (kind != ChangeKind::kDelete) change.value = DatabaseValue{owner};
    return change;
}

ResourceChange schema_change(ChangeKind kind, const std::string& database, const std::string& name,
                             const std::string& owner) {
    ResourceChange change;
    change.address = Address::of_schema("main", database, name);
    change.kind = kind;
    if (kind != ChangeKind::kDelete) change.value = SchemaValue{owner};
    return change;
}

ResourceChange extension_change(ChangeKind kind, const std::string& database,
                                const std::string& name, ExtensionValue value) {
    ResourceChange change;
    change.address = Address::of_extension("main", database, name);
    change.kind = kind;
    if (kind != ChangeKind::kDelete) change.value = std::move(value);
    return change;
}

RoleAttributes login_role(std::vector<std::string> member_of) {
    RoleAttributes attributes;
    attributes.login = true;
    attributes.member_of = std::move(member_of);
    return attributes;
}

Picture picture(const SqlTarget& target) {
    auto session = LB_MUST(SqlSession::connect(target));
    return {LB_MUST(observe(target)),
            query_text(*session,
                       "SELECT coalesce(string_agg(name, ' ' ORDER BY name), '') FROM ("
                       "SELECT datname FROM pg_database WHERE datname LIKE 'lb\\_%' UNION ALL "
                       "SELECT rolname FROM pg_authid WHERE rolname LIKE 'lb\\_%' UNION ALL "
                       "SELECT gid FROM pg_prepared_xacts) AS t(name)")};
}

std::string text_of(const Picture& picture) {
    std::string text;
    for (const RoleState& role : picture.seen.roles) {
        text += cat("role ", role.name, " of ", join(role.attributes.member_of, ","), "\n");
    }
    for (const DatabaseState& database : picture.seen.databases) {
        text += cat("database ", database.name, " of ", database.owner, "\n");
        for (const SchemaState& schema : database.schemas) {
            text += cat("  schema ", schema.name, " of ", schema.owner, "\n");
        }
        for (const ExtensionState& extension : database.extensions) {
            text += cat("  extension ", extension.name, " in ", extension.schema, "\n");
        }
    }
    return text + "hidden: " + picture.hidden;
}
void PrintTo(const Picture& picture, std::ostream* out) { *out << text_of(picture); }

}  // namespace lb::engine::testing
