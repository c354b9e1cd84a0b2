// Whether PostgreSQL will take the settings that a spec gives its servers, found out before an
// apply commits: a server with a setting that it refuses does not start.
#pragma once

#include <string>

#include "base/model/contents.h"
#include "engine/compute.h"

namespace lb::engine {

// Names that are none, and those that lb keeps for itself. Errors: kBadRequest, kRefused.
Status check_setting_names(const Settings& settings);

// Asks the server's program, which starts nothing. What a value leads to at a start - too much
// memory, a library that is not there - it does not tell. Errors: kRefused with PostgreSQL's words.
Status check_setting_values(const PostgresInstallation& postgres, const std::string& postgres_user,
                            const Settings& settings);

}  // namespace lb::engine
