#include <algorithm>

#include "base/model/names.h"
#include "base/text.h"
#include "specs/diagnostic_codes.h"
#include "specs/internal/ascii.h"
#include "specs/internal/draft.h"
#include "specs/internal/limits.h"
#include "specs/internal/names.h"
#include "specs/spec_reader.h"

namespace lb::specs {

namespace {

// A reference that is no good may be a password in the wrong place: no message repeats it.
class PasswordReader {
public:
    PasswordReader(const TomlTable& table, const Place& key_place, const SpecDraft& draft,
                   Reporter& reporter)
        : password_(table, kPasswordRules, reporter),
          key_place_(key_place),
          draft_(draft),
          reporter_(reporter) {}

    std::optional<SecretReference> read() const {
        std::vector<std::string_view> given;
        for (std::string_view key : {"env", "file", "var"}) {
            if (password_.find(key) != nullptr) given.push_back(key);
        }
        bool has_generate = password_.find("generate") != nullptr;
        if (given.empty() && !password_.is_empty() && !has_generate) {
            return std::nullopt;  // reported as unknown
        }
        if (given.size() != 1) {
            report(key_place_,
                   given.empty() ? "the password has none of \"env\", \"file\" and \"var\""
                                 : "a password comes from one of \"env\", \"file\" and \"var\"",
                   "write password = { env = \"APP_PASSWORD\" } or password = { file = "
                   "\"app.password\" }");
            return std::nullopt;
        }
        auto name = password_.text(given.front());
        if (!name) return std::nullopt;
        bool is_generated = password_.boolean("generate").value_or(false);
        if (given.front() == "file") return of_file(*name, is_generated);
        if (is_generated) {
            report(password_.find("generate")->key_place,
                   "a generated password needs a file that it is written to",
                   "write password = { generate = true, file = \"app.password\" }");
            return std::nullopt;
        }
        if (given.front() == "var") return of_variable(*name);
        return of_environment(*name);
    }

private:
    using Kind = SecretReference::Kind;

    std::optional<SecretReference> of_environment(const PlacedText& name) const {
        if (is_variable_name(name.text)) return reference(Kind::kEnvironment, name.text, name);
        report(name.place, "\"env\" is not the name of an environment variable",
               "use letters, digits and underscores, as in \"APP_PASSWORD\"");
        return std::nullopt;
    }

    std::optional<SecretReference> of_file(const PlacedText& name, bool is_generated) const {
        bool is_path = !name.text.empty() && name.text.size() <= kSecretPathMaxBytes &&
                       name.text.find('\0') == std::string::npos;
        if (is_path) {
            SecretReference file = reference(Kind::kFile, name.text, name);
            file.is_generated = is_generated;
            return file;
        }
        report(name.place, "\"file\" is not a path",
               cat("use a path of 1 to ", kSecretPathMaxBytes,
                   " bytes, relative to the spec's folder"));
        return std::nullopt;
    }

    // A sensitive variable is what the environment says, and nothing else.
    std::optional<SecretReference> of_variable(const PlacedText& name) const {
        if (draft_.sensitive_variables.contains(name.text)) {
            return reference(Kind::kEnvironment, environment_name_of(name.text), name);
        }
        report(name.place, "\"var\" names no sensitive variable",
               "declare it with sensitive = true under [variables]");
        return std::nullopt;
    }

    SecretReference reference(Kind kind, std::string name, const PlacedText& written) const {
        return {.kind = kind, .name = std::move(name), .span = reporter_.span(written.place)};
    }

    void report(const Place& place, std::string message, std::string help) const {
        reporter_.error(codes::kInvalidSecretReference, place, std::move(message), std::move(help));
    }

    TableReader password_;
    const Place& key_place_;
    const SpecDraft& draft_;
    Reporter& reporter_;
};

void read_password(const TableReader& reader, RoleDraft& role, const SpecDraft& draft,
                   Reporter& reporter) {
    const TomlMember* member = reader.find("password");
    if (member == nullptr) return;
    role.password_place = member->key_place;
    const auto* table = member->value.get_if<TomlTable>();
    if (table == nullptr) {
        reporter.error(
            codes::kPasswordInSpec, member->key_place,
            cat("the password of role ", quoted(role.spec.name), " is written in the spec"),
            "put it into a variable and write password = { env = \"APP_PASSWORD\" }; "
            "then change it, since it may be in the history of the file");
        return;
    }
    role.spec.password = PasswordReader(*table, member->key_place, draft, reporter).read();
}

void read_attributes(const TableReader& reader, RoleAttributes& attributes, Reporter& reporter) {
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
    // PostgreSQL keeps whole microseconds.
    if (auto time = read_time(reader, "valid_until", reporter)) {
        attributes.valid_until = std::chrono::floor<std::chrono::microseconds>(*time);
    }
    attributes.settings = read_settings(reader, SettingsFor::kSessions, reporter);
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
        read_attributes(reader, role.spec.attributes, reporter);
        role.member_of = reader.texts("member_of").value_or(std::vector<PlacedText>());
        for (const PlacedText& name : role.member_of) {
            role.spec.attributes.member_of.push_back(name.text);
        }
        std::sort(role.spec.attributes.member_of.begin(), role.spec.attributes.member_of.end());
        read_password(reader, role, draft, reporter);
        draft.roles.push_back(std::move(role));
    });
}

}  // namespace lb::specs
