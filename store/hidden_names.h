// Which inherited names a branch must not show: PostgreSQL would take its parent's running server
// or its parent's temporary files for its own. A name is hidden only if it came through a fork; a
// file that the line itself made under such a name is an ordinary file.
//
//   postmaster.pid, postmaster.opts    in the root of the data directory
//   pgsql_tmp*                         in every directory
//   everything in pg_stat_tmp          a directory of the root
#pragma once

#include <string_view>

namespace lb::store {

enum class DirectoryRole { kRoot, kStatisticsTemporary /* pg_stat_tmp */, kOther };

inline constexpr std::string_view kStatisticsTemporaryName = "pg_stat_tmp";

bool is_hidden_when_inherited(DirectoryRole directory, std::string_view name);

}  // namespace lb::store
