// A ProjectSpec as text, for golden cases and failure messages. Spans are left out.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/text.h"
#include "specs/spec_reader.h"

namespace lb::specs {

inline std::string describe(const Settings& settings) {
    std::string out;
    for (const auto& [name, value] : settings) out += cat(" ", name, "=[", value, "]");
    return out;
}

inline std::string describe(const BranchSpec& branch) {
    std::string out = cat("branch ", branch.name);
    if (!branch.parent.empty()) out += cat(" parent=", branch.parent);
    if (!branch.at.empty()) out += cat(" at=", branch.at);
    if (branch.is_protected) out += " protected";
    if (branch.ttl) out += cat(" ttl=", format_short_duration(*branch.ttl));
    if (branch.expire_time) out += cat(" expire_time=", format_time(*branch.expire_time));
    out += describe(branch.settings);
    if (branch.compute) {
        out += cat(" compute(size=", branch.compute->size_centi_cu, " port=", branch.compute->port,
                   " listen=", join(branch.compute->listen_addresses, ","),
                   branch.compute->always_on ? " always_on)" : ")");
    }
    return out + "\n";
}

inline std::string describe(const RoleSpec& role) {
    const RoleAttributes& attributes = role.attributes;
    std::string out = cat("role ", role.name);
    if (attributes.login) out += " login";
    if (attributes.superuser) out += " superuser";
    if (attributes.create_database) out += " create_database";
    if (attributes.create_role) out += " create_role";
    if (!attributes.inherit) out += " no_inherit";
    if (attributes.replication) out += " replication";
    if (attributes.bypass_row_security) out += " bypass_row_security";
    if (attributes.connection_limit != -1) {
        out += cat(" connection_limit=", attributes.connection_limit);
    }
    if (attributes.valid_until) out += cat(" valid_until=", format_time(*attributes.valid_until));
    out += describe(attributes.settings);
    if (!attributes.member_of.empty()) out += cat(" member_of=", join(attributes.member_of, ","));
    if (role.password) {
        bool is_variable = role.password->kind == SecretReference::Kind::kEnvironment;
        out += cat(" password=", is_variable ? "env:" : "file:", role.password->name,
                   role.password->is_generated ? " (generated)" : "");
    }
    return out + "\n";
}

inline std::string describe(const DatabaseSpec& database) {
    auto owner_text = [](const std::string& owner) {
        return owner.empty() ? std::string("(superuser)") : owner;
    };
    std::string out = cat("database ", database.name, " owner=", owner_text(database.owner));
    if (database.connection_limit != -1) {
        out += cat(" connection_limit=", database.connection_limit);
    }
    if (!database.encoding.empty()) out += cat(" encoding=", database.encoding);
    if (!database.locale.empty()) out += cat(" locale=", database.locale);
    if (!database.template_name.empty()) out += cat(" template=", database.template_name);
    out += describe(database.settings) + "\n";
    for (const SchemaSpec& schema : database.schemas) {
        out += cat("  schema ", schema.name, " owner=", owner_text(schema.owner), "\n");
    }
    for (const ExtensionSpec& extension : database.extensions) {
        out += cat("  extension ", extension.name);
        if (!extension.schema.empty()) out += cat(" schema=", extension.schema);
        if (!extension.version.empty()) out += cat(" version=", extension.version);
        out += "\n";
    }
    return out;
}

inline std::string describe(const ProjectSpec& spec) {
    std::string out = cat("project ", spec.name, " pg_version=", spec.pg_version,
                          " default_branch=", spec.default_branch, describe(spec.settings), "\n");
    for (const BranchSpec& branch : spec.branches) out += describe(branch);
    for (const RoleSpec& role : spec.roles) out += describe(role);
    for (const DatabaseSpec& database : spec.databases) out += describe(database);
    for (const ForgetSpec& forgotten : spec.forgotten) {
        out += cat("forget ", to_text(forgotten.address), "\n");
    }
    return out;
}

}  // namespace lb::specs
