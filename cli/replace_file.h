// Writing a user's file as a whole.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace lb::cli {

// `path` has the old text or the new one at any time, whatever ends the process or fills the disk:
// the new text is written beside it, synced, and renamed onto it. Keeps the file's mode, and its
// owner where that is permitted; follows symbolic links. A killed process may leave a file
// ".NAME.lb-XXXXXX". Errors: kIo, and nothing is changed.
Status replace_file(const std::string& path, std::string_view text);

// The same for a file that may be new, and that nobody else is to read: its mode is 0600, whatever
// was there. Errors: kIo, and nothing is changed.
Status write_private_file(const std::string& path, std::string_view text);

}  // namespace lb::cli
