// What crash tests compare: everything of a home that an apply may change, as text.
#pragma once

#include <cstddef>
#include <string>

#include "tests/engine/engine_fixture.h"

namespace lb::engine {

// Queries whose answers, on each branch, belong to the picture. What an apply may change inside of
// a branch has one here.
inline constexpr const char* kRoles =
    "SELECT rolname, rolcanlogin FROM pg_roles WHERE rolname !~ '^pg_' AND rolname <> 'postgres' "
    "ORDER BY 1";
inline constexpr const char* kDatabases =
    "SELECT datname FROM pg_database WHERE NOT datistemplate ORDER BY 1";

// The catalog's side and what each branch really has. Expects that no transaction is prepared.
std::string picture(EngineHome& home);

// How many lines there are if none is left that belongs to nothing.
size_t named_lines(EngineHome& home);

// A directory for homes that are killed; leaves no mount and no file behind.
class CrashDirectory {
public:
    CrashDirectory();
    ~CrashDirectory();
    CrashDirectory(const CrashDirectory&) = delete;
    CrashDirectory& operator=(const CrashDirectory&) = delete;

    const std::string& path() const { return path_; }
    void copy_store_from(const CrashDirectory& other) const;

private:
    std::string path_;
};

}  // namespace lb::engine
