// The commit that a directory's git repository has checked out. The only user of libgit2.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"

namespace lb::engine {

// HEAD's commit id in hexadecimal; nullopt if `directory` is in no repository, or in one without a
// commit. Thread-safe. Errors: kGitFailed for a repository that cannot be read.
Result<std::optional<std::string>> head_commit(const std::string& directory);

}  // namespace lb::engine
