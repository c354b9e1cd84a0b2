// Which name a file has: for messages about damage. The store's way is from names to files, so this
// walks the directories.
#pragma once

#include <string>

#include "store/projection.h"

namespace lb::store {

// "base/5/1259"; empty if no name of the line leads to it. Threads: as Projection::directory().
Result<std::string> path_of(Projection& projection, const Line& line, InodeId inode);

}  // namespace lb::store
