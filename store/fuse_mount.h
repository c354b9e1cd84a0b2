// Mounting: from a directory to the descriptor of a FUSE connection, and back. As root by mount(2),
// as an ordinary user through the setuid helper fusermount3. Knows neither the store nor libfuse.
#pragma once

#include <string>

#include "base/result.h"

namespace lb::store {

// Mounts on `directory` (made if it is absent, its parent must exist) and returns the connection's
// descriptor (close-on-exec, non-blocking), which the caller owns. A dead mount there is unmounted
// first.
// Errors: kFuseMissing, kHomeUnusable (not a directory, or something live is mounted there).
Result<int> mount_fuse(const std::string& directory);

enum class UnmountMode {
    kIfUnused,  // fails when files are open
    kDetach,  // takes it out of the tree at once; what is open stays open until the connection ends
};

// Errors: kHomeUnusable.
Status unmount_fuse(const std::string& directory, UnmountMode mode);

}  // namespace lb::store
