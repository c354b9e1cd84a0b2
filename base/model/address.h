// Address: the name of a resource in specs, plans and messages.
//
//   project   branch.main   compute.main   role.main.app   database.main.shop
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
};

// "project", "branch", "compute", "role", "database".
std::string_view to_text(ResourceKind kind);

struct Address {
    ResourceKind kind = ResourceKind::kProject;
    std::string branch = {};  // empty for the project
    std::string name = {};    // role or database; empty for the others

    static Address project() { return {}; }
    static Address of_branch(std::string branch) {
        return {ResourceKind::kBranch, std::move(branch), {}};
    }
    static Address of_compute(std::string branch) {
        return {ResourceKind::kCompute, std::move(branch), {}};
    }
    static Address of_role(std::string branch, std::string name) {
        return {ResourceKind::kRole, std::move(branch), std::move(name)};
    }
    static Address of_database(std::string branch, std::string name) {
        return {ResourceKind::kDatabase, std::move(branch), std::move(name)};
    }

    auto operator<=>(const Address&) const = default;
};

std::string to_text(const Address& address);
// Errors: kUsage with what is wrong.
Result<Address> parse_address(std::string_view text);

}  // namespace lb
