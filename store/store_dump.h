// What is in a store's files, for `lb debug`: reads the files themselves, as far as they can be
// read, whoever has the store open, and changes nothing. (A segment's dump is in segment_log.h.)
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "store/check.h"
#include "store/disk.h"

namespace lb::store {

// Each entry of the index in order. What a daemon has not written out yet is not there. Errors:
// kStoreNotFound; kStoreDamaged behind the last entry that can be read.
Status dump_index(const std::string& store_directory,
                  const std::function<void(std::string_view key, std::string_view value)>& visit);

// The notes as manifest and log have them, sorted by key, going on behind damage, which goes to
// `problem`.
Result<std::vector<Note>> notes_of_log(Disk& disk, const std::string& store_directory,
                                       const std::function<void(const Problem&)>& problem);

// Lines about SUPER; of a damaged one, what its bytes say and what is wrong with them.
Status dump_super(Disk& disk, const std::string& store_directory,
                  const std::function<void(std::string_view)>& write_line);

}  // namespace lb::store
