#include <algorithm>

#include "base/model/names.h"
#include "base/text.h"
#include "specs/diagnostic_codes.h"
#include "specs/internal/ascii.h"
#include "specs/internal/draft.h"
#include "specs/internal/limits.h"
#include "specs/internal/names.h"

namespace lb::specs {

namespace {

// A reference that is no good may be a password in the wrong place: no message repeats it.
std::optional<SecretReference> read_reference(const TableReader& password, const Place& key_place,
                                              Reporter& reporter) {
    static constexpr std::string_view kHelp =
        "write password = { env = \"APP_PASSWORD\" } or password = { file = \"app.password\" }";
    bool has_env = password.find("env") != nullptr;
    bool has_file = password.find("file") != nullptr;
    if (!has_env && !has_file && !password.is_empty()) return std::nullopt;  // reported as unknown
    if (has_env == has_file) {
        reporter.error(codes::kInvalidSecretReference, key_place,
                       has_env ? "a password comes from either \"env\" or \"file\""
                               : "the password has neither \"env\" nor \"file\"",
                       std::string(kHelp));
        return std::nullopt;
    }
    auto name = password.text(has_env ? "env" : "file");
    if (!name) return std::nullopt;
    if (has_env && !is_variable_name(name->text)) {
        reporter.error(codes::kInvalidSecretReference, name->place,
                       "\"env\" is not the name of an environment variable",
                       "use letters, digits and underscores, as in \"APP_PASSWORD\"");
        return std::nullopt;
    }
    if (has_file && (name->text.empty() || name->text.size() > kSecretPathMaxBytes ||
                     name->text.find('\0') != std::string::npos)) {
        reporter.error(codes::kInvalidSecretReference, name->place, "\"file\" is not a path",
                       cat("use a path of 1 to ", kSecretPathMaxBytes,
                           " bytes, relative to the spec's folder"));
        return std::nullopt;
    }
    return SecretReference{
        .kind = has_env ? SecretReference::Kind::kEnvironment : SecretReference::Kind::kFile,
        .name = name->text,
        .span = reporter.span(name->place)};
}

void read_password(const TableReader& reader, RoleDraft& draft, Reporter& reporter) {
    const TomlMember* member = reader.find("password");
    if (member == nullptr) return;
    draft.password_place = member->key_place;
    const auto* table = member->value.get_if<TomlTable>();
    if (table == nullptr) {
        reporter.error(
            codes::kPasswordInSpec, member->key_place,
            cat("the password of role ", quoted(draft.spec.name), " is written in the spec"),
            "put it into a variable and write password = { env = \"APP_PASSWORD\" }; "
            "then change it, since it may be in the history of the file");
        return;
    }
    draft.spec.password =
        read_reference(TableReader(*table, kPasswordRules, reporter), member->key_place, reporter);
}

void read_attributes(const TableReader& reader, RoleAttributes& attributes) {
    auto read_flag = [&](std::string_view key, bool& flag) {
        flag = reader.boolean(key).value_or(flag);
    };
    read_flag("login", attributes.login);
    read_flag("superuser", attributes.superuser);
    read_flag("create_database", attributes.create_database);
    read_flag("create_role", attributes.create_role);
    read_flag("inherit", attributes.inherit);
    read_flag("replication", attributes.replication);
    read_flag("bypass_row_security", attributes.bypass_row_security);
    if (auto limit = reader.integer("connection_limit", -1, kConnectionLimitMax)) {
        attributes.connection_limit = static_cast<int32_t>(*limit);
    }
}

}  // namespace

void read_roles(const TableReader& spec, SpecDraft& draft, Reporter& reporter) {
    static constexpr SectionRules kRules = {.key = "roles",
                                            .resource = "role",
                                            .count_max = kRolesMax,
                                            .check_name = check_role_name,
                                            .case_rule = CaseRule::kUniqueWithoutCase};
    read_section(spec, kRules, reporter, [&](const TomlMember& member, const TomlTable& table) {
        RoleDraft role{
            .spec = {.name = member.key, .span = reporter.span(member.key_place), .attributes = {}},
            .name_place = member.key_place};
        TableReader reader(table, kRoleRules, reporter);
        read_attributes(reader, role.spec.attributes);
        role.member_of = reader.texts("member_of").value_or(std::vector<PlacedText>());
        for (const PlacedText& name : role.member_of) {
            role.spec.attributes.member_of.push_back(name.text);
        }
        std::sort(role.spec.attributes.member_of.begin(), role.spec.attributes.member_of.end());
        read_password(reader, role, reporter);
        draft.roles.push_back(std::move(role));
    });
}

void read_databases(const TableReader& spec, SpecDraft& draft, Reporter& reporter) {
    static constexpr SectionRules kRules = {.key = "databases",
                                            .resource = "database",
                                            .count_max = kDatabasesMax,
                                            .check_name = check_database_name,
                                            .case_rule = CaseRule::kUniqueWithoutCase};
    read_section(spec, kRules, reporter, [&](const TomlMember& member, const TomlTable& table) {
        DatabaseDraft database{
            .spec = {.name = member.key, .span = reporter.span(member.key_place)},
            .name_place = member.key_place};
        TableReader reader(table, kDatabaseRules, reporter);
        if (auto owner = reader.text("owner")) {
            database.spec.owner = owner->text;
            database.owner_place = owner->place;
        }
        draft.databases.push_back(std::move(database));
    });
}

}  // namespace lb::specs
