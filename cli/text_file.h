// Reading small and growing text files: specs, secrets, logs.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"

namespace lb::cli {

// The whole file. Errors: kIo with errno; kUsage if it is larger than `max_bytes`.
Result<std::string> read_text_file(const std::string& path, size_t max_bytes);

struct FileTail {
    std::string text;
    uint64_t end_offset = 0;  // where the file ended
};

// The last `count` lines, read from the end; an unfinished last line counts. Errors: kIo.
Result<FileTail> last_lines(const std::string& path, size_t count);

// Calls `sink` with what is in the file after `offset`, and then with what is appended, until
// `is_cancelled`. A file that became shorter or was replaced is read from its start. Errors: kIo.
Status follow_file(const std::string& path, uint64_t offset,
                   const std::function<Status(std::string_view)>& sink,
                   const std::function<bool()>& is_cancelled);

}  // namespace lb::cli
