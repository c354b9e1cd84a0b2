// Address: the name of a resource in specs, plans and messages.
//
//   project   branch.main   compute.main   role.main.app   database.main.shop
//   schema.main.shop.api   extension.main.shop.pgcrypto
//
// Names may hold any character that the resource allows; an address is printed with names that are
// not plain ([A-Za-z0-9_/-]+) in double quotes, so that text and address map one to one.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace lb {

enum class ResourceKind : uint8_t {
    kProject = 0,
    kBranch = 1,
    kCompute = 2,
    kRole = 3,
    kDatabase = 4,
    kSchema = 5,
    kExtension = 6,
};

// "project", "branch", "compute", "role", "database", "schema", "extension".
std::string_view to_text(ResourceKind kind);

struct Address {
    ResourceKind kind = ResourceKind::kProject;
    std::string branch = {};    // empty for the project
    std::string database = {};  // where a schema or extension is; empty for the others
    std::string name = {};      // empty for projects, branches and computes

    static Address project() { return {}; }
    static Address of_branch(std::string branch) {
        return {.kind = ResourceKind::kBranch, .branch = std::move(branch)};
    }
    static Address of_compute(std::string branch) {
        return {.kind = ResourceKind::kCompute, .branch = std::move(branch)};
    }
    static Address of_role(std::string branch, std::string name) {
        return {.kind = ResourceKind::kRole, .branch = std::move(branch), .name = std::move(name)};
    }
    static Address of_database(std::string branch, std::string name) {
        return {
            .kind = ResourceKind::kDatabase, .branch = std::move(branch), .name = std::move(name)};
    }
    static Address of_schema(std::string branch, std::string database, std::string name) {
        return {ResourceKind::kSchema, std::move(branch), std::move(database), std::move(name)};
    }
    static Address of_extension(std::string branch, std::string database, std::string name) {
        return {ResourceKind::kExtension, std::move(branch), std::move(database), std::move(name)};
    }

    // Lives inside of `database`, and goes with it.
    bool is_inside_database() const { return !database.empty(); }
    // The database that a schema or extension is in.
    Address its_database() const { return of_database(branch, database); }

    auto operator<=>(const Address&) const = default;
};

std::string to_text(const Address& address);
// Errors: kUsage with what is wrong.
Result<Address> parse_address(std::string_view text);

}  // namespace lb
