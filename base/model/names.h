// What names are allowed, and why.
//
// Projects and branches: 1-63 bytes, [a-z0-9] first, then [a-z0-9._/-], no "..", "//" or "/." and
// no
//   trailing '/' or '.' or ".lock". That is what a git branch name, a DNS label with its separators
//   replaced, a URL path and a shell word can all hold without quoting, and short enough for
//   PostgreSQL's 63-byte identifiers. Slashes are allowed because git branches have them
//   ("feature/cart"); no name is ever used as a path on disk. Upper case is refused, because two
//   names that differ only by case are a trap.
// Roles and databases: what PostgreSQL allows: 1-63 bytes of UTF-8 without NUL. Roles must not
//   start with "pg_", and neither may be "postgres", "template0", "template1" (databases), start
//   with "lb_" (reserved), or be "public" or "none" (roles).
// Schemas and extensions: likewise; neither "public" nor "information_schema" (schemas), nor
//   "plpgsql" (extensions), which every database has.
#pragma once

#include <string_view>

#include "base/result.h"

namespace lb {

// Each returns kInvalidName with what is wrong and an allowed spelling where there is one.
Status check_project_name(std::string_view name);
Status check_branch_name(std::string_view name);
Status check_role_name(std::string_view name);
Status check_database_name(std::string_view name);
Status check_schema_name(std::string_view name);
Status check_extension_name(std::string_view name);

}  // namespace lb
