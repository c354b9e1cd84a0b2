// Which settings PostgreSQL has, and where each can be set.
#pragma once

#include <span>
#include <string_view>

namespace lb::specs {

enum class SettingScope {
    kInternal,    // cannot be set
    kPostmaster,  // of a server, when it starts
    kSighup,      // of a server
    kBackend,     // of a server; counts for new sessions
    kSession,     // of a server, a database, a role
};

struct PostgresSetting {
    std::string_view name;  // lower case
    SettingScope scope;
};

// Null for a name that PostgreSQL itself does not know.
const PostgresSetting* find_postgres_setting(std::string_view name);
// Sorted by name.
std::span<const PostgresSetting> postgres_settings();

}  // namespace lb::specs
