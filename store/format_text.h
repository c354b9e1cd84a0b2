// The format's values as text, for messages and dumps.
#pragma once

#include <string>
#include <string_view>

#include "store/format.h"

namespace lb::store {

std::string_view type_name(RecordType type);

// "type 1, line 3, object 184, block 7, sequence 4711"
std::string identity_text(const RecordHeader& record);

// An error's message and context on one line.
std::string reason_text(const Error& error);

// 16 digits, the most significant first.
std::string hash_text(uint64_t hash);

}  // namespace lb::store
